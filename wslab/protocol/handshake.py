"""The opening handshake: the HTTP request that asks for WebSocket and the response that agrees (RFC 6455 §4, §9.1)."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha1

from wslab.protocol.body import text_of_body
from wslab.protocol.handshake_rules import (
    EXTENSION_IS_NO_NAME,
    EXTENSIONS_ARE_MALFORMED,
    REFUSED,
    SUBPROTOCOLS_ARE_NO_NAMES,
    Agreement,
    are_names,
    broken_by_agreement,
    broken_by_request,
)
from wslab.protocol.handshake_rules import VERSION as VERSION
from wslab.protocol.http import TOKEN, HeaderLines, Headers, Request, Response, lines_of
from wslab.redaction.redact import cross_out, harmless, printable, redact_body, redact_header

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_PARAMETER = re.compile(r'[ \t]*;[ \t]*([^\s;,="]+)(?:[ \t]*=[ \t]*(?:([^\s;,="]+)|"((?:[^"\\]|\\.)*)"))?')
_NAME = re.compile(r'[ \t]*([^\s;,="]+)')
_NEXT = re.compile(r"[ \t]*(,|\Z)")


def accept_key(key: str) -> str:
    """The Sec-WebSocket-Accept value for a Sec-WebSocket-Key (RFC 6455 §4.2.2).

    >>> accept_key("dGhlIHNhbXBsZSBub25jZQ==")
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    return b64encode(sha1((key + GUID).encode()).digest()).decode()


@dataclass(frozen=True)
class Extension:
    """One element of Sec-WebSocket-Extensions: a name and its parameters, None where they have no value (§9.1)."""

    name: str
    parameters: tuple[tuple[str, str | None], ...] = ()

    def __str__(self) -> str:
        return "; ".join([self.name, *(n if v is None else f"{n}={v}" for n, v in self.parameters)])


def parse_extensions(value: str) -> list[Extension]:
    """The elements of a Sec-WebSocket-Extensions value, in order; a quoted value loses its quotes (RFC 6455 §9.1).

    Raises HandshakeError 400 for what the grammar does not allow.

    >>> [str(extension) for extension in parse_extensions('a; b="1", c')]
    ['a; b=1', 'c']
    """
    extensions, position = [], 0
    while position < len(value):
        name = _NAME.match(value, position)
        if name:
            position, parameters = name.end(), []
            while parameter := _PARAMETER.match(value, position):
                position = parameter.end()
                quoted = None if parameter[3] is None else re.sub(r"\\(.)", r"\1", parameter[3])
                parameters.append((parameter[1], parameter[2] if quoted is None else quoted))
            extensions.append(Extension(name[1], tuple(parameters)))
        end = _NEXT.match(value, position)
        if end is None:
            raise EXTENSIONS_ARE_MALFORMED.broken(rest=cross_out(value)[position : position + 20])
        position = end.end()
    for extension in extensions:
        words = [extension.name, *(w for parameter in extension.parameters for w in parameter if w is not None)]
        if not all(TOKEN.fullmatch(word) for word in words):
            raise EXTENSION_IS_NO_NAME.broken(extension=cross_out(str(extension))[:60])
    return extensions


def build_request(
    host: str,
    target: str = "/",
    *,
    key: str,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    extensions: str = "",
    headers: HeaderLines = (),
) -> Request:
    """The client's request (RFC 6455 §4.1). `host` is the Host header, `key` 16 random bytes in base64.

    Raises TypeError for one subprotocol where a list of them is meant.
    """
    if isinstance(subprotocols, str):
        shown = redact_header("Sec-WebSocket-Protocol", subprotocols)
        raise TypeError(f"subprotocols is a list of names: [{shown!r}], not {shown!r}")
    lines = [
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", key),
        ("Sec-WebSocket-Version", VERSION),
    ]
    if origin is not None:
        lines.append(("Origin", origin))
    if subprotocols:
        lines.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
    if extensions:
        lines.append(("Sec-WebSocket-Extensions", extensions))
    return Request("GET", target, Headers((*lines, *lines_of(headers))))


def check_request(request: Request) -> None:
    """Accept a WebSocket handshake, or raise HandshakeError with the status to answer (RFC 6455 §4.2.1).

    405 for another method than GET, 426 for a request that does not ask for WebSocket or asks for another version
    than 13, 400 for one that asks for it wrongly.
    """
    for refusal in broken_by_request(request):
        raise refusal.error()


def offered_subprotocols(request: Request) -> list[str]:
    """The subprotocols that the client offers, in its order of preference (RFC 6455 §11.3.4).

    Raises HandshakeError 400 for names that are not tokens or stand there twice.
    """
    names = request.headers.tokens("Sec-WebSocket-Protocol")
    if not are_names(names):
        raise SUBPROTOCOLS_ARE_NO_NAMES.broken()
    return names


def build_response(
    request: Request,
    *,
    subprotocol: str | None = None,
    extensions: str = "",
    headers: HeaderLines = (),
    accept_key: Callable[[str], str] = accept_key,
) -> Response:
    """The server's agreement: 101 Switching Protocols and the proof that it read the key (RFC 6455 §4.2.2)."""
    lines = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_key(request.headers["Sec-WebSocket-Key"])),
    ]
    if subprotocol is not None:
        lines.append(("Sec-WebSocket-Protocol", subprotocol))
    if extensions:
        lines.append(("Sec-WebSocket-Extensions", extensions))
    return Response(101, "Switching Protocols", Headers((*lines, *lines_of(headers))))


def check_response(response: Response, request: Request, *, accept_key: Callable[[str], str] = accept_key) -> None:
    """Accept a response that agrees to `request`, or raise HandshakeError with its status (RFC 6455 §4.1, end)."""
    if response.status != 101:
        text = text_of_body(response.headers, response.body)
        text = redact_body(text.encode(errors="replace")).decode(errors="replace")
        values = {
            "status": f"{response.status} {harmless(response.phrase)}".rstrip(),
            "place": f", and points to {harmless(place)}" if (place := response.headers.get("Location")) else "",
            "said": f": {said}" if (said := "\n".join(map(printable, text.strip().splitlines()))) else "",
        }
        raise REFUSED.refusal(**values)._replace(status=response.status, headers=response.headers.lines).error()
    expected = accept_key(request.headers["Sec-WebSocket-Key"])
    for refusal in broken_by_agreement(Agreement(response, expected, offered_subprotocols(request))):
        raise refusal.error()
