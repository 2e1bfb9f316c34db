"""HTTP heads: bytes to Request or Response and back, strictly (RFC 9112; RFC 9110 §5)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from wslab.protocol.errors import HandshakeError
from wslab.protocol.head_rules import (
    FOLDED_LINE,
    FORBIDDEN_OCTET,
    IS_TLS,
    NO_HEADER_LINE,
    NO_METHOD,
    NO_REQUEST_LINE,
    NO_RESPONSE,
    NO_VERSION,
    SPEAKS_TLS,
    WRONG_VERSION,
)
from wslab.redaction.redact import printable, redact_body, redact_bytes, redact_header, redact_line, redact_target

MAX_BODY_SIZE = 4096
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
HeaderLines = Iterable[tuple[str, str]] | Mapping[str, str]
TLS_RECORDS = (b"\x15", b"\x16")  # how an alert begins, and a handshake (RFC 8446 §5.1)

_REQUEST_START = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+( |\Z)|\Z")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)|(?<!\r)\n")
END_OF_METHOD = re.compile(rb"[^\r\n!#$%&'*+\-.^_`|~0-9A-Za-z]|(?<=[^\r\n])\r")
DECISIVE = re.compile(rb"\r\n\r\n|" + _FORBIDDEN.pattern)  # what ends a head, or makes it illegal
_NOT_IN_A_LINE = re.compile(r"[^\t -~\x80-\xff]")
# RFC 3986 §3.2.2, without the comma, by which two of them were joined.
HOST = r"(?:\[[\w.:~%-]+\]|(?:[\w.~!$&'()*+;=-]|%[0-9A-F]{2})+)"
# RFC 9112 §3.2: a path, a whole address, a host and a port for a tunnel, or the server as a whole.
_TARGET = re.compile(
    rf"\S+ (?:https?://{HOST}(?::[0-9]*)?(?:[/?][!-~]*)?|/[!-~]*)|CONNECT {HOST}:[0-9]+|OPTIONS \*",
    re.ASCII | re.IGNORECASE,
)


def lines_of(headers: HeaderLines) -> Iterable[tuple[str, str]]:
    """The names and values of header lines, also of those in a mapping."""
    return headers.items() if isinstance(headers, Mapping) else headers


@dataclass(frozen=True, repr=False)
class Headers:
    """Header lines in the order of the wire; names are looked up without regard to case.

    >>> Headers((("Upgrade", "websocket"),))["upgrade"]
    'websocket'
    """

    lines: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __getitem__(self, name: str) -> str:
        """The values of all lines with this name, joined by commas (RFC 9110 §5.3); KeyError if there is none."""
        values = self.get_all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def get(self, name: str, default: str = "") -> str:
        """As `headers[name]`, but `default` if there is no such line."""
        values = self.get_all(name)
        return ", ".join(values) if values else default

    def get_all(self, name: str) -> list[str]:
        """The value of each line with this name."""
        wanted, size = name.lower(), len(name)
        return [value for other, value in self.lines if len(other) == size and other.lower() == wanted]

    def tokens(self, name: str) -> list[str]:
        """The elements of a comma-separated list, over all lines with this name; empty ones do not count."""
        return [element for part in self.get(name).split(",") if (element := part.strip(" \t"))]

    def has_token(self, name: str, token: str) -> bool:
        """Whether the list contains `token`, in any case: `Connection: keep-alive, Upgrade` contains `upgrade`."""
        return token.lower() in [element.lower() for element in self.tokens(name)]

    def __repr__(self) -> str:
        return f"Headers({[(name, redact_header(name, value)) for name, value in self.lines]})"


def _serialize_head(start_line: str, headers: Headers) -> bytes:
    for name, value in headers:
        if not TOKEN.fullmatch(name) or _NOT_IN_A_LINE.search(value):
            raise ValueError(f"not a legal header line: {redact_line(name)!r}: {redact_header(name, value)!r}")
    lines = [start_line, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _text_of_head(start_line: str, headers: Headers) -> str:
    lines = [start_line, *(f"{name}: {redact_header(name, value)}" for name, value in headers)]
    return "\n".join(map(printable, lines))


@dataclass(frozen=True, repr=False)
class Request:
    """The head of an HTTP request. `str(request)` is its text, with cookies, credentials and tokens redacted."""

    method: str
    target: str
    headers: Headers = Headers()
    version: str = "HTTP/1.1"

    @property
    def resource_name(self) -> str:
        """Path and query: what RFC 6455 §3 calls the resource name, also where the target is a whole address."""
        found = re.match(r"(?:http|ws)s?://[^/?]*", self.target, re.IGNORECASE)
        rest = self.target[found.end() :] if found else self.target
        return f"/{rest}" if found and rest[:1] != "/" else rest or "/"

    def serialize(self) -> bytes:
        """The bytes of the head. Raises ValueError if a header line or the target could not be read back."""
        if not TOKEN.fullmatch(self.method) or not _TARGET.fullmatch(f"{self.method} {self.target}"):
            raise ValueError(f"not a legal request line: {self.method!r} {redact_target(self.target)!r}")
        return _serialize_head(f"{self.method} {self.target} {self.version}", self.headers)

    def __str__(self) -> str:
        return _text_of_head(f"{self.method} {redact_target(self.target)} {self.version}", self.headers)

    def __repr__(self) -> str:
        return f"Request({self.method!r}, {redact_target(self.target)!r}, {self.headers!r})"


@dataclass(frozen=True, repr=False)
class Response:
    """The head of an HTTP response and, for a refusal, the start of its body (at most 4 KiB are kept).

    `str(response)` is its text, with what is secret in the head and in the body redacted.
    """

    status: int
    phrase: str
    headers: Headers = Headers()
    body: bytes = b""
    version: str = "HTTP/1.1"

    def serialize(self) -> bytes:
        """The bytes of head and body. Raises ValueError if a header line or the status line could not be read back."""
        if not re.fullmatch(r"[1-9]\d\d", str(self.status)) or _NOT_IN_A_LINE.search(self.phrase):
            raise ValueError(f"not a legal status line: {self.status} {redact_target(self.phrase)!r}")
        return _serialize_head(f"{self.version} {self.status} {self.phrase}", self.headers) + self.body

    def __str__(self) -> str:
        text = _text_of_head(f"{self.version} {self.status} {redact_target(self.phrase)}", self.headers)
        lines = self._shown_body().decode(errors="replace").split("\n")
        return "\n".join([text, "", *(printable(line.rstrip("\r")) for line in lines)]) if self.body else text

    def __repr__(self) -> str:
        body = f", body={self._shown_body()!r}" if self.body else ""
        return f"Response({self.status}, {redact_target(self.phrase)!r}, {self.headers!r}{body})"

    def _shown_body(self) -> bytes:
        return redact_body(self.body, self.headers.get("Content-Encoding"))


def build_refusal(error: HandshakeError) -> Response:
    """The response that refuses a handshake: the status, what it asks for, and the reason as a sentence in the body."""
    body = f"{error.reason[:1].upper()}{error.reason[1:]}.\n".encode()
    headers = [
        *error.headers,
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        # RFC 9110 §7.8: whoever sends Upgrade lists it in Connection.
        ("Connection", "close, Upgrade" if any(name == "Upgrade" for name, _ in error.headers) else "close"),
    ]
    return Response(error.status, HTTPStatus(error.status).phrase, Headers(tuple(headers)), body)


def parse_request(data: bytes) -> tuple[Request, int] | None:
    """Read a request head from the start of `data`: (request, bytes used), or None while more bytes are needed.

    Raises HandshakeError 400 for bytes that are not a legal head, at once where one byte tells; 505 for another
    major version than 1. One empty line before the head is skipped (RFC 9112 §2.2).
    """
    if data[:1] in TLS_RECORDS:
        raise IS_TLS.broken()
    lines, used = _split_head(data)
    first = lines[0] if len(lines) == 1 else lines[0] + b"\r"  # with its end, if that has arrived
    if not _REQUEST_START.match(first):
        raise NO_METHOD.broken()
    if used is None:
        return None
    parts = lines[0].decode("latin-1").split(" ")
    if len(parts) == 3 and re.fullmatch(r"HTTP/[02-9]\.\d", parts[2]):  # whose other rules are not known here
        raise WRONG_VERSION.broken(version=parts[2])
    if len(parts) != 3 or not _TARGET.fullmatch(" ".join(parts[:2])) or "#" in parts[1]:
        raise NO_REQUEST_LINE.broken()
    method, target, version = parts
    if not re.fullmatch(r"HTTP/1\.\d", version):
        raise NO_VERSION.broken(version=redact_target(version)[:20])
    return Request(method, target, _parse_headers(lines[1:]), version), used


def parse_response(data: bytes) -> tuple[Response, int] | None:
    """Read a response from the start of `data`: (response, bytes used), or None while more bytes are needed.

    A refusal (any status but 101) is read with its body as far as Content-Length announces it.
    Raises HandshakeError with status 0 for bytes that are not an HTTP response.
    """
    if (found := parse_response_head(data)) is None:
        return None
    response, start = found
    end = start if response.status == HTTPStatus.SWITCHING_PROTOCOLS else start + kept_of_body(response.headers)
    return None if len(data) < end else (replace(response, body=bytes(data[start:end])), end)


def parse_response_head(data: bytes, *, unfold: bool = False) -> tuple[Response, int] | None:
    """As `parse_response`, without a body, which may come slowly or never.

    `unfold` lets a blank stand for each fold of a header line, as a client must (RFC 9112 §5.2).
    """
    try:
        if data[:1] in TLS_RECORDS:
            raise SPEAKS_TLS.broken()
        lines, used = _split_head(data)
        first = lines[0] if len(lines) == 1 else lines[0] + b"\r"  # with its end, if that has arrived
        if not b"HTTP/".startswith(first[:5]):
            raise NO_RESPONSE.broken(line=redact_bytes(lines[0])[:40])
        if used is None:
            return None
        match = re.fullmatch(r"(HTTP/1\.\d) ([1-9]\d\d)(?: (.*))?", lines[0].decode("latin-1"))
        if match is None:
            raise NO_RESPONSE.broken(line=redact_bytes(lines[0])[:40])
        headers = _parse_headers(_unfold(lines[1:]) if unfold else lines[1:])
    except HandshakeError as error:
        raise HandshakeError(error.reason, 0) from None
    return Response(int(match[2]), match[3] or "", headers, version=match[1]), used


def kept_of_body(headers: Headers) -> int:
    """How many bytes of the body of a refusal are kept: what its Content-Length announces, 4 KiB at the most.

    >>> kept_of_body(Headers((("Content-Length", "1000000"),)))
    4096
    """
    length = headers.get("Content-Length")
    return min(int(length), MAX_BODY_SIZE) if re.fullmatch(r"\d{1,9}", length) else 0


def _split_head(data: bytes) -> tuple[list[bytes], int | None]:
    """The lines of the head and the bytes it takes; None for these while its empty line has not arrived."""
    start = len(data[:2]) if b"\r\n".startswith(data[:2]) else 0  # an empty line, or the half of it that has arrived
    end = data.find(b"\r\n\r\n", start)
    used = None if end < 0 else end + 4
    if forbidden := _FORBIDDEN.search(data, start, len(data) if used is None else used):
        octet = data[forbidden.start()]
        names = {0x0A: "a line feed without a carriage return", 0x0D: "a carriage return without a line feed"}
        raise FORBIDDEN_OCTET.broken(octet=names.get(octet, f"the control character 0x{octet:02x}"))
    return data[start : len(data) if used is None else end].split(b"\r\n"), used


def _unfold(lines: Iterable[bytes]) -> list[bytes]:
    text = re.sub(rb"\r\n[ \t]+", b" ", b"\r\n".join(lines))
    return text.split(b"\r\n") if text else []


def _parse_headers(lines: Iterable[bytes]) -> Headers:
    headers = []
    for line in lines:
        # RFC 9112 §5.2: a server must refuse a line folded onto the next one, or unfold it.
        if line[:1] in (b" ", b"\t"):
            raise FOLDED_LINE.broken()
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not TOKEN.fullmatch(name):
            raise NO_HEADER_LINE.broken(line=redact_line(line.decode("latin-1")))
        headers.append((name, value.strip(" \t")))
    return Headers(tuple(headers))
