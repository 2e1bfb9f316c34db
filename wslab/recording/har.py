"""HAR: the messages of a log as Chrome's network panel exports them (HAR 1.2).

A HAR keeps messages, not frames: fragments, masking keys, compression, control frames and all that is not WebSocket
are lost.
"""

import base64
import json
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import parse_qsl

from wslab.dissector.wording import how_many
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import Direction
from wslab.recording.errors import CaptureError
from wslab.recording.exchanges import NO_ROOM, Exchange, RecordedMessage, Room, read_exchanges
from wslab.recording.log import Chunk, Log
from wslab.redaction.redact import redact_body, redact_header, redact_target

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
TYPES = {UP: "send", DOWN: "receive"}
CREATOR = {"name": "wslab", "version": "1"}


def write_har(file: BinaryIO, log: Log, secrets: bool) -> list[str]:
    """Write an entry for each request that asks for WebSocket. Requests for pages are left out.

    What is secret in the handshakes is crossed out unless `secrets` is true. Returns what is left out, which the
    comment of the file says, too. Raises CaptureError for a time that no date can tell.
    """
    chunks: dict[int, list[Chunk]] = {}
    for chunk in list(log.chunks):
        chunks.setdefault(chunk.connection, []).append(chunk)
    room = Room()
    file.write(b'{"log": {"version": "1.2", "creator": ' + _json(CREATOR) + b', "pages": [], "entries": [')
    before = b"\n"
    for number, mine in chunks.items():
        _, server = log.addresses.get(number, (None, None))
        where = {"serverIPAddress": server[0], "connection": str(server[1])} if server else {}
        for exchange in [] if room.is_full else read_exchanges(mine, room):
            file.write(before)
            _write_entry(file, exchange, where, secrets)
            before = b",\n"
    left_out = [*filter(None, [log.left_out]), *([NO_ROOM] if room.is_full else [])]
    if room.unasked:
        left_out.append(f"no entry can be made of {how_many(room.unasked, 'connection')} without a request")
    file.write(b'\n], "comment": ' + _json(" ".join(left_out)) + b"}}\n")
    return left_out


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _write_entry(file: BinaryIO, exchange: Exchange, where: dict[str, str], secrets: bool) -> None:
    """Write an entry with a line for each message: neither all of them nor the file is ever in memory as text."""
    before = b'{"_resourceType": "websocket", "_webSocketMessages": [\n'
    for message in exchange.messages:
        file.write(before + _json(_message_entry(message)))
        before = b",\n"
    file.write((b"" if exchange.messages else before) + b"], " + _json(_entry(exchange, secrets) | where)[1:])


def _entry(exchange: Exchange, secrets: bool) -> dict[str, object]:
    """All of an entry but its messages."""
    waited = (exchange.answered - exchange.asked) * 1000
    return {
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
    target, host = request.resource_name, request.headers.get("Host", "localhost")
    if not secrets:
        target, host = redact_target(target), redact_target(f"//{host}")[2:]
    return {
        "method": request.method,
        "url": f"ws://{host}{target}",
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
        coding = response.headers.get("Content-Encoding")
        text = base64.b64encode(body if secrets else redact_body(body, coding)).decode()
        content |= {"text": text, "encoding": "base64"}
    return {
        "status": response.status,
        "statusText": response.phrase if secrets else redact_target(response.phrase),
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
