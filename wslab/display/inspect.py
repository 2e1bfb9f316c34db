"""inspect: the bytes of a handshake, of frames or of a recording, with the name of every field (RFC 6455 §5.2)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from wslab.errors import HandshakeError, ProtocolError
from wslab.frames import Frame, FrameHeader, parse_frame, parse_header
from wslab.http import Request, Response, parse_request, parse_response
from wslab.recording import Direction, Recording

_HTTP_START = re.compile(rb"[A-Z]{3,}[ /]")
_MOST_BYTES = 11


class Field(NamedTuple):
    """One field of a frame: where its bytes are, the bytes in hex, its bits (a dot for another's), name and value."""

    position: str
    hex: str
    bits: str
    name: str
    value: str


@dataclass(frozen=True, repr=False)
class Table:
    """Rows with a heading; `repr` aligns them as plain text."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


@dataclass(frozen=True, repr=False)
class Head:
    """The head of a handshake as text, without its secrets."""

    text: str

    def __repr__(self) -> str:
        return self.text


def inspect(data: bytes | Recording) -> Table | Head:
    """Look into bytes or into a `Recording`: a value whose `repr` is the text to read.

    Bytes of a handshake give its head, with cookies, credentials and tokens redacted; bytes of frames give a row for
    every field; a recording gives a row for every handshake and frame, in order.

    >>> inspect(bytes.fromhex("8a00"))
    byte  hex  bits      field           value
    0     8a   1.......  FIN             1: the last frame of its message
               .000....  RSV1-3          000
               ....1010  opcode          0xa: pong
    1     00   0.......  MASK            0: not masked
               .0000000  payload length  0
    """
    if isinstance(data, Recording):
        rows = [row for connection in data.connections for row in _conversation(data, connection)]
        return Table(("connection", "direction", "bytes", "what"), tuple(rows))
    if _HTTP_START.match(data):
        return Head(_text_of_head(data))
    return Table(("byte", "hex", "bits", "field", "value"), tuple(_fields_of_frames(data)))


def _text_of_head(data: bytes) -> str:
    try:
        parsed = parse_response(data) if data.startswith(b"HTTP/") else parse_request(data)
    except HandshakeError as error:
        return f"an illegal handshake: {error.reason}"
    return str(parsed[0]) if parsed else f"a handshake, cut short after {len(data)} bytes"


def _fields_of_frames(data: bytes) -> Iterator[Field]:
    start = 0
    while start < len(data):
        try:
            parsed = parse_header(data[start:])
        except ProtocolError as error:
            yield Field(_span(start, len(data)), _hex(data[start:]), "", "illegal", error.reason)
            return
        if parsed is None:
            yield Field(
                _span(start, len(data)), _hex(data[start:]), "", "cut short", "more bytes of the header are needed"
            )
            return
        header, size = parsed
        yield from _fields_of_header(data, start, header, size)
        end = start + size + header.payload_length
        yield from _fields_of_payload(data, start + size, end, header)
        start = end


def _fields_of_header(data: bytes, start: int, header: FrameHeader, size: int) -> Iterator[Field]:
    first, second = data[start], data[start + 1]
    bits = f"{first:08b}"
    end_of_message = "the last frame of its message" if header.fin else "more frames of its message follow"
    yield Field(str(start), f"{first:02x}", f"{bits[0]}.......", "FIN", f"{bits[0]}: {end_of_message}")
    yield Field("", "", f".{bits[1:4]}....", "RSV1-3", bits[1:4] + (": compressed" if header.rsv1 else ""))
    yield Field("", "", f"....{bits[4:]}", "opcode", f"0x{header.opcode:x}: {header.opcode.name.lower()}")
    bits = f"{second:08b}"
    masked = "masked" if header.masking_key else "not masked"
    yield Field(str(start + 1), f"{second:02x}", f"{bits[0]}.......", "MASK", f"{bits[0]}: {masked}")
    extended = size - 2 - (4 if header.masking_key else 0)
    short_length = second & 0b0111_1111
    told = f": the next {extended} bytes tell it" if extended else ""
    yield Field("", "", f".{bits[1:]}", "payload length", f"{short_length}{told}")
    position = start + 2
    if extended:
        hexed = data[position : position + extended].hex(" ")
        yield Field(_span(position, position + extended), hexed, "", "extended length", str(header.payload_length))
        position += extended
    if header.masking_key:
        yield Field(_span(position, position + 4), header.masking_key.hex(" "), "", "masking key", "")


def _fields_of_payload(data: bytes, start: int, end: int, header: FrameHeader) -> Iterator[Field]:
    there = data[start:end]
    name = "masked payload" if header.masking_key else "payload"
    if len(there) < header.payload_length:
        missing = header.payload_length - len(there)
        yield Field(_span(start, len(data)), _hex(there), "", name, f"cut short: {missing} bytes are missing")
        return
    if not there:
        return
    parsed = parse_frame(data[start - _header_size(header) : end])
    shown = parsed[0].payload_text() if parsed else ""
    if header.masking_key:
        yield Field(_span(start, end), _hex(there), "", name, "")
        yield Field("", "", "", "payload", shown)
    else:
        yield Field(_span(start, end), _hex(there), "", name, shown)


def _header_size(header: FrameHeader) -> int:
    extended = 0 if header.payload_length <= 125 else 2 if header.payload_length <= 0xFFFF else 8
    return 2 + extended + (4 if header.masking_key else 0)


def _conversation(recording: Recording, connection: int) -> Iterator[tuple[str, str, str, str]]:
    """A row for each handshake head and frame of one connection, where its last byte arrived."""
    unread = dict.fromkeys(Direction, b"")
    heads_read: set[Direction] = set()
    for chunk in recording.chunks:
        if chunk.connection != connection:
            continue
        way = chunk.direction
        unread[way] += chunk.data
        try:
            while (found := _parse_next(unread[way], way, way in heads_read)) is not None:
                what, used = found
                heads_read.add(way)
                yield str(connection), str(way), str(used), str(what).split("\n", 1)[0]
                unread[way] = unread[way][used:]
        except ProtocolError as error:
            yield str(connection), str(way), str(len(unread[way])), f"illegal: {error.reason}"
            unread[way] = b""


def _parse_next(data: bytes, way: Direction, head_read: bool) -> tuple[Request | Response | Frame, int] | None:
    if not data:
        return None
    if head_read:
        return parse_frame(data)
    return parse_request(data) if way is Direction.CLIENT_TO_SERVER else parse_response(data)


def _span(start: int, end: int) -> str:
    return str(start) if end - start <= 1 else f"{start}-{end - 1}"


def _hex(data: bytes) -> str:
    return data.hex(" ") if len(data) <= _MOST_BYTES else f"{data[:_MOST_BYTES].hex(' ')} …"
