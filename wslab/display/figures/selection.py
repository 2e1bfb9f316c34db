"""window: which connection of a recording a picture shows, and which part of what happened on it."""

from collections.abc import Iterable
from typing import TypeVar

from wslab.recording.recording import Recording

MOST = 200  # more than that is no picture any more


T = TypeVar("T")


def check_is_recording(value: object) -> None:
    """Raise TypeError for anything but a recording."""
    if not isinstance(value, Recording):
        raise TypeError(f"a Recording is needed, not {type(value).__name__}; inspect takes bytes, too")


def choose(recording: Recording, connection: int | None) -> int | None:
    """The number of the connection to draw: the first one if none is asked for, None if there is none.

    Raises ValueError if there is no connection of the number that is asked for, TypeError for what is no recording.
    """
    check_is_recording(recording)
    numbers = numbers_in(recording)
    if connection is None:
        return numbers[0] if numbers else None
    if connection not in numbers:
        there = f"there are {', '.join(map(str, numbers[:20]))}" if numbers else "nothing has been recorded"
        raise ValueError(f"no connection {connection} in this recording: {there}")
    return connection


def numbers_in(recording: Recording) -> list[int]:
    """The numbers of the connections, also of those that failed before a byte was sent."""
    return list(dict.fromkeys([*recording.connections, *(call.connection for call in recording.calls)]))


def window(things: Iterable[T], start: int, most: int, limit: int = MOST) -> tuple[list[T], int]:
    """At most `most` things, from the one on that has `start` before it, and how many there are in all.

    Raises ValueError for numbers that make no window.
    """
    if start < 0:
        raise ValueError(f"start is how many to leave out before the first, 0 or more, not {start}")
    if not 1 <= most <= limit:
        raise ValueError(f"most is how many to draw, from 1 to {limit}, not {most}")
    chosen, total = [], 0
    for total, thing in enumerate(things, 1):  # all are counted, and few are kept
        if start < total <= start + most:
            chosen.append(thing)
    return chosen, total


def title(recording: Recording, connection: int, what: str, start: int, drawn: int, total: int) -> str:
    """What a picture is of, or nothing where it shows everything there is."""
    numbers = numbers_in(recording)
    parts = [f"connection {connection}, one of {len(numbers)}"] if len(numbers) > 1 else []
    parts += [f"{what} {start + 1:,} to {start + drawn:,} of {total:,}"] if drawn < total else []
    return ", ".join(parts)


def nothing(what: str, start: int, total: int) -> str:
    """A sentence instead of a picture."""
    if not total:
        return f"Nothing to draw: no {what} has been recorded."
    return f"Nothing to draw from {what} {start + 1:,} on: the last one is {what} {total:,}."
