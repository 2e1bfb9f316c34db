"""Connection: blocking calls on a real TCP connection, from one thread or several, to the very end."""

import array
import contextlib
import ctypes
import itertools
import math
import socket
import struct
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.heads_and_frames import MASKING_KEY, masked
from support.raw_peer import wait_for_end
from support.waiting import PATIENCE, is_held, running, wait_until

from wslab import (
    CloseCode,
    Connection,
    ConnectionClosed,
    Direction,
    Frame,
    HandshakeError,
    Limits,
    Opcode,
    PermessageDeflate,
    Ping,
    Pong,
    Protocol,
    ProtocolError,
    Recording,
    Role,
    State,
    parse_frame,
    serialize_frame,
)
from wslab.protocol.frames import parse_close
from wslab.protocol.handshake import build_request

SENDABLE_CODES = [*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999]
UNSENDABLE_CODES = [0, 999, 1004, 1005, 1006, 1015, 2999, 5000]
SMALL_BUFFER = 8 * 1024


@contextlib.contextmanager
def tcp_pair(buffer: int = 0):
    """Both ends of a TCP connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        if buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            if buffer:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            client.settimeout(PATIENCE)
            server.settimeout(PATIENCE)
            yield client, server


def opened(
    sock: socket.socket,
    role: Role,
    limits: Limits | None = None,
    permessage_deflate: PermessageDeflate | None = None,
    **options: object,
) -> Connection:
    """A connection as it is after the opening handshake."""
    protocol = Protocol(role, state=State.OPEN, limits=limits, permessage_deflate=permessage_deflate)
    return Connection(sock, protocol, remote_address=sock.getpeername()[:2], **{"timeout": PATIENCE, **options})


@contextlib.contextmanager
def pair(buffer: int = 0, **options: object):
    """Two connections, client and server, joined by TCP."""
    with tcp_pair(buffer) as (client_sock, server_sock):
        client, server = opened(client_sock, Role.CLIENT, **options), opened(server_sock, Role.SERVER, **options)
        yield client, server
        client.abort()
        server.abort()


@contextlib.contextmanager
def against_raw(role: Role = Role.CLIENT, buffer: int = 0, **options: object):
    """A connection of this role, and the bare socket at its other end."""
    with tcp_pair(buffer) as socks:
        ours, theirs = socks if role is Role.CLIENT else reversed(socks)
        connection = opened(ours, role, **options)
        yield connection, theirs
        theirs.close()
        connection.abort()


def unmasked(opcode: Opcode, payload: bytes = b"", **bits: bool) -> bytes:
    return serialize_frame(Frame(opcode, payload, **bits))


def read_frame(sock: socket.socket) -> Frame:
    data = b""
    while (parsed := parse_frame(data)) is None:
        received = sock.recv(1)
        assert received, f"TCP ended too early, after {data!r}"
        data += received
    return parsed[0]


# The opening handshake


def test_a_handshake_has_no_more_time_than_what_came_before_it_has_left():
    request = build_request("localhost", key="dGhlIHNhbXBsZSBub25jZQ==")
    with tcp_pair() as (sock, _):
        connection = Connection(sock, Protocol(Role.CLIENT), remote_address=sock.getpeername()[:2])
        with pytest.raises(TimeoutError, match="did not answer the handshake within 1000 s"):
            connection.open(request, 1000, deadline=time.monotonic())


# Messages


@pytest.mark.parametrize("message", ["Hello", "", "é€😀", b"\x00\xff", b"", "x" * 70_000, bytes(1024 * 1024)], ids=repr)
def test_a_message_arrives_as_it_was_sent_in_both_directions(message):
    with pair() as (client, server):
        for sender, receiver in [(client, server), (server, client)]:
            with running(sender.send, message):
                assert receiver.receive() == message


@pytest.mark.parametrize("message", [bytearray(b"abc"), memoryview(b"abc")], ids=["bytearray", "memoryview"])
def test_what_is_like_bytes_goes_as_a_binary_message(message):
    with pair() as (client, server):
        client.send(message)
        assert server.receive() == b"abc"


@pytest.mark.parametrize("message", [5, None, ["a"], [1, 2]], ids=repr)
def test_what_is_no_message_is_refused_and_the_connection_goes_on(message):
    with pair() as (client, server):
        with pytest.raises((TypeError, AttributeError)):
            client.send(message)

        client.send("Hello")
        assert server.receive() == "Hello"


def test_a_text_that_has_no_utf_8_is_refused_and_the_connection_goes_on():
    with pair() as (client, server):
        with pytest.raises(UnicodeEncodeError):
            client.send("\ud800")

        client.send("Hello")
        assert server.receive() == "Hello"


def test_fragments_arrive_as_one_message():
    with pair() as (client, server):
        client.send_fragment("one ")
        client.ping(b"between")
        client.send_fragment("two")
        client.send_fragment("", fin=True)

        assert server.receive() == "one two"


def test_a_ping_is_answered_while_the_peer_receives_and_both_see_it_as_events():
    with pair() as (client, server):
        client.ping(b"are you there?")
        client.send("Hello")

        assert server.receive_event() == Ping(b"are you there?")
        assert server.receive() == "Hello"
        assert client.receive_event() == Pong(b"are you there?")


def test_an_unasked_pong_is_an_event_and_no_message():
    with pair() as (client, server):
        client.pong(b"I am here")
        client.pong()
        client.send("Hello")

        assert server.receive_event() == Pong(b"I am here")
        assert server.receive() == "Hello"


def test_a_ping_of_126_bytes_is_refused_and_the_connection_goes_on():
    with pair() as (client, server):
        with pytest.raises(ValueError, match="at most 125"):
            client.ping(bytes(126))

        client.send("Hello")
        assert server.receive() == "Hello"


@contextlib.contextmanager
def asked(data: bytes):
    """A server's connection whose request has arrived, and the bare socket of the client that has sent `data`."""
    with tcp_pair() as (client, sock):
        server = Connection(sock, Protocol(Role.SERVER), remote_address=sock.getpeername()[:2], close_timeout=0.1)
        client.sendall(data)
        server.receive_event(PATIENCE)
        yield server, client
        server.abort()


POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize("cut", range(6))
def test_the_body_of_a_request_is_read_however_it_arrives(cut):
    with asked(POST + b"Hello"[:cut]) as (server, client):
        client.sendall(b"Hello"[cut:])
        assert server.receive_body(5, PATIENCE) == b"Hello"


def test_a_body_that_does_not_come_is_not_waited_for_too_long():
    with asked(POST + b"Hell") as (server, _), pytest.raises(TimeoutError):
        server.receive_body(5, 0.05)


def test_a_body_that_tcp_ends_in_is_none():
    with asked(POST + b"Hell") as (server, client):
        client.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionClosed, match="inside the body"):
            server.receive_body(5, PATIENCE)


def test_send_raw_sends_bytes_as_they_are():
    with against_raw() as (connection, peer):
        connection.send_raw(b"\xff\x00anything")
        assert peer.recv(100) == b"\xff\x00anything"


def test_iterating_gives_the_messages_until_the_close():
    with pair() as (client, server):
        for message in ["one", b"two", "three"]:
            client.send(message)
        with running(client.close, 1000, "done"):
            assert list(server) == ["one", b"two", "three"]
        assert (server.close_code, server.close_reason, server.error) == (1000, "done", None)
        assert list(server) == []


def test_receive_many_gives_all_messages_that_have_arrived_and_drops_pings_between_them():
    with against_raw(Role.CLIENT) as (client, peer):
        messages = [*(unmasked(Opcode.TEXT, text) for text in (b"one", b"two")), unmasked(Opcode.BINARY, b"three")]
        peer.sendall(b"".join(messages))
        received = client.receive_many()
        while len(received) < 3:  # TCP may bring them in several reads
            received += client.receive_many()
        assert received == ["one", "two", b"three"]

        peer.sendall(unmasked(Opcode.PING) + unmasked(Opcode.TEXT, b"four"))
        assert client.receive_many() == ["four"]


def test_receive_many_gives_what_came_before_a_fault_or_a_close_frame_first():
    with against_raw(Role.CLIENT) as (client, peer):
        peer.sendall(unmasked(Opcode.TEXT, b"last") + unmasked(Opcode.CONTINUATION))
        peer.shutdown(socket.SHUT_WR)
        assert client.receive_many() == ["last"]
        with pytest.raises(ProtocolError, match="no message has begun"):
            client.receive_many()
    with against_raw(Role.CLIENT) as (client, peer):
        peer.sendall(unmasked(Opcode.TEXT, b"last") + unmasked(Opcode.CLOSE, b"\x03\xe9"))
        peer.shutdown(socket.SHUT_WR)
        assert client.receive_many() == ["last"]
        with pytest.raises(ConnectionClosed, match="1001"):
            client.receive_many()


def test_receive_many_waits_for_the_first_message_and_gives_up_in_time():
    with pair() as (client, server):
        with pytest.raises(TimeoutError, match="no message arrived in time"):
            client.receive_many(timeout=0.01)
        with running(server.send, "late"):
            assert client.receive_many() == ["late"]


def test_send_many_is_one_write_that_arrives_as_its_messages():
    recording = Recording()
    with pair(recording=recording) as (client, server):
        client.send_many(["one", b"two", "three"])
        received = server.receive_many()
        while len(received) < 3:
            received += server.receive_many()
        assert received == ["one", b"two", "three"]
        client.send_many([])

    written = [chunk for chunk in recording.chunks if chunk.direction is Direction.CLIENT_TO_SERVER]
    assert len(written[0].data) == 3 * 6 + 3 + 3 + 5
    assert [(call.name, call.argument) for call in recording.calls] == [
        *(("send", argument) for argument in ("'one'", "3 bytes", "'three'")),
        *(("receive", argument) for argument in ("'one'", "3 bytes", "'three'")),
    ]


@pytest.mark.parametrize("message", ["Hello", b"Hello"])
def test_one_message_where_a_list_of_them_is_meant_is_refused(message):
    with pair() as (client, _), pytest.raises(TypeError, match="send takes one"):
        client.send_many(message)


def raises_midway():
    yield "lost"
    raise LookupError


WHAT_CANNOT_BE_SENT = {
    "an iterator that raises midway": lambda connection: connection.send_many(raises_midway()),
    "a wrong type behind good ones": lambda connection: connection.send_many(["lost", b"lost", 5]),
    "half a character behind good ones": lambda connection: connection.send_many(["lost", "\ud800"]),
    "a number": lambda connection: connection.send(5),
    "a fragment that is a number": lambda connection: connection.send_fragment(5),
    "a ping of 32 elements of 4 bytes": lambda connection: connection.ping(array.array("I", [0] * 32)),
    "a ping that is a number": lambda connection: connection.ping(5),
    "a close code with a fraction": lambda connection: connection.close(1000.0),
    "a reason that is bytes": lambda connection: connection.close(1000, b"bye"),
    "bytes that are a number": lambda connection: connection.send_raw(5),
}


@pytest.mark.parametrize("deflate", [None, PermessageDeflate()])
@pytest.mark.parametrize("call", WHAT_CANNOT_BE_SENT)
def test_what_cannot_be_sent_sends_nothing_and_costs_nothing(call, deflate):
    with pair(permessage_deflate=deflate, recording=Recording()) as (client, server):
        for message in "before", "after":
            client.send(message)
            assert server.receive() == message
            with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
                WHAT_CANNOT_BE_SENT[call](client)
        assert client.traffic.sent.messages == 2


@pytest.mark.parametrize("recording", [None, Recording()])
def test_any_iterable_of_messages_is_sent_once(recording):
    with pair(recording=recording) as (client, server):
        client.send_many(message for message in ("one", b"two"))
        client.send("end")

        assert [server.receive() for _ in range(3)] == ["one", b"two", "end"]


@pytest.mark.parametrize("data", [ctypes.c_uint32(1), array.array("I", [1]), memoryview(ctypes.c_uint32(1))])
def test_whatever_is_like_bytes_is_sent_although_it_has_no_length_in_bytes(data):
    with pair() as (client, server):
        client.send(data)
        client.send_many([data])
        client.send_fragment(data, fin=True)
        client.ping(data)

        assert [server.receive() for _ in range(3)] == [bytes(memoryview(data))] * 3
        assert server.receive_event() == Ping(bytes(memoryview(data)))
        assert client.traffic.sent.last == "ping"
        client.send(data)
        assert client.traffic.sent.last == "4 bytes"


def test_a_connection_says_what_it_is():
    with pair(number=7) as (client, server):
        assert repr(client) == "<Connection 7 (client, OPEN)>"
        assert client.local_address == server.remote_address
        assert client.remote_address == server.local_address
        assert (client.is_open, client.request, client.response, client.subprotocol) == (True, None, None, None)
        client.abort()
        assert repr(client) == "<Connection 7 (client, CLOSED)>"
        assert not client.is_open


# Time


@pytest.mark.parametrize("timeout", [math.inf, 1e300])
def test_a_time_may_be_longer_than_the_system_can_wait(timeout):
    with (
        pair(close_timeout=timeout, timeout=timeout, write_timeout=timeout, idle_timeout=timeout) as (client, server),
        running(client.close, 1000, "", timeout),
        pytest.raises(ConnectionClosed, match="1000"),
    ):
        server.receive(timeout=timeout)


def test_receive_gives_up_in_time_and_the_message_is_there_later():
    with against_raw() as (connection, peer):
        frame = unmasked(Opcode.TEXT, b"Hello")
        for cut in range(1, len(frame)):
            peer.sendall(frame[cut - 1 : cut])
            with pytest.raises(TimeoutError, match="no message arrived in time"):
                connection.receive(timeout=0.01)
        peer.sendall(frame[-1:])

        assert connection.receive() == "Hello"


def test_the_time_given_to_connect_is_the_time_that_receive_waits():
    with pair(timeout=0.01) as (client, _), pytest.raises(TimeoutError):
        client.receive()


def test_no_time_at_all_asks_what_has_arrived():
    with against_raw() as (connection, peer):
        with pytest.raises(TimeoutError):
            connection.receive(timeout=0)

        peer.sendall(unmasked(Opcode.PING) + unmasked(Opcode.TEXT, b"one") + unmasked(Opcode.TEXT, b"two"))
        assert connection.receive() == "one"
        assert connection.receive(timeout=0) == "two"
        with pytest.raises(TimeoutError):
            connection.receive(timeout=0)


def test_infinite_time_is_possible():
    with pair(timeout=0.01) as (client, server), running(server.send, "Hello"):
        assert client.receive(timeout=math.inf) == "Hello"


def send_without_end(peer: socket.socket, first: bytes, more: bytes) -> None:
    peer.sendall(first)
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(more * 1000)


@pytest.mark.parametrize(
    ("first", "more"),
    [
        pytest.param(b"", unmasked(Opcode.PONG), id="pongs"),
        pytest.param(b"", unmasked(Opcode.PING), id="pings"),
        pytest.param(unmasked(Opcode.TEXT, fin=False), unmasked(Opcode.CONTINUATION, fin=False), id="fragments"),
    ],
)
def test_a_peer_that_sends_no_message_without_end_does_not_make_receive_wait_longer(first, more):
    def read_without_end(peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            wait_for_end(peer)

    with (
        against_raw() as (connection, peer),
        running(send_without_end, peer, first, more),
        running(read_without_end, peer),
    ):
        with pytest.raises(TimeoutError):
            connection.receive(timeout=0.3)
        connection.abort()


def test_a_peer_that_is_silent_too_long_is_told_1001_and_left():
    with against_raw(Role.SERVER, timeout=None, idle_timeout=0.1) as (connection, peer):
        with running(lambda: list(connection)):
            frame = read_frame(peer)
            assert frame == Frame(Opcode.CLOSE, b"\x03\xe9idle for 0.1 s")
            peer.sendall(masked(Opcode.CLOSE, b"\x03\xe9"))
            assert wait_for_end(peer) == b""
            peer.close()
        assert connection.close_code == 1001


@pytest.mark.parametrize("babble", [b"", masked(Opcode.PONG)], ids=["silent", "that babbles on"])
def test_an_idle_peer_that_does_not_answer_the_close_frame_is_left_as_well(babble):
    with against_raw(Role.SERVER, timeout=None, idle_timeout=0.1, close_timeout=0.2) as (connection, peer):
        with running(lambda: list(connection)) as reader:
            assert read_frame(peer).opcode is Opcode.CLOSE
            with contextlib.suppress(OSError):
                while reader.is_alive():
                    peer.sendall(babble)
                    reader.join(0.001)
        assert connection.close_code == 1006


def test_a_peer_that_talks_now_and_then_is_not_idle():
    with against_raw(Role.SERVER, timeout=None, idle_timeout=5.0) as (connection, peer):
        peer.sendall(masked(Opcode.TEXT, b"Hello"))
        assert connection.receive() == "Hello"
        assert connection.state is State.OPEN


# Several threads


def test_messages_of_several_threads_are_not_mixed():
    with pair() as (client, server), ThreadPoolExecutor(5) as threads:
        letters = "abcd"
        sent = [threads.submit(lambda c=c: [client.send(c * 50_000) for _ in range(20)]) for c in letters]
        received = [server.receive() for _ in range(80)]

        assert [future.result() for future in sent]
        assert sorted(received) == sorted(c * 50_000 for c in letters for _ in range(20))


def test_threads_that_receive_take_turns_and_no_message_is_lost_or_doubled():
    with pair() as (client, server), ThreadPoolExecutor(4) as threads:
        receivers = [threads.submit(lambda: list(server)) for _ in range(4)]
        for number in range(200):
            client.send(str(number))
        client.close()

        received = [message for future in receivers for message in future.result()]
        assert sorted(received, key=int) == [str(number) for number in range(200)]


def test_who_waits_for_another_receiver_gives_up_in_time():
    with pair() as (client, server), running(lambda: client.receive()):
        wait_until(lambda: client._transport.stream.waits)
        with pytest.raises(TimeoutError, match="another thread is receiving"):
            client.receive(timeout=0.01)
        server.send("done")


def test_reading_goes_on_while_another_thread_is_writing():
    """Both ends send more than TCP can hold; each can go on only because the other reads while it writes."""
    with pair(buffer=SMALL_BUFFER, write_timeout=PATIENCE) as (client, server):
        messages = [bytes([number]) * 200_000 for number in range(20)]

        def send_all(connection: Connection) -> None:
            for message in messages:
                connection.send(message)

        def echo() -> None:
            for _ in messages:
                server.send(server.receive())

        with running(send_all, client), running(echo):
            assert [client.receive() for _ in messages] == messages


def test_a_pong_waits_for_the_end_of_the_frame_that_another_thread_is_writing():
    with against_raw(buffer=SMALL_BUFFER) as (connection, peer):
        message = bytes(1_000_000)
        with running(connection.send, message), running(lambda: connection.receive()):
            wait_until(lambda: is_held(connection._transport.send_queue.writing))
            peer.sendall(unmasked(Opcode.PING, b"one") + unmasked(Opcode.PING, b"two"))
            peer.sendall(unmasked(Opcode.TEXT, b"Hello"))

            data = b""
            expected = [(Opcode.BINARY, message), (Opcode.PONG, b"one"), (Opcode.PONG, b"two")]
            size = sum(len(masked(*frame)) for frame in expected)
            while len(data) < size:
                data += peer.recv(size - len(data))
        frames = []
        while data:
            frame, used = parse_frame(data)
            frames.append((frame.opcode, frame.payload))
            data = data[used:]
        assert frames == expected


def test_answers_that_nobody_writes_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("wslab.sockets.send_queue.MAX_LEFT_TO_OTHERS", 3)
    with against_raw(buffer=SMALL_BUFFER, write_timeout=0.5) as (connection, peer):
        sending = contextlib.suppress(ConnectionClosed)

        def send() -> None:
            with sending:
                connection.send(bytes(1_000_000))

        def receive() -> None:
            assert list(connection) == []

        with running(send), running(receive):
            wait_until(lambda: is_held(connection._transport.send_queue.writing))
            with contextlib.suppress(OSError):  # the end, for a peer that sends pings and reads nothing
                for number in itertools.count():
                    peer.sendall(unmasked(Opcode.PING, str(number).encode()))
        assert len(connection._transport.send_queue) <= 5


def test_a_peer_that_does_not_read_costs_no_more_than_the_write_timeout():
    with against_raw(buffer=SMALL_BUFFER, write_timeout=0.1) as (connection, _):
        with pytest.raises(ConnectionClosed, match="1006 abnormal closure: the peer does not read"):
            connection.send(bytes(10_000_000))

        assert not connection.is_open
        with pytest.raises(ConnectionClosed, match="the peer does not read"):
            connection.send("more")
        with pytest.raises(ConnectionClosed):
            connection.receive()


def test_a_write_that_is_interrupted_ends_the_connection_because_half_a_frame_may_be_out():
    def interrupt() -> float:
        raise KeyboardInterrupt

    recording = Recording()
    with pair(recording=recording) as (client, server):
        client.send("Hello")
        client._transport.send_queue.enqueue([b"half a frame"])
        recording.clock, clock = interrupt, recording.clock
        with pytest.raises(KeyboardInterrupt):
            client._transport.send_queue.flush()
        recording.clock = clock

        with pytest.raises(ConnectionClosed, match="interrupted"):
            client.send("more")
        assert list(server) == ["Hello"]
        assert server.close_code == 1006


# What is noticed without a receiver


def wait_until_it_is_readable(connection: Connection) -> None:
    assert connection._transport.stream.await_bytes(PATIENCE)


def let_time_pass(connection: Connection) -> None:
    """Make it time to look for what has arrived."""
    connection._transport.look_at = 0.0


SAYING_SOMETHING = {
    "send": lambda connection: connection.send("x"),
    "send_many": lambda connection: connection.send_many(["x", "y"]),
    "send_many of nothing": lambda connection: connection.send_many([]),
    "send_fragment": lambda connection: connection.send_fragment("x"),
    "ping": lambda connection: connection.ping(),
    "pong": lambda connection: connection.pong(),
    "is_open": lambda connection: connection.is_open,
}


@pytest.mark.parametrize("call", SAYING_SOMETHING)
@pytest.mark.parametrize("role", Role)
def test_whatever_is_called_answers_a_ping_that_has_arrived(role, call):
    with against_raw(role) as (connection, peer):
        peer.sendall(serialize_frame(Frame(Opcode.PING, b"?"), bytes(4) if role is Role.SERVER else None))
        wait_until_it_is_readable(connection)
        SAYING_SOMETHING[call](connection)

        answer = read_frame(peer)
        assert (answer.opcode, answer.payload) == (Opcode.PONG, b"?")


@pytest.mark.parametrize("call", [call for call in SAYING_SOMETHING if call != "is_open"])
@pytest.mark.parametrize("role", Role)
def test_who_only_sends_learns_that_the_peer_has_closed(role, call):
    with pair() as (client, server):
        ours, theirs = (client, server) if role is Role.CLIENT else (server, client)
        ours.send("before")
        theirs.begin_close(1011, "no pong")
        wait_until_it_is_readable(ours)
        let_time_pass(ours)

        with pytest.raises(ConnectionClosed, match="1011 internal error: no pong"):
            SAYING_SOMETHING[call](ours)


def test_raw_bytes_are_not_sent_after_the_end_of_tcp_which_is_told():
    with against_raw() as (connection, peer):
        peer.shutdown(socket.SHUT_WR)
        wait_until_it_is_readable(connection)
        let_time_pass(connection)
        for _ in range(2):
            with pytest.raises(ConnectionClosed, match=r"ended without a close frame$"):
                connection.send_raw(b"anything")


@pytest.mark.parametrize("role", Role)
def test_is_open_knows_of_a_close_frame_and_of_the_end_of_tcp(role):
    with pair() as (client, server):
        ours, theirs = (client, server) if role is Role.CLIENT else (server, client)
        assert ours.is_open
        theirs.begin_close()
        wait_until_it_is_readable(ours)
        assert not ours.is_open
    with against_raw(role) as (connection, peer):
        assert connection.is_open
        peer.shutdown(socket.SHUT_WR)
        wait_until_it_is_readable(connection)
        assert not connection.is_open


def test_a_client_cannot_send_to_a_server_that_has_ended_tcp():
    with against_raw(Role.CLIENT) as (connection, peer):
        peer.shutdown(socket.SHUT_WR)
        wait_until_it_is_readable(connection)

        with pytest.raises(ConnectionClosed, match=r"1006 .* ended without a close frame"):
            connection.send("more")


def test_a_client_that_has_ended_its_half_of_tcp_still_gets_its_answer():
    with against_raw(Role.SERVER) as (connection, peer):
        peer.sendall(masked(Opcode.TEXT, b"question"))
        question = connection.receive()
        peer.shutdown(socket.SHUT_WR)
        wait_until_it_is_readable(connection)
        assert not connection.is_open
        let_time_pass(connection)
        connection.send(f"answer to the {question}")

        assert read_frame(peer).payload == b"answer to the question"


def test_messages_that_came_before_the_close_frame_are_answered_although_it_is_known():
    with against_raw(Role.SERVER) as (connection, peer):
        peer.sendall(masked(Opcode.TEXT, b"one") + masked(Opcode.TEXT, b"two"))
        peer.sendall(masked(Opcode.CLOSE))
        assert connection.receive() == "one"
        connection.send("1")
        assert connection.is_open
        assert connection.receive() == "two"

        assert read_frame(peer).payload == b"1"


def test_a_fault_that_a_sender_finds_is_told_to_the_peer_at_once_and_to_the_receiver_later():
    with against_raw(Role.CLIENT) as (connection, peer):
        peer.sendall(unmasked(Opcode.TEXT, b"good") + b"\x83\x00")
        wait_until_it_is_readable(connection)
        let_time_pass(connection)
        with pytest.raises(ConnectionClosed, match="1002"):
            connection.send("more")

        assert parse_close(read_frame(peer).payload)[0] == 1002
        peer.close()
        assert connection.receive() == "good"
        with pytest.raises(ProtocolError, match="reserved"):
            connection.receive()
        with pytest.raises(ConnectionClosed):
            connection.receive()


def test_what_nobody_receives_stays_with_the_operating_system_once_there_is_enough_of_it(monkeypatch):
    monkeypatch.setattr("wslab.sockets.lookahead.MAX_UNREAD", 200_000)
    with against_raw(Role.CLIENT) as (connection, peer):
        peer.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            while True:
                peer.sendall(unmasked(Opcode.BINARY, bytes(1000)) * 100)
                assert connection.is_open

        assert 200_000 <= connection.traffic.received.size < 400_000


def test_a_reset_is_noticed_behind_more_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr("wslab.sockets.lookahead.MAX_UNREAD", 1000)
    with against_raw(Role.CLIENT) as (connection, peer):
        peer.sendall(unmasked(Opcode.TEXT, b"x") * 100)
        wait_until_it_is_readable(connection)
        assert connection.is_open
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        wait_until(lambda: not connection.is_open)

        with pytest.raises(ConnectionClosed, match="1006"):
            connection.send("more")
        assert [connection.receive() for _ in range(100)] == ["x"] * 100
        with pytest.raises(ConnectionClosed, match="1006"):
            connection.receive()


class Watched(deque):
    """A queue that counts how many of what is in it are looked at."""

    seen = 0

    def __iter__(self):
        for one in super().__iter__():
            self.seen += 1
            yield one

    def __reversed__(self):
        for one in super().__reversed__():
            self.seen += 1
            yield one


@pytest.mark.parametrize(
    "call", [lambda connection: connection.is_open, lambda connection: connection.close(timeout=0.01)]
)
def test_what_waits_already_is_not_looked_at_again_with_each_read(call):
    with against_raw(Role.CLIENT) as (connection, peer):
        connection._receive_queue._queue = queue = Watched(["x"] * 1000)
        let_time_pass(connection)
        peer.sendall(unmasked(Opcode.PING) * 3)
        wait_until_it_is_readable(connection)
        call(connection)

        assert len(queue) == 1003
        assert queue.seen <= 4


# The closing handshake


@pytest.mark.parametrize("code", [*SENDABLE_CODES, None])
@pytest.mark.parametrize("closer", [Role.CLIENT, Role.SERVER])
def test_either_side_closes_with_any_code_that_may_be_sent(closer, code):
    reason = "" if code is None else "grund: ☂"
    with pair() as (client, server):
        closing, other = (client, server) if closer is Role.CLIENT else (server, client)
        with running(closing.close, code, reason), pytest.raises(ConnectionClosed) as caught:
            other.receive()

        told = 1005 if code is None else code
        assert (caught.value.code, caught.value.reason) == (told, reason)
        assert (other.close_code, other.close_reason) == (told, reason)
        assert closing.close_code == told  # the answer repeats the code
        assert client.state is server.state is State.CLOSED


@pytest.mark.parametrize("code", UNSENDABLE_CODES)
def test_a_code_that_must_not_be_sent_is_refused_and_the_connection_goes_on(code):
    with pair() as (client, server):
        with pytest.raises(ValueError, match=f"close code {code} must not be sent"):
            client.close(code)

        client.send("Hello")
        assert server.receive() == "Hello"


@pytest.mark.parametrize(("code", "reason"), [(1000, "x" * 124), (None, "x"), (1000, "é" * 62)])
def test_a_reason_that_does_not_fit_is_refused_and_the_connection_goes_on(code, reason):
    with pair() as (client, server):
        with pytest.raises(ValueError, match="close reason"):
            client.close(code, reason)

        client.send("Hello")
        assert server.receive() == "Hello"


def test_the_server_ends_tcp_at_once_after_the_close_frames():
    with against_raw(Role.SERVER) as (connection, peer), running(connection.close, 1001, "bye"):
        assert read_frame(peer) == Frame(Opcode.CLOSE, b"\x03\xe9bye")
        peer.sendall(masked(Opcode.CLOSE, b"\x03\xe9"))
        assert wait_for_end(peer) == b""
        assert connection.state is State.CLOSING
        peer.close()


def test_the_client_waits_for_the_server_to_end_tcp():
    with against_raw(Role.CLIENT) as (connection, peer):
        with running(connection.close) as closing:
            assert read_frame(peer) == Frame(Opcode.CLOSE, b"\x03\xe8")
            peer.sendall(unmasked(Opcode.CLOSE, b"\x03\xe8"))
            peer.settimeout(0.1)
            with pytest.raises(TimeoutError):
                peer.recv(1)
            assert closing.is_alive()
            peer.shutdown(socket.SHUT_WR)
            peer.settimeout(PATIENCE)
            assert wait_for_end(peer) == b""
        assert connection.state is State.CLOSED


@pytest.mark.parametrize("role", Role)
def test_a_peer_that_does_not_answer_the_close_frame_is_left_after_the_close_timeout(role):
    with against_raw(role, close_timeout=0.1) as (connection, peer):
        connection.close(4000, "bye")

        assert read_frame(peer).payload == b"\x0f\xa0bye"
        assert wait_for_end(peer) == b""
        assert (connection.close_code, connection.state) == (1006, State.CLOSED)


@pytest.mark.parametrize("role", Role)
def test_a_peer_that_answers_and_does_not_end_tcp_is_left_after_the_close_timeout(role):
    with against_raw(role, close_timeout=0.1) as (connection, peer):
        peer.sendall(masked(Opcode.CLOSE, b"\x03\xe8") if role is Role.SERVER else unmasked(Opcode.CLOSE, b"\x03\xe8"))
        connection.close()

        assert (connection.close_code, connection.state) == (1000, State.CLOSED)


def test_a_server_that_does_not_end_tcp_after_the_closing_handshake_is_not_waited_for_as_long_as_for_a_close_frame(
    monkeypatch,
):
    monkeypatch.setattr("wslab.sockets.transport.TCP_END_TIMEOUT", 0.05)
    with against_raw(close_timeout=1000) as (connection, peer):
        peer.sendall(unmasked(Opcode.CLOSE, b"\x03\xe8"))
        connection.close()

        assert (connection.close_code, connection.state) == (1000, State.CLOSED)


@pytest.mark.parametrize(
    ("sent", "error"), [(b"\x88\x00", ConnectionClosed), (b"\x83\x00", ProtocolError)], ids=["close", "fault"]
)
@pytest.mark.parametrize("role", Role)
def test_receive_takes_no_longer_than_it_is_told_if_the_peer_does_not_end_tcp(role, sent, error):
    mask = role is Role.SERVER
    with against_raw(role, close_timeout=1000) as (connection, peer):
        peer.sendall(bytes([sent[0], 0x80]) + bytes(4) if mask else sent)

        with pytest.raises(error):
            connection.receive(timeout=0.05)
        assert connection.state is State.CLOSED


def test_receive_takes_no_longer_than_it_is_told_if_the_peer_does_not_read_its_pongs():
    with against_raw(buffer=SMALL_BUFFER, write_timeout=1000) as (connection, peer):
        peer.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            while True:
                peer.sendall(unmasked(Opcode.PING, bytes(125)) * 100)
                with contextlib.suppress(TimeoutError):
                    connection.receive(timeout=0.01)
        assert connection.is_open


@pytest.mark.parametrize("answer", [b"", masked(Opcode.CLOSE, b"\x03\xe8"), masked(Opcode.TEXT, b"\xff")], ids=repr)
def test_the_time_given_to_close_is_for_all_of_it(answer):
    with against_raw(Role.SERVER, close_timeout=10 * PATIENCE) as (connection, peer):
        peer.sendall(answer)
        with running(connection.close, 1000, "", 0.1):
            assert read_frame(peer).opcode is Opcode.CLOSE
        assert connection.state is State.CLOSED


def test_no_time_for_the_close_is_enough_for_what_has_arrived():
    with against_raw(Role.SERVER) as (connection, peer):
        peer.sendall(masked(Opcode.TEXT, b"one") + masked(Opcode.CLOSE, b"\x0f\xa0"))
        assert connection.receive() == "one"
        connection.close(timeout=0)

        assert connection.close_code == 4000


@pytest.mark.parametrize(
    ("first", "more"),
    [
        pytest.param(b"", masked(Opcode.PING), id="pings"),
        pytest.param(b"", masked(Opcode.PONG), id="pongs"),
        pytest.param(masked(Opcode.TEXT, fin=False), masked(Opcode.CONTINUATION, fin=False), id="fragments"),
    ],
)
def test_a_peer_that_sends_on_and_on_cannot_hold_up_the_close(first, more):
    with (
        against_raw(Role.SERVER, close_timeout=0.2) as (connection, peer),
        running(send_without_end, peer, first, more),
    ):
        connection.close()
        assert (connection.close_code, connection.state) == (1006, State.CLOSED)
        peer.close()


def test_a_peer_that_sends_messages_instead_of_a_close_frame_cannot_fill_the_memory(monkeypatch):
    monkeypatch.setattr("wslab.sockets.receive_queue.MAX_UNREAD", 1_000_000)

    def send_big_messages(peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer.sendall(masked(Opcode.BINARY, bytes(10_000)))

    with against_raw(Role.SERVER, close_timeout=PATIENCE) as (connection, peer), running(send_big_messages, peer):
        connection.close()
        assert connection.close_code == 1006
        assert 90 < sum(1 for _ in connection) < 200
        peer.close()


def test_messages_that_arrive_during_the_close_can_still_be_received():
    with against_raw() as (connection, peer):
        peer.sendall(
            unmasked(Opcode.TEXT, b"one") + unmasked(Opcode.TEXT, b"two") + unmasked(Opcode.CLOSE, b"\x03\xe8")
        )
        peer.shutdown(socket.SHUT_WR)
        connection.close()

        assert list(connection) == ["one", "two"]


def test_closing_again_does_nothing():
    with pair() as (client, server):
        with running(lambda: list(server)):
            client.close(4000, "first")
        client.close(4001, "second")
        client.close(None)
        client.fail("third")
        client.abort()
        client.reject(HandshakeError("fourth"))

        assert (server.close_code, server.close_reason) == (4000, "first")
        assert client.close_code == 4000


def test_both_sides_may_close_at_the_same_time():
    for _ in range(20):
        with pair() as (client, server):
            with running(client.close, 4000), running(server.close, 4001):
                pass
            assert client.close_code in (4000, 4001)
            assert server.close_code in (4000, 4001)
            assert client.state is server.state is State.CLOSED


def test_several_threads_may_close_at_the_same_time():
    with pair() as (client, server), ThreadPoolExecutor(8) as threads:
        with running(lambda: list(server)):
            list(threads.map(client.close, range(4000, 4008)))
        assert 4000 <= server.close_code < 4008
        assert client.state is State.CLOSED


def test_closing_ends_the_receive_of_another_thread():
    with pair() as (client, server), ThreadPoolExecutor() as threads:
        receiving = threads.submit(client.receive)
        wait_until(lambda: client._transport.stream.waits)
        with running(lambda: list(server)):
            client.close(4000, "enough")

        with pytest.raises(ConnectionClosed, match="4000"):
            receiving.result(PATIENCE)


def test_closing_ends_the_receive_of_another_thread_if_the_peer_is_silent_too():
    with against_raw(close_timeout=0.1) as (connection, _), ThreadPoolExecutor() as threads:
        receiving = threads.submit(connection.receive)
        wait_until(lambda: connection._transport.stream.waits)
        connection.close()

        with pytest.raises(ConnectionClosed, match="1006"):
            receiving.result(PATIENCE)
        assert connection.state is State.CLOSED


def test_closing_ends_the_send_of_another_thread_to_a_peer_that_does_not_read():
    with against_raw(buffer=SMALL_BUFFER, close_timeout=0.1) as (connection, _), ThreadPoolExecutor() as threads:
        sending = threads.submit(connection.send, bytes(10_000_000))
        wait_until(lambda: is_held(connection._transport.send_queue.writing))
        connection.close()

        with pytest.raises(ConnectionClosed, match="1006"):
            sending.result(PATIENCE)
        assert connection.state is State.CLOSED


def test_closing_towards_a_peer_that_does_not_read_takes_no_longer_than_the_close_timeout():
    def ping_without_end(peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer.sendall(masked(Opcode.PING, bytes(125)))

    with (
        against_raw(Role.SERVER, buffer=SMALL_BUFFER, close_timeout=0.1) as (connection, peer),
        running(ping_without_end, peer),
    ):
        with running(lambda: list(connection)):
            wait_until(lambda: is_held(connection._transport.send_queue.writing))  # by pongs that nobody reads
            connection.close()
        assert connection.close_code == 1006


def test_closing_inside_the_iteration_ends_it():
    with pair() as (client, server):
        for message in ["one", "two", "three"]:
            client.send(message)
        with running(lambda: list(client)):
            received = []
            for message in server:
                received.append(message)
                server.close(4000)

        assert received == ["one", "two", "three"]  # what has arrived is not lost
        assert client.close_code == 4000


def test_leaving_the_with_block_closes_with_1000():
    with pair() as (client, server):
        with running(lambda: list(server)), client:
            client.send("Hello")
        assert server.close_code == 1000


def test_sending_after_the_close_is_refused_with_its_code():
    with pair() as (client, server):
        with running(lambda: list(server)):
            client.close(4000, "enough")

        for send in [client.send, client.send_fragment, client.ping, client.pong, client.send_raw]:
            with pytest.raises(ConnectionClosed) as caught:
                send(b"more")
            assert caught.value.code == 4000


# Ends that are not clean


@pytest.mark.parametrize("role", Role)
def test_a_peer_that_vanishes_is_a_1006(role):
    with against_raw(role) as (connection, peer):
        peer.close()

        for _ in range(2):
            with pytest.raises(ConnectionClosed) as caught:
                connection.receive()
            assert str(caught.value) == "1006 abnormal closure: the TCP connection ended without a close frame"
        assert (connection.close_code, connection.state) == (1006, State.CLOSED)


def test_a_reset_is_a_1006_that_says_so():
    with against_raw() as (connection, peer):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()

        with pytest.raises(ConnectionClosed, match=r"1006 .*[Rr]eset"):
            connection.receive()


def test_messages_before_the_end_of_tcp_are_delivered():
    with against_raw() as (connection, peer):
        peer.sendall(unmasked(Opcode.TEXT, b"one") + unmasked(Opcode.TEXT, b"two") + unmasked(Opcode.TEXT, b"x")[:2])
        peer.close()

        assert list(connection) == ["one", "two"]
        assert connection.close_code == 1006


def test_abort_ends_at_once_and_the_peer_sees_1006():
    with pair() as (client, server):
        client.abort()

        assert list(server) == []
        assert (client.close_code, server.close_code) == (1006, 1006)


def test_abort_wakes_whoever_receives():
    with pair() as (client, _), ThreadPoolExecutor() as threads:
        receiving = threads.submit(client.receive)
        wait_until(lambda: client._transport.stream.waits)
        client.abort()

        with pytest.raises(ConnectionClosed):
            receiving.result(PATIENCE)


@pytest.mark.parametrize("role", Role)
def test_messages_before_a_fault_come_first_then_the_fault_once_then_the_end(role):
    frame = masked if role is Role.SERVER else unmasked
    with against_raw(role) as (connection, peer):
        peer.sendall(frame(Opcode.TEXT, b"one") + frame(Opcode.TEXT, b"two") + frame(Opcode.TEXT, b"\xff"))
        peer.shutdown(socket.SHUT_WR)

        assert [connection.receive(), connection.receive()] == ["one", "two"]
        with pytest.raises(ProtocolError, match="1007 invalid payload data: the text is not UTF-8") as caught:
            connection.receive()
        assert connection.error is caught.value
        with pytest.raises(ConnectionClosed):
            connection.receive()
        assert read_frame(peer).payload == b"\x03\xefthe text is not UTF-8"


def test_a_fault_ends_an_iteration_and_is_kept():
    with against_raw() as (connection, peer):
        peer.sendall(unmasked(Opcode.TEXT, b"one") + b"\x83\x00")
        peer.shutdown(socket.SHUT_WR)

        assert list(connection) == ["one"]
        assert str(connection.error) == "1002 protocol error: opcode 0x3 is reserved"


def test_a_fault_during_the_close_is_kept_too():
    with against_raw() as (connection, peer):
        peer.sendall(b"\x83\x00")
        peer.shutdown(socket.SHUT_WR)
        connection.close()

        assert connection.error.code == 1002
        assert connection.state is State.CLOSED


def test_the_close_frame_of_a_fault_comes_behind_the_frame_that_another_thread_is_writing():
    with (
        against_raw(Role.SERVER, buffer=SMALL_BUFFER) as (connection, peer),
        running(connection.send, bytes(1_000_000)),
        running(lambda: list(connection)),
    ):
        wait_until(lambda: is_held(connection._transport.send_queue.writing))
        peer.sendall(masked(Opcode.TEXT, b"\xff"))
        wait_until(lambda: connection.error)

        data = wait_for_end(peer)
        peer.close()
    message, used = parse_frame(data)
    assert message == Frame(Opcode.BINARY, bytes(1_000_000))
    assert parse_frame(data[used:])[0].payload[:2] == b"\x03\xef"


def test_fail_tells_the_peer_and_does_not_wait_for_its_answer():
    with (
        against_raw(Role.SERVER) as (connection, peer),
        running(connection.fail, "x" * 200, CloseCode.POLICY_VIOLATION),
    ):
        assert read_frame(peer).payload == b"\x03\xf0" + b"x" * 123
        assert wait_for_end(peer) == b""
        peer.close()


def test_a_peer_whose_bytes_are_unread_still_gets_the_close_frame():
    """A socket that is closed with unread bytes sends a reset, which would overtake the close frame."""
    with against_raw(Role.SERVER) as (connection, peer):
        peer.sendall(masked(Opcode.TEXT, b"\xff") + bytes(200_000))
        with running(lambda: list(connection)):
            peer.sendall(bytes(200_000))

            data = wait_for_end(peer)
            peer.close()
        assert parse_frame(data)[0].payload[:2] == b"\x03\xef"


# Before the handshake


def test_a_connection_that_is_closed_before_its_handshake_just_ends():
    with tcp_pair() as (client, server):
        connection = Connection(server, Protocol(Role.SERVER), remote_address=server.getpeername())
        with pytest.raises(TimeoutError):
            connection.receive_event(timeout=0.01)
        connection.close()

        assert wait_for_end(client) == b""
        assert connection.state is State.CLOSED


def test_a_handshake_that_another_thread_has_ended_cannot_be_accepted():
    with tcp_pair() as (client, server):
        connection = Connection(server, Protocol(Role.SERVER), remote_address=server.getpeername())
        client.sendall(build_request("localhost", key="dGhlIHNhbXBsZSBub25jZQ==").serialize())
        connection.receive_event(PATIENCE)
        connection.close()

        with pytest.raises(ConnectionClosed, match="before the handshake was done"):
            connection.accept()


def test_nothing_can_be_sent_before_the_handshake():
    with tcp_pair() as (client, _):
        connection = Connection(client, Protocol(Role.CLIENT), remote_address=client.getpeername())
        with pytest.raises(RuntimeError, match="the opening handshake is not done"):
            connection.send("Hello")
        connection.abort()


def test_no_thread_is_needed_by_a_connection():
    before = threading.active_count()
    with pair() as (client, server):
        client.send("Hello")
        assert server.receive() == "Hello"
        assert threading.active_count() == before


def test_a_masking_key_can_be_given():
    with tcp_pair() as (client, server):
        protocol = Protocol(Role.CLIENT, state=State.OPEN, masking_keys=lambda: MASKING_KEY)
        recording = Recording()
        connection = Connection(client, protocol, remote_address=client.getpeername(), recording=recording)
        connection.send("Hello")

        assert server.recv(100) == bytes.fromhex("8185 37fa213d 7f9f4d5158")  # RFC 6455 §5.7
        assert recording.bytes_sent(1, Direction.CLIENT_TO_SERVER) == bytes.fromhex("8185 37fa213d 7f9f4d5158")
        connection.abort()
