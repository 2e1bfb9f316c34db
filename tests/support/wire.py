"""Wire examples, each written once: the bytes beside what they say. And a fake wire between two protocols."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest

from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import ProtocolError
from wslab.protocol.events import Event
from wslab.protocol.frames import Frame, Opcode, parse_frame
from wslab.protocol.handshake import build_request
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import Role, State

KEY = bytes.fromhex("37fa213d")  # the masking key of RFC 6455 §5.7
HELLO_COMPRESSED = bytes.fromhex("f248cdc9c90700")  # RFC 7692 §7.2.3.1


def naive_mask(data: bytes, key: bytes) -> bytes:
    """RFC 6455 §5.3 word for word: "octet i of the transformed data" is data[i] XOR key[i MOD 4]."""
    return bytes(octet ^ key[i % 4] for i, octet in enumerate(data))


ROLES = ["client", "server"]
OTHER = {"client": "server", "server": "client"}
every_role = pytest.mark.parametrize("role", ROLES)


def cuts(data: bytes) -> Iterable[int]:
    """Every number of bytes that is too few; where they are many, all near both ends and some between."""
    size = len(data)
    return range(size) if size < 1000 else [*range(100), *range(100, size - 100, 97), *range(size - 100, size)]


# Frames


@dataclass(frozen=True)
class FrameExample:
    name: str
    wire: bytes
    frame: Frame


def _frame(name: str, hexadecimal: str, frame: Frame, payload: bytes = b"") -> FrameExample:
    return FrameExample(name, bytes.fromhex(hexadecimal) + payload, frame)


def _sized(size: int, header: str) -> Iterator[FrameExample]:
    """A binary frame of `size` bytes, unmasked and masked; `header` is that of the unmasked one."""
    payload = (bytes(range(251)) * 262)[:size]
    plain = bytes.fromhex(header)
    masked = plain[:1] + bytes((plain[1] | 0x80,)) + plain[2:] + KEY
    yield _frame(f"{size} bytes", plain.hex(), Frame(Opcode.BINARY, payload), payload)
    yield _frame(
        f"{size} bytes, masked", masked.hex(), Frame(Opcode.BINARY, payload, masking_key=KEY), naive_mask(payload, KEY)
    )


FRAMES = [
    # RFC 6455 §5.7
    _frame("5.7 unmasked text", "81 05 48 65 6c 6c 6f", Frame(Opcode.TEXT, b"Hello")),
    _frame("5.7 masked text", "81 85 37 fa 21 3d 7f 9f 4d 51 58", Frame(Opcode.TEXT, b"Hello", masking_key=KEY)),
    _frame("5.7 first fragment", "01 03 48 65 6c", Frame(Opcode.TEXT, b"Hel", fin=False)),
    _frame("5.7 last fragment", "80 02 6c 6f", Frame(Opcode.CONTINUATION, b"lo")),
    _frame("5.7 unmasked ping", "89 05 48 65 6c 6c 6f", Frame(Opcode.PING, b"Hello")),
    _frame("5.7 masked pong", "8a 85 37 fa 21 3d 7f 9f 4d 51 58", Frame(Opcode.PONG, b"Hello", masking_key=KEY)),
    _frame("5.7 256 bytes", "82 7e 01 00", Frame(Opcode.BINARY, bytes(range(256))), bytes(range(256))),
    _frame(
        "5.7 64 KiB",
        "82 7f 00 00 00 00 00 01 00 00",
        Frame(Opcode.BINARY, bytes(range(256)) * 256),
        bytes(range(256)) * 256,
    ),
    # RFC 7692 §7.2.3.1
    _frame(
        "7.2.3.1 compressed",
        "c1 07 f2 48 cd c9 c9 07 00",
        Frame(Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True),
    ),
    _frame(
        "7.2.3.1 first fragment", "41 03 f2 48 cd", Frame(Opcode.TEXT, bytes.fromhex("f248cd"), fin=False, rsv1=True)
    ),
    # RFC 6455 §5.5.1 and the bits that no extension uses yet
    _frame("close", "88 00", Frame(Opcode.CLOSE)),
    _frame("close 1000 bye", "88 05 03 e8 62 79 65", Frame(Opcode.CLOSE, b"\x03\xe8bye")),
    _frame("masked close 1001", "88 82 37 fa 21 3d 34 13", Frame(Opcode.CLOSE, b"\x03\xe9", masking_key=KEY)),
    _frame("RSV2", "a2 00", Frame(Opcode.BINARY, rsv2=True)),
    _frame("RSV3", "92 00", Frame(Opcode.BINARY, rsv3=True)),
    # §5.2: the length in 7 bits, in 16, in 64
    *_sized(0, "82 00"),
    *_sized(1, "82 01"),
    *_sized(124, "82 7c"),
    *_sized(125, "82 7d"),
    *_sized(126, "82 7e 00 7e"),
    *_sized(127, "82 7e 00 7f"),
    *_sized(65535, "82 7e ff ff"),
    *_sized(65536, "82 7f 00 00 00 00 00 01 00 00"),
]

# The codes that may stand in a close frame (RFC 6455 §7.4.1, §7.4.2 and the IANA registry)

CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}

# Compressed messages: the frames of a server, and the messages in them (RFC 7692 §7.2.3)


@dataclass(frozen=True)
class CompressedExample:
    name: str
    wire: bytes
    messages: tuple[str, ...] = ("Hello",)


COMPRESSED = [
    CompressedExample(name, bytes.fromhex(wire), messages)
    for name, wire, messages in [
        ("7.2.3.1 one block", "c1 07 f2 48 cd c9 c9 07 00", ("Hello",)),
        ("7.2.3.1 two fragments", "41 03 f2 48 cd 80 04 c9 c9 07 00", ("Hello",)),
        ("7.2.3.2 shared window", "c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00", ("Hello", "Hello")),
        ("7.2.3.2 fresh window", "c1 07 f2 48 cd c9 c9 07 00 c1 07 f2 48 cd c9 c9 07 00", ("Hello", "Hello")),
        ("7.2.3.3 no compression", "c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", ("Hello",)),
        ("7.2.3.4 BFINAL", "c1 08 f3 48 cd c9 c9 07 00 00", ("Hello",)),
        ("7.2.3.4 BFINAL twice", "c1 08 f3 48 cd c9 c9 07 00 00 c1 07 f2 48 cd c9 c9 07 00", ("Hello", "Hello")),
        ("7.2.3.5 two blocks", "c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", ("Hello",)),
        ("7.2.3.6 empty", "c1 01 00", ("",)),
        ("7.2.3.6 empty last fragment", "41 0b f2 48 cd c9 c9 07 00 00 00 ff ff 80 01 00", ("Hello",)),
        ("6 not compressed", "81 05 48 65 6c 6c 6f c1 07 f2 48 cd c9 c9 07 00", ("Hello", "Hello")),
    ]
]

# Opening handshakes


@dataclass(frozen=True)
class HandshakeExample:
    name: str
    request_bytes: bytes
    request: Request
    response_bytes: bytes
    response: Response
    key: str
    accept: str


def _handshake(name: str, target: str, request: str, response: str) -> HandshakeExample:
    asked, answered = request.strip().splitlines(), response.strip().splitlines()
    request_headers, response_headers = (
        Headers(tuple((name, value) for name, _, value in (line.partition(": ") for line in lines)))
        for lines in (asked, answered)
    )
    return HandshakeExample(
        name,
        "\r\n".join([f"GET {target} HTTP/1.1", *asked, "", ""]).encode(),
        Request("GET", target, request_headers),
        "\r\n".join(["HTTP/1.1 101 Switching Protocols", *answered, "", ""]).encode(),
        Response(101, "Switching Protocols", response_headers),
        dict(request_headers)["Sec-WebSocket-Key"],
        dict(response_headers)["Sec-WebSocket-Accept"],
    )


HANDSHAKES = [
    _handshake(
        "RFC 6455 section 1.3",
        "/chat",
        """
Host: server.example.com
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Origin: http://example.com
Sec-WebSocket-Protocol: chat, superchat
Sec-WebSocket-Version: 13
""",
        """
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
Sec-WebSocket-Protocol: chat
""",
    ),
    # Chrome and echo.websocket.org on 12 May 2014, with a cookie and first lines of ours: the panel left the lines out.
    _handshake(
        "the capture of 2014",
        "/",
        """
Cache-Control: no-cache
Connection: Upgrade
Cookie: __utma=1000001.200000002.1300000003.1300000003.1300000004.2; __utmb=1000001.2.10.1300000004; __utmc=1000001
Host: echo.websocket.org
Origin: http://www.websocket.org
Pragma: no-cache
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame
Sec-WebSocket-Key: j6MZV0bC4TBsmQHmnlsEyw==
Sec-WebSocket-Version: 13
Upgrade: websocket
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_2) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/34.0.1847.131
""",
        """
Access-Control-Allow-Credentials: true
Access-Control-Allow-Headers: x-websocket-protocol
Access-Control-Allow-Headers: x-websocket-version
Access-Control-Allow-Headers: x-websocket-extensions
Access-Control-Allow-Headers: authorization
Access-Control-Allow-Headers: content-type
Access-Control-Allow-Origin: http://www.websocket.org
Connection: Upgrade
Date: Mon, 12 May 2014 11:25:46 GMT
Sec-WebSocket-Accept: Psgr6cQUXMgP1tz5StleqjOWtpE=
Server: Kaazing Gateway
Upgrade: WebSocket
""",
    ),
]

RFC_HANDSHAKE, CAPTURE_2014 = HANDSHAKES


# UTF-8: a text that is right, then the bytes that make it wrong from the last of them on (Unicode 15, table 3-7)

BAD_UTF8 = [
    bytes.fromhex(wrong)
    for wrong in (
        "80",  # a continuation byte with nothing to continue
        "bf",
        "c0",  # could only begin a form that is too long
        "c1",
        "c3 28",  # cut short by another character
        "c3 c3",
        "e0 80",  # too long: U+0000…U+07FF in three bytes
        "e0 9f",
        "e2 82 28",
        "e2 28",
        "ed a0",  # half of a surrogate pair
        "ed bf",
        "f0 80",  # too long: U+0000…U+FFFF in four bytes
        "f0 8f",
        "f0 9f 98 28",
        "f4 90",  # above U+10FFFF
        "f5",
        "ff",
    )
]
GOOD_UTF8 = "κόσμε \u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"


def named(examples: Iterable[FrameExample | CompressedExample | HandshakeExample]) -> list[object]:
    """The examples as parameters of a test, each under its name."""
    return [pytest.param(example, id=example.name) for example in examples]


def fault(function: Callable[..., object], *arguments: object) -> int | None:
    """The close code of the ProtocolError that a call raises, None if it raises none."""
    try:
        function(*arguments)
    except ProtocolError as error:
        return error.code
    return None


# One end of an open connection


def opened(role: str, **options: Any) -> Protocol:
    return Protocol(role, state=State.OPEN, masking_keys=lambda: KEY, **options)


def to(role: str, *frames: str) -> bytes:
    """The bytes of frames as they arrive at `role`; each is written without a mask, as `"8105 48656c6c6f"`."""
    data = b""
    for frame in frames:
        header, payload = (bytes.fromhex(part) for part in frame.partition(" ")[::2])
        if role == "server":
            header, payload = header[:1] + bytes((header[1] | 0x80,)) + header[2:] + KEY, naive_mask(payload, KEY)
        data += header + payload
    return data


def sent(protocol: Protocol) -> list[str]:
    """The frames that `protocol` has to send, one readable line each."""
    data, lines = protocol.data_to_send(), []
    while data:
        parsed = parse_frame(data)
        assert parsed is not None
        frame, used = parsed
        assert (frame.masking_key is not None) is (protocol.role is Role.CLIENT)
        lines.append(str(frame))
        data = data[used:]
    return lines


# The fake wire


def pieces(data: bytes, sizes: Sequence[int] = ()) -> Iterator[bytes]:
    """`data` cut into pieces of these sizes, over and over; in one piece if there are none."""
    start = 0
    for size in cycle(sizes or (len(data),)):
        if start >= len(data):
            return
        yield data[start : start + size]
        start += size


def feed(protocol: Protocol, data: bytes, sizes: Sequence[int] = ()) -> Iterator[Event]:
    """Feed `data` to `protocol`, cut into pieces, and take all that it withholds; the events."""
    for piece in pieces(data, sizes):
        yield from protocol.receive_data(piece)
        while protocol.withheld:
            yield from protocol.receive_data()


def receive(protocol: Protocol, data: bytes, sizes: Sequence[int] = ()) -> list[Event]:
    return list(feed(protocol, data, sizes))


def outcome(protocol: Protocol, data: bytes, sizes: Sequence[int] = ()) -> tuple[list[Event], int | None]:
    """The events, and the close code of the fault that ended them or None."""
    events: list[Event] = []
    try:
        for event in feed(protocol, data, sizes):
            events.append(event)
    except ProtocolError as error:
        return events, error.code
    return events, None


class Wire:
    """Joins a client to a server: what one has to send arrives at the other, cut into pieces of `sizes` bytes."""

    def __init__(self, client: Protocol, server: Protocol, sizes: Sequence[int] = ()) -> None:
        self.ends = {"client": client, "server": server}
        self.events: dict[str, list[Event]] = {"client": [], "server": []}
        self._sizes = tuple(sizes)

    def flow(self) -> None:
        """Carry bytes until neither end has any more to send."""
        while True:
            from_client, from_server = (self.ends[name].data_to_send() for name in ROLES)
            if not from_client and not from_server:
                return
            self.events["server"] += receive(self.ends["server"], from_client, self._sizes)
            self.events["client"] += receive(self.ends["client"], from_server, self._sizes)


def handshake(client: Protocol, server: Protocol, sizes: Sequence[int] = ()) -> Wire:
    """Take both from CONNECTING to OPEN."""
    wire = Wire(client, server, sizes)
    client.connect(build_request("localhost", key=RFC_HANDSHAKE.key))
    wire.flow()
    server.accept()
    wire.flow()
    assert (client.state, server.state) == (State.OPEN, State.OPEN)
    return wire
