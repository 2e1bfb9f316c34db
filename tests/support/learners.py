"""What learners write: sources of functions, made into functions as a notebook makes them."""

from collections.abc import Iterable
from typing import Any

import pytest

from wslab.exercises.checks.report import Report
from wslab.exercises.progress import source_of

ALWAYS = ("accept_key", "parse_frame", "parse_close")  # exercises whose every solution is tried in each run
LATE = ("three_echoes",)  # of which none is, as they need a browser


def written(name: str, source: str) -> Any:
    """The function or class of this name in a source."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source, names)
    return names[name]


def edited(name: str, *changes: tuple[str, str]) -> str:
    """The source of the reference with some of its text replaced."""
    source = source_of(name)
    for old, new in changes:
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the reference"
        source = source.replace(old, new)
    return source


def faults(report: Report) -> str:
    """All that a report says about what went wrong."""
    return "\n".join(line for result in report.results for line in result.lines()) + report.problem


def params(pairs: Iterable[tuple[str, int]]) -> list[Any]:
    """Exercises, each with the number of a solution, as parameters: most of them run with the slow tests."""
    chosen = [(name, number, name in ALWAYS or (not number and name not in LATE)) for name, number in pairs]
    return [
        pytest.param(name, number, id=f"{name}-{number}", marks=[] if is_quick else [pytest.mark.slow])
        for name, number, is_quick in chosen
    ]
