"""OpeningHandshake: the life of a connection before its first frame, for both ends (RFC 6455 §4)."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from wslab.protocol import handshake
from wslab.protocol.body import BodyReader
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate, answer_offers, build_offer, check_answer
from wslab.protocol.errors import HandshakeError
from wslab.protocol.handshake_rules import EXTENSIONS_NOT_OFFERED
from wslab.protocol.head_rules import HEAD_IS_TOO_BIG, TOO_MANY_ANSWERS, TOO_MANY_LINES, HandshakeRule
from wslab.protocol.http import (
    DECISIVE,
    END_OF_METHOD,
    HeaderLines,
    Headers,
    Request,
    Response,
    parse_response,
    parse_response_head,
)
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role

FIRST_LOOK = 16  # bytes: until so many have come, each read is looked at, as they tell whether it is HTTP
MAX_INTERIM_ANSWERS = 20


class OpeningHandshake:
    """What one end asks, answers and agrees to before the connection is open.

    `wish` is what this end would like of permessage-deflate, None for no compression; `permessage_deflate` is what was
    agreed on. Methods return the head to send.
    """

    def __init__(self, role: Role, codec: Codec, limits: Limits, wish: PermessageDeflate | None) -> None:
        self.request: Request | None = None
        self.response: Response | None = None
        self.subprotocol: str | None = None
        self.permessage_deflate: PermessageDeflate | None = None
        self._role = role
        self._codec = codec
        self._limits = limits
        self._wish = wish
        self._seen = 0  # how many bytes of a head have arrived
        self._last = b""  # the last ones
        self._has_method = False  # the first word is over
        self._interim_answers = 0
        self._refusal: Response | None = None  # its head, while `_body` reads what comes behind

    def ask(self, request: Request) -> Request:
        """Client: the request that opens the connection, with an offer of permessage-deflate if wished for."""
        offers = [str(build_offer(self._wish))] if self._wish else []
        lines = [*request.headers, *(("Sec-WebSocket-Extensions", offer) for offer in offers)]
        self.request = Request(request.method, request.target, Headers(tuple(lines)), request.version)
        return self.request

    def accept(self, subprotocols: Sequence[str], headers: HeaderLines) -> Response:
        """Server: agree to the request. Raises HandshakeError if it is not a WebSocket handshake."""
        request = self.arrived_request()
        self._codec.check_request(request)
        offered = handshake.offered_subprotocols(request)
        extensions = handshake.parse_extensions(request.headers.get("Sec-WebSocket-Extensions"))
        self.subprotocol = next((name for name in offered if name in subprotocols), None)
        agreed, answer = answer_offers(extensions, self._wish) if self._wish else (None, None)
        self.response = self._codec.build_response(
            request, subprotocol=self.subprotocol, extensions=str(answer or ""), headers=headers
        )
        self.permessage_deflate = agreed
        return self.response

    def answer(self, response: Response) -> Response:
        """Server: plain HTTP instead of a handshake."""
        if self.request is not None and self.request.method == "HEAD":  # RFC 9110 §9.3.2: no body, whatever its length
            response = replace(response, body=b"")
        self.response = response
        return response

    def is_due(self, data: bytes) -> bool:
        """Whether to read the head again now that `data` has arrived: it is new, whole, illegal or too long.

        So each byte is looked at as it arrives, and few of them again, however the head is cut.
        """
        if self._role is Role.SERVER and self.request is not None:
            return False  # accept or reject comes first
        before, self._seen = self._seen, self._seen + len(data)
        recent = self._last + data
        self._last = recent[-4:]
        is_long = self._seen > self._limits.max_header_size
        had_method, self._has_method = self._has_method, self._has_method or bool(END_OF_METHOD.search(recent))
        is_new = before < FIRST_LOOK or self._has_method is not had_method
        return is_new or is_long or self._refusal is not None or bool(DECISIVE.search(recent, 1))

    def receive(self, data: bytes) -> tuple[Request | Response | None, int] | None:
        """Read the head at the start of `data`; return it with its size, or None if it needs more bytes.

        A client is given None for what is not all of a final answer: an interim one, a refusal without its body. Raises
        HandshakeError.
        """
        if self._role is Role.SERVER and self.request is not None:
            return None  # accept or reject comes first
        if self._refusal is not None:
            return self.response, self._read_refusal(data)
        if self._role is Role.CLIENT and self.request is not None:
            is_replaced = self._codec.parse_response is not parse_response
            found: tuple[Request | Response, int] | None = (
                self._codec.parse_response(data) if is_replaced else parse_response_head(data, unfold=True)
            )
        else:
            found = self._codec.parse_request(data)
        size = len(data) if found is None else found[1] - len(getattr(found[0], "body", b""))
        if size > self._limits.max_header_size:
            raise self._too_large(HEAD_IS_TOO_BIG, self._limits.max_header_size)
        if found is None:
            return None
        head, _ = found
        self._seen, self._last = len(data) - size, data[size:][-4:]
        if len(head.headers) > self._limits.max_headers:
            raise self._too_large(TOO_MANY_LINES, self._limits.max_headers)
        if isinstance(head, Request):
            self.request = head
            return found
        return self._take_answer(head, data, size)

    def _take_answer(self, response: Response, data: bytes, size: int) -> tuple[Response | None, int]:
        """Client: take in the server's answer, which may be an interim one (RFC 9110 §15.2)."""
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._agree(response)
        elif response.status >= 200:
            self._refusal, self._body = response, BodyReader(response)
            size += self._read_refusal(data[size:])
        else:
            self._interim_answers += 1
            if self._interim_answers > MAX_INTERIM_ANSWERS:
                raise self._too_large(TOO_MANY_ANSWERS, MAX_INTERIM_ANSWERS)
        return self.response, size

    def _read_refusal(self, data: bytes) -> int:
        used = self._body.read(data)
        if self._body.is_enough:
            self.end_refusal()
        return used

    def end_refusal(self) -> None:
        """Client: nothing more comes. Raises HandshakeError if what has come is the beginning of a refusal."""
        if self._refusal is not None:
            self._agree(replace(self._refusal, body=bytes(self._body.kept)))

    def _too_large(self, rule: HandshakeRule, limit: int) -> HandshakeError:
        refusal = rule.refusal(limit=limit)
        return (refusal if self._role is Role.SERVER else refusal._replace(status=0)).error()

    def _agree(self, response: Response) -> None:
        """Client: take in the server's final answer."""
        self._codec.check_response(response, self.arrived_request())
        try:
            answers = handshake.parse_extensions(response.headers.get("Sec-WebSocket-Extensions"))
        except HandshakeError as error:
            raise HandshakeError(error.reason, response.status) from None
        if len(answers) > 1 or (answers and self._wish is None):
            raise EXTENSIONS_NOT_OFFERED.refusal()._replace(status=response.status).error()
        self.permessage_deflate = check_answer(answers[0], self._wish) if answers and self._wish else None
        self.response, self.subprotocol = response, response.headers.get("Sec-WebSocket-Protocol") or None

    def arrived_request(self) -> Request:
        """The request. Raises RuntimeError if none has arrived yet."""
        if self.request is None:
            raise RuntimeError("no request has arrived yet")
        return self.request
