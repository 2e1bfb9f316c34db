"""line: a probe's end of a connection: frames and bytes out, frames and bytes in, and an end to every wait.

Where nothing comes, the line says that it will send nothing more, by ending its own direction of TCP: whoever is still
waiting for bytes then knows that there are none, and ends the connection. So silence is told from slowness.
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from wslab.exercises.zoo.bug import PATIENCE, listening
from wslab.labs.by_hand import KEY, MASKING_KEY
from wslab.protocol.deflate import NAME
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, parse_frame, serialize_frame
from wslab.protocol.handshake import build_request, build_response
from wslab.protocol.http import Request, Response, parse_request, parse_response_head
from wslab.sockets.stream import send_at_once

QUIET = 0.1  # seconds without a byte, after which the line says that it has sent everything
TO_READ_A_HEAD = 1.0  # seconds for a client; it needs them if the answer is no whole one
DEFLATE = NAME
END_OF_HEAD = b"\r\n\r\n"


class Line:
    """A connection to the server or the client that a probe tries; `request` and `response` are its handshake."""

    def __init__(self, sock: socket.socket, masking_key: bytes | None) -> None:
        self.request: Request | None = None
        self.response: Response | None = None
        self._sock, self._masking_key = sock, masking_key
        send_at_once(sock)
        self._unread = b""
        self._has_ended = False

    def send(self, *what: Frame | bytes) -> None:
        """Send frames, masked if a client sends them, and bytes as they are, all in one piece."""
        data = b"".join(it if isinstance(it, bytes) else serialize_frame(it, self._masking_key) for it in what)
        with suppress(OSError):  # the other side has hung up: what it has said can still be read
            self._sock.sendall(data)

    def receive(self, *, more: bool = False) -> Frame | None:
        """The next frame; None if no whole and legal one comes any more. `more` says that you will send more."""
        while True:
            try:
                found = parse_frame(self._unread)
            except ProtocolError:
                return None
            if found is not None:
                self._unread = self._unread[found[1] :]
                return found[0]
            if not self._read_more(more):
                return None

    def rest(self) -> list[Frame]:
        """All frames that still come."""
        return list(iter(self.receive, None))

    def read(self, count: int) -> bytes:
        """The next bytes; fewer if no more come."""
        while len(self._unread) < count and self._read_more():
            pass
        data, self._unread = self._unread[:count], self._unread[count:]
        return data

    def read_head(self) -> bytes:
        """The next bytes up to an empty line; none if it does not come."""
        while END_OF_HEAD not in self._unread:
            if not self._read_more(more=True):
                return b""
        return self.read(self._unread.index(END_OF_HEAD) + len(END_OF_HEAD))

    def _read_more(self, more: bool = False) -> bool:
        if self._has_ended:
            return False
        found: bytes | None = None
        with suppress(OSError):  # a reset, or nothing for too long, is the end as well
            found = self._read_soon(PATIENCE if more else QUIET)
            found = self._end_and_read() if found is None else found
        self._has_ended = not found
        self._unread += found or b""
        return bool(found)

    def _read_soon(self, patience: float) -> bytes | None:
        """What comes within so many seconds; None if nothing does."""
        self._sock.settimeout(patience)
        with suppress(TimeoutError):
            return self._sock.recv(1 << 16)
        return None

    def _end_and_read(self) -> bytes:
        self._sock.shutdown(socket.SHUT_WR)
        return self._read_soon(PATIENCE) or b""

    def end(self) -> None:
        """Send no more, and wait until the other side has ended the connection; what still comes is not kept."""
        with suppress(OSError):
            while not self._has_ended and self._end_and_read():
                pass


@contextmanager
def dial(
    server: Any, *, extensions: str = "", subprotocols: Sequence[str] = (), request: bytes = b""
) -> Iterator[Line]:
    """A line to a server, after the handshake; `request` replaces the bytes with which it begins."""
    asked = build_request("localhost", key=KEY, extensions=extensions, subprotocols=subprotocols)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        line = Line(sock, MASKING_KEY)
        line.request = asked
        line.send(request or asked.serialize())
        if found := parse_response_head(line.read_head()):
            line.response = found[0]
        yield line
        line.end()


@contextmanager
def answer(client: Any, *, extensions: str = "", response: Any = None, more: bytes = b"") -> Iterator[Line]:
    """A line to a client that has been asked to come, after the handshake.

    `response` is a function that makes the bytes of the answer of a `Response`; `more` follows them in the same piece.
    """
    with listening() as listener:
        client.visit(listener.getsockname()[1])
        listener.settimeout(PATIENCE)
        sock, _ = listener.accept()
    with sock:
        line = Line(sock, None)
        if found := parse_request(line.read_head()):
            line.request = found[0]
            line.response = build_response(line.request, extensions=extensions)
            line.send((response or Response.serialize)(line.response) + more)
            client.await_handshake(TO_READ_A_HEAD)
        yield line
        line.end()
