"""The exercise sets as notebooks: solutions made from the catalogue, and exercises that nbgrader makes of these."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from wslab.exercises.checks.exercise import Exercise
from wslab.exercises.progress import source_of
from wslab.exercises.sets.catalogue import EXERCISES

ROOT = Path(__file__).parents[2]
SOLUTIONS, RELEASED = ROOT / "notebooks/solutions", ROOT / "notebooks/exercises"
TITLES = {
    "01-before-websocket": "Before WebSocket",
    "02-the-upgrade-request": "The Upgrade request",
    "03-the-key-and-the-answer": "The key and the answer",
    "04-negotiation": "Negotiation",
    "05-the-frame": "The frame",
    "06-reading-frames": "Reading frames",
    "07-masking": "Masking",
    "09-messages": "Messages",
    "10-an-echo-server-with-threads": "An echo server with threads",
    "11-watching-connections": "Watching connections",
    "12-the-browsers-websocket": "The browser's WebSocket",
    "14-ping-silence-goodbye": "Ping, silence, goodbye",
    "15-compression": "Compression",
    "17-security": "Security",
}
# Fading: the first set begins with a function that is written already. In the first exercises some lines stand there
# already, at the beginning and at the end of the function. Later ones give a line to begin with, and the last ones the
# signature alone; the server of the last set is written from nothing.
WORKED = {
    "01-before-websocket": (
        """## Worked: read_line

    read_line(sock: socket.socket) -> bytes

Return the bytes up to the next line end, CR LF, and with it. Leave what comes after it unread. Raise `EOFError` if the
peer ends before.

This one is written for you, so that you see how: a contract, a function, a try. It gives no points.""",
        '''import socket


def read_line(sock: socket.socket) -> bytes:
    """The bytes up to and with the next CR LF. Raises EOFError if the peer ends before."""
    line = b""
    while not line.endswith(b"\\r\\n"):  # one recv may bring less than a line: ask again
        octet = sock.recv(1)  # never more than is surely wanted: what is read is gone for the next reader
        if not octet:  # no bytes at all: the peer has ended
            raise EOFError("the peer ended within a line")
        line += octet
    return line''',
        """left, right = socket.socketpair()
with left, right:
    right.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n")
    print(read_line(left))
    print(read_line(left))""",
    )
}
GIVEN = {
    "read_exactly": (1, 1),
    "wants_websocket": (0, 1),
    "accept_key": (0, 1),
    "choose_subprotocol": (0, 1),
    "serialize_frame": (3, 0),
    "parse_frame": (2, 0),
    "join_messages": (2, 0),
}
NOT_KEPT = {"12-the-browsers-websocket"}  # what is no part of a server
CONTENTS = "[Contents](../../README.md#lessons)"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
needs_nbgrader = pytest.mark.skipif(find_spec("nbgrader") is None, reason="nbgrader is missing: pip install nbgrader")
MARK, END = "### BEGIN SOLUTION", "### END SOLUTION"
MOST_LINES = 15  # of a cell that needs no explanation of its length


def lessons() -> list[str]:
    """The lessons that have a set, in order."""
    return list(dict.fromkeys(exercise.lesson for exercise in EXERCISES.values()))


def solution_notebook(lesson: str) -> nbformat.NotebookNode:
    """The set of a lesson with its solutions, not run yet."""
    notebook = new_notebook(metadata=METADATA)
    notebook.cells = [
        new_markdown_cell(introduction(lesson), id="introduction"),
        new_code_cell("import wslab", id="imports", metadata=nbgrader("imports", locked=True)),
    ]
    if lesson in WORKED:
        text, function, attempt = WORKED[lesson]
        notebook.cells += [
            new_markdown_cell(text, id="worked"),
            new_code_cell(function, id="worked-code", metadata=nbgrader("worked", locked=True)),
            new_code_cell(attempt, id="worked-try", metadata=nbgrader("worked-try", locked=True)),
        ]
    for exercise in EXERCISES.values():
        if exercise.lesson == lesson:
            notebook.cells += card(exercise)
    notebook.cells.append(new_markdown_cell(ending(lesson), id="ending"))
    return notebook


def introduction(lesson: str) -> str:
    number = lesson[:2]
    target = ROOT / f"notebooks/{lesson}.ipynb"
    link = f"[lesson {number}](../{target.name})" if target.exists() else f"lesson {number}"
    return f"""# Exercises {number} · {TITLES[lesson]}

Do them after {link}. Each exercise is a function that you write. The cell after it checks what you wrote, as often as
you like: it says which parts of the contract hold, and how the first fault shows. Each part earns its points by itself.
`hint` gives three hints, one at a time, and `wslab.exercises.reference` opens when your function passes, or after three
tries."""


def ending(lesson: str) -> str:
    keep = ", ".join(f"`{it.name}`" for it in EXERCISES.values() if it.lesson == lesson)
    if lesson in NOT_KEPT:
        return CONTENTS
    return f"""## Keep what you wrote

Copy {keep} into your `my_websocket.py`: there the parts of all lessons come together.

{CONTENTS}"""


def card(exercise: Exercise) -> list[nbformat.NotebookNode]:
    """The cells of one exercise: contract, function, check, hint, points."""
    name = re.sub("(?<!^)(?=[A-Z])", "_", exercise.name).lower()
    dashed = name.replace("_", "-")
    source = marked(exercise)
    lines = len(re.findall(r"^\s*[^\s#]", source, re.MULTILINE))
    parts = "\n".join(f"- {aspect.name} ({aspect.points})" for aspect in exercise.aspects)
    text = f"""## {exercise.name}

    {exercise.signature}

{exercise.contract}

**Example.** {exercise.example}

**{exercise.points} points:**

{parts}"""
    if lines > MOST_LINES:
        kind = "class" if exercise.is_class else "function"
        text += f"\n\nIt is a long {kind}: the reference has {lines} lines{parts_of(source)}."
    called = f"wslab.exercises.check({exercise.name})"
    marks = nbgrader(name, solution=True) | ({"tags": ["long-cell"]} if lines > MOST_LINES else {})
    return [
        new_markdown_cell(text, id=dashed),
        new_code_cell(source, id=f"{dashed}-code", metadata=marks),
        new_code_cell(called, id=f"{dashed}-check", metadata=nbgrader(f"{name}-check", locked=True)),
        new_code_cell(
            f'wslab.exercises.hint("{exercise.name}")',
            id=f"{dashed}-hint",
            metadata=nbgrader(f"{name}-hint", locked=True),
        ),
        new_code_cell(
            f"{called}.points",
            id=f"{dashed}-points",
            metadata=nbgrader(f"{name}-points", locked=True, grade=True, points=exercise.points),
        ),
    ]


def parts_of(source: str) -> str:
    """Into how many functions or methods a long source is divided, if into more than one."""
    count = len(re.findall(r"^ *def ", source, re.MULTILINE))
    parts = "methods" if re.search(r"^class ", source, re.MULTILINE) else "functions"
    return f", in {('no', 'one', 'two', 'three', 'four')[count]} {parts}" if count > 1 else ""


def nbgrader(grade_id: str, points: int = 0, **marks: bool) -> dict:
    data = {"schema_version": 3, "grade": False, "locked": False, "solution": False, "task": False} | marks
    return {"nbgrader": data | {"grade_id": grade_id} | ({"points": points} if data["grade"] else {})}


def marked(exercise: Exercise) -> str:
    """The source of the reference, with the marks of nbgrader around what a learner is to write."""
    source = source_of(exercise.name).rstrip()
    if exercise.is_class:
        return marked_class(source)
    lines = source.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(f"def {exercise.name}"))
    body = start + 2  # after the docstring
    ends = [n for n, line in enumerate(lines) if n > body and line and not line.startswith(" ")]
    end = ends[0] if ends else len(lines)
    before, after = GIVEN.get(exercise.name, (0, 0))
    while end > body and not lines[end - 1]:
        end -= 1
    first, last = body + before, (end - after if after else len(lines))
    return "\n".join([*lines[:first], f"    {MARK}", *lines[first:last], f"    {END}", *lines[last:]])


def marked_class(source: str) -> str:
    """Marks around the body of each method."""
    marked_lines: list[str] = []
    open_mark = False
    for line in source.split("\n"):
        if open_mark and (not line or line.startswith("    def ")):
            marked_lines.append(f"        {END}")
            open_mark = False
        marked_lines.append(line)
        is_first = line.strip().startswith('"""') and line.startswith("        ")
        if is_first or line.startswith("    def __init__"):
            marked_lines.append(f"        {MARK}")
            open_mark = True
    return "\n".join([*marked_lines, f"        {END}"] if open_mark else marked_lines)


def nbgrader_command(course: Path, *arguments: str) -> None:
    """Run nbgrader in the folder of a course. Raises CalledProcessError if it refuses."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it calls alembic by its name
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    subprocess.run(command, cwd=course, env=environment, check=True, capture_output=True, timeout=500)


def generate(notebooks: Sequence[Path], course: Path) -> Path:
    """Let nbgrader make what learners get of each notebook; return the folder in which it is. Raises as above."""
    source = course / "source/set"
    source.mkdir(parents=True)
    for path in notebooks:
        shutil.copy(path, source)
    nbgrader_command(course, "generate_assignment", "set", "--create")
    return course / "release/set"


def release(notebooks: Sequence[Path], into: Path) -> None:
    """Hand out what nbgrader makes of each notebook."""
    with tempfile.TemporaryDirectory() as course:
        released = generate(notebooks, Path(course))
        into.mkdir(exist_ok=True)
        for path in notebooks:
            made = nbformat.read(released / path.name, as_version=4)
            nbformat.write(handed_out(made), into / path.name)


def handed_out(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What nbgrader has made, without what differs from run to run: its checksums."""
    for cell in notebook.cells:
        cell.metadata.get("nbgrader", {}).pop("checksum", None)
        cell.metadata.pop("execution", None)
    return notebook
