"""Lesson 10, an echo server with threads: shout and broadcast, at the API of a connection."""

import contextlib
import random
import threading
from collections.abc import Iterator
from typing import Any

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets.inputs import some_bytes, some_name, some_text
from wslab.exercises.solutions.broadcast import broadcast
from wslab.exercises.solutions.shout import shout
from wslab.protocol.errors import ConnectionClosed, ProtocolError
from wslab.protocol.states import State
from wslab.sockets.client import connect
from wslab.sockets.connection import Connection
from wslab.sockets.server import EchoServer

SECTION = "RFC 6455 §6"
PATIENCE = 1.0  # seconds for an answer
NOTHING = "nothing"


def talk(function: Function, messages: list[str | bytes]) -> Any:
    """The answers to the messages, over a live server with the function as its handler; and whether it returned."""
    returned, crashed = threading.Event(), []

    def handler(connection: Connection) -> None:
        try:
            function(connection)
        except (ConnectionClosed, ProtocolError):
            pass  # that is how a handler without a loop over the connection learns of the end
        except BaseException as error:  # a learner's function may raise anything
            crashed.append(error)
        returned.set()

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(EchoServer(handler=handler))
        with connect(server.url, deflate=False, timeout=PATIENCE) as connection:
            answers = list(_answers(connection, messages))
        ended = returned.wait(PATIENCE)
        if not ended:
            stack.pop_all()  # the server would wait for a handler that does not return
    if crashed:
        raise crashed[0]
    return {"answers": answers, "the handler returned": ended}


def _answers(connection: Connection, messages: list[str | bytes]) -> Iterator[str | bytes | None]:
    """The answer to each message; None, and no more, if there is none."""
    for message in messages:
        try:
            connection.send(message)
            yield connection.receive()
        except (ConnectionClosed, ProtocolError, TimeoutError):
            yield None
            return


def conversation(situation: str, *messages: str | bytes) -> Case:
    """Messages, and what comes back."""
    return Case(situation, (list(messages),), talk)


def texts(source: random.Random) -> Iterator[Case]:
    """Text in capitals."""
    yield conversation("one text", "hello")
    yield conversation("three texts, one after the other", some_name(source), some_name(source), "éa1!")
    yield conversation("an empty text, then another", "", some_text(source, 3) + "x")


def binaries(source: random.Random) -> Iterator[Case]:
    """Binary as it came."""
    yield conversation("a binary message", b"hello")
    yield conversation("a text between binary messages", some_bytes(source, 5), some_name(source), b"", b"\xffabc")


def until_the_end(source: random.Random) -> Iterator[Case]:
    """Not once, and not for ever."""
    yield conversation("twelve messages, then the close", *(some_name(source, 4) for _ in range(12)))


class Member:
    """A connection as broadcast sees it; what it is sent is kept. `busy` runs while a message is sent to it."""

    def __init__(self, number: int, is_open: bool, busy: Function | None = None) -> None:
        self.number = number
        self.state = State.OPEN if is_open else State.CLOSED
        self.close_code = None if is_open else 1006
        self.sent: list[str | bytes] = []
        self._busy = busy

    def __hash__(self) -> int:
        return self.number  # so that a set has them in the same order each time

    def send(self, message: str | bytes) -> None:
        """Take the message, or raise ConnectionClosed."""
        if self._busy is not None:
            self._busy()
        if self.state is State.CLOSED:
            raise ConnectionClosed(1006)
        self.sent.append(message)


def send_to_all(function: Function, is_open: list[bool], message: str | bytes, changes: bool) -> Any:
    """How many it says, what each member was sent, and who is left; the set may change while the function sends."""
    members: set[Any] = set()

    def change() -> None:
        first = len(members)
        members.update(Member(first + more, False) for more in range(40))

    people = [Member(number, it, change if changes else None) for number, it in enumerate(is_open)]
    members.update(people)
    count = function(members, message)
    left = sum(member in members for member in people if member.state is State.OPEN)
    return {"returned": count, "sent to each": [member.sent for member in people], "open and still in the set": left}


def broadcast_case(situation: str, is_open: list[bool], message: str | bytes, changes: bool = False) -> Case:
    """One broadcast, told in words."""
    given = f"a set of {len(is_open)} connections, {is_open.count(False)} of them closed; {message!r}"
    return Case(situation, (is_open, message, changes), send_to_all, given=given)


def all_open(source: random.Random) -> Iterator[Case]:
    """Everybody is there."""
    yield broadcast_case("three connections are open", [True] * 3, some_name(source))
    yield broadcast_case("a binary message to one", [True], some_bytes(source, 4))
    yield broadcast_case("nobody is there", [], "hello")


def some_closed(source: random.Random) -> Iterator[Case]:
    """A closed one does not stop the others, nor count."""
    for _ in range(4):
        is_open = [True] * 4 + [False] * 3
        source.shuffle(is_open)
        yield broadcast_case("three of seven connections are closed", is_open, some_name(source))
    yield broadcast_case("all are closed", [False] * 3, "hello")


def set_changes(source: random.Random) -> Iterator[Case]:
    """Connections come while it sends."""
    yield broadcast_case("other threads add connections while it sends", [True] * 6, some_name(source), changes=True)


def _once(connection: Connection) -> None:
    message = connection.receive()
    connection.send(message.upper())


def _upper_all(connection: Connection) -> None:
    for message in connection:
        connection.send(message.upper())


def _text_only(connection: Connection) -> None:
    for message in connection:
        if isinstance(message, str):
            connection.send(message.upper())


def _plain_echo(connection: Connection) -> None:
    for message in connection:
        connection.send(message)


def _as_text(connection: Connection) -> None:
    for message in connection:
        connection.send(message.upper() if isinstance(message, str) else message.decode(errors="replace"))


def _lower(connection: Connection) -> None:
    for message in connection:
        connection.send(message.lower() if isinstance(message, str) else message)


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
        if member.state is State.OPEN:
            member.send(message)
            count += 1
    return count


EXERCISES = (
    Exercise(
        "shout",
        "10-an-echo-server-with-threads",
        "shout(connection) -> None",
        "A handler for `EchoServer(handler=shout)`: answer each text message in capitals and each binary one "
        "unchanged, "
        "until the connection closes; then return.",
        "A client sends `'hello'` and receives `'HELLO'`; it sends `b'hello'` and receives `b'hello'`.",
        (
            Aspect("text comes back in capitals", 2, SECTION, texts),
            Aspect("binary messages come back unchanged", 1, SECTION, binaries),
            Aspect("from the first message to the close", 1, "RFC 6455 §7.1", until_the_end),
        ),
        (
            "What does the server do with the connection when the handler returns?",
            "A loop over the connection, `for message in connection:`, gives each message and ends with the "
            "connection. Text "
            "is str, binary is bytes.",
            "for message in connection: connection.send(message.upper() if isinstance(message, str) else ...)",
        ),
        shout,
        ("connection",),
        (
            Mistake(
                "The handler returned after one message, and with it the connection ended: it needs a loop.", _once
            ),
            Mistake(
                "A binary message was changed too: bytes have an upper() of their own, send them as they came.",
                _upper_all,
            ),
            Mistake("A binary message was not answered.", _text_only),
            Mistake("The text came back as it was, not in capitals.", _plain_echo),
            Mistake("A binary message was answered with a text: send the bytes as they came.", _as_text),
            Mistake("That is small letters; capitals are upper().", _lower),
        ),
    ),
    Exercise(
        "broadcast",
        "10-an-echo-server-with-threads",
        "broadcast(members, message) -> int",
        "Send `message` to every connection in `members`, a set that other threads change meanwhile. A connection that "
        "is "
        "closed (its `send` raises `ConnectionClosed`) does not stop the others. Return how many it was sent to.",
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
                "The first closed connection stopped all others: catch ConnectionClosed inside the loop.",
                _first_closed_ends,
            ),
            Mistake(
                "ConnectionClosed came out of broadcast: one that is closed must not stop the others.",
                _not_caught,
                by_error=True,
            ),
            Mistake("Closed connections were counted: return how many the message was sent to.", _counts_all),
            Mistake("Nothing came back: return how many the message was sent to.", _returns_none),
        ),
    ),
)
