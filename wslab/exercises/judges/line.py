"""line: the judge's end of a connection, byte for byte, with a recording of what passed over it."""

import socket
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from wslab.dissector.wording import shorten
from wslab.exercises.judges.sides import NAMES
from wslab.exercises.judges.watch import PATIENCE, Broken, Waited
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, parse_frame
from wslab.protocol.http import Request, Response, parse_request, parse_response
from wslab.protocol.states import Direction, Role
from wslab.recording.recording import Recording
from wslab.sockets.stream import send_at_once

PIECE = 1.0  # seconds in which the learner's side reads a piece, if it still reads
BY_BYTE = 200  # bytes of a head or a frame that are sent one by one; of a longer frame, its start and its end
Said = tuple[Direction, bytes]
T = TypeVar("T")


class Pace(Recording):
    """Knows how many bytes the learner's side has read, so that each piece is read by itself."""

    def __init__(self, learner: Role) -> None:
        super().__init__()
        self._towards = Direction.CLIENT_TO_SERVER if learner is Role.SERVER else Direction.SERVER_TO_CLIENT
        self._read = 0
        self._changed = threading.Condition()

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Count the bytes."""
        if direction is self._towards:
            with self._changed:
                self._read += len(data)
                self._changed.notify_all()

    def wait(self, count: int) -> bool:
        """Wait until so many bytes have been read; return False if they have not been in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._read >= count, PIECE)


def pieces_of(data: bytes) -> list[bytes]:
    """`data` in pieces of one byte; of a long one only the start and the end."""
    if len(data) <= BY_BYTE:
        return [data[n : n + 1] for n in range(len(data))]
    return [*pieces_of(data[:20]), data[20:-1], data[-1:]]


class Line:
    """What the judge sends and receives. `said` keeps it: each side's bytes up to those of the other side."""

    def __init__(self, sock: socket.socket, learner: Role, pace: Pace | None = None) -> None:
        sock.settimeout(PATIENCE)
        send_at_once(sock)
        self.said: list[Said] = []
        self.name = NAMES[learner]
        self._sock, self._learner, self._pace = sock, learner, pace
        ways = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
        self._out, self._in = ways if learner is Role.SERVER else reversed(ways)
        self._received = b""
        self._sent = 0

    def send(self, pieces: Sequence[bytes]) -> None:
        """Send the pieces; with a pace, each after the one before has been read."""
        self.said.append((self._out, b"".join(pieces)))
        try:
            for piece in pieces:
                self._sock.sendall(piece)
                self._sent += len(piece)
                if self._pace is not None and len(pieces) > 1 and not self._pace.wait(self._sent):
                    return
        except OSError:  # it has hung up: what it has said tells more
            return

    def receive_request(self) -> Request:
        """The request of the learner's client."""
        return self._receive(parse_request, "a request")

    def receive_response(self) -> Response:
        """The answer of the learner's server."""
        return self._receive(parse_response, "an answer to the handshake")

    def receive_frame(self, expected: str) -> Frame:
        """The next frame, which a peer of the learner's side may accept."""
        frame = self._receive(parse_frame, expected)
        if (frame.masking_key is not None) is (self._learner is Role.SERVER):
            rule = "a server masks no frame" if self._learner is Role.SERVER else "a client masks every frame"
            raise Broken(f"{self.name} sent {_brief(frame)}: {rule} (RFC 6455 §5.1)")
        return frame

    def expect(self, expected: Frame, deflate: bool = False) -> None:
        """Raise Broken unless the next frame is this one, compressed or not where `deflate` was agreed on."""
        frame = self.receive_frame(_brief(expected))
        if deflate and frame.rsv1:
            frame = self._inflated(frame)
        if frame != expected:
            raise Broken(f"{self.name} sent {_brief(frame)} where {_brief(expected)} was due")

    def _inflated(self, frame: Frame) -> Frame:
        try:
            payload = zlib.decompressobj(-15).decompress(frame.payload + b"\x00\x00\xff\xff")
        except zlib.error:
            raise Broken(f"{self.name} sent {_brief(frame)}, which cannot be inflated (RFC 7692 §7.2.2)") from None
        return replace(frame, payload=payload, rsv1=False)

    def expect_end(self) -> None:
        """Raise Broken if more bytes come before the end of TCP."""
        if self._received or self._read_to_the_end():
            self.said.append((self._in, self._received))
            raise Broken(f"{self.name} sent more bytes after what was due")

    def _read_to_the_end(self) -> bytes:
        try:
            return self._read()
        except TimeoutError:
            self._add_rest()
            raise Waited(f"{self.name} did not end TCP within {PATIENCE:g} s after the closing handshake") from None

    def _add_rest(self) -> None:
        if self._received:
            self.said.append((self._in, self._received))

    def _receive(self, parse: Callable[[bytes], tuple[T, int] | None], expected: str) -> T:
        while True:
            try:
                found = parse(self._received)
            except ProtocolError as error:
                self.said.append((self._in, self._received))
                raise Broken(f"{self.name} sent what breaks the protocol: {error.reason}") from None
            if found is not None:
                value, used = found
                self.said.append((self._in, self._received[:used]))
                self._received = self._received[used:]
                return value
            self._receive_more(expected)

    def _receive_more(self, expected: str) -> None:
        try:
            more = self._read()
        except TimeoutError:
            self._add_rest()
            part = " the whole of" if self._received else ""
            raise Waited(f"{self.name} did not send{part} {expected} within {PATIENCE:g} s") from None
        if not more:
            self._add_rest()
            raise Broken(f"{self.name} ended TCP where {expected} was due")

    def _read(self) -> bytes:
        try:
            more = self._sock.recv(1 << 16)
        except ConnectionError:
            return b""
        self._received += more
        return more


def _brief(frame: Frame) -> str:
    return shorten(str(frame), 100)
