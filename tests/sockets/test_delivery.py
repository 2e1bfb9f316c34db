"""Delivery: the messages that had arrived whole before a fault, an end or a reset reach the program, at both ends.

What a TCP reset throws away in the kernel of the receiver, before anybody has read it, cannot be delivered, and how
much that is depends on the system. So where a peer resets, these tests wait until the bytes are in our process; where
they do not wait, they ask only that what is delivered is delivered in order.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

import pytest
from support.bad_frames import FAULTS, MAX_SIZE, Fault, glued, said
from support.heads_and_frames import ACCEPT, DEFLATE, KEY, raw_frame, request
from support.raw_peer import RawPeer, live_server, read_request, tiny_server, wait_for_end
from support.waiting import PATIENCE, wait_until

from wslab import Connection, Direction, Frame, HandshakeError, Limits, Opcode, Recording, connect, parse_frame

MESSAGES = ["before", "the fault"]
LIMITS = Limits(max_size=MAX_SIZE, close_timeout=0.5)
ENDS = [
    Fault("nothing more", b"", 1006, ""),
    Fault("a header that is cut short", raw_frame(0x82, length=b"\x7f\0\0"), 1006, ""),
    Fault("a payload that is cut short", raw_frame(0x81, b"Hel", length=b"\x05"), 1006, ""),
    Fault("a message without its last fragment", raw_frame(0x01, b"Hel") + raw_frame(0x00, b"lo"), 1006, ""),
]

every_fault = pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
every_end = pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS + ENDS])


def from_a_server(sent: bytes) -> bytes:
    """Frames of a client as a server sends them, or the reverse: KEY masks nothing, so only the bit and the key go."""
    frames = b""
    while sent:
        masked, length = sent[1] & 0x80, sent[1] & 0x7F
        size = {126: 4, 127: 10}.get(length, 2)
        begin = size + (4 if masked else 0)
        end = begin + (length if size == 2 else int.from_bytes(sent[2:size], "big"))
        frames += bytes((sent[0], sent[1] ^ 0x80)) + sent[2:size] + (b"" if masked else bytes(4)) + sent[begin:end]
        sent = sent[end:]
    return frames


def glued_by_a_server(fault: Fault) -> bytes:
    good = raw_frame(0x81, b"before") + raw_frame(0x89, b"alive?") + raw_frame(0x81, b"the fault")
    return from_a_server(good + fault.sent)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# At the server


@every_fault
def test_what_came_glued_to_the_request_is_echoed_before_the_fault_is_told(fault):
    with live_server(limits=LIMITS) as server, RawPeer(server) as peer:
        peer.send(request(more=DEFLATE if fault.deflate else ()) + glued(fault))

        assert peer.read_head().status == 101
        *answers, close = peer.read_frames_to_end()
        assert said(answers) == ["alive?", *MESSAGES]
        assert int.from_bytes(close.payload[:2], "big") == fault.code


@every_end
def test_a_handler_gets_what_the_server_has_read_although_the_peer_has_reset_the_connection(fault):
    heard, recording, gone = [], Recording(), threading.Event()

    def handler(connection: Connection) -> None:
        heard.append(connection.receive())
        assert gone.wait(PATIENCE)
        heard.extend(connection)

    with live_server(handler=handler, limits=LIMITS, recording=recording) as server:
        peer = RawPeer.upgraded(server, more=DEFLATE if fault.deflate else ())
        peer.send(glued(fault))
        wait_until(lambda: recording.bytes_sent(1, Direction.CLIENT_TO_SERVER).endswith(glued(fault)))
        peer.reset()
        gone.set()
        wait_until(lambda: not server.connections)
    assert heard == MESSAGES


def test_what_a_server_delivers_is_in_order_if_the_reset_comes_at_once():
    heard = []
    with live_server(handler=heard.extend, limits=LIMITS) as server:
        for fault in FAULTS + ENDS:
            peer = RawPeer.upgraded(server, more=DEFLATE if fault.deflate else ())
            peer.send(glued(fault))
            peer.reset()
            wait_until(lambda: not server.connections)
            assert heard == MESSAGES[: len(heard)]
            heard.clear()


# At the client


def raw_server(fault: Fault, pieces: Callable[[bytes, bytes], list[bytes]], end: Callable[[socket.socket], object]):
    """A server that sends two messages, a ping between them and the fault, cut by `pieces`, and then does `end`."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Accept: {ACCEPT}", *(DEFLATE if fault.deflate else ()), "", ""]

    def talk(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_request(sock)
        for piece in pieces("\r\n".join(lines).encode(), glued_by_a_server(fault)):
            sock.sendall(piece)
        end(sock)

    return tiny_server(talk)


def open_client(url: str, **options: object) -> Connection:
    return connect(url, key=KEY, max_size=MAX_SIZE, timeout=PATIENCE, **options)


CUTS = {
    "glued to the handshake": lambda head, frames: [head + frames],
    "in one segment": lambda head, frames: [head, frames],
    "three bytes at a time": lambda head, frames: [head, *(frames[i : i + 3] for i in range(0, len(frames), 3))],
}


@pytest.mark.parametrize("pieces", CUTS.values(), ids=CUTS)
@every_fault
def test_a_client_gets_what_came_whole_before_a_fault_and_tells_the_server_what_is_wrong(fault, pieces):
    answers = []
    with (
        raw_server(fault, pieces, lambda sock: answers.append(wait_for_end_politely(sock))) as url,
        open_client(url) as connection,
    ):
        assert list(connection) == MESSAGES
        assert connection.error.code == fault.code
    pong, used = parse_frame(answers[0])
    close, _ = parse_frame(answers[0][used:])
    assert pong == Frame(Opcode.PONG, b"alive?")
    assert close.opcode is Opcode.CLOSE
    assert int.from_bytes(close.payload[:2], "big") == fault.code


def wait_for_end_politely(sock: socket.socket) -> bytes:
    """End this side of TCP, as a server does that gets a close frame, and read to the end of the other."""
    sock.shutdown(socket.SHUT_WR)
    return wait_for_end(sock)


@pytest.mark.parametrize("pieces", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in ENDS])
def test_a_client_gets_what_came_whole_before_the_end_of_tcp(fault, pieces):
    with raw_server(fault, pieces, wait_for_end_politely) as url, open_client(url) as connection:
        assert list(connection) == MESSAGES
        assert (connection.close_code, connection.error) == (1006, None)


@every_end
def test_a_client_gets_what_it_has_read_although_the_server_has_reset_the_connection(fault):
    read, gone = threading.Event(), threading.Event()

    def reset_when_it_is_read(sock: socket.socket) -> None:
        assert read.wait(PATIENCE)
        reset(sock)
        gone.set()

    recording = Recording()
    with (
        raw_server(fault, CUTS["in one segment"], reset_when_it_is_read) as url,
        open_client(url, recording=recording) as connection,
    ):
        first = connection.receive()
        assert recording.bytes_sent(1, Direction.SERVER_TO_CLIENT).endswith(glued_by_a_server(fault))
        read.set()
        assert gone.wait(PATIENCE)
        assert [first, *connection] == MESSAGES
    assert connection.close_code == 1006
    assert getattr(connection.error, "code", 1006) == fault.code


def test_what_a_client_delivers_is_in_order_if_the_reset_comes_at_once():
    for fault in FAULTS + ENDS:
        with (
            raw_server(fault, CUTS["in one segment"], reset) as url,
            contextlib.suppress(HandshakeError),  # the reset may throw the answer away as well
            open_client(url) as connection,
        ):
            heard = list(connection)
            assert heard == MESSAGES[: len(heard)]


def test_frames_of_a_client_and_of_a_server_differ_in_their_mask_only():
    assert from_a_server(raw_frame(0x81, b"Hello")) == raw_frame(0x81, b"Hello", mask=0)
    assert [from_a_server(from_a_server(fault.sent)) for fault in FAULTS] == [fault.sent for fault in FAULTS]
