"""A lesson whose cells are run again: each twice, and all in other orders. None hangs, and nothing is left behind."""

import random
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from support.jupyterlab import NOTEBOOKS

from wslab.cli.lessons import FOLDER, SOURCE, copy_lessons

ANNOUNCED = {"09-messages": {"chopped.pcapng"}}  # the files that a lesson tells the reader to open
MEASURED = "tests/benchmarks/results.json"  # which lesson 16 reads: the copy stands in a clone
TIMEOUT = 10  # seconds for a cell: what none of them brings waits for 5

# What a cell that is run again, or too late, may say without advice: a sentence of which a learner can make something.
UNDERSTOOD = {
    "ConnectionRefusedError": r"nobody listens on .+ port \d+: is the server running, and is this its port\?",
    "ConnectionError": r"the server hung up in the middle of an answer",  # as lesson 01 says it
    "CaptureError": r".+ has no WebSocket conversation in it",
    "HandshakeError": r"the server closed the connection without an answer.*",
    "IndexError": r"there is no row \d+ here: .+",
    "ProtocolError": r"\d{4} .+",
    "SSLCertVerificationError": r".+ certificate verify failed: .+",  # which lesson 17 explains
    "SSLError": r"no TLS is spoken there: .+",
    "RuntimeError": r"nothing has run yet: .+|the server (does not listen|has no port yet): .+|this bus is closed: .+",
}


@dataclass
class Rerun:
    """What a lesson did when its cells were run again."""

    before: dict[str, bytes]
    after: dict[str, bytes] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def lesson(request, tmp_path_factory) -> tuple[Path, Rerun]:
    """A lesson in a copy as learners have it, and what came of running it again."""
    tmp_path = tmp_path_factory.mktemp("again")
    folder = tmp_path / FOLDER
    copy_lessons(SOURCE, folder)
    (tmp_path / MEASURED).parent.mkdir(parents=True)
    shutil.copy(SOURCE.parent / MEASURED, tmp_path / MEASURED)
    rerun = Rerun(contents(tmp_path))
    run_again(folder / request.param.name, rerun)
    rerun.after = contents(tmp_path)
    return request.param, rerun


def run_again(path: Path, rerun: Rerun) -> None:
    """Run each cell twice in a row, then all of them backwards, then shuffled, and at last the one that ends all."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=TIMEOUT, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}
    )
    cells = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    shuffled = random.Random(path.stem).sample(cells, len(cells))
    with client.setup_kernel():
        for number in cells:
            run_cell(client, number)
            rerun.said += run_cell(client, number)
        for number in [*reversed(cells), *shuffled, cells[-1]]:
            rerun.said += run_cell(client, number)


def run_cell(client: NotebookClient, number: int) -> list[str]:
    """The errors that the cell shows, each with its source, unless it is there to show one."""
    cell = client.nb.cells[number]
    client.execute_cell(cell, number)
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if "raises-exception" in cell.metadata.get("tags", []):
        return []
    return [f"{error.ename}: {error.evalue}\n{cell.source}" for error in errors if not is_understood(error)]


def is_understood(error: nbformat.NotebookNode) -> bool:
    """Whether advice stands below the error, or it is one of these sentences."""
    told = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    _, found, below = told.rpartition(f"{error.ename}: {error.evalue}")
    is_advised = bool(found and below.strip())
    return is_advised or bool(re.fullmatch(UNDERSTOOD.get(error.ename, "(?!)"), error.evalue))


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cell_that_is_run_again_neither_hangs_nor_says_what_nobody_understands(lesson):
    _, rerun = lesson
    assert "\n\n".join(rerun.said) == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_lesson_leaves_nothing_behind(lesson):
    path, rerun = lesson
    left = {f"{FOLDER}/{name}" for name in ANNOUNCED.get(path.stem, set())}
    assert set(rerun.after) - set(rerun.before) == left
    assert {name: rerun.after[name] for name in rerun.before} == rerun.before
