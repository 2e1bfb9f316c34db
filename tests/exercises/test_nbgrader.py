"""nbgrader grades the sets: what students hand in gets the points that it has earned, whatever else stands in it."""

import csv
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from support import exercise_sets as sets
from support.learners import edited

from wslab.exercises.progress import source_of

pytestmark = [sets.needs_nbgrader, pytest.mark.slow, pytest.mark.timeout(600)]
KEY, NEGOTIATION, MASKING = "03-the-key-and-the-answer", "04-negotiation", "07-masking"
LIMIT = 20  # seconds for a cell
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
            it.source = source_of(marks.grade_id)


def partly_solved(notebook: Notebook) -> None:
    cell(notebook, "choose-subprotocol-code").source = SERVER_ORDER


def wrong(notebook: Notebook) -> None:
    cell(notebook, "apply-mask-code").source = edited("apply_mask", ("byte ^", "byte |"))


def tampered(notebook: Notebook) -> None:
    """Nothing is solved, but the check says so, and there are more points to earn."""
    cell(notebook, "apply-mask-check").source = "print('5 of 5 points')"
    points = cell(notebook, "apply-mask-points")
    points.source = "500"
    points.metadata.nbgrader.update(points=500, locked=False)


def endless(notebook: Notebook) -> None:
    solved(notebook)
    cell(notebook, "choose-subprotocol-code").source = "while True:\n    pass"


# Who hands in which sets, and how their notebooks come about.
STUDENTS: dict[str, tuple[Callable[[Notebook], None], tuple[str, ...]]] = {
    "full": (solved, (KEY, NEGOTIATION, MASKING)),
    "partial": (partly_solved, (NEGOTIATION,)),
    "wrong": (wrong, (MASKING,)),
    "tampered": (tampered, (MASKING,)),
    "endless": (endless, (NEGOTIATION,)),
}


def hand_in(course: Path, student: str) -> None:
    change, lessons = STUDENTS[student]
    folder = course / "submitted" / student / "set"
    folder.mkdir(parents=True)
    for lesson in lessons:
        notebook = nbformat.read(sets.RELEASED / f"{lesson}.ipynb", as_version=4)
        change(notebook)
        nbformat.write(notebook, folder / f"{lesson}.ipynb")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of three sets that five students have handed in, graded, with feedback and the list of points."""
    folder = tmp_path_factory.mktemp("course")
    sets.generate([sets.SOLUTIONS / f"{lesson}.ipynb" for lesson in (KEY, NEGOTIATION, MASKING)], folder)
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


EARNED = {
    "full": {
        "accept_key-points": 3,
        "choose_subprotocol-points": 4,
        "answer_deflate-points": 8,
        "apply_mask-points": 5,
    },
    "partial": {"choose_subprotocol-points": 2, "answer_deflate-points": 0},
    "wrong": {"apply_mask-points": 0},
    "tampered": {"apply_mask-points": 0},
    "endless": {"choose_subprotocol-points": 0, "answer_deflate-points": 8},
}


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_gets_the_points_that_the_functions_have_earned(course, student):
    given = points(course, student)

    assert {name: given[name] for name in EARNED[student]} == EARNED[student]
    assert sum(given.values()) == sum(EARNED[student].values())


def test_the_exported_list_has_the_sums(course):
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}

    assert rows == {student: (sum(earned.values()), 20) for student, earned in EARNED.items()}


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
