"""lessons: a copy of the lessons to work in, without outputs; what you have changed there is never overwritten."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from wslab.cli.errors import CommandError
from wslab.cli.output import show
from wslab.recording.replacing import replacing

HELP = "copy the lessons, without outputs, into a folder of your own"
EXAMPLES = """\
  {wslab} lessons
  {wslab} lessons my-lessons --open"""

SOURCE = Path(__file__).parents[2] / "notebooks"  # in the repository
START = "00-start-here.ipynb"
FIRST = f"share/wslab/notebooks/{START}"  # where pip puts it, below a folder of its choice
SOLUTIONS = "solutions"
FOLDER = "my-lessons"
RECORD = ".wslab-lessons.json"  # what was copied: the digest of each file, by its path


class Fate(StrEnum):
    """What became of a file, in words that follow the number of such files."""

    NEW = "new"
    UPDATED = "updated, as you had not changed them"
    SAME = "up to date"
    YOURS = "with your own changes"
    KEPT = "newer here, but kept as you have changed them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, and what is to be done with it."""
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        type=Path,
        default=Path(FOLDER),
        help=f"where to put them (default: {FOLDER} in this folder); run this again to get new lessons",
    )
    parser.add_argument("--open", action="store_true", help="then start JupyterLab, and open the first lesson")


def run(options: argparse.Namespace) -> int:
    """Copy the lessons. Raises CommandError where they are not, or cannot be written."""
    folder: Path = options.folder
    source = find_lessons()
    if folder.resolve().is_relative_to(source.resolve()):
        raise CommandError(f"{folder} is where the lessons come from: name another folder")
    try:
        fates = copy_lessons(source, folder)
    except OSError as error:
        raise CommandError(f"{error.filename or folder}: {error.strerror or error}") from None
    counts = Counter(fates.values())
    show(f"{folder}: " + ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate]))
    for path, fate in fates.items():
        if fate is Fate.KEPT:
            show(f"  kept {path}: to get it as it is now, rename yours and run this again")
    return open_lab(folder) if options.open else 0


def open_lab(folder: Path) -> int:
    """Become JupyterLab, which begins with the first lesson in `folder`. Raises CommandError where there is none.

    Where there is no display, it prints the address to open. Its status is returned on Windows only.
    """
    if find_spec("jupyterlab") is None:
        raise CommandError("JupyterLab is missing: pip install 'wslab[course]'")
    folder = folder.resolve()
    options = ["--LabApp.news_url=None", f"--LabApp.default_url=/lab/tree/{quote(folder.name)}/{START}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as everybody is in a container
        options.append("--allow-root")
    command = [sys.executable, "-m", "jupyterlab", *options]
    os.chdir(folder.parent)
    sys.stdout.flush()
    # On Windows, a program of which another one takes the place has ended for the terminal.
    return _wait_for(command) if os.name == "nt" else os.execv(command[0], command)


def _wait_for(command: Sequence[str]) -> int:
    """Run a program until it ends, which Ctrl-C tells it as well."""
    with subprocess.Popen(command) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def find_lessons() -> Path:
    """Return the folder of the lessons: that of the repository, or the one that pip has installed."""
    if SOURCE.is_dir():
        return SOURCE
    try:
        installed = files("wslab") or []
    except PackageNotFoundError:
        installed = []
    for path in installed:
        if path.as_posix().endswith(FIRST):
            return Path(str(path.locate())).resolve().parent
    raise CommandError("the lessons are not here: install wslab with pip, or get its repository")


def copy_lessons(source: Path, folder: Path) -> dict[str, Fate]:
    """Copy the lessons in `source`, with what they need, into `folder`; what became of each file, by its path.

    A file is written if there is none, or if it is still as an earlier copy left it. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")  # inside a clone, git takes no notice of the folder
    known = _read_record(folder / RECORD)
    fates = {}
    for path in _files_of(source):
        name = path.relative_to(source).as_posix()
        data = without_outputs(path.read_bytes()) if path.suffix == ".ipynb" else path.read_bytes()
        fates[name] = fate = _fate(folder / name, data, known.get(name))
        if fate in (Fate.NEW, Fate.UPDATED):
            _write(folder / name, data)
        if fate is not Fate.KEPT:
            known[name] = _digest(data)
    _write(folder / RECORD, json.dumps(known, indent=1).encode())
    return fates


def without_outputs(data: bytes) -> bytes:
    """The bytes of a notebook as if none of its cells had run."""
    notebook = json.loads(data)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _files_of(source: Path) -> Iterator[Path]:
    """The files that a learner needs: no solutions, and no capture that a lesson has left beside itself."""
    for path in sorted(source.rglob("*")):
        parts = path.relative_to(source).parts
        is_hidden = any(part.startswith((".", "__")) for part in parts)
        is_left = len(parts) == 1 and path.suffix == ".pcapng"
        if path.is_file() and not is_hidden and not is_left and parts[0] != SOLUTIONS:
            yield path


def _fate(target: Path, data: bytes, known: str | None) -> Fate:
    if not target.exists():
        return Fate.NEW
    found = target.read_bytes()
    if found == data:
        return Fate.SAME
    if _digest(found) == known:
        return Fate.UPDATED
    return Fate.YOURS if _digest(data) == known else Fate.KEPT


def _read_record(path: Path) -> dict[str, str]:
    """What earlier copies have written; nothing if that cannot be read, so that all that is there is kept."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in record.items()} if isinstance(record, dict) else {}


def _write(target: Path, data: bytes) -> None:
    """Write the file at once, so that an interruption leaves no half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        file.write(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
