"""Tap: whatever goes in at one end comes out at the other, and every fault does what it says, on real sockets."""

import contextlib
import errno
import http.client
import itertools
import logging
import math
import os
import random
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forks import forked, needs_fork
from support.heads_and_frames import KEY, MASKING_KEY, masked, request
from support.interrupted_lines import interrupted_at_each_line, needs_lines_of_311
from support.raw_peer import RawPeer, address, live_server, wait_for_end
from support.waiting import PATIENCE, running, wait_until, wslab_threads

from wslab import ConnectionClosed, Direction, Frame, HandshakeError, Opcode, ProtocolError, Recording, Tap, connect
from wslab.tap.faults import Action, Fault, chop, cut, delay, flip, silence
from wslab.tap.pump import READ_SIZE
from wslab.tap.waiter import Waiter

pytestmark = pytest.mark.usefixtures("swept")

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def tap_threads() -> set[threading.Thread]:
    return {thread for thread in wslab_threads() if thread.name.startswith("wslab-tap")}


@contextlib.contextmanager
def live_tap(target, **options):
    """A tap that must leave no thread behind when it stops."""
    before = tap_threads()
    try:
        with Tap(target, **options) as tap:
            yield tap
    finally:
        wait_until(lambda: tap_threads() <= before)  # those of a tap behind it end as soon as they have noticed


@contextlib.contextmanager
def tapped_pair(receive_buffer: int = 0, **options):
    """Both ends of a connection through a tap: (client, server, tap)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        with live_tap(address(listener), **options) as tap, RawPeer(tap) as client:
            server, _ = listener.accept()
            with server:
                server.settimeout(PATIENCE)
                yield client.sock, server, tap


def read(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes."""
    data = b""
    while len(data) < size:
        received = sock.recv(size - len(data))
        assert received, f"TCP ended too early, after {len(data)} bytes"
        data += received
    return data


def reset(sock: socket.socket) -> None:
    """End TCP with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def is_silent(sock: socket.socket) -> bool:
    """Whether nothing comes, not even an end, in a time that is a hundred times as long as forwarding takes."""
    sock.settimeout(0.2)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(PATIENCE)
    return False


def flood(sock: socket.socket) -> None:
    """Send until TCP ends."""
    with contextlib.suppress(OSError):
        sock.sendall(bytes(100_000_000))


def fill(sock: socket.socket) -> int:
    """Send until nothing can be sent for a whole second; how much that was."""
    sock.settimeout(1.0)
    sent, chunk = 0, os.urandom(50_000)
    with contextlib.suppress(TimeoutError):
        while True:
            sent += sock.send(chunk)
            assert sent < 1_000_000_000, "the sender never has to wait"
    return sent


def calls(recording: Recording) -> list[tuple[str, str]]:
    return [(call.direction, call.name) for call in recording.calls]


# Waiting


def test_a_tap_asks_nothing_again_and_again_while_nobody_says_anything(monkeypatch):
    waits = []
    wait = Waiter._wait

    def count(waiter, selector, timeout):
        waits.append(timeout)
        return wait(waiter, selector, timeout)

    monkeypatch.setattr(Waiter, "_wait", count)
    with tapped_pair() as (client, server, _tap):
        client.sendall(b"Hello")
        assert read(server, 5) == b"Hello"
        wait_until(lambda: len(waits) == 3)  # both directions for the first byte, and one of them for the next
        assert is_silent(server)
        assert len(waits) == 3


def test_a_connection_on_which_nobody_says_anything_is_ended_on_both_sides(monkeypatch):
    monkeypatch.setattr("wslab.tap.passage.FIRST_BYTE_TIMEOUT", 0.1)
    with tapped_pair() as (client, server, tap):
        assert wait_for_end(client) == wait_for_end(server) == b""
        wait_until(lambda: not tap.connections)
        assert sorted(calls(tap.recording)) == sorted(calls(tap.delivered)) == [(UP, "end"), (DOWN, "end")]


@pytest.mark.parametrize("speaker", [0, 1], ids=["the client", "the server"])
def test_once_one_side_has_said_something_both_may_be_silent_for_longer(monkeypatch, speaker):
    monkeypatch.setattr("wslab.tap.passage.FIRST_BYTE_TIMEOUT", 0.1)
    with tapped_pair() as ends:
        for _ in range(2):
            ends[speaker].sendall(b"Hello")
            assert read(ends[1 - speaker], 5) == b"Hello"
            assert is_silent(ends[speaker])


def test_after_the_idle_timeout_a_connection_is_ended_on_both_sides():
    with tapped_pair(idle_timeout=0.5) as (client, server, _tap):
        client.sendall(b"Hello")
        assert wait_for_end(server) == b"Hello"
        assert wait_for_end(client) == b""


def test_without_an_idle_timeout_a_tap_waits_for_ever():
    with tapped_pair(idle_timeout=None) as (client, server, _tap):
        assert is_silent(client)
        client.sendall(b"Hello")
        assert read(server, 5) == b"Hello"


def test_who_does_not_read_and_is_sent_nothing_else_is_idle_too():
    with tapped_pair(receive_buffer=4096, idle_timeout=0.3) as (client, _server, tap), running(flood, client):
        wait_until(lambda: not tap.connections)


def test_clients_beyond_the_most_connections_wait_until_another_one_has_gone():
    with live_server() as server, live_tap(server, max_connections=2) as tap:
        with RawPeer.upgraded(tap), RawPeer.upgraded(tap) as second, RawPeer(tap) as third:
            third.send(request())
            assert is_silent(third.sock)
            second.sock.close()
            assert third.read_head().status == 101
        with RawPeer.upgraded(tap):
            pass


def test_more_connections_than_a_machine_can_have_cost_no_memory():
    assert Tap("127.0.0.1:1", max_connections=10**6)._free.qsize() == 65536


def test_a_tap_whose_clients_wait_can_be_closed_and_started_again():
    with live_server() as server:
        tap = Tap(server, max_connections=1)
        for _ in range(2):
            with tap, RawPeer.upgraded(tap), RawPeer(tap) as waiting, RawPeer(tap):
                waiting.send(request())
                wait_until(lambda: tap._free.qsize() == 0)
                tap.close()
                assert tap_threads() == set()


def test_by_default_there_are_as_many_connections_as_there_are_files_for(monkeypatch):
    for files, most in ((math.inf, 500), (1024, 231), (100, 1)):
        monkeypatch.setattr("wslab.tap.tap.most_files", lambda files=files: files)
        assert Tap("127.0.0.1:1")._free.qsize() == most


def test_a_client_for_whom_there_is_no_file_left_is_turned_away(monkeypatch, caplog):
    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with live_server() as server, live_tap(server) as tap:
        with monkeypatch.context() as patch:
            patch.setattr("wslab.tap.relay.socket.socketpair", fail)
            with RawPeer(tap) as peer:
                assert peer.read_to_end() == b""
        with RawPeer.upgraded(tap) as peer:
            assert peer.says_goodbye()
    assert "cannot be reached: [Errno 24] Too many open files" in caplog.text


@needs_fork
def test_a_tap_stops_as_ever_while_a_fork_of_its_process_lives_on():
    with live_server() as server, Tap(server) as tap, RawPeer.upgraded(tap) as peer, forked():
        tap.close()
        assert tap_threads() == set()
        assert peer.read_to_end() == b""
        with pytest.raises(ConnectionRefusedError):
            connect(tap.url)


@needs_fork
def test_a_reset_goes_through_although_a_fork_has_the_sockets_too():
    with tapped_pair() as (client, server, tap):
        client.sendall(b"Hello")
        assert read(server, 5) == b"Hello"
        with forked():
            tap.to_server = cut()
            for end in (client, server):
                with pytest.raises(ConnectionResetError):
                    end.recv(1)


@needs_fork
def test_a_fork_that_leaves_the_with_block_of_a_tap_does_not_stop_it():
    with live_server() as server, Tap(server) as tap, connect(tap.url) as connection, forked(tap.close):
        connection.send("Hello")
        assert connection.receive() == "Hello"


# Forwarding and recording


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=3000)), max_size=12))
def test_bytes_of_any_kind_go_both_ways_unchanged_and_are_recorded(pieces):
    with tapped_pair() as (client, server, tap):
        for upwards, data in pieces:
            source, sink = (client, server) if upwards else (server, client)
            source.sendall(data)
            assert read(sink, len(data)) == data

        for recording in (tap.recording, tap.delivered):
            for direction, upwards in ((UP, True), (DOWN, False)):
                assert recording.bytes_sent(1, direction) == b"".join(data for up, data in pieces if up is upwards)


def test_megabytes_go_both_ways_at_the_same_time():
    data = {UP: random.Random(1).randbytes(8_000_000), DOWN: random.Random(2).randbytes(8_000_000)}
    with tapped_pair() as (client, server, tap), ThreadPoolExecutor(2) as threads:
        threads.submit(client.sendall, data[UP])
        threads.submit(server.sendall, data[DOWN])
        with running(lambda: read(client, 8_000_000)):
            assert read(server, 8_000_000) == data[UP]
        wait_until(lambda: tap.delivered.bytes_sent(1, DOWN) == data[DOWN])


def test_a_client_and_an_echo_server_do_not_notice_the_tap():
    recording = Recording(clock=itertools.count().__next__)
    with live_server() as server, live_tap(server, recording=recording) as tap:
        with connect(tap.url) as connection:
            for message in ("Hello", b"\x00\xff", "", "x" * 100_000):
                connection.send(message)
                assert connection.receive() == message
        wait_until(lambda: not tap.connections)

    assert (connection.close_code, connection.error) == (1000, None)
    assert tap.recording is recording
    assert recording.bytes_sent(1, UP).startswith(b"GET / HTTP/1.1\r\n")
    assert recording.bytes_sent(1, DOWN).startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert calls(recording) == [(DOWN, "end"), (UP, "end")]
    times = sorted(entry.time for entry in [*recording.chunks, *recording.calls])
    assert len(set(times)) == len(times)


def test_an_answer_is_never_recorded_before_what_it_answers():
    with live_server() as server, live_tap(server) as tap, connect(tap.url, deflate=False) as connection:
        for number in range(200):
            connection.send(str(number))
            assert connection.receive() == str(number)

        directions = [chunk.direction for chunk in tap.recording.chunks]
        assert directions == [UP, DOWN] * 201


@pytest.mark.parametrize(("first", "direction"), [(0, UP), (1, DOWN)], ids=["client", "server"])
def test_a_half_close_is_passed_on_and_the_other_direction_goes_on(first, direction):
    with tapped_pair() as (*ends, tap):
        early, late = ends[first], ends[1 - first]
        early.sendall(b"all of it")
        early.shutdown(socket.SHUT_WR)
        assert wait_for_end(late) == b"all of it"
        late.sendall(b"the answer" * 1000)
        late.shutdown(socket.SHUT_WR)
        assert wait_for_end(early) == b"the answer" * 1000
        wait_until(lambda: not tap.connections)

        other = DOWN if direction is UP else UP
        assert calls(tap.recording) == calls(tap.delivered) == [(direction, "end"), (other, "end")]


@pytest.mark.parametrize(("first", "direction"), [(0, UP), (1, DOWN)], ids=["client", "server"])
def test_a_reset_is_passed_on_as_a_reset(first, direction):
    with tapped_pair() as (*ends, tap):
        ends[first].sendall(b"x")
        assert read(ends[1 - first], 1) == b"x"
        reset(ends[first])
        with pytest.raises(ConnectionResetError):
            wait_for_end(ends[1 - first])
        wait_until(lambda: not tap.connections)

        assert calls(tap.recording) == calls(tap.delivered) == [(direction, "reset")]


def test_a_reset_after_a_half_close_is_passed_on_when_something_is_sent():
    with tapped_pair() as (client, server, tap):
        client.shutdown(socket.SHUT_WR)
        assert wait_for_end(server) == b""
        client.close()

        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            server.sendall(bytes(100_000_000))
        wait_until(lambda: not tap.connections)


def test_a_server_that_resets_every_connection_at_once_does_so_through_a_tap():
    with socket.create_server(("127.0.0.1", 0)) as listener, live_tap(address(listener)) as tap:
        for _ in range(20):
            with RawPeer(tap) as client:
                reset(listener.accept()[0])
                with pytest.raises(ConnectionResetError):
                    client.read_to_end()
        wait_until(lambda: not tap.connections)
        assert calls(tap.recording) == [(DOWN, "reset")] * 20


def test_a_receiver_that_does_not_read_makes_the_sender_wait_and_loses_nothing():
    with tapped_pair(receive_buffer=8192) as (client, server, tap):
        sent = fill(client)
        recorded = len(tap.recording.bytes_sent(1, UP))
        assert recorded < 64_000_000, "what the tap has read, the operating system must have taken"
        assert recorded - len(tap.delivered.bytes_sent(1, UP)) <= READ_SIZE
        received = 0
        client.shutdown(socket.SHUT_WR)
        while data := server.recv(1_000_000):
            received += len(data)
        assert received == sent


def test_a_hundred_connections_at_once_have_their_own_bytes_and_numbers():
    with live_server() as server, live_tap(server) as tap, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(tap.url)) for _ in range(100)]
        assert len(tap.connections) == 100
        for number, client in enumerate(clients):
            client.send(f"client {number}")
        assert [client.receive() for client in clients] == [f"client {number}" for number in range(100)]

        assert sorted(tap.recording.connections) == list(range(1, 101))
        assert {thread.name for thread in tap_threads()} >= {"wslab-tap-100-to-server", "wslab-tap-100-to-client"}


def test_connections_are_numbered_after_those_that_a_recording_has():
    recording = Recording()
    recording.add(7, UP, b"from an earlier day")
    with live_server() as server, live_tap(server, recording=recording) as tap:
        connect(tap.url).close()

    assert recording.connections == [7, 8]


def test_plain_http_goes_through_with_several_requests_on_one_connection(tmp_path):
    (tmp_path / "page.html").write_bytes(b"<p>Hello</p>" * 10_000)

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server,
        running(server.serve_forever, 0.01),
        live_tap(f"http://127.0.0.1:{server.server_port}") as tap,
    ):
        visitor = http.client.HTTPConnection("127.0.0.1", tap.port, timeout=PATIENCE)
        for path, status in [("/page.html", 200), ("/page.html", 200), ("/nothing", 404)]:
            visitor.request("GET", path)
            response = visitor.getresponse()
            assert (response.status, len(response.read()) > 100) == (status, True)
        visitor.close()
        server.shutdown()

    assert tap.recording.connections == [1]
    assert tap.recording.bytes_sent(1, DOWN).count(b"HTTP/1.1 200 OK\r\n") == 2


def test_without_keep_delivered_only_what_was_sent_is_kept():
    with tapped_pair(keep_delivered=False) as (client, server, tap):
        client.sendall(b"Hello")
        assert read(server, 5) == b"Hello"

        assert tap.delivered is None
        assert tap.recording.bytes_sent(1, UP) == b"Hello"


def test_a_tap_can_stand_before_a_tap():
    with live_server() as server, live_tap(server) as inner, live_tap(inner) as outer:
        with connect(outer.url, key=KEY, masking_key=MASKING_KEY) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"

        for direction in Direction:
            assert inner.recording.bytes_sent(1, direction) == outer.recording.bytes_sent(1, direction)


# Targets, starting and stopping


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("127.0.0.1:8888", "ws://127.0.0.1:{}/"),
        ("localhost:8888", "ws://127.0.0.1:{}/"),
        ("[::1]:8888", "ws://127.0.0.1:{}/"),
        ("ws://localhost/chat?room=1", "ws://127.0.0.1:{}/chat?room=1"),
        ("http://localhost:8888/lab?token=sesame", "http://127.0.0.1:{}/lab?token=sesame"),
        ("HTTP://LOCALHOST:8888", "http://127.0.0.1:{}/"),
    ],
)
def test_the_address_of_a_tap_is_that_of_its_target_with_its_own_port(target, url):
    with live_tap(target) as tap:
        assert tap.url == url.format(tap.port)
        assert "sesame" not in repr(tap)


@pytest.mark.parametrize(
    "target",
    ["localhost", "", ":80", "localhost:", "localhost:x", "localhost:99999", "localhost:0", "wss://localhost:1/",
     "https://localhost:1/?token=sesame", "a b:80", "ws://", "me@localhost:80", "localhost:80#part"],
)  # fmt: skip
def test_a_target_that_is_none_is_refused_with_a_sentence(target):
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+") as refused:
        Tap(target)
    assert "sesame" not in str(refused.value)


def test_a_server_that_has_not_been_started_is_no_target():
    with live_server() as server:
        pass
    assert Tap(server).target.port == server.port
    with pytest.raises(ValueError, match="start the server first"):
        Tap(type(server)())


def test_a_tap_can_be_started_again_on_the_same_port():
    with live_server() as server:
        with live_tap(server) as tap:
            port = tap.port
            assert tap.start() is tap
        tap.close()
        assert "not listening" in repr(tap)
        with tap, connect(tap.url):
            assert tap.port == port
            assert re.fullmatch(rf"<Tap ws://127\.0\.0\.1:{port}/, .* 1 connection>", repr(tap))


def test_a_port_that_is_taken_is_an_oserror_and_leaves_nothing_behind():
    with live_server() as server, pytest.raises(OSError, match="in use"), live_tap(server, port=server.port):
        pass


def test_close_ends_open_connections_of_every_kind_and_leaves_no_thread():
    with live_server() as server, contextlib.ExitStack() as stack:
        with live_tap(server) as tap:
            clients = [stack.enter_context(connect(tap.url)) for _ in range(20)]
            stack.enter_context(RawPeer(tap))
            tap.to_client = silence()
            for client in clients[:10]:
                client.send("an answer that is held up")
            wait_until(lambda: len(tap.recording.chunks) >= 60)
            tap.to_server = delay(1_000_000)
            for client in clients[10:]:
                client.send("a message that is delayed")
        for client in clients:
            with pytest.raises(ConnectionClosed):
                client.receive()
        wait_until(lambda: not server.connections)


def test_close_ends_a_connection_whose_receiver_does_not_read():
    with tapped_pair(receive_buffer=8192) as (client, _, tap), running(flood, client):
        wait_until(lambda: len(tap.recording.bytes_sent(1, UP)) > 500_000)
        tap.close()


def test_a_target_that_is_not_there_gives_the_client_an_orderly_end_and_is_recorded_and_logged(caplog):
    caplog.set_level(logging.WARNING, "wslab")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = address(listener)
    with live_tap(target) as tap:
        with RawPeer(tap) as client:
            client.send(request())
            assert client.read_to_end() == b""
        with pytest.raises(HandshakeError, match="closed the connection without an answer"):
            connect(tap.url)
        wait_until(lambda: not tap.connections)

    assert calls(tap.recording) == [(UP, "unreachable")] * 2
    assert "refused" in tap.recording.calls[0].argument
    assert tap.recording.bytes_sent(1, UP) == request()
    assert f"{target.replace(':', ' port ')} cannot be reached" in caplog.text


def test_threads_print_nothing(capfd):
    with live_server() as server, live_tap(server) as tap:
        with connect(tap.url) as connection:
            connection.send("Hello")
            connection.receive()
        with RawPeer(tap) as client:
            client.send(request()[:10])
            client.reset()
        wait_until(lambda: not tap.connections)
    assert capfd.readouterr() == ("", "")


# Faults


def frames() -> list[Frame]:
    """What the Autobahn suite tries first: every small length, fragments around a ping, every kind of frame."""
    payloads = [Frame(opcode, b"*" * size) for size in (0, 1, 125) for opcode in (Opcode.TEXT, Opcode.BINARY)]
    longer = [Frame(Opcode.BINARY, b"\xfe" * size) for size in (126, 127, 128, 65535, 65536)]
    fragments = [
        Frame(Opcode.TEXT, b"frag", fin=False),
        Frame(Opcode.PING, b"ping payload"),
        Frame(Opcode.CONTINUATION, "ment ☃".encode()),
    ]
    return [*payloads, Frame(Opcode.PING), Frame(Opcode.PING, bytes(range(125))), *longer, *fragments]


def test_frames_of_every_kind_arrive_byte_by_byte_and_are_answered():
    with live_server() as server, live_tap(server, to_server=chop(1)) as tap, RawPeer(tap) as peer:
        peer.send(request())
        assert peer.read_head().status == 101
        sent = frames()
        peer.send(b"".join(masked(frame.opcode, frame.payload, fin=frame.fin) for frame in sent))
        pings = [frame.payload for frame in sent if frame.opcode is Opcode.PING]
        messages = [frame.payload for frame in sent[:-3] if not frame.opcode.is_control] + ["fragment ☃".encode()]
        answers = [peer.read_frame() for _ in (*pings, *messages)]
        assert [frame.payload for frame in answers if frame.opcode is Opcode.PONG] == pings
        assert [frame.payload for frame in answers if frame.opcode is not Opcode.PONG] == messages
        assert peer.says_goodbye()

        assert {len(chunk.data) for chunk in tap.delivered.chunks if chunk.direction is UP} == {1}


def test_chop_with_a_delay_sends_single_bytes_one_after_the_other():
    with tapped_pair(to_client=chop(1) + delay(0.02)) as (client, server, tap):
        server.sendall(b"Hello")
        assert read(client, 5) == b"Hello"
        chunks = tap.delivered.chunks
        assert [chunk.data for chunk in chunks] == [b"H", b"e", b"l", b"l", b"o"]
        assert all(later.time - earlier.time > 0.01 for earlier, later in itertools.pairwise(chunks))


def test_a_fault_of_one_direction_leaves_the_other_alone():
    with tapped_pair(to_client=flip(at=0)) as (client, server, _):
        client.sendall(b"abc")
        assert read(server, 3) == b"abc"
        server.sendall(b"abc")
        assert read(client, 3) == b"`bc"


def test_a_fault_can_be_changed_and_counts_anew_from_the_next_byte():
    with tapped_pair() as (client, server, tap):
        for fault, expected in [(None, b"abc"), (flip(at=1), b"acc"), (None, b"abc"), (flip(at=1), b"acc")]:
            tap.to_server = fault
            assert tap.to_server == fault
            client.sendall(b"abc")
            assert read(server, 3) == expected
        client.sendall(b"abc")
        assert read(server, 3) == b"abc"


@pytest.mark.parametrize("fault", ["abc", chop, 1, [chop(1)], False])
def test_what_is_no_fault_is_refused_at_once(fault):
    with tapped_pair() as (client, server, tap):
        for name in ("to_server", "to_client"):
            with pytest.raises(TypeError, match=r"^a fault is made by wslab\.faults"):
                setattr(tap, name, fault)
            with pytest.raises(TypeError, match=r"^a fault is made by wslab\.faults"):
                Tap("localhost:1", **{name: fault})
        assert (tap.to_server, tap.to_client) == (None, None)
        client.sendall(b"Hello")
        assert server.recv(10) == b"Hello"


def test_what_was_sent_and_what_was_delivered_are_both_there():
    with tapped_pair(to_server=flip(at=4, bits=0b0010_0000)) as (client, server, tap):
        client.sendall(b"Hello")
        assert read(server, 5) == b"HellO"

        assert tap.recording.bytes_sent(1, UP) == b"Hello"
        assert tap.delivered.bytes_sent(1, UP) == b"HellO"


def test_a_flipped_bit_of_a_frame_is_a_protocol_error_at_the_other_end():
    with live_server() as server, live_tap(server) as tap, connect(tap.url) as connection:
        tap.to_client = flip(at=0, bits=0b0010_0000)
        connection.send("Hello")
        with pytest.raises(ProtocolError, match="reserved bit"):
            connection.receive()


def test_a_delay_holds_up_the_end_of_tcp_as_well_as_bytes():
    with tapped_pair(to_server=delay(1.0)) as (client, server, _):
        client.sendall(b"Hello")
        assert is_silent(server)
        assert read(server, 5) == b"Hello"
        client.shutdown(socket.SHUT_WR)
        assert is_silent(server)
        assert wait_for_end(server) == b""


def test_silence_lets_some_bytes_pass_and_then_nothing_not_even_the_end():
    with tapped_pair(to_client=silence(after=3)) as (client, server, tap):
        server.sendall(b"Hello")
        server.shutdown(socket.SHUT_WR)
        assert read(client, 3) == b"Hel"
        assert is_silent(client)
        client.sendall(b"still heard")
        assert read(server, 11) == b"still heard"
        assert tap.delivered.bytes_sent(1, DOWN) == b"Hel"


def test_what_was_held_up_by_silence_arrives_when_it_is_over():
    with tapped_pair(to_server=silence(after=3)) as (client, server, tap):
        client.sendall(b"Hello, ")
        assert read(server, 3) == b"Hel"
        client.sendall(b"World")
        client.shutdown(socket.SHUT_WR)
        assert is_silent(server)
        tap.to_server = None
        assert wait_for_end(server) == b"lo, World"


def test_silence_hides_even_a_reset():
    with tapped_pair(to_client=silence()) as (client, server, _):
        client.sendall(b"a request")
        assert read(server, 9) == b"a request"
        reset(server)
        assert is_silent(client)
        client.sendall(b"nobody is there")
        assert is_silent(client)
        client.sendall(b"and it still does not know")


def test_a_connection_is_half_open_until_the_client_loses_patience():
    with live_server() as server, live_tap(server) as tap, connect(tap.url, timeout=0.2) as connection:
        tap.to_client = silence()
        connection.send("is anybody there?")
        with pytest.raises(TimeoutError):
            connection.receive()
        assert connection.is_open
        assert len(tap.connections) == 1
        connection.close(timeout=0.2)
        assert connection.close_code == 1006
        wait_until(lambda: not server.connections)
        wait_until(lambda: not tap.connections)


def test_silence_makes_a_sender_wait_in_the_end():
    with tapped_pair(to_server=silence()) as (client, _, tap):
        fill(client)
        assert len(tap.recording.bytes_sent(1, UP)) <= READ_SIZE


def test_cut_resets_both_ends_after_so_many_bytes():
    with tapped_pair(to_server=cut(after=3)) as (client, server, tap):
        client.sendall(b"Hello")
        with pytest.raises(ConnectionResetError):
            read(server, 4)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        wait_until(lambda: not tap.connections)

        assert tap.recording.bytes_sent(1, UP) == b"Hello"
        assert tap.delivered.bytes_sent(1, UP) == b"Hel"
        assert calls(tap.delivered) == [(UP, "reset")]


def test_cut_in_good_order_ends_one_direction_and_drops_what_follows():
    with tapped_pair(to_server=cut(after=3, reset=False)) as (client, server, tap):
        client.sendall(b"Hello")
        assert wait_for_end(server) == b"Hel"
        client.sendall(b"to nobody")
        server.sendall(b"an answer")
        assert read(client, 9) == b"an answer"
        server.close()
        assert wait_for_end(client) == b""
        client.close()
        wait_until(lambda: not tap.connections)
        assert calls(tap.delivered) == [(UP, "end"), (DOWN, "end")]


@pytest.mark.parametrize("fault", [cut(), chop(1) + cut()], ids=str)
def test_a_cut_that_is_set_on_an_idle_connection_acts_at_once(fault):
    with live_server() as server, live_tap(server) as tap, connect(tap.url) as connection:
        tap.to_client = fault
        with pytest.raises(ConnectionClosed) as closed:
            connection.receive()
        assert closed.value.code == 1006


def test_the_same_fault_set_again_counts_again():
    fault = flip(at=0)
    with tapped_pair() as (client, server, tap):
        for _ in range(2):
            tap.to_server = fault
            client.sendall(b"aa")
            assert read(server, 2) == b"`a"


def test_a_fault_may_be_changed_in_the_middle_of_one_read():
    with tapped_pair(to_server=chop(1) + delay(1000)) as (client, server, tap):
        client.sendall(b"Hello")
        wait_until(lambda: tap.recording.chunks)
        tap.to_server = chop(2)
        assert read(server, 5) == b"Hello"
        assert {len(chunk.data) for chunk in tap.delivered.chunks} == {2, 1}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_ones_own_that_raises_resets_its_connection_and_leaves_no_thread():
    class Broken(Fault):
        def act(self, data: bytes, position: int) -> Action:
            raise ZeroDivisionError

    with tapped_pair() as (client, server, tap):
        tap.to_server = Broken()
        with pytest.raises(ConnectionResetError):
            client.sendall(b"Hello") or client.recv(1)  # perhaps the reset comes before anything is sent
        with pytest.raises(ConnectionResetError):
            server.recv(1)
        wait_until(lambda: not tap.connections)


def test_faults_that_change_all_the_time_lose_nothing():
    data, over = random.Random(3).randbytes(300_000), threading.Event()

    def change(tap: Tap) -> None:
        for fault in itertools.cycle([chop(100), None, silence(after=500), delay(0.001), chop(7) + chop(3), silence()]):
            tap.to_server = fault
            if over.wait(0.0005):
                return

    with tapped_pair() as (client, server, tap), running(change, tap):
        try:
            with running(client.sendall, data):
                assert read(server, len(data)) == data
        finally:
            over.set()


def test_what_a_tap_has_recorded_is_saved_with_the_addresses_of_both_ends_and_without_secrets(tmp_path):
    with live_server() as server, live_tap(server) as tap:
        with connect(tap.url, headers=[("Cookie", "s3cret")]) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"
            client = connection.local_address
        tap.recording.save(tmp_path / "tapped.pcapng")
    loaded = Recording.load(tmp_path / "tapped.pcapng")

    assert loaded.addresses == {1: (client, ("127.0.0.1", server.port))} == tap.delivered.addresses
    assert loaded.bytes_sent(1, DOWN) == tap.recording.bytes_sent(1, DOWN)
    assert b"Cookie: xxxxxx\r\n" in loaded.bytes_sent(1, UP)


# Interrupts


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # nobody refers to what it has opened
@needs_lines_of_311
def test_an_interrupt_in_any_line_of_start_leaves_a_tap_that_can_be_started_or_closed():
    with live_server() as server:
        for tap in interrupted_at_each_line("acceptor.py", "tap.py", prepare=lambda: Tap(server), act=Tap.start):
            with tap, connect(tap.url) as connection:
                connection.send("Hello")
                assert connection.receive() == "Hello"
            wait_until(lambda: tap_threads() == set())


@needs_lines_of_311
def test_an_interrupt_in_any_line_of_close_leaves_a_tap_that_can_be_closed():
    with live_server() as server, contextlib.ExitStack() as peers:

        def tapped() -> Tap:
            tap = Tap(server).start()
            peers.enter_context(RawPeer.upgraded(tap))
            return tap

        files = "acceptor.py", "relay.py", "fault_settings.py", "tap.py", "threading.py"
        for tap in interrupted_at_each_line(*files, prepare=tapped, act=Tap.close):
            tap.close()
            wait_until(lambda: tap_threads() == set())
            with pytest.raises(ConnectionRefusedError):
                connect(tap.url)
