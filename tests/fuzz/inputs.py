"""Inputs of the targets: a committed corpus, and seeds that are made of the wire examples."""

import ast
from collections.abc import Iterable
from pathlib import Path

from wire import BAD_UTF8, COMPRESSED, FRAMES, GOOD_UTF8, HANDSHAKES, HELLO_COMPRESSED, KEY, ROLES

from wslab.frames import Frame, Opcode, parse_frame, serialize_close, serialize_frame

CORPUS = Path(__file__).parent / "corpus"
MAX_SIZE = 2048  # bytes of one input

_FRAMES = [example.wire for example in FRAMES]
_REQUESTS = [example.request_bytes for example in HANDSHAKES]
_RESPONSES = [example.response_bytes for example in HANDSHAKES]
_SEEDS = {
    "request": _REQUESTS,
    "response": [*_RESPONSES, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno.\r\n"],
    "extensions": [
        b'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame; a="1\\""',
        b"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9; server_no_context_takeover",
        b"permessage-deflate; client_max_window_bits=7, permessage-deflate; server_max_window_bits=16",
    ],
    "subprotocols": [b"chat, superchat", b"chat\nchat"],
    "url": [b"ws://localhost:8765/chat?room=1", "wss://κόσμε.example/ü".encode(), b"ws://[::1]:80"],
    "header": _FRAMES,
    "frame": _FRAMES,
    "close": [frame.payload for frame, _ in map(parse_frame, _FRAMES) if frame.opcode is Opcode.CLOSE],
    "text": [b"\x02" + text for text in (*BAD_UTF8, GOOD_UTF8.encode())],
    "inflate": [
        *(b"\x02\x02" + parse_frame(example.wire)[0].payload for example in COMPRESSED),
        b"\x02\x02" + HELLO_COMPRESSED,
        b"\x02\x02" + bytes.fromhex("0300") * 101,  # final blocks, one more than are allowed
    ],
    "inspect": [*_FRAMES, *_REQUESTS, *_RESPONSES],
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
