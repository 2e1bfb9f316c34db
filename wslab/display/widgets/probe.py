"""probe: bytes to a server over a connection, and what it makes of them back, within a bounded time."""

import time
from dataclasses import dataclass
from itertools import islice

from wslab.dissector.frames import Dissected, FrameDissector
from wslab.dissector.wording import in_hex
from wslab.protocol.errors import CloseCode, ConnectionClosed, ProtocolError, describe_close
from wslab.protocol.http import Request, Response
from wslab.protocol.states import Direction, Role
from wslab.recording.recorded_frames import dissect_recording
from wslab.recording.recording import Recording
from wslab.redaction.redact import harmless, printable
from wslab.sockets.client import connect
from wslab.sockets.connection import Connection

HANDSHAKE_TIMEOUT = 5.0  # seconds
PATIENCE = 5.0  # seconds for the server's part of the closing handshake
FIRST_WAIT = 0.3  # seconds for the first thing that comes back; not every frame asks for an answer
CUT_SHORT_WAIT = 1.0  # seconds after a frame that is cut short: most servers wait for the rest and say nothing
MOST_FRAMES = 20
MOST_BYTES = 12


@dataclass(frozen=True)
class ProbeResult:
    """What came back: the first frames with their bytes, the close code (1006 if none came), and how it ended."""

    frames: tuple[tuple[Dissected, bytes], ...]
    close_code: int
    close_reason: str
    ending: str

    @property
    def rows(self) -> list[tuple[str, str]]:
        """For each frame one readable line, and its bytes in hex."""
        rows = [(str(seen), in_hex(data, MOST_BYTES)) for seen, data in self.frames[:MOST_FRAMES]]
        return [*rows, ("… and more", "")] if len(self.frames) > MOST_FRAMES else rows

    def __str__(self) -> str:
        return "\n".join([*(f"< {line}" for line, _ in self.rows), self.ending])


def probe(url: str, data: bytes, *, patience: float = PATIENCE, deflate: bool = False) -> ProbeResult:
    """Send `data` to the server at `url`; nothing the server does raises. `deflate` offers compression to it.

    If the server does not close the connection, this side does, with 1000: the answer to that shows that nothing more
    is coming, and `patience` in seconds bounds the wait for it.
    """
    recording = Recording()
    try:
        connection = connect(url, deflate=deflate, timeout=HANDSHAKE_TIMEOUT, recording=recording)
    except (OSError, ValueError, ProtocolError) as error:
        return _no_connection(error)
    is_cut_short, has_ended = _is_cut_short(data), False
    try:
        connection.send_raw(data)
        _listen(connection, CUT_SHORT_WAIT if is_cut_short else FIRST_WAIT, to_first=not is_cut_short)
    except (ConnectionClosed, ProtocolError):
        has_ended = True
    except TimeoutError:
        pass
    finally:
        if is_cut_short:  # a close frame would be taken for the rest of the frame
            connection.abort()
        else:
            connection.close(timeout=patience)
    has_closed = any(call.name == "close" for call in recording.calls)
    ending = printable(_ending(connection, has_ended, has_closed, CUT_SHORT_WAIT if is_cut_short else patience))
    return ProbeResult(tuple(_frames(recording)), connection.close_code, connection.close_reason, ending)


class KeptConnection:
    """A connection to the server at `url` that stays open from one `send` to the next, if the server leaves it open."""

    def __init__(self, url: str, *, patience: float = PATIENCE, deflate: bool = False) -> None:
        self._url = url
        self._patience = patience
        self._deflate = deflate
        self._connection: Connection | None = None
        self._recording = Recording()
        self._told = 0  # frames of the server, in earlier answers

    def send(self, data: bytes) -> ProbeResult:
        """Send `data`, and return what comes back until the server is silent; nothing the server does raises.

        If there is no connection, or none any more, this opens one.
        """
        if self._connection is None:
            self._recording, self._told = Recording(), 0
            try:
                self._connection = connect(
                    self._url, deflate=self._deflate, timeout=HANDSHAKE_TIMEOUT, recording=self._recording
                )
            except (OSError, ValueError, ProtocolError) as error:
                return _no_connection(error)
        connection, has_ended, deadline = self._connection, False, time.monotonic() + self._patience
        try:
            connection.send_raw(data)
            while time.monotonic() < deadline:
                connection.receive_event(FIRST_WAIT)
        except (ConnectionClosed, ProtocolError):
            has_ended = True
        except TimeoutError:
            pass
        if has_ended:
            self.close()
            ending = _ending(connection, has_ended, False, self._patience)
        else:
            ending = "The connection is open, and waits for more."
        frames = _frames(self._recording, self._told)
        self._told += len(frames)
        return ProbeResult(tuple(frames), connection.close_code, connection.close_reason, printable(ending))

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close(timeout=self._patience)
            self._connection = None


def _no_connection(error: Exception) -> ProbeResult:
    ending = f"There is no connection: {harmless(str(error))}."
    return ProbeResult((), CloseCode.ABNORMAL_CLOSURE, "", ending)


def _is_cut_short(data: bytes) -> bool:
    """Return True if the last frame in `data` is not all there."""
    reader = FrameDissector(Role.CLIENT)
    reader.read(data)
    return bool(reader.end())


def _listen(connection: Connection, seconds: float, to_first: bool) -> None:
    """Receive for `seconds`, or only up to the first thing that comes. Raises as `receive_event` does."""
    deadline = time.monotonic() + seconds
    while (remaining := deadline - time.monotonic()) > 0:
        connection.receive_event(remaining)
        if to_first:
            return


def _ending(connection: Connection, has_ended: bool, has_closed: bool, waited: float) -> str:
    """How the connection ended, in a sentence; `has_closed` is True if this side asked for it."""
    code = connection.close_code
    if connection.error is not None:
        return f"The server broke a rule, so this side closed with {connection.error}."
    if code == CloseCode.ABNORMAL_CLOSURE:
        if has_ended:
            return "The server ended TCP without a close frame (1006)."
        return f"No close frame came within {waited:g} s (1006): the server may be waiting for more bytes."
    if has_closed and code == CloseCode.NORMAL_CLOSURE:
        return "Then this side closed with 1000, and the server did so, too."
    return f"The server closed with {describe_close(code, connection.close_reason)}."


def _frames(recording: Recording, told: int = 0) -> list[tuple[Dissected, bytes]]:
    """What the server sent after its response and the first `told` frames, each with its bytes.

    These are at most one more than are shown.
    """
    number, *_ = recording.connections
    data = recording.bytes_sent(number, Direction.SERVER_TO_CLIENT)
    seen = (it.seen for it in dissect_recording(recording) if it.direction is Direction.SERVER_TO_CLIENT)
    frames = ((one, data[one.start : one.end]) for one in seen if not isinstance(one.what, Request | Response))
    return list(islice(frames, told, told + MOST_FRAMES + 1))
