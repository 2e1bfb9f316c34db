"""Lesson 10, an echo server with threads: shout, a handler, and broadcast."""

import contextlib
import random
import threading
from collections.abc import Iterator
from typing import Any

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets import broadcasting
from wslab.exercises.sets.inputs import some_bytes, some_name, some_text
from wslab.exercises.solutions.shout import shout
from wslab.protocol.errors import ConnectionClosed, ProtocolError
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
    yield conversation("the same text twice", *[some_name(source).title()] * 2)
    yield conversation("an empty text, then another", "", f"é{some_text(source, 3)}x")
    yield conversation("a text with blanks around it", f" {some_name(source)} \n")


def binaries(source: random.Random) -> Iterator[Case]:
    """Binary as it came."""
    yield conversation("a binary message", b"hello")
    yield conversation("a text between binary messages", some_bytes(source, 5), some_name(source), b"", b"\xffabc")


def until_the_end(source: random.Random) -> Iterator[Case]:
    """Not once, and not for ever."""
    yield conversation("twelve messages, then the close", *(some_name(source, 4) for _ in range(12)))


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
    *broadcasting.EXERCISES,
)
