"""requests: what a page or a notebook asks of a class, as JSON in a text message, to a value; anything else is refused.

A request is `{"say": "text"}`, or `{"hand_in": {"exercise": "accept_key", "points": 3, "max_points": 3}}`.
"""

import json
from dataclasses import dataclass
from typing import TypeGuard

MAX_TITLE = 80  # characters
MAX_POINTS = 1000


@dataclass(frozen=True)
class Say:
    """A text for all others."""

    text: str


@dataclass(frozen=True)
class Mark:
    """What the check of an exercise has found. It says nothing about whose it is: the connection does."""

    exercise: str
    points: float
    max_points: float


def read_request(text: str) -> Say | Mark:
    """Read a request. Raises ValueError, which says in one sentence what is wrong with it.

    >>> read_request('{"say": "Hello"}')
    Say(text='Hello')
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    match value:
        case {"say": str(words)} if len(value) == 1:
            return Say(as_text(words))
        case {"hand_in": dict(report)} if len(value) == 1:
            return _read_mark(report)
    raise ValueError('a request is {"say": "text"}, or {"hand_in": {"exercise": "name", "points": 1, "max_points": 2}}')


def as_text(words: str) -> str:
    """The words as text that can be sent: JSON may hold halves of characters."""
    return words.encode("utf-8", "replace").decode()


def _read_mark(report: dict[str, object]) -> Mark:
    if report.keys() != {"exercise", "points", "max_points"}:
        raise ValueError("what is handed in has an exercise, points and max_points, and nothing else")
    exercise, points, most = report["exercise"], report["points"], report["max_points"]
    if not isinstance(exercise, str) or not exercise.isprintable() or not 0 < len(exercise) <= MAX_TITLE:
        raise ValueError(f"the name of an exercise has 1 to {MAX_TITLE} characters, all of them printable")
    if not (_is_number(points) and _is_number(most) and 0 <= points <= most <= MAX_POINTS and most > 0):
        raise ValueError(f"points are numbers from 0 to max_points, and these are at most {MAX_POINTS}")
    return Mark(exercise, points, most)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
