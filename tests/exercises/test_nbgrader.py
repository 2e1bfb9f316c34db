"""nbgrader grades the sets: what students hand in gets the points that it has earned, whatever else stands in it."""

import csv
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from support import exercise_sets as sets
from support.learners import edited

from wslab.exercises import capture_task
from wslab.exercises.capstone import CHAPTER_POINTS, CHAPTERS
from wslab.exercises.progress import source_of
from wslab.exercises.zoo.tasks import IN_THE_SET

pytestmark = [sets.needs_nbgrader, pytest.mark.slow, pytest.mark.timeout(600)]
KEY, NEGOTIATION, MASKING = "03-the-key-and-the-answer", "04-negotiation", "07-masking"
SCRIPT, ZOO, CAPTURES, CAPSTONE = "12-the-browsers-websocket", "19-the-bug-zoo", "19-captures", "19-my-websocket"
SETS = (KEY, NEGOTIATION, SCRIPT, MASKING, ZOO, CAPTURES, CAPSTONE)
FILE = "my_websocket.py"
REFERENCE = (sets.SOLUTIONS / FILE).read_text(encoding="utf-8")
NAME = "your name"  # in what is handed out
LIMIT = 45  # seconds for a cell
BUG = IN_THE_SET[0].replace("_", "-")
SERVER_ORDER = (
    "def choose_subprotocol(offered, supported):\n    return next((it for it in supported if it in offered), None)"
)
Notebook = nbformat.NotebookNode


def cell(notebook: Notebook, cell_id: str) -> Notebook:
    return next(it for it in notebook.cells if it.id == cell_id)


def solved(notebook: Notebook) -> None:
    for it in notebook.cells:
        marks = it.metadata.get("nbgrader", {})
        if marks.get("solution"):
            it.source = solution_of(marks.grade_id)


def solution_of(grade_id: str) -> str:
    if grade_id.startswith("answer_") and (number := grade_id.removeprefix("answer_")).isdigit():
        key = capture_task(f"{NAME} {number}").key
        return f"def {grade_id}():\n    return {key.row}, {key.field!r}, {key.sections[0]!r}"
    return source_of(grade_id)


PARTLY = {
    "choose-subprotocol-code": SERVER_ORDER,
    f"diagnosis-of-{BUG}-code": source_of(f"diagnosis_of_{IN_THE_SET[0]}").replace("return", "return 1 +", 1),
    f"probe-{BUG}-code": source_of(f"probe_{IN_THE_SET[0]}"),
    "answer-1-code": "def answer_1():\n    return 0, ASKED.field, ASKED.sections[0]".replace(
        "ASKED", f"wslab.exercises.capture_task('{NAME} 1').key"
    ),
    "three-echoes-code": edited("three_echoes", ("close(4001", "close(1000")),
}
WRONG = {
    "apply-mask-code": edited("apply_mask", ("byte ^", "byte |")),
    f"probe-{BUG}-code": f"def probe_{IN_THE_SET[0]}(server):\n    return True",
    "answer-1-code": "def answer_1():\n    return 'row', 7",
    "three-echoes-code": "def three_echoes():\n    return 'done()'",
}


def partly_solved(notebook: Notebook) -> None:
    for it in notebook.cells:
        it.source = PARTLY.get(it.id, it.source)


def wrong(notebook: Notebook) -> None:
    for it in notebook.cells:
        it.source = WRONG.get(it.id, it.source)


def tampered(notebook: Notebook) -> None:
    """Nothing is solved, but each check says so, and there are more points to earn."""
    for it in notebook.cells:
        if it.id.endswith(("-check", "-capture")) or it.id in ("tasks", "score"):
            it.source = "tasks = []; print('5 of 5 points')"
        if it.id.endswith("-points"):
            it.source = "500"
            it.metadata.nbgrader.update(points=500, locked=False)


def endless(notebook: Notebook) -> None:
    solved(notebook)
    for it in notebook.cells:
        if it.id == "choose-subprotocol-code":
            it.source = "while True:\n    pass"
        elif it.id in (f"probe-{BUG}-code", "answer-1-code"):
            it.source = it.source.replace("    return", "    while True: pass\n    return", 1)


# Who hands in which sets, and how their notebooks come about.
STUDENTS: dict[str, tuple[Callable[[Notebook], None], tuple[str, ...]]] = {
    "full": (solved, SETS),
    "partial": (partly_solved, (NEGOTIATION, SCRIPT, ZOO, CAPTURES, CAPSTONE)),
    "wrong": (wrong, (MASKING, SCRIPT, ZOO, CAPTURES, CAPSTONE)),
    "tampered": (tampered, (MASKING, ZOO, CAPTURES, CAPSTONE)),
    "endless": (endless, (NEGOTIATION, ZOO, CAPTURES, CAPSTONE)),
}
# The file that is handed in with the capstone.
FILES = {
    "full": REFERENCE,
    "partial": REFERENCE.replace("self.send(Opcode.PONG, frame.payload)", "self.send(Opcode.PONG, b'')"),
    "wrong": "from wslab import EchoServer",
    "tampered": "",
    "endless": "while True: pass",
}


def hand_in(course: Path, student: str) -> None:
    change, lessons = STUDENTS[student]
    folder = course / "submitted" / student / "set"
    folder.mkdir(parents=True)
    for lesson in lessons:
        notebook = nbformat.read(sets.RELEASED / f"{lesson}.ipynb", as_version=4)
        change(notebook)
        nbformat.write(notebook, folder / f"{lesson}.ipynb")
    if CAPSTONE in lessons:
        (folder / FILE).write_text(FILES[student], encoding="utf-8")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of seven sets that five students have handed in, graded, with feedback and the list of points."""
    folder = tmp_path_factory.mktemp("course")
    sets.generate([sets.SOLUTIONS / f"{lesson}.ipynb" for lesson in SETS], folder)
    for student in STUDENTS:
        hand_in(folder, student)
    sets.nbgrader_command(folder, "autograde", "set", "--create", f"--ExecutePreprocessor.timeout={LIMIT}")
    sets.nbgrader_command(folder, "generate_feedback", "set")
    sets.nbgrader_command(folder, "export")
    return folder


def graded(course: Path, student: str, lesson: str) -> Notebook:
    return nbformat.read(course / "autograded" / student / "set" / f"{lesson}.ipynb", as_version=4)


def points(course: Path, student: str) -> dict[str, float]:
    """What nbgrader's own gradebook says of each exercise."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        submission = book.find_submission("set", student)
        return {it.name: it.score for notebook in submission.notebooks for it in notebook.grades}


def full_points(*lessons: str) -> dict[str, float]:
    """The points that each cell of these sets can earn, by its name."""
    notebooks = [nbformat.read(sets.SOLUTIONS / f"{lesson}.ipynb", as_version=4) for lesson in lessons]
    marks = [it.metadata.get("nbgrader", {}) for notebook in notebooks for it in notebook.cells]
    return {mark.grade_id: mark.points for mark in marks if mark.get("grade")}


FIRST_PROBE, FIRST_DIAGNOSIS = f"probe_{IN_THE_SET[0]}-points", f"diagnosis_of_{IN_THE_SET[0]}-points"
OF_CHAPTERS = {f"chapter_{number}_points": CHAPTER_POINTS for number in CHAPTERS}
# What is not named here has earned nothing.
EARNED: dict[str, dict[str, float]] = {
    "full": full_points(*SETS),
    "partial": {
        "choose_subprotocol-points": 2,
        "three_echoes-points": 4,
        FIRST_DIAGNOSIS: 1,
        FIRST_PROBE: 2,
        "answer_1-points": 2,
        **OF_CHAPTERS,
        "chapter_2_points": 1,
        "chapter_5_points": 3,
    },
    "wrong": {},
    "tampered": {},
    "endless": {
        **full_points(NEGOTIATION, ZOO, CAPTURES),
        "choose_subprotocol-points": 0,
        FIRST_PROBE: 0,
        "answer_1-points": 0,
    },
}


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_gets_the_points_that_the_functions_have_earned(course, student):
    given = points(course, student)

    assert given == {name: EARNED[student].get(name, 0) for name in given}
    assert given.keys() >= EARNED[student].keys()


def test_the_exported_list_has_the_sums(course):
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}

    most = sum(EARNED["full"].values())
    assert rows == {student: (sum(earned.values()), most) for student, earned in EARNED.items()}


def test_cells_that_were_changed_are_those_of_the_teacher_again(course):
    notebook = graded(course, "tampered", MASKING)

    assert cell(notebook, "apply-mask-check").source == "wslab.exercises.check(apply_mask)"
    assert cell(notebook, "apply-mask-points").source == "wslab.exercises.check(apply_mask).points"
    assert cell(notebook, "apply-mask-points").metadata.nbgrader.points == 5


def test_a_cell_that_never_ends_is_interrupted_and_the_next_exercise_is_graded(course):
    notebook = graded(course, "endless", NEGOTIATION)
    outputs = cell(notebook, "choose-subprotocol-code").outputs

    assert "KeyboardInterrupt" in [output.get("ename") for output in outputs]
    assert "8 of 8 points" in cell(notebook, "answer-deflate-check").outputs[0].data["text/plain"]


@pytest.mark.parametrize(
    ("student", "lesson", "words"),
    [("wrong", MASKING, "That is OR (|)"), ("partial", NEGOTIATION, "The order of the server was followed")],
)
def test_the_feedback_names_the_fault(course, student, lesson, words):
    page = (course / "feedback" / student / "set" / f"{lesson}.html").read_text(encoding="utf-8")
    assert words in page
