"""Inputs of the targets: a committed corpus, and seeds that are made of the wire examples and of capture files."""

import ast
import io
import json
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

from support.capture_files import block, enhanced, interface, option, pcap, section
from support.heads_and_frames import RESPONSE, request, text
from support.wire import BAD_UTF8, COMPRESSED, FRAMES, GOOD_UTF8, HANDSHAKES, HELLO_COMPRESSED, KEY, ROLES

from fuzz.recordings import TURN
from wslab.protocol.frames import Frame, Opcode, parse_frame, serialize_close, serialize_frame
from wslab.protocol.states import Direction
from wslab.recording.har import write_har
from wslab.recording.packets import Endpoint, serialize_segment
from wslab.recording.recording import Recording
from wslab.recording.tcp import CLIENT, SERVER, TcpWriter

CORPUS = Path(__file__).parent / "corpus"
MAX_SIZE = 2048  # bytes of one input

_FRAMES = [example.wire for example in FRAMES]
_REQUESTS = [example.request_bytes for example in HANDSHAKES]
_RESPONSES = [example.response_bytes for example in HANDSHAKES]
_REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno.\r\n"
_DEFLATE = RESPONSE.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
_TALKS = [  # what client and server say in turn
    [request(), RESPONSE + b"\x81\x0a\nCookie: a", text("Hello") + text("?")],
    [request(), _DEFLATE + COMPRESSED[0].wire],
    [text("late"), b"\x88\x00"],
    [request("GET /?token=sesame HTTP/1.1", more=("Cookie: a=sesame",)), _REFUSAL],
    [request("GET //[ HTTP/1.1"), RESPONSE],
]


def _packets(address: bytes) -> list[bytes]:
    """The IP packets of a small talk of an address with itself."""
    writer = TcpWriter(Endpoint(address, 50000), Endpoint(address, 80))
    talk = [b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"HTTP/1.1 101 \r\n\r\n", text("Hello")]
    said = (writer.send(side, data) for side, data in zip((CLIENT, SERVER, CLIENT), talk, strict=True))
    return [serialize_segment(segment) for segments in (writer.open(), *said) for segment in segments]


def _captures() -> list[bytes]:
    """Files of both formats, in both byte orders, of our own and of others, with several kinds of links."""
    packets, packets_6 = _packets(bytes(4)), _packets(bytes(16))
    options = option(">", 9, b"\x83") + option(">", 14, bytes(7) + b"\x01") + bytes(4)
    return [
        pcap(packets),
        pcap(packets[-1:], ">"),
        pcap([bytes(12) + b"\x81\x00\x00\x01\x86\xdd" + packet for packet in packets_6], link_type=1),
        pcap([bytes(14) + b"\x08\x00" + packet for packet in packets], ">", 0xA1B23C4D, link_type=113),
        pcap([b"\x08\x00" + bytes(18) + packet for packet in packets], link_type=276),
        _pcapng("<", packets, option("<", 4, b"wslab")),
        _pcapng(">", packets, option(">", 4, b"Dumpcap"), options),
        section("<") + interface("<") + block("<", 3, bytes((len(packets[-1]), 0, 0, 0)) + packets[-1]),
    ]


def _pcapng(order: str, packets: list[bytes], about: bytes, options: bytes = b"") -> bytes:
    blocks = (enhanced(order, 0, 1000, packet) for packet in packets)
    return section(order, about) + interface(order, options=options) + b"".join(blocks)


def _hars() -> list[bytes]:
    """What is exported of the talks, without blanks; and the last one with what cannot stand in its response."""
    files = []
    for talk in _TALKS:
        recording, file = Recording(clock=iter(range(1000, 2000)).__next__), io.BytesIO()
        for way, data in zip(cycle(Direction), talk, strict=False):
            recording.add(1, way, data)
        write_har(file, recording, secrets=True)
        files.append(json.dumps(json.loads(file.getvalue()), separators=(",", ":")).encode())
    wrong = [(b'"status":101', b'"status":99'), (b'"statusText":"', b'"statusText":"\\n'), (b'"size":0', b'"text":"a"')]
    return [*files, *(files[-1].replace(*change) for change in wrong)]


_SEEDS = {
    "request": _REQUESTS,
    "response": [*_RESPONSES, _REFUSAL],
    "extensions": [
        b'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame; a="1\\""',
        b"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9; server_no_context_takeover",
        b"permessage-deflate; client_max_window_bits=7, permessage-deflate; server_max_window_bits=16",
    ],
    "subprotocols": [b"chat, superchat", b"chat\nchat"],
    "url": [b"ws://localhost:8765/chat?room=1", "wss://κόσμε.example/ü".encode(), b"ws://[::1]:80"],
    "tap_target": [b"localhost:8888", b"http://[::1]:80/lab?token=sesame", b"ws://localhost/"],
    "body_length": [
        b"Content-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 1001",
        b"content-length: five",
        b"content-length: 5\r\nTransfer-Encoding: chunked",
    ],
    "header": _FRAMES,
    "frame": _FRAMES,
    "close": [frame.payload for frame, _ in map(parse_frame, _FRAMES) if frame.opcode is Opcode.CLOSE],
    "text": [b"\x02" + data for data in (*BAD_UTF8, GOOD_UTF8.encode())],
    "inflate": [
        *(b"\x02\x02" + parse_frame(example.wire)[0].payload for example in COMPRESSED),
        b"\x02\x02" + HELLO_COMPRESSED,
        b"\x02\x02" + bytes.fromhex("0300") * 101,  # final blocks, one more than are allowed
    ],
    "inspect": [*_FRAMES, *_REQUESTS, *_RESPONSES],
    "raw_frame": _FRAMES,
    "report": [
        b'{"events": [{"what": "open", "socket": 1, "readyState": 1}], "done": false}',
        b'{"events": [{"what": "log", "text": "\\ud83d", "n": -1.5e3}, {"what": "", "a": null}], "done": true}',
        b'{"events": [{"what": "", "n": NaN}], "done": true}',
        b'{"events": ["open"], "done": true}',
    ],
    "transcripts": [
        b'{"browser": "Chromium 156", "transcripts": {"a": {"script": "", "events": [{"what": "open"}]}}}',
        b'{"browser": "Chromium 156", "transcripts": {"a": {"script": "", "events": ["open"]}}}',
    ],
    "capture": _captures(),
    "har": _hars(),
    "segments": [
        bytes(8) + bytes.fromhex("00000500 0100ff00 00050500"),
        b"\xff" * 8 + bytes.fromhex("00050500 000003ff 00020900 01010100"),
    ],
    "recorded": [size + TURN.join(talk) for size in (b"\1", b"\7") for talk in _TALKS],
}
_OPTIONS = [b"\0\0\0", b"\1\5\2", b"\2\1\1"]  # of a conversation: see fuzz.conversation


def _frames(wires: Iterable[bytes], role: str) -> bytes:
    """The frames of a server as they are; for a server, masked."""
    wire = b"".join(wires)
    if role == "client":
        return wire
    masked = b""
    while wire:
        frame, used = parse_frame(wire)
        masked, wire = masked + serialize_frame(frame, KEY), wire[used:]
    return masked


def _streams(role: str, opening: str) -> list[bytes]:
    """What may arrive at `role`: a handshake, or messages with a ping between fragments, a close frame, a fault."""
    hello, ping, fault = serialize_frame(Frame(Opcode.TEXT, b"Hello")), bytes.fromhex("8901 3f"), bytes.fromhex("a200")
    close = serialize_frame(Frame(Opcode.CLOSE, serialize_close(1000, "bye")))
    if opening == "handshake":
        heads = _REQUESTS if role == "server" else _RESPONSES
        endless = heads[0].removesuffix(b"\r\n") + b"a: b\r\n" * 250
        return [*(head + more for head in heads for more in (b"", _frames([hello], role))), endless]
    messages = [example.wire for example in COMPRESSED] if opening == "deflate" else [hello]
    fragments = bytes.fromhex("0103 48656c"), ping, bytes.fromhex("8002 6c6f")
    talks = [*([message, ping, close] for message in messages), [hello, *fragments, close], [ping, ping, hello, fault]]
    return [_frames(talk, role) for talk in talks]


def seeds(target: str) -> list[bytes]:
    """Inputs to start from, each a wire example or made of some."""
    role, _, opening = target.partition("_")
    inputs = [o + s for o in _OPTIONS for s in _streams(role, opening)] if role in ROLES else _SEEDS[target]
    return [data for data in inputs if len(data) <= MAX_SIZE]


def dictionary(target: str) -> Path:
    """The file with words that libFuzzer puts into the inputs of a target."""
    return Path(__file__).with_name("json.dict" if target in ("har", "report", "transcripts") else "handshake.dict")


def corpus_file(target: str) -> Path:
    """The file that keeps the inputs of a target: a literal of Python's bytes on each line."""
    return CORPUS / f"{target}.txt"


def crash_file(target: str) -> Path:
    """Beside the corpus: the inputs that a target failed with."""
    return CORPUS / f"{target}-crashes.txt"


def read_inputs(path: Path) -> list[bytes]:
    """The inputs in a file of the corpus; none if there is no such file."""
    return [ast.literal_eval(line) for line in path.read_text("ascii").splitlines()] if path.exists() else []


def write_inputs(path: Path, inputs: Iterable[bytes]) -> None:
    """Write the inputs, in an order that does not change from run to run."""
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    path.write_text("".join(f"{data!r}\n" for data in ordered), "ascii", newline="\n")
