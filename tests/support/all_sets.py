"""All sets as notebooks, by their names: those of the lessons, the bug zoo, and the captures of a seed."""

import re
from collections.abc import Callable
from functools import partial

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from support import exercise_sets as sets
from wslab.exercises import capture_task
from wslab.exercises.capstone import CHAPTER_POINTS, CHAPTERS, PARTS
from wslab.exercises.diagnosing import POINTS
from wslab.exercises.zoo.residents import BUGS, PREFIX
from wslab.exercises.zoo.tasks import DIAGNOSIS, IN_THE_SET, TASKS

ZOO, CAPTURES, CAPSTONE = "19-the-bug-zoo", "19-captures", "19-my-websocket"
LESSON = "[lesson 19](../19-proof.ipynb)"
STUDENT, CAPTURE_TASKS = "your name", range(1, 6)
ZOO_IMPORTS = """from typing import Any

import wslab
from wslab import Frame, Opcode
from wslab.exercises import zoo
from wslab.exercises.zoo import DEFLATE, answer, dial"""
ABOUT_ZOO = f"""# Exercises 19 · The bug zoo

Do them after {LESSON}. Each bug in this zoo was reported by somebody, and has the name of the thread that
reports it. Eight of the {len(BUGS)} stand here. First you find a bug in its capture: the row that a good server
(or client) would not have sent, and the section that says so. Then you write a probe, which passes the good one
and fails the bad one. `hint` gives three hints, one at a time, and `wslab.exercises.reference` tells the story
of a bug when you have found it, or after three tries.

A probe says True or False; it does not raise. It gets a `server`, or a `client` that it calls to itself:

- `with dial(server) as line:` and `with answer(client) as line:` open a line, after the handshake;
- `line.send(frame, …)` sends frames, masked where a client must, and bytes as they are;
- `line.receive()` gives the next frame, None if no whole and legal one comes any more; `line.rest()` gives all;
- `line.read(count)` gives bytes;
- `line.request` and `line.response` are the handshake."""
ABOUT_MATRIX = """## All probes against all bugs

A suite is as good as the bugs that it catches. Here each of your probes meets every bug of its side, and not
only its own.

Which bugs does none of them catch? `zoo.bugs()` lists all, and `wslab.exercises.check` takes a probe for each:
`probe_` and the name of the bug."""
ABOUT_CAPTURES = f"""# Exercises 19 · Captures

Do them after {LESSON}. Write your name where it is missing: it decides which captures you get, so that yours
are not those of your neighbour. In each capture one frame breaks a rule. Much else looks strange and is legal.

Read the bytes: `tasks[0].row(7)` gives all bytes of a row, and lessons 05 to 09, 14 and 15 say what they mean.
The inspector knows most rules, and `wslab.inspect(tasks[0].recording)` would tell you: use it to see whether
you were right."""

FILE = "my_websocket.py"
ABOUT_CAPSTONE = f"""# Exercises 19 · My WebSocket

Do them after {LESSON}. Here nothing is given: the file `{FILE}` beside this notebook is yours from its first line to
its last, and becomes a whole server, which echoes to a browser.

**What stands in it.** The parts that you wrote in the sets before, under their names:
{", ".join(f"`{name}`" for name in PARTS)}. From `wslab` it takes `Frame`, `Opcode` and `ProtocolError`, and nothing
that does the work.

**What is still missing** is the server around them:

- As a program, `python {FILE}`, it listens on a port of 127.0.0.1 that is free, and prints one line,
  `Listening on ws://127.0.0.1:PORT/`. This stands behind `if __name__ == "__main__":`, so that the file can also be
  read without a server.
- Each connection has a thread, as in lesson 10. It reads the request, refuses it if it asks for no WebSocket, and
  answers the others.
- Each message goes back as it came, compressed if that was agreed on. Each ping gets its pong.
- A close frame is answered with a close frame; then the server ends TCP. A client that breaks a rule gets a close frame
  with the code that names it: 1002, 1007 or 1009.

In a terminal, `python -m wslab judge {FILE} --watch` says which part is next, each time that you save the file. Open
`wslab echo`'s test page, or a browser's console, and let it talk to your server."""
ABOUT_SCORE = """## The parts, and the cases of Autobahn

The judge of lesson 19 plays its cases with your server as soon as all parts stand. That takes some ten
seconds."""


def capstone_notebook() -> nbformat.NotebookNode:
    """The score of a file that stands beside the notebook, not run yet."""
    notebook = new_notebook(metadata=sets.METADATA)

    def locked(source: str, name: str, points: int = 0) -> nbformat.NotebookNode:
        marks = sets.nbgrader(name, locked=True, grade=bool(points), points=points)
        return new_code_cell(source, id=name.replace("_", "-"), metadata=marks)

    notebook.cells = [
        new_markdown_cell(ABOUT_CAPSTONE, id="introduction"),
        locked("import wslab", "imports"),
        new_markdown_cell(ABOUT_SCORE, id="about-score"),
        locked(f'score = wslab.exercises.judge_file("{FILE}")\nscore', "score"),
    ]
    for number, title in CHAPTERS.items():
        text = f"**Chapter {number}, {title}: {CHAPTER_POINTS} points**, for the share of the cases that are passed."
        name = f"chapter_{number}_points"
        notebook.cells += [
            new_markdown_cell(text, id=f"chapter-{number}"),
            locked(f'score.points("{number}")', name, CHAPTER_POINTS),
        ]
    notebook.cells.append(new_markdown_cell(sets.CONTENTS, id="ending"))
    return notebook


def zoo_notebook() -> nbformat.NotebookNode:
    """The bug zoo with its solutions, not run yet."""
    notebook = new_notebook(metadata=sets.METADATA)
    marks = sets.nbgrader("imports", locked=True)
    notebook.cells = [
        new_markdown_cell(ABOUT_ZOO, id="introduction"),
        new_code_cell(ZOO_IMPORTS, id="imports", metadata=marks),
    ]
    for name in IN_THE_SET:
        notebook.cells += bug_cards(name)
    probes = ",\n    ".join(f"{PREFIX}{name}" for name in IN_THE_SET)
    marks = sets.nbgrader("matrix", locked=True)
    notebook.cells += [
        new_markdown_cell(ABOUT_MATRIX, id="about-matrix"),
        new_code_cell(f"zoo.matrix(\n    {probes},\n)", id="matrix", metadata=marks),
        new_markdown_cell(sets.CONTENTS, id="ending"),
    ]
    return notebook


def bug_cards(name: str) -> list[nbformat.NotebookNode]:
    """The capture of a bug, its diagnosis, and the probe for it."""
    shown = new_code_cell(
        f'wslab.inspect(zoo.capture("{name}"))',
        id=f"capture-of-{name}".replace("_", "-"),
        metadata=sets.nbgrader(f"capture_of_{name}", locked=True),
    )
    text, *diagnosis = sets.card(TASKS[f"{DIAGNOSIS}{name}"])
    probe = sets.card(TASKS[f"{PREFIX}{name}"])
    # What the reference says of itself would be the diagnosis.
    probe[1].source = re.sub(
        '""".*"""', f'"""Whether the {BUGS[name].role.value} is good."""', probe[1].source, count=1
    )
    return [text, shown, *diagnosis, *probe]


def captures_notebook() -> nbformat.NotebookNode:
    """The captures with their solutions, for the name that stands there, not run yet."""
    notebook = new_notebook(metadata=sets.METADATA)
    numbers = f"range({CAPTURE_TASKS.start}, {CAPTURE_TASKS.stop})"
    notebook.cells = [
        new_markdown_cell(ABOUT_CAPTURES, id="introduction"),
        new_code_cell("import wslab", id="imports", metadata=sets.nbgrader("imports", locked=True)),
        new_code_cell(f'student = "{STUDENT}"', id="student"),
        new_code_cell(
            f'tasks = [wslab.exercises.capture_task(f"{{student}} {{number}}") for number in {numbers}]',
            id="tasks",
            metadata=sets.nbgrader("tasks", locked=True),
        ),
    ]
    for number in CAPTURE_TASKS:
        notebook.cells += capture_card(number)
    notebook.cells.append(new_markdown_cell(sets.CONTENTS, id="ending"))
    return notebook


def capture_card(number: int) -> list[nbformat.NotebookNode]:
    """The cells of one capture: its rows, the answer, check, points."""
    key, points = capture_task(f"{STUDENT} {number}").key, sum(POINTS.values())
    text = f"## Capture {number}\n\n**{points} points:**\n\n" + "\n".join(
        f"- the {it} ({n})" for it, n in POINTS.items()
    )
    head = f'def answer_{number}() -> tuple[int, str, str]:\n    """The row, the field and the section."""'
    body = f'    {sets.MARK}\n    return {key.row}, "{key.field}", "{key.sections[0]}"\n    {sets.END}'
    name, task = f"answer_{number}", f"tasks[{number - 1}]"
    called = f"{task}.check({name})"
    dashed = name.replace("_", "-")
    marks = {
        "capture": sets.nbgrader(f"{name}-capture", locked=True),
        "code": sets.nbgrader(name, solution=True),
        "check": sets.nbgrader(f"{name}-check", locked=True),
        "points": sets.nbgrader(f"{name}-points", locked=True, grade=True, points=points),
    }
    sources = {"capture": task, "code": f"{head}\n{body}", "check": called, "points": f"{called}.points"}
    cells = [new_code_cell(sources[it], id=f"{dashed}-{it}", metadata=mark) for it, mark in marks.items()]
    return [new_markdown_cell(text, id=dashed), *cells]


NOTEBOOKS: dict[str, Callable[[], nbformat.NotebookNode]] = {
    **{lesson: partial(sets.solution_notebook, lesson) for lesson in sets.lessons()},
    CAPTURES: captures_notebook,
    CAPSTONE: capstone_notebook,
    ZOO: zoo_notebook,
}


def write_solutions() -> None:
    """Make the solutions anew; they are to be run afterwards."""
    sets.SOLUTIONS.mkdir(exist_ok=True)
    for name, make in NOTEBOOKS.items():
        nbformat.write(make(), sets.SOLUTIONS / f"{name}.ipynb")
