"""Lesson 10, an echo server with threads: broadcast, to a set of connections that other threads change."""

import contextlib
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from types import FrameType
from typing import Any

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets.inputs import some_bytes, some_name
from wslab.exercises.solutions.broadcast import broadcast
from wslab.protocol.errors import ConnectionClosed
from wslab.protocol.states import State

SECTION = "RFC 6455 §6"
SLOW = 0.05  # seconds for a send


class Member:
    """A connection as broadcast sees it; what it is sent is kept. `busy` runs while a message is sent to it.

    `is_open` is None for one that is open until something is sent to it.
    """

    def __init__(self, number: int, is_open: bool | None, busy: Function | None = None) -> None:
        self.number = number
        self.state = State.CLOSED if is_open is False else State.OPEN
        self.close_code = 1006 if is_open is False else None
        self._closes = is_open is None
        self.sent: list[str | bytes] = []
        self._busy = busy

    def __hash__(self) -> int:
        return self.number  # so that a set has them in the same order each time

    def send(self, message: str | bytes) -> None:
        """Take the message, or raise ConnectionClosed."""
        if self._busy is not None:
            self._busy()
        if self._closes:
            self.state, self.close_code = State.CLOSED, 1006
        if self.state is State.CLOSED:
            raise ConnectionClosed(1006)
        self.sent.append(message)


def send_to_all(function: Function, is_open: Sequence[bool | None], message: str | bytes, busy: str) -> Any:
    """How many it says, what each member was sent, and who is left; the set may change while the function sends."""
    members: set[Any] = set()

    def change() -> None:
        first = len(members)
        members.update(Member(first + more, False) for more in range(40))

    doing: dict[str, Function] = {"changes": change, "is slow": partial(threading.Event().wait, SLOW)}
    people = [Member(number, it, doing.get(busy)) for number, it in enumerate(is_open)]
    members.update(people)
    count = function(members, message)
    left = sum(member in members for member in people if member.state is State.OPEN)
    return {"returned": count, "sent to each": [member.sent for member in people], "open and still in the set": left}


def send_among_others(function: Function, is_open: Sequence[bool], message: str) -> Any:
    """How many it says, where the set changes between any two instructions of Python, as threads may be switched."""
    members = {Member(number, it) for number, it in enumerate(is_open)}
    late = Member(len(is_open), False)

    def trace(frame: FrameType, _event: str, _argument: object) -> Any:
        frame.f_trace_opcodes = True
        members.symmetric_difference_update({late})
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return {"returned": function(members, message)}
    finally:
        sys.settrace(before)


def broadcast_case(situation: str, is_open: Sequence[bool | None], message: str | bytes, busy: str = "") -> Case:
    """One broadcast, told in words."""
    given = f"a set of {how_many(len(is_open), 'connection')}, {is_open.count(False)} of them closed; {message!r}"
    return Case(situation, (is_open, message, busy), send_to_all, given=given)


def all_open(source: random.Random) -> Iterator[Case]:
    """Everybody is there."""
    yield broadcast_case("three connections are open", [True] * 3, some_name(source))
    yield broadcast_case("a binary message to one", [True], some_bytes(source, 4))
    yield broadcast_case("an empty message", [True], "")
    yield broadcast_case("sending takes a moment", [True] * 2, some_name(source), "is slow")
    yield broadcast_case("nobody is there", [], "hello")


def some_closed(source: random.Random) -> Iterator[Case]:
    """A closed one does not stop the others, nor count."""
    for _ in range(4):
        is_open = [True] * 4 + [False] * 3
        source.shuffle(is_open)
        yield broadcast_case("three of seven connections are closed", is_open, some_name(source))
    yield broadcast_case("one closes just when something is sent to it", [True, None, True], some_name(source))
    yield broadcast_case("all are closed", [False] * 3, "hello")


def set_changes(source: random.Random) -> Iterator[Case]:
    """Connections come while it sends."""
    yield broadcast_case("other threads add connections while it sends", [True] * 6, some_name(source), "changes")
    is_open = [True, False, True, True]
    given = "a set of 4 connections, 1 of them closed, and one that comes and goes"
    told = "another thread changes the set between any two instructions of Python"
    yield Case(told, (is_open, some_name(source)), send_among_others, given=given)


def _first_closed_ends(members: set[Any], message: str | bytes) -> int:
    count = 0
    try:
        for member in members.copy():
            member.send(message)
            count += 1
    except ConnectionClosed:
        pass
    return count


def _counts_all(members: set[Any], message: str | bytes) -> int:
    broadcast(members, message)
    return len(members)


def _returns_none(members: set[Any], message: str | bytes) -> None:
    broadcast(members, message)


def _not_caught(members: set[Any], message: str | bytes) -> int:
    for member in members.copy():
        member.send(message)
    return len(members)


def _no_copy(members: set[Any], message: str | bytes) -> int:
    count = 0
    for member in members:
        with contextlib.suppress(ConnectionClosed):
            member.send(message)
            count += 1
    return count


def _looks_before(members: set[Any], message: str | bytes) -> int:
    count = 0
    for member in members.copy():
        if member.state is State.OPEN:
            member.send(message)
            count += 1
    return count


EXERCISES = (
    Exercise(
        "broadcast",
        "10-an-echo-server-with-threads",
        "broadcast(members, message) -> int",
        "Send `message` to every connection in `members`, a set that other threads change meanwhile. A connection that "
        "is closed (its `send` raises `ConnectionClosed`) does not stop the others. Return how many it was sent to.",
        "With three open connections and a closed one in the set, `broadcast(members, 'hello')` is `3`.",
        (
            Aspect("each connection is sent the message once", 1, SECTION, all_open),
            Aspect("a closed connection stops nobody and does not count", 2, "RFC 6455 §7.1.4", some_closed),
            Aspect("the set changes while it is looped over", 2, SECTION, set_changes),
        ),
        (
            "What does Python do if a set gets one more member while a `for` loop goes over it? Try it.",
            "Loop over a copy. Put `try` and `except ConnectionClosed` inside the loop, around one send.",
            "for member in list(members): try: member.send(message); count += 1; except ConnectionClosed: pass",
        ),
        broadcast,
        ("members", "message"),
        (
            Mistake("The set changed during the loop over it: loop over a copy.", _no_copy, by_error=True),
            Mistake(
                "A comprehension is a loop as well, and the set changed during it: list(members) and members.copy() "
                "copy it in one step.",
                lambda members, message: broadcast({it for it in members}, message),  # noqa: C416 - that is the mistake
                by_error=True,
            ),
            Mistake(
                "The first closed connection stopped all others: catch ConnectionClosed inside the loop.",
                _first_closed_ends,
            ),
            Mistake(
                "ConnectionClosed came out of broadcast: one that is closed must not stop the others.",
                _not_caught,
                by_error=True,
            ),
            Mistake(
                "It closed between the look at its state and the send: try the send, and catch what it raises.",
                _looks_before,
                by_error=True,
            ),
            Mistake("Closed connections were counted: return how many the message was sent to.", _counts_all),
            Mistake("Nothing came back: return how many the message was sent to.", _returns_none),
        ),
    ),
)
