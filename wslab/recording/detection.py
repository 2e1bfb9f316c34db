"""Detection: which of the TCP connections in a capture speak WebSocket, and which side of them is the client.

Strategy: look at the first MiB of each side. A handshake tells everything: a side that begins with the response 101, or
with requests one of which asks for WebSocket. A connection whose opening was captured, and which has no handshake, is
something else. One that began before the capture is WebSocket if, from some segment on, each side consists of legal
frames, one side masks all of its frames and the other one none (RFC 6455 §5.1), and at least one of the frames ends a
message. What comes before these frames is the rest of a frame in which the capture began, and is left out.
"""

import re
from typing import NamedTuple

from wslab.dissector.lenient_heads import END_OF_HEAD
from wslab.recording.log import Gap
from wslab.recording.runs import LOOKED_AT, find_run
from wslab.recording.socks import sizes_of_socks
from wslab.recording.tcp import Piece, TcpConversation

MOST_PIECES = 20  # from the start of a connection: they tell whether it hides anything

_AGREEMENT = re.compile(rb"[\r\n]*HTTP/1\.\d +101\b", re.IGNORECASE)
_HEAD = re.compile(rb"[\r\n]*(?:HTTP/1\.|[A-Z]{3,10} )", re.IGNORECASE)
# A target may be raw UTF-8: both ends accepted it.
_FIRST_REQUEST = re.compile(rb"[A-Z]{3,10} [!-~\x80-\xff]+ (?i:HTTP)/1\.\d\r?\n")
_REQUEST = re.compile(rb"GET [!-~\x80-\xff]+ (?i:HTTP)/1\.\d\r?\n")
# The header of a record: handshake or data, version, at most 2^14 + 256 bytes (RFC 8446 §5.1, §5.2).
_TLS = re.compile(rb"[\x16\x17]\x03[\x00-\x04][\x00-\x41]")
# The first record of each side (RFC 8446 §4), perhaps behind what a client and a proxy say to each other.
_CLIENT_HELLO = re.compile(
    rb"(?:(?:CONNECT |PROXY |\r\n\r\n\0\r\nQUIT\n|[\4\5]).*?)?(\x16\x03[\0-\4]..\x01\0)", re.DOTALL
)
_SERVER_HELLO = re.compile(rb".*?(\x16\x03[\0-\4]..\x02\0)", re.DOTALL)
# What a proxy says of its client before it passes the bytes on, as a line or as a header with its size (HAProxy).
_PROXY_HEADER = re.compile(rb"PROXY [A-Z0-9]+[ -~]*\r\n|\r\n\r\n\0\r\nQUIT\n[\x20-\x2f].(?P<size>..)", re.DOTALL)
_PREFACE = b"PRI * HTTP/2.0\r\n"
_UPGRADE = re.compile(rb"\nupgrade[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*websocket", re.IGNORECASE)


class TlsStart(NamedTuple):
    """Where TLS begins in a connection: the side that is its client, and how many bytes come before, by side."""

    client: int
    sizes: tuple[int, int]


class Detected(NamedTuple):
    """A connection that speaks WebSocket: the number of the side that is its client, and what can be read of it."""

    client: int
    pieces: list[Piece]
    left_out: str = ""  # what came before the request, and is left out of the pieces
    lacks_head: bool = False  # only one of both heads was captured: it is left out of the pieces


def detect_websocket(conversation: TcpConversation) -> Detected | None:
    """Find the client of a WebSocket connection. None if this is another kind of connection."""
    for side in (0, 1):
        if header := _PROXY_HEADER.match(_start(conversation, side)):
            size = header.end() + int.from_bytes(header["size"] or b"", "big")
            found = _detect(conversation, part_pieces(conversation.pieces, _sizes(side, size))[1])
            return found and found._replace(left_out="a PROXY header")
        if sizes := sizes_of_socks(_start(conversation, side), _start(conversation, 1 - side)):
            found = _detect(conversation, part_pieces(conversation.pieces, sizes[::-1] if side else sizes)[1])
            return found and found._replace(left_out="the handshake of a SOCKS proxy")
    return _detect(conversation, conversation.pieces)


def _detect(conversation: TcpConversation, pieces: list[Piece]) -> Detected | None:
    if conversation.client is None and len(late := _from_handshake(pieces)) < len(pieces):
        found = _detect_heads(late)
        return found and found._replace(left_out="an exchange under way")
    return _detect_heads(pieces) or (_detect_frames(pieces) if conversation.client is None else None)


def _from_handshake(pieces: list[Piece]) -> list[Piece]:
    """The pieces from the request for WebSocket on, where the capture began in an exchange before it."""
    if not pieces or _FIRST_REQUEST.match(pieces[0].data):
        return pieces
    asked = [0, 0]  # where the last request of each side begins
    for place, piece in enumerate(pieces):
        if _AGREEMENT.match(piece.data) and _UPGRADE.search(piece.data):
            return pieces[asked[1 - piece.side] or place :]
        if _REQUEST.match(piece.data):
            asked[piece.side] = place
    return pieces


def _detect_heads(pieces: list[Piece]) -> Detected | None:
    starts, torn = [_start_of(pieces, side) for side in (0, 1)], None
    for side, start in enumerate(starts):
        agrees = _AGREEMENT.match(start) and _UPGRADE.search(start, 0, _end_of_head(start, 0))
        if agrees or (_FIRST_REQUEST.match(start) and _asks_for_websocket(start)):
            client = 1 - side if agrees else side
            if _is_cut(pieces, side, start):
                torn = torn or Detected(client, pieces)
                continue
            if _HEAD.match(starts[1 - side]) and not _is_cut(pieces, 1 - side, starts[1 - side]):
                return Detected(client, _with_request_first(pieces, client, starts[client]))
            if agrees:
                return _without_request(pieces, client, start)
            return _without_answer(pieces, side, start) or Detected(client, pieces)
    return torn and (_detect_frames(pieces) or torn)


def _is_cut(pieces: list[Piece], side: int, start: bytes) -> bool:
    """Return True if the capture has lost bytes in the first head of this side."""
    return not END_OF_HEAD.search(start) and any(p.side == side and isinstance(p.data, Gap) for p in pieces)


def _with_request_first(pieces: list[Piece], client: int, start: bytes) -> list[Piece]:
    """The pieces with the first request before what answers it, though the capture may have it behind that."""
    if pieces[0].side == client:
        return pieces
    asked, rest = part_pieces(pieces, _sizes(client, _end_of_head(start, 0) + 4))
    return [piece._replace(number=rest[0].number) for piece in asked] + rest


def _without_request(pieces: list[Piece], client: int, start: bytes) -> Detected:
    """The conversation from the answer on, where the request was not captured, or not all of it."""
    answer, rest = part_pieces(pieces, _sizes(1 - client, _end_of_head(start, 0) + 4))
    asked = [piece for piece in rest if piece.side == client]
    run = find_run([piece.data for piece in asked], is_masked=True)
    return Detected(client, answer + _without_first(rest, client, run.dropped if run and run.ends else len(asked)))


def _without_answer(pieces: list[Piece], client: int, start: bytes) -> Detected | None:
    """The conversation from its frames on, where the answer was not captured, or not all of it. None without frames.

    Nobody could tell from the request alone that frames follow.
    """
    size = _end_of_head(start, 0) + 4
    rest = part_pieces(pieces, _sizes(client, size))[1]
    found = None if _REQUEST.match(start, size) else _detect_frames(rest)
    return found and found._replace(lacks_head=True)


def _without_first(pieces: list[Piece], side: int, count: int) -> list[Piece]:
    """The pieces without so many of the first ones of a side."""
    kept = []
    for piece in pieces:
        if piece.side == side and count:
            count -= 1
        else:
            kept.append(piece)
    return kept


def find_tls(conversation: TcpConversation) -> TlsStart | None:
    """Where TLS begins, in which WebSocket may be hidden: at once, or behind a proxy. None if it does not."""
    starts = [_start_of(conversation.pieces[:MOST_PIECES], side) for side in (0, 1)]
    for client, server in ((0, 1), (1, 0)):
        if hello := _CLIENT_HELLO.match(starts[client]):
            answer = _SERVER_HELLO.match(starts[server])
            sizes = {client: hello.start(1), server: answer.start(1) if answer else 0}
            return TlsStart(client, (sizes[0], sizes[1]))
    return TlsStart(conversation.client or 0, (0, 0)) if any(map(_TLS.match, starts)) else None


def is_http_2(conversation: TcpConversation) -> bool:
    """Whether this is HTTP/2, which may have WebSocket in it (RFC 8441)."""
    return any(_start_of(conversation.pieces[:MOST_PIECES], side).startswith(_PREFACE) for side in (0, 1))


def _start(conversation: TcpConversation, side: int) -> bytes:
    return _start_of(conversation.pieces, side)


def _start_of(pieces: list[Piece], side: int) -> bytes:
    """The first bytes of a side, up to a gap."""
    start = bytearray()
    for piece in pieces:
        if piece.side == side and (isinstance(piece.data, Gap) or len(start) >= LOOKED_AT):
            break
        if piece.side == side:
            start += piece.data
    return bytes(start)


def _sizes(side: int, size: int) -> tuple[int, int]:
    """So many bytes of one side, and none of the other."""
    return (0, size) if side else (size, 0)


def part_pieces(pieces: list[Piece], sizes: tuple[int, int]) -> tuple[list[Piece], list[Piece]]:
    """The pieces with so many bytes at the start of each side, and those with the rest."""
    before: list[Piece] = []
    behind: list[Piece] = []
    left = list(sizes)
    for piece in pieces:
        if isinstance(piece.data, Gap):
            (before if left[piece.side] else behind).append(piece)
        size = min(left[piece.side], len(piece.data))
        left[piece.side] -= size
        if size:
            before.append(piece._replace(data=piece.data[:size]))
        if size < len(piece.data):
            behind.append(piece._replace(data=piece.data[size:]))
    return before, behind


def _asks_for_websocket(requests: bytes) -> bool:
    """Return True if one of the requests on a connection does: others may come before it."""
    end = 0
    while request := _REQUEST.search(requests, end):
        end = _end_of_head(requests, request.end() - 2)
        if _UPGRADE.search(requests, request.start(), end):
            return True
    return False


def _end_of_head(data: bytes, start: int) -> int:
    end = data.find(b"\r\n\r\n", start)
    return len(data) if end < 0 else end


# Without a handshake


def _detect_frames(pieces: list[Piece]) -> Detected | None:
    """Tell client and server by the masks of their frames."""
    first, second = (find_run([piece.data for piece in pieces if piece.side == side]) for side in (0, 1))
    if first is None or second is None or first.masked is second.masked or not first.ends + second.ends:
        return None
    kept = _without_first(_without_first(pieces, 0, first.dropped), 1, second.dropped)
    return Detected(0 if first.masked or second.masked is False else 1, kept)
