"""Load: clients made of bare sockets, which cost little themselves, and fair rounds in which everybody has a turn."""

import os
import random
import select
import socket
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from processes import HOST

from wslab import Frame, Opcode, parse_frame, serialize_frame

Figure = TypeVar("Figure")

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
TRUSTING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for a server that has made its certificate itself
TRUSTING.check_hostname, TRUSTING.verify_mode = False, ssl.CERT_NONE


@dataclass(frozen=True)
class Plan:
    """How to measure: in so many rounds, in each of which everybody has a turn of so many seconds.

    `against` is another checkout of wslab, which takes part in every round.
    """

    rounds: int
    seconds: float
    crowd: int  # connections
    against: Path | None = None


FULL = Plan(rounds=25, seconds=0.25, crowd=1500)
QUICK = Plan(rounds=1, seconds=0.01, crowd=20)


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
        payload = (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
    return serialize_frame(Frame(Opcode.TEXT, payload, rsv1=deflate), KEY)


class Client:
    """A client that has done the handshake, and sends and counts bytes."""

    def __init__(self, port: int, deflate: bool = False, tls: bool = False) -> None:
        self.sock = socket.create_connection((HOST, port), TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = TRUSTING.wrap_socket(self.sock)
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


class ManyClients:
    """Clients of one server with one short message in flight each, all served by one thread with epoll."""

    def __init__(self, port: int, count: int) -> None:
        self._clients = [Client(port) for _ in range(count)]
        self._epoll = select.epoll()
        for client in self._clients:
            self._epoll.register(client.sock, select.EPOLLIN)

    def __enter__(self) -> "ManyClients":
        return self

    def __exit__(self, *error: object) -> None:
        self._epoll.close()
        for client in self._clients:
            client.sock.close()

    def converse(self, frame: bytes, answer: int, seconds: float) -> tuple[float, float, float]:
        """Send `frame` again for each answer of so many bytes: messages per second, median and p99 of the delay in s.

        A delay begins just before the write and ends just after the read. An answer so short always comes whole.
        """
        sent: dict[int, float] = {}
        delays: list[float] = []
        clock, poll, read, write = time.perf_counter, self._epoll.poll, os.read, os.write
        start = clock()
        for client in self._clients:
            sent[client.sock.fileno()] = clock()
            write(client.sock.fileno(), frame)
        while (now := clock()) < start + seconds or not delays:
            for number, _ in poll():
                assert len(read(number, 4096)) == answer
                arrived = clock()
                delays.append(arrived - sent[number])
                sent[number] = arrived
                write(number, frame)
        rate = len(delays) / (now - start)
        for client in self._clients:  # the answers that are still on their way do not count
            client.exchange(b"", answer)
        delays.sort()
        return rate, delays[len(delays) // 2], delays[len(delays) * 99 // 100]


def per_second(action: Callable[[], object], seconds: float) -> float:
    """How often `action` can be done in a second, measured for `seconds`."""
    start, count = time.perf_counter(), 0
    while (now := time.perf_counter()) < start + seconds or not count:
        action()
        count += 1
    return count / (now - start)


def in_turn(turns: dict[str, Callable[[float], Figure]], plan: Plan) -> dict[str, list[Figure]]:
    """What everybody reaches in each round: in turn, so that noise meets them all. A turn is told its seconds.

    The order is another one in each round: who comes behind a server with many threads can be a third slower for it.
    """
    for turn in turns.values():
        turn(plan.seconds / 2)  # a warm-up, which does not count
    order, shuffle = list(turns), random.Random(6455).shuffle
    rounds = []
    for _ in range(plan.rounds):
        shuffle(order)
        rounds.append({name: turns[name](plan.seconds) for name in order})
    return {name: [figures[name] for figures in rounds] for name in turns}
