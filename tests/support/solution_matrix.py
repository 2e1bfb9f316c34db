"""What the checks say of every solution in the lists: one row for each exercise."""

import random
from dataclasses import replace
from typing import Any, NamedTuple

from support.correct_solutions import CORRECT, HEAD
from support.learners import faults, written
from support.wrong_solutions import WRONG
from wslab.exercises import check
from wslab.exercises.checking import try_aspects
from wslab.exercises.checks import isolation
from wslab.exercises.checks.diagnosis import is_right
from wslab.exercises.checks.report import Report
from wslab.exercises.progress import source_of
from wslab.exercises.sets.catalogue import EXERCISES


class Row(NamedTuple):
    """How many wrong solutions there are, were rejected and had their fault named; right ones, and accepted ones."""

    name: str
    wrong: int
    rejected: int
    named: int
    right: int
    accepted: int

    @property
    def is_trusted(self) -> bool:
        return self.wrong == self.rejected == self.named and self.right == self.accepted

    def __str__(self) -> str:
        return f"{self.name:20}{self.wrong:7}{self.rejected:10}{self.named:13}{self.right:7}{self.accepted:10}"


def mistake_tried(name: str, number: int) -> tuple[Report, tuple[str, ...]]:
    """The report on a mistake that the exercise knows, and the words that must stand in it."""
    exercise = replace(EXERCISES[name], same=frozenset())  # mistakes are made of the reference
    mistake = exercise.mistakes[number]
    return try_aspects(mistake.function, exercise, 7), (mistake.says,)


def wrong_tried(name: str, number: int) -> tuple[Report, tuple[str, ...]]:
    """The report on a wrong solution, and the words that must stand in it."""
    source, words = WRONG[name][number]
    return check(written(name, source)), words


def missing_words(report: Report, words: tuple[str, ...]) -> list[str]:
    """The words by which a report ought to name the fault, and does not."""
    told = f"{report}\n{faults(report)}"
    return [word for word in words if word not in told]


def survives(function: Any, name: str, seed: int) -> bool:
    """Whether a function passes the check: as `check(function, seed=seed).passed`, but it ends with the first fault."""
    exercise = EXERCISES[name]
    for aspect in exercise.aspects:
        cases = list(aspect.cases(random.Random(f"{seed} {aspect.name}")))
        outcomes = isolation.play(function, cases, exercise.same, isolation.LIMIT)
        if not all(is_right(exercise, case, outcome) for case, outcome in zip(cases, outcomes, strict=False)):
            return False
    return True


def row_of(name: str) -> Row:
    """Try all that there is of an exercise."""
    tried = [mistake_tried(name, number) for number in range(len(EXERCISES[name].mistakes))]
    tried += [wrong_tried(name, number) for number in range(len(WRONG[name]))]
    right = [check(written(name, source)) for source in (source_of(name), *(HEAD + it for it in CORRECT[name]))]
    rejected = [(report, words) for report, words in tried if not report.passed]
    named = sum(not missing_words(report, words) for report, words in rejected)
    return Row(name, len(tried), len(rejected), named, len(right), sum(report.passed for report in right))
