"""Hostile students: what one who wants to spoil a class may try, each a function of the address of the class."""

import contextlib
import json
import socket
from collections.abc import Callable

from support.heads_and_frames import masked, request, text
from support.raw_peer import RawPeer
from support.waiting import PATIENCE
from wslab import ConnectionClosed, HandshakeError, Opcode, ProtocolError, connect
from wslab.classroom.class_server import SUBPROTOCOL, ClassServer

ELSEWHERE = ("127.0.0.2", 0)  # another computer than that of the others, as far as the class can see
ENDS = (ConnectionClosed, ProtocolError, HandshakeError, OSError)


def connected(server: ClassServer) -> socket.socket:
    host, port = server.server.host, server.server.port
    return socket.create_connection((host, port), PATIENCE, ELSEWHERE)


def opened(server: ClassServer) -> socket.socket:
    """A connection that has done its handshake. Raises ConnectionResetError if it is ended before."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(connected(server))
        sock.sendall(request())
        answer = b""
        while b"\r\n\r\n" not in answer:
            if not (received := sock.recv(65536)):
                raise ConnectionResetError
            answer += received
        stack.pop_all()
    return sock


def floods(server: ClassServer) -> None:
    """Sends ten thousand messages at once."""
    with opened(server) as sock, contextlib.suppress(OSError):
        for _ in range(100):
            sock.sendall(text("buy now") * 100)
        while sock.recv(65536):
            pass


def sends_what_is_huge(server: ClassServer) -> None:
    """Sends a message of 64 MiB, in a frame that announces it."""
    with opened(server) as sock, contextlib.suppress(OSError):
        sock.sendall(masked(Opcode.BINARY, bytes(64 * 1024 * 1024)))


def never_reads(server: ClassServer) -> None:
    """Connects as a page and reads nothing of all that it is sent."""
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            peer = stack.enter_context(RawPeer(server.server, receive_buffer=4096))
            peer.send(request(more=(f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",)), text(json.dumps({"say": "x"})))
        floods(server)


def opens_a_thousand_connections(server: ClassServer) -> None:
    """Opens a thousand connections and keeps as many as it may."""
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            with contextlib.suppress(OSError):
                sock = stack.enter_context(connected(server))
                sock.sendall(request())


def leaves_handshakes_half_done(server: ClassServer) -> None:
    """Sends the halves of three hundred requests."""
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            with contextlib.suppress(OSError):
                sock = stack.enter_context(connected(server))
                sock.sendall(request()[:40])


def comes_and_goes(server: ClassServer) -> None:
    """Joins and leaves two hundred times."""
    for _ in range(200):
        with contextlib.suppress(*ENDS), opened(server) as sock:
            sock.sendall(masked(Opcode.CLOSE, b"\x03\xe8"))


def forges_marks(server: ClassServer) -> None:
    """Hands in marks for others, in every way that it can think of."""
    mark = {"exercise": "forged", "points": 1, "max_points": 1}
    forged = [
        {"hand_in": mark | {"name": "Polite 1"}},
        {"hand_in": mark, "name": "Polite 1"},
        {"kind": "mark", "name": "Polite 1", **mark},
        {"hand_in": [mark]},
    ]
    for query in ("?name=Polite%201", "?name=POLITE%201", "?token=", "?name=Teacher&token=guess"):
        url = f"{server.server.url}{query}"
        with contextlib.suppress(*ENDS), connect(url, subprotocols=[SUBPROTOCOL], timeout=PATIENCE) as connection:
            for request_ in forged:
                connection.send(json.dumps(request_))


def is_called_what_is_html(server: ClassServer) -> None:
    """Joins with names that are HTML, or that would turn a line around."""
    for name in ("%3Cimg%20src=x%20onerror=alert(1)%3E", "%3C/script%3E", "%E2%80%AEada", "%00%1b[2J"):
        with contextlib.suppress(*ENDS), connect(f"{server.server.url}?name={name}", timeout=PATIENCE) as connection:
            connection.send("<script>alert(1)</script>")


HOSTILE: list[Callable[[ClassServer], None]] = [
    floods,
    sends_what_is_huge,
    never_reads,
    opens_a_thousand_connections,
    leaves_handshakes_half_done,
    comes_and_goes,
    forges_marks,
    is_called_what_is_html,
]
