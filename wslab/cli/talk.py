"""talk: a connection and a user at a terminal, or the pipes of a script: lines go out, messages come in.

Two threads: this one receives and shows, another reads lines and sends them. That one waits for its user, or for the
end of the input, for as long as it takes, and ends with the program.
"""

import contextlib
import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from wslab.cli.output import ask, complain, keep_terminal, show_above_prompt, show_message, tell
from wslab.cli.typed import LINES, read_typed, write_typed
from wslab.dissector.wording import how_many, in_hex
from wslab.protocol.errors import CloseCode, ConnectionClosed, ProtocolError
from wslab.protocol.events import Binary, Close, Event, Ping, Pong, Text
from wslab.sockets.connection import Connection

MOST_BYTES = 64  # of a binary message that a terminal shows
MAX_LINE = 64 * 1024 * 1024  # bytes


def talk_between_pipes(connection: Connection, has_commands: bool) -> None:
    """Send the lines of standard input, print what arrives as lines, until the connection is closed."""
    _start(connection, _lines(_raw_input().read), Sender(connection, tell if has_commands else None))
    for message in connection:
        show_received(message, has_commands)


def show_received(message: str | bytes, has_commands: bool) -> None:
    """Print a message as a line: with `has_commands`, as one that sends the same; bytes in hex, for a user in words."""
    if has_commands:
        show_message(write_typed(message))
    elif isinstance(message, str):
        show_message(message)
    else:
        show_message(_in_words(message) if sys.stdout.isatty() else message.hex(" "))


def _in_words(data: bytes) -> str:
    return f"({how_many(len(data))} of binary) {in_hex(data, MOST_BYTES, counted=False)}".rstrip()


def talk_on_terminal(connection: Connection) -> None:
    """Ask for lines and send them; show what arrives above what is being typed."""
    sender = Sender(connection, lambda words: show_above_prompt(words, "remark"))
    with keep_terminal():
        _start(connection, _asked(), sender)
        with contextlib.suppress(ConnectionClosed, ProtocolError):  # why, is told by the exit status and its sentence
            while True:
                if said := _said(connection.receive_event(), sender):
                    show_above_prompt(f"< {said}", "incoming")


def _said(event: Event, sender: "Sender") -> str:
    match event:
        case Text(data):
            return data
        case Binary(data):
            return _in_words(data)
        case Ping(payload):
            return f"(a ping, answered) {payload.hex(' ')}".rstrip()
        case Pong(payload):
            return f"(a pong{sender.waited_for(payload)}) {payload.hex(' ')}".rstrip()
    return ""


class Sender:
    """Sends what was typed, and knows when its pings went out.

    `remark` is told what is wrong with a line, and the help; where it is None, a line is a text whatever is in it.
    """

    def __init__(self, connection: Connection, remark: Callable[[str], None] | None) -> None:
        self._connection = connection
        self._remark = remark
        self._pings: dict[bytes, float] = {}

    def send(self, line: str) -> None:
        """Send what this line stands for."""
        if self._remark is None:
            self._connection.send(line)
            return
        try:
            self._act(read_typed(line), self._remark)
        except ValueError as error:
            self._remark(f"{error}")

    def _act(self, typed: str | bytes | Ping | Close | None, remark: Callable[[str], None]) -> None:
        match typed:
            case None:
                remark(LINES)
            case Ping(payload):
                self._pings[payload] = time.perf_counter()
                self._connection.ping(payload)
            case Close(code, reason):
                self._connection.close(code, reason)
            case str() | bytes():
                self._connection.send(typed)

    def waited_for(self, payload: bytes) -> str:
        """How long the pong with this payload has taken, in words."""
        sent = self._pings.pop(payload, None)
        return "" if sent is None else f" after {(time.perf_counter() - sent) * 1000:.1f} ms"


def _start(connection: Connection, lines: Iterable[str], sender: Sender) -> None:
    def run() -> None:
        try:
            with contextlib.suppress(ConnectionClosed):  # the other thread tells why
                for line in lines:
                    sender.send(line)
                    if not connection.is_open:  # by `/close`: nothing more is asked for
                        break
        except ValueError as error:
            if connection.is_open:  # else it was read for nothing
                complain("connect", error)
            connection.abort()
        connection.close(CloseCode.NORMAL_CLOSURE)

    threading.Thread(target=run, name="wslab-typed", daemon=True).start()


def _asked() -> Iterator[str]:
    with contextlib.suppress(EOFError, OSError):  # the second: the terminal has gone
        while True:
            yield ask("> ")


def _raw_input() -> io.RawIOBase:
    """Standard input without buffers, so that the program can end meanwhile.

    The console of Windows gives UTF-8 only to Python's own object; who reads its file descriptor gets another encoding.
    """
    raw: io.RawIOBase = sys.stdin.buffer.raw  # type: ignore[union-attr]
    return raw


def _lines(read_some: Callable[[int], bytes | None]) -> Iterator[str]:
    """The lines as they come. Raises ValueError for what cannot be read."""
    unfinished = bytearray()
    while read := _read(read_some):
        *ends, begun = read.split(b"\n")
        for end in ends:
            yield (unfinished + end).rstrip(b"\r").decode(errors="replace")
            unfinished.clear()
        unfinished += begun
        if len(unfinished) > MAX_LINE:
            raise ValueError(f"a line of more than {MAX_LINE:,} bytes is too long for a message")
    if unfinished:
        yield unfinished.decode(errors="replace")


def _read(read_some: Callable[[int], bytes | None]) -> bytes | None:
    try:
        return read_some(65536)
    except OSError as error:
        raise ValueError(f"standard input cannot be read: {error.strerror}") from None
