"""handshake_lines: the lines of a handshake, each with its meaning and the rule that it breaks (RFC 6455 §4)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from wslab.dissector.field import Field
from wslab.dissector.header_meanings import (
    GOOD_REQUEST,
    fields_in_value,
    judge_request,
    judge_response,
    meaning_of,
    why_refused,
)
from wslab.dissector.wording import cut
from wslab.protocol.handshake import check_request
from wslab.protocol.handshake_rules import Agreement, broken_by_agreement
from wslab.protocol.http import Headers, Request, Response, parse_request, parse_response
from wslab.redaction.redact import redact_header, redact_line, redact_target
from wslab.redaction.secrets import MISSPELT

MOST_EXAMINED = 400  # bytes from the start of a head: they show whether it is one
MOST_OF_A_NAME = 40  # characters
SYNTAX = "RFC 9112 §2"
GOOD_REQUEST_LINE = b"GET / HTTP/1.1\r\n"
SPELLINGS = {name.lower(): name for name in ("Sec-WebSocket-Accept", *(name for name, _ in GOOD_REQUEST.headers))}

_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_METHOD = re.compile(rb"[A-Z]{3,}[ /][\t\r\n -~]*\Z")
_TEXT_LINE = re.compile(rb"[\t -~]*(?: HTTP/\d|:)[\t -~]*[\r\n]")

Line = re.Match[bytes]
Parse = Callable[[bytes], tuple[Request, int] | None] | Callable[[bytes], tuple[Response, int] | None]


@dataclass
class DissectedHead:
    """The fields of a head, legal or not, and the request or response that its legal lines make."""

    start: int
    end: int
    fields: list[Field] = field(default_factory=list)
    request: Request | None = None
    response: Response | None = None

    @property
    def asks(self) -> bool:
        """Return True if it is a request that asks for WebSocket."""
        return self.request is not None and self.request.headers.has_token("Upgrade", "websocket")

    @property
    def agrees(self) -> bool:
        """Return True if it is a response after which frames follow."""
        return self.response is not None and self.response.status == HTTPStatus.SWITCHING_PROTOCOLS

    @property
    def is_interim(self) -> bool:
        """Return True if it is a response that another one follows (RFC 9110 §15.2)."""
        return self.response is not None and self.response.status < 200 and not self.agrees


def begins_a_head(data: bytes, start: int = 0) -> bool:
    """Return True if the bytes from `start` on look like HTTP, legal or not, rather than like a frame."""
    begun = bytes(data[start : start + MOST_EXAMINED]).lstrip(b"\r\n")
    return bool(_METHOD.match(begun[:16]) or _TEXT_LINE.match(begun))


def dissect_head(data: bytes, start: int, request: Request | None) -> DissectedHead:
    """Read the head that begins at `start`, line by line; `request` is the one that it answers, if that is known."""
    before, (first, *lines), closing = _split_lines(data, start)
    head = DissectedHead(start, (closing or [first, *lines][-1]).end(), [_skipped_line(line, start) for line in before])
    is_response = first[0].startswith(b"HTTP/")
    first_field = _status_line(head, first) if is_response else _request_line(head, first)
    parse: Parse = parse_response if is_response else parse_request
    legal: list[tuple[str, str]] = []
    fields = [_header_line(line, parse, legal) for line in lines]
    headers = Headers(tuple(legal))
    head.request = replace(head.request, headers=headers) if head.request else None
    head.response = replace(head.response, headers=headers) if head.response else None
    faults = _judge(head, headers, request) if closing else {}
    head.fields += [first_field, *_explain(fields, faults, is_response, request)]
    if closing is None:
        head.fields.append(Field(head.end, head.end, "cut short", "", "the empty line that ends the head is not there"))
    else:
        head.fields += [*_missing(head, headers, faults, closing.start()), _end_of_head(head, closing)]
    return head


def _split_lines(data: bytes, start: int) -> tuple[list[Line], list[Line], Line | None]:
    """The empty lines before a head, its lines, and the empty line after them, each with its end of line."""
    empty: list[Line] = []
    lines: list[Line] = []
    for line in _LINE.finditer(data, start):
        if line[0].strip(b"\r\n"):
            lines.append(line)
        elif lines:
            return empty, lines, line
        else:
            empty.append(line)
    return empty, lines, None


def _skipped_line(line: Line, start: int) -> Field:
    fault = f"a second empty line before the head ({SYNTAX})" if line.start() > start else ""
    return Field(*line.span(), "empty line", "", "skipped before a head (RFC 9112 §2.2)", fault=fault)


def _request_line(head: DissectedHead, line: Line) -> Field:
    text, wrong = line[0].rstrip(b"\r\n").decode("latin-1"), _refusal_of_line(parse_request, b"", line)
    head.request = Request("GET", "/")
    parsed = None if wrong or not _is_whole(line) else parse_request(line[0] + b"\r\n")
    if parsed is None:
        meaning = "" if _is_whole(line) else "cut short"
        return Field(*line.span(), "request line", redact_line(text), meaning, fault=wrong)
    head.request = parsed[0]
    wrong = why_refused(check_request, replace(GOOD_REQUEST, method=head.request.method, version=head.request.version))
    meaning = f"{head.request.method} asks for a resource by its path (§4.1, 2-3)"
    return Field(*line.span(), "request line", cut(redact_target(text)), meaning, fault=_cite(wrong, "§4.2.1"))


def _status_line(head: DissectedHead, line: Line) -> Field:
    text, wrong = line[0].rstrip(b"\r\n").decode("latin-1"), _refusal_of_line(parse_response, b"", line)
    parsed = None if wrong or not _is_whole(line) else parse_response(line[0] + b"\r\n")
    if parsed is None:
        meaning = "" if _is_whole(line) else "cut short"
        return Field(*line.span(), "status line", redact_line(text), meaning, fault=wrong)
    head.response = parsed[0]
    meaning = "no: this connection stays HTTP (§4.1)"
    if head.agrees:
        meaning = "yes: the protocol is switched (§4.2.2, 5)"
    elif head.is_interim:
        meaning = "not yet: the final answer follows (RFC 9110 §15.2)"
    broken = broken_by_agreement(Agreement(head.response, "", [])) if head.agrees else []
    wrong = next((_cite(refusal.reason, refusal.section) for refusal in broken if refusal.field == "version"), "")
    return Field(*line.span(), "status line", cut(redact_target(text)), meaning, fault=wrong)


def _is_whole(line: Line) -> bool:
    return line[0].endswith(b"\n")


def _refusal_of_line(parse: Parse, before: bytes, line: Line) -> str:
    """Why the parser refuses a head that is good but for this line; nothing if it does not."""
    if not _is_whole(line):
        return ""
    # After a colon, the reason quotes the line.
    reason, answer, status = why_refused(parse, before + line[0] + b"\r\n").rpartition(": answer with ")
    return _cite((reason or status).partition(": ")[0] + answer + (status if answer else ""), SYNTAX)


def _cite(reason: str, section: str) -> str:
    """The reason, followed by the section of the RFC."""
    why, colon, answer = reason.rpartition(": answer with ")
    return f"{why or answer} ({section}){colon}{answer if colon else ''}" if reason else ""


def _header_line(line: Line, parse: Parse, legal: list[tuple[str, str]]) -> Field:
    """A header line, which joins the `legal` ones if it is; otherwise its value is hidden, as it may hold a cookie."""
    text = line[0].rstrip(b"\r\n").decode("latin-1")
    name, colon, value = text.partition(":")
    wrong = _refusal_of_line(parse, b"HTTP/1.1 200 OK\r\n" if parse is parse_response else GOOD_REQUEST_LINE, line)
    if wrong or not _is_whole(line):
        # A folded line continues the value of the line above.
        shown = f"{_shown_name(name)}: …" if colon and name[:1] not in ("", " ", "\t") else "…"
        return Field(*line.span(), "header line", shown, "cut short", fault=wrong)
    value = value.strip(" \t")
    legal.append((name, value))
    return Field(*line.span(), name, value)


def _shown_name(name: str) -> str:
    """The name in an illegal header line; whole only if it cannot hold anything else."""
    is_name = re.sub("[^a-z]", "", name.lower()) in MISSPELT
    is_harmless = len(name) <= MOST_OF_A_NAME and (is_name or redact_line(name) == name)
    return name if is_harmless else redact_line(name)


def _judge(head: DissectedHead, headers: Headers, request: Request | None) -> dict[str, str]:
    """The rules that the headers break, with their sections, by the name of the header in small letters."""
    if head.agrees:
        return {name: _cite(reason, "§4.1") for name, reason in judge_response(headers, request) if reason}
    if head.request is not None and _asks_for_websocket(headers):
        return {name: _cite(reason, "§4.2.1") for name, reason in judge_request(headers) if reason}
    return {}


def _asks_for_websocket(headers: Headers) -> bool:
    """Return True if a request asks for WebSocket, rightly or wrongly."""
    return any(name.lower() == "upgrade" or name.lower().startswith("sec-websocket-") for name, _ in headers)


def _explain(
    fields: list[Field], faults: dict[str, str], is_response: bool, request: Request | None
) -> Iterator[Field]:
    """Each header line with its meaning or its fault, followed by what its value holds."""
    for one in fields:
        if one.fault or one.name == "header line":
            yield one
            continue
        meaning, fault = meaning_of(one.name, is_response), faults.get(one.name.lower(), "")
        shown = cut(redact_header(one.name, one.value))
        yield one._replace(value=shown, meaning=meaning, fault=fault)
        yield from fields_in_value(one.end, one.name, one.value, request)


def _missing(head: DissectedHead, headers: Headers, faults: dict[str, str], place: int) -> Iterator[Field]:
    for name, fault in faults.items():
        if name not in headers:
            yield Field(place, place, SPELLINGS.get(name, name), "missing", fault=fault)
    if head.request is not None and not _asks_for_websocket(headers):
        yield Field(place, place, "Upgrade", "missing", "so this asks for a page and not for WebSocket (§4.1, 5)")


def _end_of_head(head: DissectedHead, line: Line) -> Field:
    meaning = "the end of HTTP: frames follow (§4.2.2)" if head.agrees else "the end of the head (RFC 9112 §2.1)"
    fault = "" if line[0] == b"\r\n" else f"a line feed without a carriage return ({SYNTAX})"
    return Field(*line.span(), "empty line", "", meaning, fault=fault)
