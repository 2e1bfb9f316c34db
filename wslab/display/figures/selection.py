"""selection: which connection of a recording a picture shows, and which part of what happened on it."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from wslab.recording.recording import Recording

MOST_DRAWN = 200  # with more, a picture says nothing
MOST_READ = 250_000  # heads and frames, of which a view shows some and counts the others
MOST_NAMED = 20  # connections

FULL = "the recording was full, and its end is left out"

T = TypeVar("T")


def check_is_recording(value: object) -> None:
    """Raise TypeError for anything but a recording."""
    if not isinstance(value, Recording):
        raise TypeError(f"a Recording is needed, not {type(value).__name__}; inspect takes bytes, too")


def choose_connection(recording: Recording, connection: int | None) -> int | None:
    """The number of the connection to draw: by default the first, or None if there is none.

    Raises ValueError if the recording has no such connection, TypeError for anything but a recording.
    """
    check_is_recording(recording)
    numbers = connections_in(recording)
    if connection is None:
        return numbers[0] if numbers else None
    if connection not in numbers:
        there = f"there are {', '.join(map(str, numbers[:MOST_NAMED]))}" if numbers else "nothing has been recorded"
        raise ValueError(f"no connection {connection} in this recording: {there}")
    return connection


def connections_in(recording: Recording) -> list[int]:
    """The numbers of the connections, including those that failed before a byte was sent."""
    return list(dict.fromkeys([*recording.connections, *(call.connection for call in recording.calls)]))


class Reading(Iterable[T]):
    """What a view reads of a recording: no more than `most` heads and frames. `told` says so if there are more."""

    def __init__(self, things: Iterable[T], most: int = MOST_READ) -> None:
        self._things = things
        self._most = most
        self.told = ""

    def __iter__(self) -> Iterator[T]:
        for count, thing in enumerate(self._things):
            if count >= self._most:
                self.told = f"Only the first {self._most:,} heads and frames were read."
                return
            yield thing


def select(things: Iterable[T], start: int, most: int, limit: int = MOST_DRAWN) -> tuple[list[T], int]:
    """At most `most` things after the first `start`, and how many things there are in all.

    Raises ValueError for a negative `start`, and unless `most` is from 1 to `limit`.
    """
    if start < 0:
        raise ValueError(f"start is how many to leave out before the first, 0 or more, not {start}")
    if not 1 <= most <= limit:
        raise ValueError(f"most is how many to draw, from 1 to {limit}, not {most}")
    selected, total = [], 0
    for total, thing in enumerate(things, 1):  # all are counted, and few are kept
        if start < total <= start + most:
            selected.append(thing)
    return selected, total


def title_of(recording: Recording, connection: int, what: str, start: int, drawn: int, total: int) -> str:
    """What a picture shows, or nothing if it shows the whole recording."""
    numbers = connections_in(recording)
    parts = [f"connection {connection}, one of {len(numbers)}"] if len(numbers) > 1 else []
    parts += [FULL] if recording.left_out else []
    parts += [f"{what} {start + 1:,} to {start + drawn:,} of {total:,}"] if drawn < total else []
    return ", ".join(parts)


def nothing_to_draw(what: str, start: int, total: int) -> str:
    """The sentence that takes the place of a picture."""
    if not total:
        return f"Nothing to draw: no {what} has been recorded."
    return f"Nothing to draw from {what} {start + 1:,} on: the last one is {what} {total:,}."
