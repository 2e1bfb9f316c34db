"""HAR: the messages of a log as Chrome's network panel exports them, and back to frames (HAR 1.2).

A HAR keeps messages, not frames: fragments, masking keys, compression, control frames and all that is not WebSocket
are lost. What is loaded has a frame for each message, uncompressed, with the masking key 00 00 00 00.
"""

import base64
import contextlib
import heapq
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, TypeVar
from urllib.parse import parse_qsl, urlsplit

from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.handshake import VERSION, accept_key
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import Direction
from wslab.recording.errors import CaptureError
from wslab.recording.exchanges import Exchange, RecordedMessage, read_exchanges
from wslab.recording.log import Chunk, Log
from wslab.redaction.redact import redact_body, redact_header, redact_target

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
TYPES = {UP: "send", DOWN: "receive"}
MASKING_KEY = bytes(4)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the sample nonce of RFC 6455 §1.3
NOT_CHROMES = "is not a HAR file as Chrome exports it"
T = TypeVar("T")


# Writing


def write_har(file: BinaryIO, log: Log, secrets: bool) -> None:
    """Write an entry for each request that asks for WebSocket. Requests for pages are left out.

    What is secret in the handshakes is crossed out unless `secrets` is true. Raises CaptureError for a time that no
    date can tell.
    """
    chunks: dict[int, list[Chunk]] = {}
    for chunk in list(log.chunks):
        chunks.setdefault(chunk.connection, []).append(chunk)
    entries = []
    for number, mine in chunks.items():
        _, server = log.addresses.get(number, (None, None))
        where = {"serverIPAddress": server[0], "connection": str(server[1])} if server else {}
        entries += [_entry(exchange, secrets) | where for exchange in read_exchanges(mine)]
    content = {"version": "1.2", "creator": {"name": "wslab", "version": "1"}, "pages": [], "entries": entries}
    for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode({"log": content}):  # never whole in memory
        file.write(piece.encode())


def _entry(exchange: Exchange, secrets: bool) -> dict[str, object]:
    waited = (exchange.answered - exchange.asked) * 1000
    return {
        "_resourceType": "websocket",
        "_webSocketMessages": [_message_entry(message) for message in exchange.messages],
        "cache": {},
        "request": _request_entry(exchange.request, secrets),
        "response": _response_entry(exchange.response or Response(0, ""), secrets),
        "startedDateTime": _date(exchange.asked),
        "time": waited,
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": waited, "receive": 0},
    }


def _message_entry(message: RecordedMessage) -> dict[str, object]:
    kind, time, content = TYPES[message.direction], message.time, message.content
    if content is None:  # Chrome shows an error among the messages, too
        return {"type": "error", "time": time, "opcode": -1, "data": message.error}
    if isinstance(content, str):
        return {"type": kind, "time": time, "opcode": int(Opcode.TEXT), "data": content}
    return {"type": kind, "time": time, "opcode": int(Opcode.BINARY), "data": base64.b64encode(content).decode()}


def _date(time: float) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        raise CaptureError(f"cannot hold a time of {time} seconds") from None


def _request_entry(request: Request, secrets: bool) -> dict[str, object]:
    target = request.resource_name if secrets else redact_target(request.resource_name)
    return {
        "method": request.method,
        "url": f"ws://{request.headers.get('Host', 'localhost')}{target}",
        "httpVersion": request.version,
        "headers": _header_entries(request.headers, secrets),
        "queryString": [
            {"name": n, "value": v} for n, v in parse_qsl(target.partition("?")[2], keep_blank_values=True)
        ],
        "cookies": [],
        "headersSize": -1,
        "bodySize": 0,
    }


def _response_entry(response: Response, secrets: bool) -> dict[str, object]:
    body, kind = response.body, response.headers.get("Content-Type", "x-unknown")
    content: dict[str, object] = {"size": len(body), "mimeType": kind}
    if body:
        text = base64.b64encode(body if secrets else redact_body(body)).decode()
        content |= {"text": text, "encoding": "base64"}
    return {
        "status": response.status,
        "statusText": response.phrase,
        "httpVersion": response.version if response.status else "",
        "headers": _header_entries(response.headers, secrets),
        "cookies": [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(body),
    }


def _header_entries(headers: Headers, secrets: bool) -> list[dict[str, str]]:
    return [{"name": name, "value": value if secrets else redact_header(name, value)} for name, value in headers]


# Reading


def read_har(file: BinaryIO, log: Log) -> list[str]:
    """Read the WebSocket entries into an empty log: heads, completed where headers are left out, and messages.

    Raises CaptureError if the file is not HAR, or has no such entry; warns with CaptureWarning if there is no message.
    """
    try:
        document = json.loads(file.read())
    except (ValueError, RecursionError):
        raise CaptureError("is not a HAR file: it is not JSON") from None
    entries = _get(_get(document, "log", dict), "entries", list)
    found = [entry for entry in entries if isinstance(entry, dict) and "_webSocketMessages" in entry]
    if not found:
        raise CaptureError("has no WebSocket messages in it")
    conversations = [list(_read_entry(connection, entry)) for connection, entry in enumerate(found, 1)]
    log.chunks += heapq.merge(*conversations, key=lambda chunk: chunk.time)
    if any(entry["_webSocketMessages"] for entry in found):
        return []
    return ["has handshakes in it, but no WebSocket messages"]


@contextlib.contextmanager
def _reading(value: object, what: str) -> Iterator[None]:
    """Raise CaptureError where a value cannot be read: it is not `what` it should be."""
    try:
        yield
    except (ValueError, OverflowError, OSError):
        shown = redact_target(repr(value))[:60]
        raise CaptureError(f"{NOT_CHROMES}: {shown} is not {what}") from None


def _get(value: Any, key: str, kind: type[T]) -> T:
    """The value of a key. Raises CaptureError if it is not of this kind."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise CaptureError(f"{NOT_CHROMES}: {key!r} is missing or wrong")
    return found


def _read_entry(connection: int, entry: Mapping[str, Any]) -> Iterator[Chunk]:
    messages = [_read_message(message) for message in _get(entry, "_webSocketMessages", list)]
    sent = [message for message in messages if message is not None]
    answer = _get(entry, "response", dict)
    status = _get(answer, "status", int) or (101 if sent else 0)
    request = _read_request(_get(entry, "request", dict), is_upgraded=status == 101)
    response = _read_response(answer, status, request) if status else None
    date = _get(entry, "startedDateTime", str)
    with _reading(date, "a date"):
        started = datetime.fromisoformat(date).timestamp()
    yield Chunk(started, connection, UP, _serialize(request))
    if response is not None:
        # Chrome's `time` may be that of the whole conversation.
        answered = started + max(0.0, _number(entry.get("time", 0)) / 1000)
        first = min([answered, *(time for time, _, _ in sent)])
        yield Chunk(max(started, first), connection, DOWN, _serialize(response))
    for time, direction, frame in sent:
        yield Chunk(time, connection, direction, frame)


def _read_message(message: Any) -> tuple[float, Direction, bytes] | None:
    """Time, direction and frame of a message. None for an error, which Chrome shows among the messages."""
    kind, data = _get(message, "type", str), _get(message, "data", str)
    if kind == "error":
        return None
    direction = {name: direction for direction, name in TYPES.items()}.get(kind)
    opcode = _get(message, "opcode", int)
    if direction is None or opcode not in list(Opcode):
        raise CaptureError(f"has a message of the type {kind!r} with opcode {opcode}, which Chrome does not export")
    payload = _bytes_of(data, opcode != Opcode.TEXT)
    frame = serialize_frame(Frame(Opcode(opcode), payload), MASKING_KEY if direction is UP else None)
    return _number(message.get("time")), direction, frame


def _bytes_of(text: str, is_base64: bool) -> bytes:
    with _reading(text, "base64" if is_base64 else "a text in Unicode"):
        return base64.b64decode(text, validate=True) if is_base64 else text.encode()


def _number(value: Any) -> float:
    with _reading(value, "a time"):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError
        return float(value)


def _serialize(head: Request | Response) -> bytes:
    try:
        return head.serialize()
    except ValueError as error:
        raise CaptureError(f"{NOT_CHROMES}: {error}") from None


def _read_request(request: Mapping[str, Any], is_upgraded: bool) -> Request:
    """The request. Headers that Chrome leaves out are filled in only where it is known that they were right."""
    address = _get(request, "url", str)
    with _reading(address, "an address"):
        url = urlsplit(address)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    needed = {"Host": url.netloc.rpartition("@")[2]}
    if is_upgraded:
        needed |= {"Upgrade": "websocket", "Connection": "Upgrade"}
        needed |= {"Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": VERSION}
    return Request(_get(request, "method", str), target, _read_headers(request, needed))


def _read_response(response: Mapping[str, Any], status: int, request: Request) -> Response:
    needed = {}
    if status == 101:
        accept = accept_key(request.headers["Sec-WebSocket-Key"])
        needed = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
    phrase = _get(response, "statusText", str) or ("Switching Protocols" if status == 101 else "")
    body = b"" if status == 101 else _read_body(response.get("content"))  # frames follow its head at once
    version = "HTTP/1.0" if response.get("httpVersion") == "HTTP/1.0" else "HTTP/1.1"
    return Response(status, phrase, _read_headers(response, needed), body, version)


def _read_body(content: Any) -> bytes:
    if not isinstance(content, dict) or "text" not in content:
        return b""
    return _bytes_of(_get(content, "text", str), content.get("encoding") == "base64")


def _read_headers(head: Mapping[str, Any], needed: Mapping[str, str]) -> Headers:
    lines = [(_get(line, "name", str), _get(line, "value", str)) for line in _get(head, "headers", list)]
    names = {name.lower() for name, _ in lines}
    return Headers((*lines, *((name, value) for name, value in needed.items() if name.lower() not in names)))
