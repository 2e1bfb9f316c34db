"""Every correct solution is accepted with full points, in whatever style it is written."""

import pytest
from support.correct_solutions import CORRECT, HEAD
from support.learners import params, written
from support.shared_browser import share

from wslab.exercises import check
from wslab.exercises.progress import source_of
from wslab.exercises.sets.catalogue import EXERCISES

SOLUTIONS = [(name, number) for name, solutions in CORRECT.items() for number in range(len(solutions))]


@pytest.mark.parametrize(("name", "number"), params(SOLUTIONS))
def test_a_correct_solution_earns_all_points(name, number, request, monkeypatch):
    if name == "three_echoes":
        share(request.getfixturevalue("browser"), monkeypatch)
    report = check(written(name, HEAD + CORRECT[name][number]))

    assert report.passed, str(report)
    assert report.points == report.max_points


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_earns_all_points(name):
    assert check(written(name, source_of(name))).passed


@pytest.mark.parametrize("name", EXERCISES)
def test_there_are_four_correct_solutions_at_least(name):
    assert len(CORRECT[name]) >= 4
