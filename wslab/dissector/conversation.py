"""Conversation: the bytes of both directions of one connection in, heads and frames out (RFC 6455 §4, §5).

The views of a recording and of a tap are made of it. It never raises, and whatever arrives, it keeps little.
"""

import contextlib
from collections.abc import Callable

from wslab.dissector.early_frames import EarlyFrames
from wslab.dissector.frames import KEPT, Dissected, FrameDissector
from wslab.dissector.lenient_heads import END_OF_HEAD, may_be_a_head, read_head, without_quote
from wslab.dissector.opaque import Body, Missing, Opaque
from wslab.dissector.proxy_header import MOST_OF_A_LINE, find_proxy_header
from wslab.dissector.side import Side
from wslab.dissector.wording import how_many
from wslab.protocol.body import PIECE, BodyReader
from wslab.protocol.deflate import NAME as DEFLATE
from wslab.protocol.errors import HandshakeError, ProtocolError
from wslab.protocol.frames import MAX_HEADER, parse_header
from wslab.protocol.handshake import check_request, check_response, parse_extensions
from wslab.protocol.http import Request, Response
from wslab.protocol.states import Role

MAX_HEAD = 64 * 1024  # bytes: browsers carry many cookies
FIRST_LOOK = 16  # bytes: so many tell whether it is HTTP; after them the head is read again only when it is whole
RESPONSE_START = b"HTTP/1."


class Conversation:
    r"""What client and server say to each other over one connection, as it passes.

    A connection may be asked for pages before it is asked for WebSocket. Where it is not HTTP, or is not to be followed
    any more, that is found once, and the rest is not read. At most `kept` bytes of each payload are kept. Where it
    begins with frames and no handshake, they are read all the same.

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
        self._sides = {role: Side() for role in Role}
        self._is_request_legal = False
        self._is_loose = False  # the request breaks a rule of HTTP: more line ends may follow its empty line
        self._is_asked = False  # the request has no answer yet
        self._has_lost_requests = False  # too much came before the answer, so that the next request was among it
        self._is_turn_over = False  # request and response are done, and the next ones may have come with them
        self._is_unread = False  # neither side is read any more

    @property
    def has_frames(self) -> bool:
        """Whether frames are read: the handshake is done, or is missing."""
        return self._sides[Role.CLIENT].frames is not None

    def receive(self, sender: Role, data: bytes) -> list[Dissected]:
        """Take in bytes that `sender` has sent; what they complete, in order."""
        side = self._sides[sender]
        if side.frames is not None:
            return side.read(side.frames, data)
        if self._is_unread:
            return []
        before = len(side.unread)
        side.unread += data
        seen = self._read(sender, before)
        while self._is_turn_over:
            self._is_turn_over = False
            for role in (Role.CLIENT, Role.SERVER):
                seen += self._read(role, 0)
        return seen

    def lose(self, sender: Role, size: int, skipped: int | None) -> list[Dissected]:
        """Take in that a capture has lost `size` bytes of `sender` here.

        Unless a frame tells where the next one begins, that is after `skipped` bytes; None if nobody knows.
        """
        side = self._sides[sender]
        if side.frames is not None:
            return side.lose(side.frames, size, skipped)
        why = f"{how_many(size)} missing: what follows is not read"
        return [] if self._is_unread else self._give_up(sender, why, Missing)

    def _read(self, sender: Role, before: int) -> list[Dissected]:
        """Read what has not been read of a side; the first `before` bytes of it had been there before."""
        side = self._sides[sender]
        seen = self._skip_body(sender, side, side.body) if side.body else []
        if not side.unread or side.body:
            return seen
        if self.request is None:
            if (begun := _begins_with_a_frame(sender, side.unread[:MAX_HEADER])) is not False:
                return self._open_late(sender) if begun else []
            if sender is Role.CLIENT and side.position == 0 and (skipped := self._skip_proxy_header(side)) is not None:
                return skipped
        if sender is Role.CLIENT and self._is_asked:
            return seen + self._await_answer(side)
        end = END_OF_HEAD.search(side.unread, max(0, before - 4))
        if len(side.unread) > MAX_HEAD and (end is None or end.start() > MAX_HEAD):
            return [*seen, *self._give_up(sender, f"not WebSocket: a head of more than {MAX_HEAD} bytes")]
        if end is None and before >= FIRST_LOOK:
            return seen
        head = bytes(side.unread if end is None else side.unread[: end.end()])
        try:
            return seen + (self._read_request(side, head) if sender is Role.CLIENT else self._read_response(side, head))
        except HandshakeError as error:
            if end is None and may_be_a_head(sender, head):
                return seen
            return [*seen, *self._give_up(sender, f"not WebSocket: {without_quote(error)}")]

    def _skip_body(self, sender: Role, side: Side, body: BodyReader) -> list[Dissected]:
        while side.unread and not (body.is_whole or body.is_broken):  # in pieces: the rest may be other bodies
            side.drop(body.read(bytes(side.unread[:PIECE])))
        if body.is_broken:
            return self._give_up(sender, "not WebSocket: a body in chunks without an end")
        if not body.is_whole:
            return []
        side.body = None
        what = Body(f"a body of {how_many(body.size)}")
        has_more = body.size and sender is Role.SERVER
        return [Dissected(sender, side.position - body.size, side.position, what)] if has_more else []

    def end(self, sender: Role) -> list[Dissected]:
        """Take in the end of TCP in the direction of `sender`: what is there of a head or frame that was cut short."""
        side = self._sides[sender]
        if side.frames is not None:
            return side.frames.end()
        if side.body is not None:
            there = side.body.size
            of = "" if side.body.is_chunked else f"of {there + side.body.missing} "
            why = Opaque(f"cut short: {there} {of}bytes of a body")
            return [Dissected(sender, side.position - side.body.size, side.position, why)]
        if self._is_unread or not side.unread or (sender is Role.CLIENT and self._is_asked):
            return []
        return self._give_up(sender, f"cut short: {how_many(len(side.unread))} of a head")

    def _give_up(self, sender: Role, why: str, kind: type[Opaque] = Opaque) -> list[Dissected]:
        """Read nothing more, and say so."""
        self._is_unread, side = True, self._sides[sender]
        self._sides = {role: Side() for role in Role}
        return [Dissected(sender, side.position, side.position + len(side.unread), kind(why))]

    def _read_request(self, side: Side, head: bytes) -> list[Dissected]:
        request, used, illegal = read_head(Role.CLIENT, head)
        if not isinstance(request, Request):
            return []
        self.request, self._is_asked, self._is_loose = request, True, bool(illegal)
        if self._asks_for_websocket():
            why = _reason(check_request, request)
            self._is_request_legal, illegal = not why, illegal or why
        seen = _take_head(Role.CLIENT, side, request, used, illegal)
        side.expect(BodyReader(request))
        return [seen, *self._read(Role.CLIENT, 0)]

    def _skip_proxy_header(self, side: Side) -> list[Dissected] | None:
        """What is found if such a header is there, nothing if it is not whole yet, None if there is none."""
        found = find_proxy_header(bytes(side.unread[:MOST_OF_A_LINE]), len(side.unread))
        if found is None:
            return []
        size, what = found
        if not size:
            return None
        side.drop(size)
        return [Dissected(Role.CLIENT, 0, size, Opaque(what)), *self._read(Role.CLIENT, 0)]

    def _asks_for_websocket(self) -> bool:
        return self.request is not None and self.request.headers.has_token("Upgrade", "websocket")

    def _await_answer(self, side: Side) -> list[Dissected]:
        """Frames that come early wait until it is known that they are frames; what is too much to wait is read."""
        if side.early is None and len(side.unread) > MAX_HEAD:
            self._has_lost_requests = True
            if self._asks_for_websocket():
                self._drop_loose_line_ends(side)
                side.early = EarlyFrames(side.position, self._kept, room=MAX_HEAD + self._kept)
        if side.early is not None:
            side.early.read(bytes(side.unread))
        if self._has_lost_requests:
            side.drop(len(side.unread))
        return []

    def _drop_loose_line_ends(self, side: Side) -> None:
        if self._is_loose:
            side.drop(len(side.unread) - len(side.unread.lstrip(b"\r\n")))

    def _read_response(self, side: Side, head: bytes) -> list[Dissected]:
        if not RESPONSE_START.startswith(head.lstrip(b"\r\n")[: len(RESPONSE_START)].upper()):
            raise HandshakeError("the server speaks no HTTP")
        request = self.request
        if request is not None and not self._is_asked:
            raise HandshakeError("the server speaks first")
        response, used, illegal = read_head(Role.SERVER, head)
        if not isinstance(response, Response):
            return []
        agrees = response.status == 101 and response.headers.has_token("Upgrade", "websocket")
        if request is None and not agrees:
            raise HandshakeError("the server speaks first")
        self.response, before = response, side.position
        if request is not None and agrees and self._is_request_legal:
            illegal = illegal or _reason(check_response, response, request)
        seen = _take_head(Role.SERVER, side, response, used, illegal)
        if request is None:  # the capture begins between request and answer
            why = Opaque("begins with the answer: the request is missing")
            return [Dissected(Role.SERVER, before, before, why), seen, *self._open(response)]
        if agrees and self._asks_for_websocket():
            return [seen, *self._open(response)]
        return [seen, *self._go_on(request, response)]

    def _go_on(self, request: Request, response: Response) -> list[Dissected]:
        """Expect the final answer after an interim one, or else another request behind the bodies of these."""
        self._is_turn_over = True
        if response.status < 200 and response.status != 101:
            return []
        body = BodyReader(response, request.method)
        is_tunnel = request.method == "CONNECT" and response.status < 300
        is_last = body.is_endless or _ends_tcp(request) or _ends_tcp(response)
        is_last = response.status == 101 or (is_last and not is_tunnel)
        if is_last or self._has_lost_requests:
            return self._give_up(Role.SERVER, "not WebSocket: what follows is not read")
        self._sides[Role.SERVER].expect(body)
        self._is_asked = False
        return []

    def _open(self, response: Response) -> list[Dissected]:
        """Read frames from now on, and those that came together with the heads."""
        agreed = agreed_extensions(response)
        self._drop_loose_line_ends(self._sides[Role.CLIENT])
        return self._read_frames(DEFLATE in agreed, knows_bits=agreed <= {DEFLATE}, from_start=self.request is not None)

    def _open_late(self, sender: Role) -> list[Dissected]:
        """Read frames, although the handshake is missing."""
        why = Opaque("begins in mid-conversation: the handshake is missing")
        return [Dissected(sender, 0, 0, why), *self._read_frames(deflate=None, from_start=False)]

    def _read_frames(self, deflate: bool | None, knows_bits: bool = True, from_start: bool = True) -> list[Dissected]:
        seen: list[Dissected] = []
        for role, side in self._sides.items():
            if side.early is not None:
                side.frames, early = side.early.settle(bool(deflate), knows_bits)
                side.early, seen = None, [*seen, *early]
                continue
            side.frames = FrameDissector(
                role,
                deflate=deflate,
                knows_bits=knows_bits,
                from_start=from_start,
                position=side.position,
                kept=self._kept,
            )
            if deflate is not None and not from_start:  # what is compressed may refer to frames that are missing
                side.frames.begin_again()
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


def _ends_tcp(head: Request | Response) -> bool:
    """Whether no other request follows this head and its answer (RFC 9112 §9.3)."""
    if head.version == "HTTP/1.0":
        return not head.headers.has_token("Connection", "keep-alive")
    return head.headers.has_token("Connection", "close")


def _take_head(sender: Role, side: Side, head: Request | Response, size: int, illegal: str) -> Dissected:
    seen = Dissected(sender, side.position, side.position + size, head, illegal)
    side.drop(size)
    return seen


def _reason(check: Callable[..., None], *heads: Request | Response) -> str:
    """Why `check` refuses, or nothing."""
    try:
        check(*heads)
    except HandshakeError as error:
        return error.reason
    return ""
