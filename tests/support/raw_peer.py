"""Peers that speak plain TCP, so that a test can send any bytes and sees every byte that comes back."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil

from support.heads_and_frames import close_frame, masked, request
from support.waiting import PATIENCE, running, wslab_threads
from wslab import EchoServer, Frame, Opcode, parse_frame


@dataclass(frozen=True)
class Answer:
    """An HTTP response, read without wslab."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @classmethod
    def from_bytes(cls, data: bytes) -> "Answer":
        head, _, body = data.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        version, status, _phrase = start.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = dict(line.split(": ", 1) for line in lines)
        assert len(headers) == len(lines), "a header stands there twice"
        return cls(int(status), headers, body)


class RawPeer:
    """A client made of a TCP socket. Every wait fails after PATIENCE, a reset raises ConnectionResetError."""

    def __init__(self, server: EchoServer, *, tls: ssl.SSLContext | None = None, receive_buffer: int = 0) -> None:
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.settimeout(PATIENCE)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect((server.host, server.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname=server.host)
        self._unread = b""

    @classmethod
    def upgraded(cls, server: EchoServer, *, more: tuple[str, ...] = (), **options: int) -> "RawPeer":
        """A peer that has done a good handshake."""
        peer = cls(server, **options)
        peer.send(request(more=more))
        assert peer.read_head().status == 101
        return peer

    def __enter__(self) -> "RawPeer":
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    def send(self, *pieces: bytes) -> None:
        """Send each piece in a segment of its own."""
        for piece in pieces:
            self.sock.sendall(piece)

    def read_head(self) -> Answer:
        while b"\r\n\r\n" not in self._unread:
            self._read_more()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        return Answer.from_bytes(head)

    def read_frame(self) -> Frame:
        while (parsed := parse_frame(self._unread)) is None:
            self._read_more()
        frame, used = parsed
        self._unread = self._unread[used:]
        return frame

    def read_to_end(self) -> bytes:
        """Everything up to the orderly end of TCP."""
        while received := self.sock.recv(65536):
            self._unread += received
        unread, self._unread = self._unread, b""
        return unread

    def read_frames_to_end(self) -> list[Frame]:
        rest, frames = self.read_to_end(), []
        while rest:
            frame, used = parse_frame(rest)
            frames.append(frame)
            rest = rest[used:]
        return frames

    def says_goodbye(self) -> bool:
        """Whether a closing handshake with 1000 is answered as RFC 6455 §7.1 asks, the server ending TCP first."""
        self.send(masked(Opcode.CLOSE, (1000).to_bytes(2, "big")))
        return self.read_frames_to_end() == [close_frame(1000)]

    def reset(self) -> None:
        """End TCP with a reset, as a crashed program or a middlebox does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _read_more(self) -> None:
        received = self.sock.recv(65536)
        assert received, f"TCP ended too early, after {self._unread!r}"
        self._unread += received


# Servers


def address(sock: socket.socket) -> str:
    """Where the socket is, as `host:port`."""
    host, port = sock.getsockname()[:2]
    return f"{host}:{port}"


def fresh_port() -> int:
    """A port that stands nowhere in the system's list, not even in what is left of an earlier connection."""
    taken = {end.port for it in psutil.net_connections("tcp") for end in (it.laddr, it.raddr) if end}
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            if (port := sock.getsockname()[1]) not in taken:
                return port


@contextlib.contextmanager
def live_server(**options: object) -> Iterator[EchoServer]:
    """An EchoServer that must leave no thread behind when it stops."""
    before = wslab_threads()
    try:
        with EchoServer(**options) as server:
            yield server
    finally:
        assert wslab_threads() <= before, "the server has stopped and its threads have not"


@contextlib.contextmanager
def tiny_server(talk: Callable[[socket.socket], object], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A TCP server for one connection, which it gives to `talk` and then closes; yields its ws:// address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            with listener.accept()[0] as sock:
                sock.settimeout(PATIENCE)
                talk(sock)

        with running(serve):
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"


def read_request(sock: socket.socket) -> dict[str, str]:
    """Read a whole request from a socket; its header lines."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        received = sock.recv(4096)
        assert received, f"TCP ended in the request, after {data!r}"
        data += received
    lines = data.decode("latin-1").split("\r\n")
    return {"": lines[0]} | dict(line.split(": ", 1) for line in lines[1:-2])


def wait_for_end(sock: socket.socket) -> bytes:
    """Read up to the end of TCP."""
    data = b""
    while received := sock.recv(65536):
        data += received
    return data
