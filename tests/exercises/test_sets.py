"""The sets are what the catalogue says: solutions earn all points, and what is handed out earns none yet."""

import json
import random
import re
from pathlib import Path

import nbformat
import pytest
from support import all_sets
from support import exercise_sets as sets

from wslab.exercises.capstone import CHAPTER_POINTS, CHAPTERS
from wslab.exercises.diagnosing import POINTS
from wslab.exercises.sets.catalogue import EXERCISES
from wslab.exercises.zoo.tasks import IN_THE_SET, TASKS


def read(folder: Path, lesson: str):
    return nbformat.read(folder / f"{lesson}.ipynb", as_version=4)


def told(notebook):
    """What a notebook says, without what a run adds."""
    return [
        (cell.cell_type, cell.id, cell.source, json.dumps(marks_of(cell), sort_keys=True)) for cell in notebook.cells
    ]


def marks_of(cell):
    return {key: value for key, value in cell.metadata.items() if key in ("nbgrader", "tags")}


def grade_cells(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


def test_every_exercise_belongs_to_a_set_with_a_title():
    assert set(sets.lessons()) == set(sets.TITLES)


@pytest.mark.parametrize("folder", [sets.SOLUTIONS, sets.RELEASED], ids=lambda folder: folder.name)
def test_there_is_a_notebook_for_each_set_and_no_other(folder):
    assert [path.stem for path in sorted(folder.glob("*.ipynb"))] == list(all_sets.NOTEBOOKS)


@pytest.mark.parametrize("lesson", all_sets.NOTEBOOKS)
def test_the_solutions_are_what_the_catalogue_says(lesson):
    made, stored = all_sets.NOTEBOOKS[lesson](), read(sets.SOLUTIONS, lesson)
    assert told(stored)[1:] == told(made)[1:]  # the first cell links to its lesson, which may have another title


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.name)
def test_one_byte_is_no_bytes_in_what_a_case_says(exercise):
    for aspect in exercise.aspects:
        for case in aspect.cases(random.Random(1)):
            assert not re.search(r"\b1 (\w+ )?[a-z]+s\b", case.situation + case.given), case


def points_of(lesson):
    """The points that each part of a set can earn."""
    if lesson == all_sets.CAPTURES:
        return [sum(POINTS.values())] * len(all_sets.CAPTURE_TASKS)
    if lesson == all_sets.CAPSTONE:
        return [CHAPTER_POINTS] * len(CHAPTERS)
    names = [f"{kind}{name}" for name in IN_THE_SET for kind in ("diagnosis_of_", "probe_")]
    tasks = [TASKS[name] for name in names] if lesson == all_sets.ZOO else EXERCISES.values()
    return [it.points for it in tasks if it.lesson == lesson]


@pytest.mark.parametrize("lesson", all_sets.NOTEBOOKS)
def test_the_solutions_earn_all_points(lesson):
    cells = grade_cells(read(sets.SOLUTIONS, lesson))

    assert [cell.metadata.nbgrader.points for cell in cells] == points_of(lesson)
    for cell in cells:
        assert [output.data["text/plain"] for output in cell.outputs] == [str(cell.metadata.nbgrader.points)]


@pytest.mark.slow
@pytest.mark.parametrize("lesson", all_sets.NOTEBOOKS)
def test_what_is_handed_out_is_not_attempted_yet_and_earns_nothing(lesson, monkeypatch):
    names: dict = {}
    for cell in read(sets.RELEASED, lesson).cells:
        if cell.cell_type != "code":
            continue
        assert sets.MARK not in cell.source
        if cell.id.endswith("-check"):
            report = eval(cell.source, names)
            assert "not attempted yet" in str(report)
            assert not report.attempted
        elif cell.id == "score":
            monkeypatch.chdir(sets.RELEASED)
            exec(cell.source, names)
            assert "not attempted yet" in str(names["score"])
        elif cell.id.endswith("-points"):
            assert eval(cell.source, names) == 0
        elif not cell.id.endswith("-hint"):
            exec(cell.source, names)


@pytest.mark.parametrize("lesson", all_sets.NOTEBOOKS)
def test_only_the_solutions_are_missing_in_what_is_handed_out(lesson):
    solved, handed_out = read(sets.SOLUTIONS, lesson).cells, read(sets.RELEASED, lesson).cells

    assert [cell.id for cell in solved] == [cell.id for cell in handed_out]
    for theirs, ours in zip(solved, handed_out, strict=True):
        if sets.MARK in theirs.source:
            assert ours.source.count("raise NotImplementedError()") == theirs.source.count(sets.MARK)
            assert theirs.source.startswith(ours.source.partition("# YOUR CODE HERE")[0].rstrip())
        else:
            assert ours.source == theirs.source


def test_less_is_given_from_set_to_set():
    given = [sum(sets.GIVEN.get(name, (0, 0))) for name in EXERCISES]
    assert given[0] == max(given[:3]) > 0
    assert not any(given[9:])


@sets.needs_nbgrader
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nbgrader_makes_of_the_solutions_what_is_handed_out(tmp_path):
    sets.release(sorted(sets.SOLUTIONS.glob("*.ipynb")), tmp_path)

    for lesson in all_sets.NOTEBOOKS:
        assert told(read(tmp_path, lesson)) == told(read(sets.RELEASED, lesson))
