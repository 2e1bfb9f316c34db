"""Conversation: the bytes of both directions of one connection in, heads and frames out (RFC 6455 §4, §5).

The views of a recording and of a tap are made of it. It never raises, and whatever arrives, it keeps little.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from wslab.deflate import NAME as DEFLATE
from wslab.errors import HandshakeError, ProtocolError
from wslab.frames import parse_header
from wslab.handshake import check_request, check_response, parse_extensions
from wslab.http import MAX_BODY_SIZE, Request, Response, parse_request, parse_response
from wslab.seen import KEPT, MOST_HEADER, FrameReader, Seen, Unread
from wslab.states import Role

MAX_HEAD = 64 * 1024  # bytes: browsers carry many cookies
FIRST_LOOK = 16  # bytes: so many tell whether it is HTTP; after them the head is read again only when it is whole
BLANK_LINE = b"\r\n\r\n"
RESPONSE_START = b"HTTP/1."


@dataclass
class _Side:
    """What one side has sent: `unread` bytes of it, before the frames can be read."""

    unread: bytearray = field(default_factory=bytearray)
    position: int = 0  # how many bytes came before them
    frames: FrameReader | None = None


class Conversation:
    r"""What client and server say to each other over one connection, as it passes.

    Where it is not WebSocket (plain HTTP, or no HTTP at all), that is found once, and the rest is not read. At most
    `kept` bytes of each payload are kept. Where it begins with frames and no handshake, they are read all the same.

    >>> conversation = Conversation()
    >>> request = b"GET /?token=sesame HTTP/1.1\r\nHost: localhost\r\n\r\n"
    >>> [str(seen) for seen in conversation.receive(Role.CLIENT, request)]
    ['GET /?token=[redacted] HTTP/1.1']
    >>> [str(seen) for seen in conversation.receive(Role.SERVER, b"HTTP/1.1 200 OK\r\n\r\nHello")]
    ['HTTP/1.1 200 OK', 'not WebSocket: what follows is not read']
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.request: Request | None = None
        self.response: Response | None = None
        self._kept = kept
        self._sides = {role: _Side() for role in Role}
        self._is_request_legal = False
        self._is_unread = False  # neither side is read any more

    def receive(self, sender: Role, data: bytes) -> list[Seen]:
        """Take in bytes that `sender` has sent; what they complete, in order."""
        side = self._sides[sender]
        if side.frames is not None:
            return side.frames.read(data)
        if self._is_unread:
            return []
        before = len(side.unread)
        side.unread += data
        if self.request is None and (begun := _begins_with_a_frame(sender, side.unread[:MOST_HEADER])) is not False:
            return self._open_late(sender) if begun else []
        if sender is Role.CLIENT and self.request is not None:
            return self._await_answer(side)
        if len(side.unread) > MAX_HEAD and side.unread.find(BLANK_LINE, 0, MAX_HEAD) < 0:
            return self._give_up(sender, f"not WebSocket: a head of more than {MAX_HEAD} bytes")
        if before >= FIRST_LOOK and side.unread.find(BLANK_LINE, before - 3) < 0:
            return []
        try:
            return self._read_request(side) if sender is Role.CLIENT else self._read_response(side)
        except HandshakeError as error:
            # What stands behind a colon is a piece of the head, in which a secret may stand.
            return self._give_up(sender, f"not WebSocket: {error.reason.partition(': ')[0]}")

    def end(self, sender: Role) -> list[Seen]:
        """Take in the end of TCP in the direction of `sender`: what is there of a head or frame that was cut short."""
        side = self._sides[sender]
        if side.frames is not None:
            return side.frames.end()
        has_head = sender is Role.CLIENT and self.request is not None
        if has_head or self._is_unread or not side.unread:
            return []
        return self._give_up(sender, f"cut short: {len(side.unread)} bytes of a head")

    def _give_up(self, sender: Role, why: str) -> list[Seen]:
        """Read nothing more, and say so."""
        self._is_unread = True
        side = self._sides[sender]
        seen = Seen(sender, side.position, side.position + len(side.unread), Unread(why))
        self._sides = {role: _Side() for role in Role}
        return [seen]

    def _read_request(self, side: _Side) -> list[Seen]:
        parsed = parse_request(bytes(side.unread))
        if parsed is None:
            return []
        self.request, used = parsed
        illegal = ""
        if self._asks_for_websocket():
            illegal = _reason(check_request, self.request)
            self._is_request_legal = not illegal
        return [_take_head(Role.CLIENT, side, self.request, used, illegal), *self._await_answer(side)]

    def _asks_for_websocket(self) -> bool:
        return self.request is not None and self.request.headers.has_token("Upgrade", "websocket")

    def _await_answer(self, side: _Side) -> list[Seen]:
        """Frames that come early wait until it is known that they are frames."""
        if not self._asks_for_websocket():
            side.position += len(side.unread)
            side.unread.clear()
        elif len(side.unread) > MAX_HEAD:
            return self._give_up(Role.CLIENT, f"more than {MAX_HEAD} bytes before an answer: what follows is not read")
        return []

    def _read_response(self, side: _Side) -> list[Seen]:
        if not side.unread.startswith(RESPONSE_START[: len(side.unread)]):
            raise HandshakeError("the server speaks no HTTP")
        head, blank, _ = bytes(side.unread).partition(BLANK_LINE)
        # A refusal is parsed with its body, which is of no interest here; a head alone would wait for it.
        parsed = parse_response(head + blank + bytes(MAX_BODY_SIZE) if blank else head)
        if parsed is None:
            return []
        if self.request is None:
            raise HandshakeError("the server speaks first")
        self.response = response = Response(parsed[0].status, parsed[0].phrase, parsed[0].headers)
        agrees = response.status == 101 and response.headers.get("Upgrade").lower() == "websocket"
        illegal = _reason(check_response, response, self.request) if agrees and self._is_request_legal else ""
        seen = [_take_head(Role.SERVER, side, response, len(head + blank), illegal)]
        if not (agrees and self._asks_for_websocket()):
            return [*seen, *self._give_up(Role.SERVER, "not WebSocket: what follows is not read")]
        return [*seen, *self._open(response)]

    def _open(self, response: Response) -> list[Seen]:
        """Read frames from now on, and those that came together with the heads."""
        agreed = agreed_extensions(response)
        return self._read_frames(deflate=DEFLATE in agreed, knows_bits=agreed <= {DEFLATE})

    def _open_late(self, sender: Role) -> list[Seen]:
        """Read frames, although the handshake is missing."""
        why = Unread("begins in mid-conversation: the handshake is missing")
        return [Seen(sender, 0, 0, why), *self._read_frames(deflate=None, from_start=False)]

    def _read_frames(self, deflate: bool | None, knows_bits: bool = True, from_start: bool = True) -> list[Seen]:
        seen = []
        for role, side in self._sides.items():
            side.frames = FrameReader(
                role,
                deflate=deflate,
                knows_bits=knows_bits,
                from_start=from_start,
                position=side.position,
                kept=self._kept,
            )
            seen += side.frames.read(bytes(side.unread))
            side.unread.clear()
        return seen


def agreed_extensions(response: Response) -> set[str]:
    """The names of the extensions that the server has agreed to; none if it cannot be read."""
    with contextlib.suppress(HandshakeError):
        return {answer.name for answer in parse_extensions(response.headers.get("Sec-WebSocket-Extensions"))}
    return set()


def _begins_with_a_frame(sender: Role, data: bytearray) -> bool | None:
    """Whether the first bytes of a side are no head but a frame that it may send; None if more of them will tell."""
    if not data or data[0] & 0b0011_0000 or data[:1].isalpha():
        return False
    try:
        parsed = parse_header(data if len(data) > 1 else bytes((data[0], 0)))
    except ProtocolError:
        return False
    if parsed is None or len(data) == 1:
        return None
    return (parsed[0].masking_key is not None) is (sender is Role.CLIENT)


def _take_head(sender: Role, side: _Side, head: Request | Response, size: int, illegal: str) -> Seen:
    seen = Seen(sender, side.position, side.position + size, head, illegal)
    side.position += size
    del side.unread[:size]
    return seen


def _reason(check: Callable[..., None], *heads: Request | Response) -> str:
    """Why `check` refuses, or nothing."""
    try:
        check(*heads)
    except HandshakeError as error:
        return error.reason
    return ""
