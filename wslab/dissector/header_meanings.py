"""header_meanings: what each header of a handshake means, and which rule it breaks (RFC 6455 §4, §11.3)."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator

from wslab.dissector.field import Field
from wslab.dissector.wording import cut, how_many
from wslab.protocol.deflate import NAME as DEFLATE
from wslab.protocol.errors import HandshakeError
from wslab.protocol.handshake import (
    accept_key,
    build_request,
    build_response,
    check_request,
    offered_subprotocols,
    parse_extensions,
)
from wslab.protocol.handshake_rules import Agreement, broken_by_agreement, broken_by_request
from wslab.protocol.head_rules import Refusal
from wslab.protocol.http import Headers, Request, Response
from wslab.redaction.redact import harmless, redact_target

GOOD_REQUEST = build_request("localhost", key="dGhlIHNhbXBsZSBub25jZQ==")
NOT_WEBSOCKET = "no matter of WebSocket: ignored (§4.2.1)"

IN_REQUESTS = {
    "host": "which site is meant: one machine can serve many (§4.1, 4)",
    "upgrade": "which protocol to speak instead of HTTP (§4.1, 5)",
    "connection": "that Upgrade is meant for the next machine on the way (§4.1, 6)",
    "sec-websocket-key": "16 random bytes in base64: prove that you have read this (§4.1, 7)",
    "sec-websocket-version": "which version of the protocol: 13 (§4.1, 9)",
    "sec-websocket-protocol": "what the messages could mean, best first (§4.1, 10)",
    "sec-websocket-extensions": "what could be done besides (§4.1, 11)",
    "origin": "the page whose script asks; a server may refuse it (§4.1, 8)",
    "cookie": "who asks, for this site: not shown here (§4.1, 12)",
    "authorization": "credentials: not shown here (§4.1, 12)",
    "proxy-authorization": "credentials for a proxy: not shown here",
    "user-agent": "which program it claims to be",
    "cache-control": "to whatever stores answers: not this one",
    "pragma": "the same, as HTTP/1.0 said it",
}
IN_RESPONSES = {
    "upgrade": "which protocol is meant (§4.2.2, 5)",
    "connection": "that Upgrade is meant for the next machine on the way (§4.2.2, 5)",
    "sec-websocket-accept": "the proof that the key was read (§4.2.2, 5)",
    "sec-websocket-protocol": "the one that was chosen from the offer (§4.2.2, 5)",
    "sec-websocket-extensions": "what is agreed on (§4.2.2, 5)",
    "sec-websocket-version": "the versions that the server speaks (§4.4)",
    "set-cookie": "how to recognise the client next time: not shown here",
    "content-length": "how long the body is, in bytes",
    "content-type": "what the body is",
    "server": "which program it claims to be",
    "date": "when it was sent",
    "allow": "the methods that would be allowed",
}
EXTENSIONS = {
    DEFLATE: "compression of messages (RFC 7692)",
    "x-webkit-deflate-frame": "compression of single frames, a forerunner that died",
}


def meaning_of(name: str, is_response: bool) -> str:
    """What a header means in a handshake."""
    name = name.lower()
    if name.startswith("access-control-"):
        return "means nothing here: CORS is not asked about a WebSocket"
    return (IN_RESPONSES if is_response else IN_REQUESTS).get(name, NOT_WEBSOCKET)


def why_refused(check: Callable[..., object], *values: object) -> str:
    """Why `check` refuses, and with which status to answer that; nothing if it does not refuse."""
    try:
        check(*values)
    except HandshakeError as error:
        return harmless(error.reason) + (f": answer with {error.status}" if error.status else "")
    return ""


def judge_request(headers: Headers) -> Iterator[tuple[str, str]]:
    """The name of each header, there or missing, with the rule that it breaks, if any."""
    request = Request("GET", "/", headers)
    broken = {refusal.field.lower(): _sentence(refusal) for refusal in reversed(broken_by_request(request))}
    broken["sec-websocket-protocol"] = why_refused(offered_subprotocols, request)
    broken["sec-websocket-extensions"] = why_refused(parse_extensions, headers.get("Sec-WebSocket-Extensions"))
    yield from ((name, broken.get(name, "")) for name in _names(headers, GOOD_REQUEST.headers))


def judge_response(headers: Headers, request: Request | None) -> Iterator[tuple[str, str]]:
    """The same for a response; what depends on the request is judged only if that is known and good."""
    if request is not None and (why_refused(check_request, request) or why_refused(offered_subprotocols, request)):
        request = None
    good = request or GOOD_REQUEST
    expected, offered = accept_key(good.headers["Sec-WebSocket-Key"]), offered_subprotocols(good)
    agreement = Agreement(Response(101, "", headers), expected, offered)
    broken = {refusal.field.lower(): harmless(refusal.reason) for refusal in broken_by_agreement(agreement)}
    if request is None:
        missing = "" if "Sec-WebSocket-Accept" in headers else "Sec-WebSocket-Accept is missing"
        broken |= {"sec-websocket-accept": missing, "sec-websocket-protocol": ""}
    broken["sec-websocket-extensions"] = why_refused(parse_extensions, headers.get("Sec-WebSocket-Extensions"))
    yield from ((name, broken.get(name, "")) for name in _names(headers, build_response(GOOD_REQUEST).headers))


def _sentence(refusal: Refusal) -> str:
    return f"{harmless(refusal.reason)}: answer with {refusal.status}"


def _names(headers: Headers, needed: Headers) -> list[str]:
    return list(dict.fromkeys(name.lower() for name, _ in (*headers, *needed)))


def fields_in_value(place: int, name: str, value: str, request: Request | None) -> Iterator[Field]:
    """What the value of a header holds, in fields without bytes of their own."""
    match name.lower():
        case "sec-websocket-key":
            yield from _decoded(place, value, "random, and new for each connection (§4.1, 7)")
        case "sec-websocket-accept":
            yield from _decoded(place, value, "SHA-1 of the key, as text, and the GUID (§4.2.2, 5)")
            yield from _fits(place, value, request)
        case "sec-websocket-extensions":
            yield from _extensions(place, value)


def _decoded(place: int, value: str, meaning: str) -> Iterator[Field]:
    try:
        data = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return
    if data:
        yield Field(place, place, f"its {how_many(len(data))}", cut(data.hex(" ")), meaning)


def _fits(place: int, value: str, request: Request | None) -> Iterator[Field]:
    if request is not None and len(keys := request.headers.get_all("Sec-WebSocket-Key")) == 1:
        expected = accept_key(keys[0])
        fits = "the answer fits the key" if value == expected else "the answer does not fit the key"
        yield Field(place, place, "expected", expected, f"{fits} (§4.1)")


def _extensions(place: int, value: str) -> Iterator[Field]:
    try:
        extensions = parse_extensions(value)
    except HandshakeError:
        return
    for extension in extensions:
        parameters = "; ".join(name if of is None else f"{name}={of}" for name, of in extension.parameters)
        meaning = EXTENSIONS.get(extension.name, "an extension that is not known here")
        yield Field(place, place, f"· {extension.name}", cut(redact_target(parameters)), meaning)
