"""HAR entries: one entry and its messages, as any program writes them, in; the chunks of its connection out."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard
from urllib.parse import SplitResult, quote, urlsplit

from wslab.dissector.conversation import MAX_HEAD
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.handshake import VERSION, accept_key
from wslab.protocol.http import TOKEN, Headers, Request, Response
from wslab.protocol.rules import MAX_CONTROL_PAYLOAD
from wslab.protocol.states import Direction
from wslab.recording.log import Chunk

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
DIRECTIONS = {"send": UP, "sent": UP, "receive": DOWN, "received": DOWN}
MASKING_KEY = bytes(4)
MOST_OF_HEADERS = MAX_HEAD // 2  # bytes: a head that is longer is not read
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the sample nonce of RFC 6455 §1.3
LATEST_SECONDS = 1e11  # what is greater may be milliseconds since 1970: as seconds it is beyond the year 5000
MOST_SECONDS = 3e8  # from the start of an entry: what is further away is no date, but counted from anywhere
_BASE64 = str.maketrans("-_", "+/", "\t\n\r =")  # that of addresses, in lines, or without its padding, is read as well
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))  # what stands in a target as it is
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"[0-9]{5,20}(?:\.[0-9]{0,20})?")  # of four digits, it would be the date of a year
_CHOICE = re.compile(r"\{s:(\w+)(?:/(\w+))?\}")


class UnreadableEntry(ValueError):
    """What an entry lacks, so that nothing can be made of it."""


class Oddities:
    """Counts what is odd in a file, by what is said of it."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """Take note of one. `{s:entry/entries}` in it stands for one or several."""
        self._counts[what] += 1

    def sentences(self) -> list[str]:
        """Each as the end of a sentence that begins with the name of the file."""
        return [f"has {count} {_numbered(what, count)}" for what, count in self._counts.items()]


def _numbered(what: str, count: int) -> str:
    return _CHOICE.sub(lambda found: found[1] if count == 1 else found[2] or f"{found[1]}s", what)


@dataclass(frozen=True, slots=True)
class _Message:
    """A message as a frame, with its direction, and the time in seconds if it has one."""

    direction: Direction
    frame: bytes
    time: float | None


def read_entry(connection: int, entry: Mapping[str, Any], messages: list[Any], oddities: Oddities) -> Iterator[Chunk]:
    """The request, the response if there is one, and a chunk for each message.

    Raises UnreadableEntry where there is no request with an address.
    """
    started = _date(entry.get("startedDateTime"))
    sent = [message for one in messages if (message := _read_message(one, started, oddities)) is not None]
    response = _object(entry.get("response"))
    status = _status(response, bool(sent))
    request = _read_request(_object(entry.get("request")), status == 101, oddities)
    if started is None:
        oddities.add("{s:entry/entries} with a date that cannot be read")
        started = next((message.time for message in sent if message.time is not None), 0.0)
    if sent and status != 101:
        oddities.add("refused {s:handshake} with messages, which cannot be shown")
    yield Chunk(started, connection, UP, request.serialize())
    answered = started
    if status:
        # Chrome's `time` may be that of the whole conversation.
        waited = entry.get("time", 0)
        answered = started + (max(0.0, waited / 1000) if _is_time(waited) else 0.0)
        first = min([answered, *(message.time for message in sent if message.time is not None)])
        answered = max(started, first)
        yield Chunk(answered, connection, DOWN, _read_response(response, status, request, oddities).serialize())
    time = answered
    for message in sent:
        time = time if message.time is None else message.time
        yield Chunk(time, connection, message.direction, message.frame)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


# Times


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e20


def _date(value: Any) -> float | None:
    """The date in seconds; None for one of before 1970, which is how some programs write that they know none."""
    try:
        seconds = datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return seconds if seconds >= 0 else None


def _time(value: Any, started: float | None) -> float | None:
    """The time of a message in seconds, in the unit in which it is nearest to the start of its entry; None if far."""
    value = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if not _is_time(value):
        return _date(value)
    if value < 0:  # what Playwright leaves out
        return None
    scales = [1, 1e3, 1e6, 1e9] if value > LATEST_SECONDS else [1]
    if started is None:
        return float(next((value / scale for scale in scales if value / scale < LATEST_SECONDS), value))
    nearest = min((value / scale for scale in scales), key=lambda seconds: abs(seconds - started))
    return nearest if abs(nearest - started) < MOST_SECONDS else None


# Messages


def _read_message(message: Any, started: float | None, oddities: Oddities) -> _Message | None:
    """The message, None for an error, which Chrome shows among the messages, and for one that cannot be read."""
    values = _object(message)
    if (kind := values.get("type")) == "error":
        return None
    try:
        opcode = _opcode(values.get("opcode"))
        payload = _payload(opcode, _whole_characters(values.get("data"), oddities))
        direction = DIRECTIONS[str(kind).lower()]
    except (KeyError, TypeError, ValueError):
        oddities.add("{s:message} that cannot be read, and {s:is/are} left out")
        return None
    time = _time(values.get("time"), started)
    if time is None:
        oddities.add("{s:message} without a time, shown with the one before")
    frame = Frame(opcode, payload)
    return _Message(direction, serialize_frame(frame, MASKING_KEY if direction is UP else None), time)


def _whole_characters(data: Any, oddities: Oddities) -> Any:
    """The data with both halves of a character joined, and U+FFFD for a single one, or for a byte that is no UTF-8."""
    if not isinstance(data, str) or not _SURROGATE.search(data):
        return data
    whole = data.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if "\ufffd" in whole:
        oddities.add("{s:message} with bytes that are not UTF-8, or halves of characters, shown as U+FFFD")
    return whole


def _opcode(value: Any) -> Opcode:
    """The opcode, by its number or its name; without one, it is a text. Raises LookupError or ValueError for others."""
    if isinstance(value, str) and not value.isdecimal():
        value = Opcode[value.upper()]
    opcode = Opcode.TEXT if value is None else Opcode(int(value) if isinstance(value, str) else value)
    if opcode is Opcode.CONTINUATION:
        raise ValueError
    return opcode


def _payload(opcode: Opcode, data: Any) -> bytes:
    """The payload. Raises TypeError or ValueError if it cannot be read, or no frame can carry it."""
    if not isinstance(data, str):
        raise TypeError
    payload = data.encode() if opcode is Opcode.TEXT else _binary(opcode, data)
    if opcode.is_control and len(payload) > MAX_CONTROL_PAYLOAD:
        raise ValueError
    return payload


def _binary(opcode: Opcode, data: str) -> bytes:
    text = data.translate(_BASE64)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        if not opcode.is_control:
            raise
        return data.encode()  # some programs show the text of a ping


# Heads


def _wire(text: str) -> str:
    """A text as its bytes were on the wire, one character each, which is how a head is kept.

    Chrome shows a byte as a character of Latin-1; others decode UTF-8, and keep what is none as a surrogate (PEP 383).
    """
    if text.isascii() or all(character <= "\xff" for character in text):
        return text
    escaped = re.sub("[\ud800-\udc7f\udd00-\udfff]", "?", text)
    return escaped.encode("utf-8", "surrogateescape").decode("latin-1")


def _status(response: Mapping[str, Any], has_messages: bool) -> int:
    """The status: 101 where there were messages, unless the server refused; 0 if there was no answer."""
    try:
        status = int(response.get("status") or 0)
    except (TypeError, ValueError, OverflowError):
        status = 0
    status = status if 100 <= status <= 999 else 0
    # RFC 8441 §5: over HTTP/2, the answer that agrees is 200.
    return 101 if has_messages and status < 300 else status


def _read_request(request: Mapping[str, Any], is_upgraded: bool, oddities: Oddities) -> Request:
    """The request. Headers that a program leaves out are filled in only where it is known that they were right."""
    try:
        url = urlsplit(_text(request.get("url")))
    except ValueError:
        raise UnreadableEntry("an address that can be read") from None
    host = _host(url)
    if not (url.netloc or url.path) or not _is_legal("Host", host):
        raise UnreadableEntry("an address that can be read")
    target = ("" if url.path.startswith("/") else "/") + url.path + (f"?{url.query}" if url.query else "")
    target = quote(_wire(target).encode("latin-1"), safe=_PRINTABLE)
    needed, method = {"Host": host}, _text(request.get("method"))
    if is_upgraded:
        needed |= {"Upgrade": "websocket", "Connection": "Upgrade"}
        needed |= {"Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": VERSION}
        if method == "CONNECT":
            method = "GET"
            oddities.add("{s:conversation} over HTTP/2 (RFC 8441), shown as over HTTP/1.1")
    if not TOKEN.fullmatch(method):
        method = "GET"
        oddities.add("{s:request} without a method that can be read, shown as GET")
    return Request(method, target, _read_headers(request, needed, oddities))


def _host(url: SplitResult) -> str:
    host = url.netloc.rpartition("@")[2]
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return _wire(host)


def _read_response(response: Mapping[str, Any], status: int, request: Request, oddities: Oddities) -> Response:
    needed = {}
    phrase = " ".join(_wire(_text(response.get("statusText"))).split())
    if status == 101:
        accept = accept_key(request.headers["Sec-WebSocket-Key"])
        needed = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
        phrase = phrase or "Switching Protocols"
    if not _is_legal("X", phrase):
        phrase = ""
        oddities.add("{s:phrase} that HTTP does not allow, and {s:is/are} left out")
    body = b"" if status == 101 else _read_body(_object(response.get("content")))  # frames follow its head at once
    version = "HTTP/1.0" if response.get("httpVersion") == "HTTP/1.0" else "HTTP/1.1"
    return Response(status, phrase, _read_headers(response, needed, oddities), body, version)


def _read_body(content: Mapping[str, Any]) -> bytes:
    text = _text(content.get("text"))
    try:
        return base64.b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "replace")
    except ValueError:
        return b""


def _read_headers(head: Mapping[str, Any], needed: Mapping[str, str], oddities: Oddities) -> Headers:
    headers, lines, room = head.get("headers"), [], MOST_OF_HEADERS
    for header in headers if isinstance(headers, list) else []:
        name, values = _text(_object(header).get("name")), _text(_object(header).get("value"))
        if name.startswith(":"):  # RFC 9113 §8.3: a pseudo header of HTTP/2, which the first line of HTTP/1.1 tells
            continue
        for value in values.split("\n"):  # several lines with the same name
            line = _wire(name), _wire(value).strip(" \t\r")
            if (size := sum(map(len, line))) > room:
                oddities.add(f"{{s:header}} beyond the first {MOST_OF_HEADERS:,} bytes of a head, left out")
            elif _is_legal(*line):
                lines.append(line)
                room -= size
            else:
                oddities.add("{s:header} that HTTP does not allow, and {s:is/are} left out")
    names = {name.lower() for name, _ in lines}
    return Headers((*lines, *((name, value) for name, value in needed.items() if name.lower() not in names)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_legal(name: str, value: str) -> bool:
    try:
        return bool(Request("GET", "/", Headers(((name, value),))).serialize())
    except ValueError:
        return False
