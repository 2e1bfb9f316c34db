"""Load: a client made of a bare socket, which costs little itself, and fair rounds in which everybody has a turn."""

import random
import socket
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from servers import HOST

from wslab import Frame, Opcode, parse_frame, serialize_frame
from wslab.protocol.deflate import TAIL

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
# The same work for all: without context takeover, a message is the same bytes every time, and the window is part of
# what compression costs (the libraries have different defaults).
DEFLATE = (
    b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
    b"server_max_window_bits=12\r\n"
)
KEY = bytes.fromhex("37fa213d")
TIMEOUT = 30.0
ROOM = bytearray(1024 * 1024)  # for bytes that are only counted


@dataclass(frozen=True)
class Pace:
    """How long to measure: so many rounds, in each of which everybody has a turn of so many seconds."""

    rounds: int
    seconds: float
    crowd: int  # connections


FULL = Pace(rounds=25, seconds=0.25, crowd=1500)
QUICK = Pace(rounds=1, seconds=0.01, crowd=20)


def sentence(size: int) -> str:
    """A text of `size` bytes, which compresses as prose does."""
    words = ["a", "frame", "of", "the", "message", "is", "masked", "by", "client", "and", "server", "without", "key"]
    source, text = random.Random(6455), ""
    while len(text) < size:
        text += source.choice(words) + " "
    return text[:size]


def text_frame(size: int, deflate: bool = False) -> bytes:
    """A text message of `size` bytes as a client sends it."""
    payload = sentence(size).encode()
    if deflate:
        compressor = zlib.compressobj(wbits=-15)
        payload = (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)
    return serialize_frame(Frame(Opcode.TEXT, payload, rsv1=deflate), KEY)


class Client:
    """A client that has done the handshake, and sends and counts bytes."""

    def __init__(self, port: int, deflate: bool = False) -> None:
        self.sock = socket.create_connection((HOST, port), TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(REQUEST + (DEFLATE if deflate else b"") + b"\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.sock.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert not deflate or b"permessage-deflate" in head, head
        self.sock.settimeout(None)  # with a timeout, Python asks the system twice for each read

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    def measure_answer(self, frame: bytes) -> int:
        """Send a frame; the number of bytes of the frame that answers it."""
        self.sock.sendall(frame)
        data = b""
        while (parsed := parse_frame(data)) is None or parsed[1] < len(data):
            data += self.sock.recv(65536)
        return len(data)

    def exchange(self, data: bytes, size: int) -> None:
        """Send `data`, and read `size` bytes."""
        self.sock.sendall(data)
        while size:
            size -= self.sock.recv_into(ROOM, min(size, len(ROOM)))


def per_second(action: Callable[[], object], seconds: float) -> float:
    """How often `action` can be done in a second, measured for `seconds`."""
    start, count = time.perf_counter(), 0
    while (now := time.perf_counter()) < start + seconds or not count:
        action()
        count += 1
    return count / (now - start)


def in_turn(actions: dict[str, Callable[[], object]], pace: Pace) -> dict[str, list[float]]:
    """How often each action can be done in a second, in each round: in turn, so that noise meets them all.

    The order is another one in each round: who comes behind a server with many threads can be a third slower for it.
    """
    for action in actions.values():
        per_second(action, pace.seconds / 2)  # a warm-up, which does not count
    order, shuffle = list(actions), random.Random(6455).shuffle
    rounds = []
    for _ in range(pace.rounds):
        shuffle(order)
        rounds.append({name: per_second(actions[name], pace.seconds) for name in order})
    return {name: [rates[name] for rates in rounds] for name in actions}
