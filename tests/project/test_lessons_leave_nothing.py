"""A lesson that has run has changed no other file of its working copy, and left none but what its text announces."""

import shutil

import nbformat
import pytest
from nbclient import NotebookClient
from support.jupyterlab import NOTEBOOKS

from wslab.cli.lessons import FOLDER, SOURCE, copy_lessons

ANNOUNCED = {"09-messages": {"chopped.pcapng"}}  # the files that a lesson tells the reader to open
MEASURED = "tests/benchmarks/results.json"  # which lesson 16 reads: the copy stands in a clone


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("lesson", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_leaves_nothing_behind(lesson, tmp_path):
    folder = tmp_path / FOLDER
    copy_lessons(SOURCE, folder)
    (tmp_path / MEASURED).parent.mkdir(parents=True)
    shutil.copy(SOURCE.parent / MEASURED, tmp_path / MEASURED)
    before = contents(tmp_path)
    notebook = nbformat.read(folder / lesson.name, as_version=4)
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(folder)}}).execute()

    after = contents(tmp_path)
    assert set(after) - set(before) == {f"{FOLDER}/{name}" for name in ANNOUNCED.get(lesson.stem, set())}
    assert {name: after[name] for name in before} == before


def contents(folder):
    """The bytes of every file, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
