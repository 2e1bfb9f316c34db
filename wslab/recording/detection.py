"""Which of the TCP connections in a capture speak WebSocket, and which side of them is the client."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import parse_header
from wslab.recording.tcp import Conversation

LOOKED_AT = 1024 * 1024  # bytes from the start of each side
MAX_HEADER = 14

_AGREEMENT = re.compile(rb"HTTP/1\.\d 101\b")
_FIRST_REQUEST = re.compile(rb"[A-Z]{3,10} [!-~]+ HTTP/1\.\d\r?\n")
_REQUEST = re.compile(rb"GET [!-~]+ HTTP/1\.\d\r?\n")
_UPGRADE = re.compile(rb"\nupgrade[ \t]*:[^\n]*websocket", re.IGNORECASE)


def find_client(conversation: Conversation) -> int | None:
    """The side that is the client of a WebSocket connection, None if this is none.

    The handshake tells it; where the capture began too late for that, the masks of the frames do (RFC 6455 §5.1).
    What stands before the first frame is then taken out of the conversation.
    """
    for side in (0, 1):
        start = _start(conversation, side)
        if _AGREEMENT.match(start) and _UPGRADE.search(start, 0, _end_of_head(start, 0)):
            return 1 - side
        if _FIRST_REQUEST.match(start) and _asks_for_websocket(start):
            return side
    return _find_masking_side(conversation) if conversation.client is None else None


def _asks_for_websocket(requests: bytes) -> bool:
    """Whether one of the requests on a connection does: others may come before it."""
    end = 0
    while request := _REQUEST.search(requests, end):
        end = _end_of_head(requests, request.end() - 2)
        if _UPGRADE.search(requests, request.start(), end):
            return True
    return False


def _end_of_head(data: bytes, start: int) -> int:
    end = data.find(b"\r\n\r\n", start)
    return len(data) if end < 0 else end


def _start(conversation: Conversation, side: int) -> bytes:
    start = bytearray()
    for piece in conversation.pieces:
        if piece.side == side and len(start) < LOOKED_AT:
            start += piece.data
    return bytes(start)


@dataclass(frozen=True)
class _Run:
    """The frames from one piece of a side on: how many pieces stand before it, whether all are masked, how many end."""

    dropped: int
    masked: bool | None = None
    ends: int = 0


def _find_masking_side(conversation: Conversation) -> int | None:
    first, second = (_find_run([p.data for p in conversation.pieces if p.side == side]) for side in (0, 1))
    if first is None or second is None or first.masked is second.masked or not first.ends + second.ends:
        return None
    left = [first.dropped, second.dropped]
    kept = []
    for piece in conversation.pieces:
        if left[piece.side]:
            left[piece.side] -= 1
        else:
            kept.append(piece)
    conversation.pieces = kept
    return 0 if first.masked or second.masked is False else 1


class _Fate(IntEnum):
    """What is known of the frames from a place on: nothing, that none of them is the end of a message, or illegal."""

    UNKNOWN = 0
    ENDLESS = 1
    ILLEGAL = 2


def _find_run(pieces: Sequence[bytes]) -> _Run | None:
    """The first run of legal frames up to the end, one of whole frames if there is any: it begins with a segment."""
    data = b"".join(pieces)[:LOOKED_AT]
    position, unfinished = 0, None if data else _Run(0)
    fates = bytearray(len(data))  # so that no header is read twice, however many runs meet in it
    for dropped, piece in enumerate(pieces):
        run = _read_run(data, position, dropped, fates) if position < len(data) else None
        if run is not None and run.ends:
            return run
        unfinished = unfinished or run
        position += len(piece)
    return unfinished


def _read_run(data: bytes, position: int, dropped: int, fates: bytearray) -> _Run | None:
    masked, ends, fate = None, 0, _Fate.ENDLESS
    begins = []
    while position < len(data):
        try:
            parsed = parse_header(data[position : position + MAX_HEADER])
        except ProtocolError:
            fate = _Fate.ILLEGAL
            break
        if parsed is None:
            break
        header, size = parsed
        has_mask = header.masking_key is not None
        if header.rsv2 or header.rsv3 or masked not in (None, has_mask) or fates[position] == _Fate.ILLEGAL:
            fate = _Fate.ILLEGAL
            break
        masked = has_mask
        if fates[position] == _Fate.ENDLESS:
            break
        begins.append(position)
        position += size + header.payload_length
        ends += position <= len(data) and header.fin  # zeros are legal, too: empty frames without an end
    for begin in begins:
        fates[begin] = fate
    return None if fate is _Fate.ILLEGAL else _Run(dropped, masked, ends)
