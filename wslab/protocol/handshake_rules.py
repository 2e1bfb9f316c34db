"""Handshake rules: what RFC 6455 §4 forbids in the opening handshake, each rule once, as data.

Each table is in the order in which an endpoint looks: the first rule that is broken is the one that the peer is told.
`check_request` and `check_response` refuse by them, the inspector explains by them, in the same words.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable
from typing import NamedTuple

from wslab.protocol.head_rules import HandshakeRule, Refusal
from wslab.protocol.http import HOST, TOKEN, Request, Response
from wslab.redaction.redact import harmless, printable, redact_header

VERSION = "13"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")  # RFC 9110 §9.3, RFC 5789

_HOST = re.compile(rf"{HOST}(?::[0-9]*)?", re.ASCII | re.IGNORECASE)

# §4.4: the server answers with the versions that it is willing to use. RFC 9110 §15.5.22: a 426 names the protocol.
_ALLOW = (("Allow", "GET"),)
_UPGRADE = (("Upgrade", "websocket"), ("Sec-WebSocket-Version", VERSION))


# The client's request

NO_BODY = "a WebSocket handshake has no body"

REQUEST_RULES: list[tuple[HandshakeRule, Callable[[Request], bool]]] = [
    (
        HandshakeRule("method", "{method!r} is no method that this server knows", "RFC 9110 §9.1", 501),
        lambda request: request.method not in METHODS,
    ),
    (
        HandshakeRule("method", "a WebSocket handshake is a GET, not a {method}", "§4.2.1, 1", 405, _ALLOW),
        lambda request: request.method != "GET",
    ),
    (
        HandshakeRule("Host", "a request needs exactly one Host header", "§4.2.1, 2"),
        lambda request: not has_one_host(request),
    ),
    (
        HandshakeRule("Host", "the Host header is no host, with or without a port", "RFC 9112 §3.2"),
        lambda request: not has_legal_host(request),
    ),
    (
        HandshakeRule("Transfer-Encoding", "a transfer coding that this server does not know", "RFC 9112 §6.1", 501),
        lambda request: request.headers.tokens("Transfer-Encoding")[1:][-1:] == ["chunked"],
    ),
    (
        HandshakeRule("Transfer-Encoding", NO_BODY, "§4.1"),
        lambda request: "Transfer-Encoding" in request.headers,
    ),
    (
        HandshakeRule("Content-Length", NO_BODY, "§4.1"),
        lambda request: request.headers.get("Content-Length", "0") != "0",
    ),
    (
        # RFC 9110 §7.8: "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0 request."
        HandshakeRule("version", "a WebSocket handshake needs HTTP/1.1, not {version}", "§4.2.1, 1", 426, _UPGRADE),
        lambda request: request.version < "HTTP/1.1",
    ),
    (
        HandshakeRule(
            "Upgrade", "this is a WebSocket server: ask for it with 'Upgrade: websocket'", "§4.2.1, 3", 426, _UPGRADE
        ),
        lambda request: not request.headers.has_token("Upgrade", "websocket"),
    ),
    (
        HandshakeRule("Connection", "the Connection header must list 'Upgrade'", "§4.2.1, 4"),
        lambda request: not request.headers.has_token("Connection", "Upgrade"),
    ),
    (
        # "MUST NOT appear more than once in an HTTP request"
        HandshakeRule("Sec-WebSocket-Version", "a handshake needs exactly one Sec-WebSocket-Version header", "§11.3.5"),
        lambda request: len(request.headers.get_all("Sec-WebSocket-Version")) != 1,
    ),
    (
        HandshakeRule(
            "Sec-WebSocket-Version",
            f"this server speaks WebSocket version {VERSION}, not {{wanted}}",
            "§4.2.1, 6",
            426,
            _UPGRADE,
        ),
        lambda request: request.headers.get_all("Sec-WebSocket-Version") != [VERSION],
    ),
    (
        HandshakeRule(
            "Sec-WebSocket-Key", "a handshake needs exactly one Sec-WebSocket-Key: 16 bytes in base64", "§4.2.1, 5"
        ),
        lambda request: [_size_of_key(key) for key in request.headers.get_all("Sec-WebSocket-Key")] != [16],
    ),
]

SUBPROTOCOLS_ARE_NO_NAMES = HandshakeRule(
    "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol must list distinct names", "§4.1, 10"
)
EXTENSIONS_ARE_MALFORMED = HandshakeRule(
    "Sec-WebSocket-Extensions", "Sec-WebSocket-Extensions is malformed at {rest!r}", "§9.1"
)
EXTENSION_IS_NO_NAME = HandshakeRule("Sec-WebSocket-Extensions", "not a legal extension: {extension!r}", "§9.1")


def broken_by_request(request: Request) -> list[Refusal]:
    """The rules that a request breaks, the one first that the client is told."""
    broken = [rule for rule, breaks in REQUEST_RULES if breaks(request)]
    if not broken:
        return []
    wanted = harmless(request.headers.get("Sec-WebSocket-Version"))[:20]
    values = {"method": request.method[:20], "version": request.version, "wanted": wanted}
    return [rule.refusal(**values) for rule in broken]


def has_one_host(request: Request) -> bool:
    """Whether the request has one Host header, which HTTP/1.0 does not know (RFC 9112 §3.2)."""
    hosts = request.headers.get_all("Host")
    return len(hosts) == 1 or (not hosts and request.version < "HTTP/1.1")


def has_legal_host(request: Request) -> bool:
    """Whether what Host says is a host; it says nothing where the target of the request does (RFC 9112 §3.2)."""
    hosts = request.headers.get_all("Host")
    return all(_HOST.fullmatch(host) or (not host and request.target[:1] != "/") for host in hosts)


def _size_of_key(key: str) -> int:
    try:
        return len(b64decode(key, validate=True))
    except (binascii.Error, ValueError):
        return 0


# The server's response: a client refuses it with the status that it has (§4.1, "Once the client's opening handshake")


class Agreement(NamedTuple):
    """A response with status 101, the Sec-WebSocket-Accept that it must have, the subprotocols that were offered."""

    response: Response
    accept: str
    offered: list[str]


RESPONSE_RULES: list[tuple[HandshakeRule, Callable[[Agreement], bool]]] = [
    (
        HandshakeRule("version", "an upgrade needs HTTP/1.1, not {version}", "RFC 9110 §7.8"),
        lambda agreement: agreement.response.version < "HTTP/1.1",
    ),
    (
        HandshakeRule("Upgrade", "the response must say 'Upgrade: websocket'", "§4.1, 2"),
        lambda agreement: agreement.response.headers.get("Upgrade").lower() != "websocket",
    ),
    (
        HandshakeRule("Connection", "the Connection header of the response must list 'Upgrade'", "§4.1, 3"),
        lambda agreement: not agreement.response.headers.has_token("Connection", "Upgrade"),
    ),
    (
        HandshakeRule(
            "Sec-WebSocket-Accept", "Sec-WebSocket-Accept is {found}, but the key asks for {accept}", "§4.1, 4"
        ),
        lambda agreement: agreement.response.headers.get_all("Sec-WebSocket-Accept") != [agreement.accept],
    ),
    (
        HandshakeRule(
            "Sec-WebSocket-Protocol", "the server chose the subprotocol {chosen}, which was not offered", "§4.1, 6"
        ),
        lambda agreement: not _is_choice(agreement),
    ),
]

REFUSED = HandshakeRule("status", "the server refused with {status}{place}{said}", "§4.1, 1")
EXTENSIONS_NOT_OFFERED = HandshakeRule(
    "Sec-WebSocket-Extensions", "the server answered with extensions that were not offered", "§4.1, 5"
)
EXTENSION_NOT_OFFERED = HandshakeRule(
    "Sec-WebSocket-Extensions",
    "the server answered with the extension {answer!r}, which was not offered",
    "RFC 7692 §7.1",
    101,
)
ANSWER_IGNORES_OFFER = HandshakeRule(
    "Sec-WebSocket-Extensions", "the server's answer {answer!r} ignores what was asked of it", "RFC 7692 §7.1", 101
)


def broken_by_agreement(agreement: Agreement) -> list[Refusal]:
    """The rules that a response with status 101 breaks, the one first by which a client refuses it."""
    broken = [rule for rule, breaks in RESPONSE_RULES if breaks(agreement)]
    if not broken:
        return []
    headers = agreement.response.headers
    values = {
        "found": harmless(headers.get("Sec-WebSocket-Accept", "missing")),
        "accept": agreement.accept,
        "chosen": printable(redact_header("Sec-WebSocket-Protocol", headers.get("Sec-WebSocket-Protocol"))),
        "version": agreement.response.version,
    }
    return [rule.refusal(**values)._replace(status=agreement.response.status, headers=headers.lines) for rule in broken]


def _is_choice(agreement: Agreement) -> bool:
    """Whether at most one of the subprotocols was chosen that had been offered."""
    chosen = agreement.response.headers.get_all("Sec-WebSocket-Protocol")
    return len(chosen) <= 1 and set(chosen) <= set(agreement.offered)


def are_names(names: list[str]) -> bool:
    """Whether these are tokens (RFC 9110 §5.6.2), each of them once."""
    return len(set(names)) == len(names) and all(TOKEN.fullmatch(name) for name in names)
