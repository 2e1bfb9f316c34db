"""Exchanges: the chunks of a connection in; its requests for WebSocket out, with their answers and whole messages.

A close frame is the last one of its direction (RFC 6455 §5.5.1), and so is a frame that breaks a rule or cannot be
read: a receiver would read no further.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple

from wslab.dissector.frames import Dissected, DissectedFrame
from wslab.dissector.messages import MessageJoiner
from wslab.dissector.opaque import Missing
from wslab.protocol.body import PIECE, BodyReader, decode_body
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Request, Response
from wslab.protocol.rules import MESSAGE_IS_TOO_BIG, TEXT_IS_NOT_UTF8
from wslab.protocol.states import Direction
from wslab.recording.log import Chunk
from wslab.recording.recorded_frames import RecordedFrame, dissect_chunks

MAX_MESSAGE = 64 * 1024 * 1024  # bytes, decompressed
MAX_MESSAGES = 256 * 1024 * 1024  # bytes, of all messages together, decompressed
NO_ROOM = f"what comes after the first {MAX_MESSAGES:,} bytes of messages is left out; a .pcapng holds all"
TOO_BIG = MESSAGE_IS_TOO_BIG.violation(limit=MAX_MESSAGE).reason
NOT_CAPTURED = "(the capture has lost bytes)"
UNKNOWN_BIT = "a reserved bit is set, and its extension is not known here"
NOT_UTF8 = TEXT_IS_NOT_UTF8.violation().reason


class RecordedMessage(NamedTuple):
    """A message and the time of its last byte in seconds; or None, and the error because of which it cannot be told.

    Behind an error no more follow, except where a capture has lost bytes.
    """

    time: float
    direction: Direction
    content: str | bytes | None
    error: str = ""


@dataclass(slots=True)
class Exchange:
    """A request that asks for WebSocket, and what became of it.

    `asked` and `answered` are the times in seconds at which the heads were complete. The response to a refused request
    has the beginning of its body, without the framing of chunks and without its Content-Encoding.
    """

    request: Request
    asked: float
    answered: float
    response: Response | None = None
    messages: list[RecordedMessage] = field(default_factory=list)


@dataclass(slots=True)
class Room:
    """How many bytes of messages, decompressed, there is still room for; negative when a message had none.

    `unasked` is how many connections have frames and no request, so that their messages are in no exchange.
    """

    left: int = MAX_MESSAGES
    unasked: int = 0

    @property
    def is_full(self) -> bool:
        """Whether a message had to be left out."""
        return self.left < 0


def read_exchanges(chunks: Sequence[Chunk], room: Room | None = None) -> list[Exchange]:
    """The exchanges in all chunks of one connection, in order. Requests for pages are left out.

    The messages take from the `room` that there is; the first that has none is an error, and nothing is read after it.
    """
    room = Room() if room is None else room
    reader = _ExchangeReader(chunks, room)
    for it in dissect_chunks(chunks, kept=MAX_MESSAGE):
        reader.take(it)
        if room.is_full:
            break
    room.unasked += reader.is_unasked
    return reader.exchanges


class _ExchangeReader:
    """Sorts the heads and frames of one connection into its exchanges."""

    def __init__(self, chunks: Sequence[Chunk], room: Room) -> None:
        self._room = room
        self.exchanges: list[Exchange] = []
        self.is_unasked = False
        self._asked: Exchange | None = None  # that of the last request, None if this asks for a page
        self._answered: Exchange | None = None  # that of the last response
        self._joiners = {direction: MessageJoiner(MAX_MESSAGE) for direction in Direction}
        self._over: set[Direction] = set()  # after an error or a close frame
        self._torn: set[Direction] = set()  # a capture has lost bytes
        self._received = [chunk.data for chunk in chunks if chunk.direction is Direction.SERVER_TO_CLIENT]
        self._ends = list(accumulate(map(len, self._received)))

    def take(self, it: RecordedFrame) -> None:
        """Take in what comes next on the connection."""
        head = it.seen.what
        if isinstance(head, Request):
            self._asked = None
            if head.headers.has_token("Upgrade", "websocket"):
                self._asked = Exchange(head, it.time, it.time)
                self.exchanges.append(self._asked)
        elif isinstance(head, Response):
            self._answered = self._asked
            if self._answered is not None:
                method = self._answered.request.method
                self._answered.response, self._answered.answered = self._with_body(head, it.seen, method), it.time
        elif self._answered is not None and it.direction not in self._over:
            self._take_frame(self._answered, it)
        elif self._answered is None and isinstance(head, DissectedFrame):
            self.is_unasked = True

    def _with_body(self, response: Response, seen: Dissected, method: str) -> Response:
        reader, number = BodyReader(response, method), bisect_right(self._ends, seen.end)
        skipped = seen.end - (self._ends[number - 1] if number else 0)
        while not reader.is_enough and number < len(self._received):
            data = self._received[number]
            skipped += reader.read(data[skipped : skipped + PIECE])
            if skipped >= len(data):
                number, skipped = number + 1, 0
        return replace(response, body=decode_body(response.headers, bytes(reader.kept)))

    def _take_frame(self, exchange: Exchange, it: RecordedFrame) -> None:
        """Add the message that a frame completes, or the error in it."""
        what, way = it.seen.what, it.direction
        messages = self._joiners[way].feed(it.seen)
        if error := it.seen.illegal or _unknown_bit(what):
            said: list[tuple[str | bytes | None, str]] = [(None, error)]
        elif isinstance(what, Missing):
            self._torn.add(way)
            said = [(None, f"{what} {NOT_CAPTURED}")]
        else:
            said = [self._content(message.frame, way) for message in messages]
        exchange.messages += [RecordedMessage(it.time, way, *one) for one in said]
        if _is_close(what) or any(error and not error.endswith(NOT_CAPTURED) for _, error in said):
            self._over.add(way)

    def _content(self, frame: DissectedFrame, way: Direction) -> tuple[str | bytes | None, str]:
        if frame.is_deflated and way in self._torn:
            return None, f"a compressed message that refers to others {NOT_CAPTURED}"
        self._room.left -= len(frame.payload)
        return (None, NO_ROOM) if self._room.is_full else _content(frame)


def _is_close(frame: object) -> bool:
    return isinstance(frame, DissectedFrame) and frame.header.opcode is Opcode.CLOSE


def _unknown_bit(frame: object) -> str:
    """Say that only an unknown extension could tell what is in a frame, if that is so."""
    if not isinstance(frame, DissectedFrame):
        return ""
    header, is_compressed = frame.header, frame.is_inflated or frame.is_deflated
    return UNKNOWN_BIT if header.rsv2 or header.rsv3 or (header.rsv1 and not is_compressed) else ""


def _content(frame: DissectedFrame) -> tuple[str | bytes | None, str]:
    """What a message says, and an error if that cannot be told."""
    if len(frame.payload) < frame.length:
        return None, TOO_BIG
    if frame.kind is not Opcode.TEXT:
        return frame.payload, ""
    try:
        return frame.payload.decode(), ""
    except UnicodeDecodeError:  # after the handshake of an unknown extension, which may allow it
        return None, NOT_UTF8
