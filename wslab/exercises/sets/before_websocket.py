"""Lesson 01, before WebSocket: read_exactly, a number of bytes out of a stream (RFC 9293 §3.8)."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.sets.inputs import some_bytes
from wslab.exercises.solutions.read_exactly import read_exactly

SECTION = "RFC 9293 §3.8"


class ChoppedSocket(socket.socket):
    """A real socket that gives at most `chop` bytes at a time, as a network may, and counts how often it is read."""

    chop = 1
    reads = 0

    def _most(self, count: int, flags: int) -> int:
        self.reads += 1
        return count if flags & socket.MSG_WAITALL else min(count, self.chop)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """As that of any socket, in pieces."""
        return super().recv(self._most(bufsize, flags), flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As that of any socket, in pieces."""
        count = nbytes or memoryview(buffer).nbytes
        return super().recv_into(buffer, self._most(count, flags), flags)


def read_from(function: Function, sent: bytes, count: int, chop: int, ends: bool) -> Any:
    """What the function gives, what is left to be read, and whether the socket was read, is open, and still waits."""
    left, right = socket.socketpair()
    writer = threading.Thread(target=_write, args=(right, sent, ends), daemon=True)
    writer.start()
    try:
        with contextlib.closing(right), ChoppedSocket(left.family, left.type, left.proto, fileno=left.detach()) as sock:
            sock.chop = chop
            came = function(sock, count)
            reads, waits, is_open = sock.reads, sock.gettimeout() is None, sock.fileno() >= 0
            left_over = _rest_of(sock, writer, right) if is_open else b""
    finally:
        writer.join()  # else it would be taken for a thread of the function
    return {
        "returned": came,
        "it is still open": is_open,
        "left to be read": left_over,
        "the socket was read": reads > 0,
        "it still blocks": waits,
    }


def _rest_of(sock: socket.socket, writer: threading.Thread, right: socket.socket) -> bytes:
    sock.settimeout(None)
    writer.join()
    right.close()
    return b"".join(iter(lambda: socket.socket.recv(sock, 4096), b""))


def _write(sock: socket.socket, sent: bytes, ends: bool) -> None:
    with contextlib.suppress(OSError):
        sock.sendall(sent)
        if ends:
            sock.shutdown(socket.SHUT_WR)


def case(sent: bytes, count: int, chop: int, ends: bool = False) -> Case:
    """One reading, told in words."""
    pieces = "in one piece" if chop >= len(sent) else f"in pieces of {chop}"
    end = ", then the end" if ends else ""
    situation = f"the peer sends {how_many(len(sent))} {pieces}{end}; wanted: {count}"
    given = f"a socket, {count}"
    return Case(situation, (sent, count, chop, ends), read_from, given=given)


def in_one_piece(source: random.Random) -> Iterator[Case]:
    """As many as wanted arrive at once."""
    for count in (1, 5, source.randrange(20, 100)):
        yield case(some_bytes(source, count), count, count)
    yield case(b" \r\n\0\t", 5, 5)


def in_pieces(source: random.Random) -> Iterator[Case]:
    """They arrive in pieces."""
    yield case(some_bytes(source, 5), 5, 1)
    for _ in range(3):
        count = source.randrange(10, 200)
        yield case(some_bytes(source, count), count, source.randrange(2, count))
    yield case(some_bytes(source, 70_000), 70_000, 9_000)


def not_one_more(source: random.Random) -> Iterator[Case]:
    """More bytes are there than are wanted."""
    for chop in (1000, 7, 1):
        count, more = 7 * source.randrange(2, 9) - 1, source.randrange(1, 50)
        yield case(some_bytes(source, count + more), count, chop)


def the_end(source: random.Random) -> Iterator[Case]:
    """The peer ends before, or just in time."""
    count = source.randrange(3, 30)
    yield case(some_bytes(source, count), count, count, ends=True)
    yield case(some_bytes(source, count - 1), count, 2, ends=True)
    yield case(b"", count, 2, ends=True)


def none_at_all(source: random.Random) -> Iterator[Case]:
    """0 bytes are wanted."""
    yield case(b"", 0, 5)
    yield case(some_bytes(source, 3), 0, 5)
    yield case(some_bytes(source, 3), 3, 5)


def _one_recv(sock: socket.socket, count: int) -> bytes:
    return sock.recv(count)


def _whatever_comes(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += _some(sock, 4096)
    return data[:count]


def _short_at_the_end(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := sock.recv(count - len(data))):
        data += piece
    return data


def _same_size_again(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += _some(sock, count)
    return data


def _some(sock: socket.socket, count: int) -> bytes:
    piece = sock.recv(count)
    if not piece:
        raise EOFError
    return piece


EXERCISES = (
    Exercise(
        "read_exactly",
        "01-before-websocket",
        "read_exactly(sock, count) -> bytes",
        "Return exactly `count` bytes from a blocking socket, however they arrive, and leave what comes after them "
        'unread. Raise `EOFError` if the peer ends before. For 0 return `b""` without reading.',
        "The peer sends `Hello, world`; `read_exactly(sock, 5)` is `b'Hello'`, and the next call begins at the comma.",
        (
            Aspect("bytes that arrive in one piece", 1, SECTION, in_one_piece),
            Aspect("bytes that arrive in many pieces", 2, SECTION, in_pieces),
            Aspect("not one byte too many", 1, SECTION, not_one_more),
            Aspect("the peer ends before: EOFError", 1, "RFC 9293 §3.6", the_end),
            Aspect("no bytes wanted, none read", 1, SECTION, none_at_all),
        ),
        (
            "How many bytes may `recv(100)` give, if the peer sends 100 at once? Which numbers can you rule out?",
            "Collect pieces in a loop. `recv` with what is still missing never gives too much; no bytes from `recv` "
            "mean that the peer has ended.",
            "while len(data) < count: piece = sock.recv(count - len(data)); if piece is empty, raise EOFError; "
            "else append it.",
        ),
        read_exactly,
        ("sock", "count"),
        (
            Mistake(
                "One call of recv gives what has arrived, not what you asked for: ask again for the rest.", _one_recv
            ),
            Mistake(
                "What was read too much is lost for the next reader: never ask recv for more than is missing.",
                _whatever_comes,
            ),
            Mistake(
                "recv gives no bytes when the peer has ended: that is an EOFError, not a short answer.",
                _short_at_the_end,
            ),
            Mistake(
                "The second recv asks for `count` bytes again; only what is missing may be asked for.", _same_size_again
            ),
        ),
    ),
)
