"""EchoServer: what a handler may do, what stops a server and what does not, and what every client is told."""

import contextlib
import gc
import logging
import os
import socket
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import ClassVar

import psutil
import pytest
from support.forks import forked, needs_fork
from support.heads_and_frames import close_frame, masked, request, text
from support.raw_peer import Answer, RawPeer, live_server
from support.waiting import PATIENCE, is_held, running, wait_until, wslab_threads

from wslab import (
    CloseCode,
    Codec,
    Connection,
    ConnectionClosed,
    EchoServer,
    Frame,
    HandshakeError,
    Headers,
    Limits,
    Opcode,
    PartError,
    PermessageDeflate,
    ProtocolError,
    Recording,
    Response,
    connect,
    echo,
)
from wslab.sockets import files
from wslab.sockets.server import echo_one_by_one

GOING_AWAY = close_frame(1001, "the server is stopping")


def closed_with(connection) -> tuple[int, str]:
    """Read to the end; the close code and reason that the connection ended with."""
    list(connection)
    return connection.close_code, connection.close_reason


# The echo


MESSAGES = {
    "a text": "Hello",
    "an empty text": "",
    "a long text": "é€😀" * 1000,
    "bytes": b"\x00\xff",
    "no bytes": b"",
    "random bytes": os.urandom(70_000),
    "1 MiB of bytes": bytes(1024 * 1024),
    "1 MiB of text": "x" * 1024 * 1024,
}


@pytest.mark.parametrize("deflate", [True, False], ids=["deflated", "plain"])
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_every_message_comes_back_as_it_went(message, deflate):
    with live_server() as server, connect(server.url, deflate=deflate) as connection:
        connection.send(message)
        assert connection.receive() == message


@pytest.mark.parametrize("deflate", [True, False], ids=["deflated", "plain"])
def test_a_message_of_exactly_the_limit_comes_back_and_one_byte_more_is_1009(deflate):
    limits = Limits(max_size=1000)
    with live_server(limits=limits, deflate=deflate) as server, connect(server.url) as connection:
        connection.send(bytes(1000))
        assert connection.receive() == bytes(1000)

        connection.send(bytes(1001))
        assert closed_with(connection)[0] == 1009


@pytest.mark.parametrize("handler", [echo, echo_one_by_one])
def test_the_plain_loop_and_the_fast_one_send_the_same(handler):
    sent = text("one") + masked(Opcode.PING, b"?") + masked(Opcode.BINARY, b"two") + masked(Opcode.CLOSE, b"\x0f\xa0")
    with live_server(handler=handler) as server, RawPeer.upgraded(server) as peer:
        peer.send(sent)

        assert sorted(peer.read_frames_to_end(), key=lambda frame: frame.opcode) == [
            Frame(Opcode.TEXT, b"one"),
            Frame(Opcode.BINARY, b"two"),
            close_frame(4000),
            Frame(Opcode.PONG, b"?"),
        ]


def test_many_clients_are_served_at_the_same_time():
    with live_server() as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(server.url)) for _ in range(50)]
        assert len(server.connections) == 50
        for number, client in enumerate(clients):
            client.send(str(number))
        assert [client.receive() for client in clients] == [str(number) for number in range(50)]


def test_a_server_agrees_to_a_subprotocol_and_to_its_wishes_for_deflate():
    wish = PermessageDeflate(server_no_context_takeover=True)
    with (
        live_server(subprotocols=["chat"], deflate=wish) as server,
        connect(server.url, subprotocols=["soap", "chat"]) as connection,
    ):
        assert connection.subprotocol == "chat"
        assert (
            connection.response.headers["Sec-WebSocket-Extensions"] == "permessage-deflate; server_no_context_takeover"
        )
        for _ in range(2):
            connection.send("Hello")
            assert connection.receive() == "Hello"


@pytest.mark.parametrize("option", [{"subprotocols": "chat"}, {"origins": "http://localhost:8888"}])
def test_one_name_where_a_list_is_meant_is_refused(option):
    with pytest.raises(TypeError, match="lists"):
        EchoServer(**option)


def test_a_server_without_deflate_declines_it():
    with live_server(deflate=False) as server, connect(server.url) as connection:
        assert "Sec-WebSocket-Extensions" not in connection.response.headers
        connection.send("Hello")
        assert connection.receive() == "Hello"


# Handlers


def test_a_handler_sees_the_request_the_subprotocol_and_the_addresses():
    def handler(connection):
        request = connection.request
        connection.send(f"{request.target} {request.headers['X-Name']} {connection.subprotocol} {connection.number}")
        connection.send(f"{connection.remote_address[1]} {connection.local_address[1]}")

    with (
        live_server(handler=handler, subprotocols=["chat"]) as server,
        connect(f"{server.url}room?n=1", headers=[("X-Name", "Ada")], subprotocols=["chat"]) as connection,
    ):
        assert connection.receive() == "/room?n=1 Ada chat 1"
        assert connection.receive() == f"{connection.local_address[1]} {server.port}"


def test_a_handler_that_returns_closes_with_1000():
    with live_server(handler=lambda connection: None) as server, connect(server.url) as connection:
        assert closed_with(connection) == (1000, "")


def test_a_handler_may_close_with_a_code_of_its_own():
    def handler(connection):
        connection.close(4000, "enough")

    with live_server(handler=handler) as server, connect(server.url) as connection:
        assert closed_with(connection) == (4000, "enough")


@pytest.mark.parametrize("kind", [ZeroDivisionError, SystemExit])
def test_a_handler_that_raises_closes_with_1011_and_its_traceback_is_in_the_log(kind, caplog):
    def handler(connection):
        if connection.receive() == "break":
            raise kind("secret detail")
        connection.send("fine")

    with live_server(handler=handler) as server, connect(server.url) as other:
        with connect(server.url) as connection:
            connection.send("break")
            assert closed_with(connection) == (1011, f"{kind.__name__} in the handler")
        other.send("go on")
        assert other.receive() == "fine"

    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.name == "wslab"
    assert "secret detail" in caplog.text
    assert ", in handler\n" in caplog.text


def test_an_exception_with_a_very_long_name_fits_into_a_close_frame():
    def handler(connection):
        raise type("Ü" * 200, (Exception,), {})

    with live_server(handler=handler) as server, connect(server.url) as connection:
        assert closed_with(connection) == (1011, "Ü" * 27 + " in the handler")


def test_a_handler_that_fails_over_another_connection_is_told_apart_from_one_whose_own_has_ended(caplog):
    def handler(connection):
        connection.receive()
        other = server.connections[0]
        other.abort()
        other.send("Hello")

    with live_server(handler=handler) as server, connect(server.url), connect(server.url) as second:
        second.send("go")
        assert closed_with(second) == (1011, "ConnectionClosed in the handler")
    assert "the handler failed" in caplog.text


@pytest.mark.parametrize("end", [b"", text("go"), masked(Opcode.CLOSE, b"\x03\xe8"), b"\xff\xff"], ids=repr)
def test_a_handler_whose_connection_ends_under_its_hands_needs_no_try(end, caplog):
    done = threading.Event()

    def handler(connection):
        try:
            while True:
                connection.receive()
        finally:
            done.set()

    with live_server(handler=handler) as server:
        with RawPeer.upgraded(server) as peer:
            peer.send(end)
        assert done.wait(PATIENCE)
        wait_until(lambda: not server.connections)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_handlers_may_send_to_all_connections():
    def broadcast(connection):
        for message in connection:
            for other in server.connections:
                other.send(message)

    with live_server(handler=broadcast) as server, connect(server.url) as one, connect(server.url) as two:
        wait_until(lambda: [c.is_open for c in server.connections] == [True, True])
        one.send("from one")
        assert (one.receive(), two.receive()) == ("from one", "from one")
        two.send("from two")
        assert (one.receive(), two.receive()) == ("from two", "from two")


def test_a_thread_that_outlives_its_handler_is_told_that_the_connection_is_closed():
    outcome = ThreadPoolExecutor(1)
    results = []

    def handler(connection):
        results.append(outcome.submit(connection.receive))
        wait_until(lambda: connection._transport.stream.waits)

    with outcome, live_server(handler=handler) as server, connect(server.url) as connection:
        assert closed_with(connection)[0] == 1000
        with pytest.raises(ConnectionClosed):
            results[0].result(PATIENCE)


# Starting and stopping


def test_a_server_listens_on_loopback_on_a_free_port_and_says_where():
    server = EchoServer()
    assert repr(server) == "<EchoServer ws://127.0.0.1:0/, not listening>"
    with server:
        assert server.host == "127.0.0.1"
        assert server.url == f"ws://127.0.0.1:{server.port}/"
        with connect(server.url):
            assert repr(server) == f"<EchoServer {server.url}, 1 connection>"
            assert [connection.number for connection in server.connections] == [1]
    assert repr(server) == f"<EchoServer {server.url}, not listening>"


def test_stopping_tells_every_client_1001_and_leaves_no_thread():
    with contextlib.ExitStack() as stack, EchoServer() as server:
        clients = [stack.enter_context(RawPeer.upgraded(server)) for _ in range(20)]
        with running(lambda: [answer_close(client) for client in clients]) as answering:
            server.close()
            assert wslab_threads() == set()
            assert server.connections == []
            answering.join(PATIENCE)


def answer_close(peer: RawPeer) -> None:
    assert peer.read_frame() == GOING_AWAY
    peer.send(masked(Opcode.CLOSE, b"\x03\xe9"))
    assert peer.read_to_end() == b""
    peer.sock.shutdown(socket.SHUT_WR)
    peer.sock.close()


def test_a_client_whose_handler_does_not_receive_is_told_too_and_its_answer_is_awaited(monkeypatch):
    monkeypatch.setattr("wslab.sockets.server.STOP_TIMEOUT", PATIENCE)
    over = threading.Event()
    server = EchoServer(handler=lambda connection: over.wait(PATIENCE), limits=Limits(close_timeout=PATIENCE)).start()
    with RawPeer.upgraded(server) as peer, running(server.close):
        answer_close(peer)
        over.set()
    assert wslab_threads() == set()


def refuse_closers(monkeypatch) -> threading.Event:
    """Let the system have no thread for an EchoServer that closes; the event tells that it was asked for one.

    The server gives its clients as much time as a test has, not four seconds.
    """
    asked, start = threading.Event(), threading.Thread.start

    def start_no_closer(thread):
        if thread.name == "wslab-close":
            asked.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_no_closer)
    monkeypatch.setattr("wslab.sockets.server.STOP_TIMEOUT", PATIENCE)
    return asked


def test_where_no_more_threads_can_be_had_every_client_is_told_nevertheless(monkeypatch):
    over = threading.Event()
    refuse_closers(monkeypatch)
    server = EchoServer(handler=lambda connection: over.wait(PATIENCE), limits=Limits(close_timeout=PATIENCE)).start()
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(RawPeer.upgraded(server)) for _ in range(3)]
        stack.enter_context(running(server.close))
        assert [peer.read_frame() for peer in peers] == [GOING_AWAY] * 3
        for peer in peers:
            peer.sock.close()
        over.set()
    assert wslab_threads() == set()


def test_where_no_more_threads_can_be_had_a_message_that_is_being_written_still_arrives(monkeypatch):
    message = bytes(4 * 1024 * 1024)
    asked = refuse_closers(monkeypatch)
    limits = Limits(close_timeout=PATIENCE)
    server = EchoServer(handler=lambda connection: connection.send(message), limits=limits).start()
    with RawPeer.upgraded(server, receive_buffer=64 * 1024) as peer, running(server.close):
        assert asked.wait(PATIENCE)
        assert [peer.read_frame(), peer.read_frame()] == [Frame(Opcode.BINARY, message), GOING_AWAY]
        peer.sock.close()


def test_stopping_with_another_code_and_reason():
    server = EchoServer().start()
    with connect(server.url) as connection, running(server.close, CloseCode.SERVICE_RESTART, "back soon"):
        assert closed_with(connection) == (1012, "back soon")


def test_a_client_in_mid_message_is_told_too():
    server = EchoServer().start()
    with RawPeer.upgraded(server) as peer:
        peer.send(text("Hello" * 20)[:50])
        with running(server.close):
            assert peer.read_frame() == GOING_AWAY
            peer.sock.close()
    assert wslab_threads() == set()


def test_clients_that_do_not_answer_do_not_hold_up_the_stop():
    with contextlib.ExitStack() as stack:
        with live_server(limits=Limits(close_timeout=0.2)) as server:
            peers = [stack.enter_context(RawPeer.upgraded(server)) for _ in range(10)]
        for peer in peers:
            assert peer.read_frames_to_end() == [GOING_AWAY]


def test_clients_that_answer_and_do_not_end_tcp_do_not_hold_up_the_stop(monkeypatch):
    monkeypatch.setattr("wslab.sockets.server.STOP_TIMEOUT", 0.3)
    with contextlib.ExitStack() as stack:
        with live_server() as server:
            peer = stack.enter_context(RawPeer.upgraded(server))
            with running(server.close):
                assert peer.read_frame() == GOING_AWAY
                peer.send(masked(Opcode.CLOSE, b"\x03\xe9"))
        assert peer.read_to_end() == b""


def test_a_client_that_does_not_read_does_not_hold_up_the_stop():
    flooded = threading.Event()

    def flood(connection):
        flooded.set()
        while True:
            connection.send(bytes(1_000_000))

    with live_server(handler=flood, limits=Limits(close_timeout=0.2)) as server, RawPeer.upgraded(server):
        assert flooded.wait(PATIENCE)
        wait_until(lambda: is_held(server.connections[0]._transport.send_queue.writing))


@pytest.mark.parametrize("sent", [b"", request()[:30], request("POST / HTTP/1.1")], ids=["nothing", "half", "refused"])
def test_stopping_while_a_handshake_is_under_way(sent):
    with contextlib.ExitStack() as stack:
        with live_server(limits=Limits(close_timeout=0.2)) as server:
            peer = stack.enter_context(RawPeer(server))
            peer.send(sent)
            wait_until(lambda: server.connections)
        answer = peer.read_to_end()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 405")


def test_stopping_just_before_a_handshake_is_accepted(caplog):
    checking, stopped = threading.Event(), threading.Event()

    def check_request(request):
        checking.set()
        assert stopped.wait(PATIENCE)

    codec, limits = Codec(check_request=check_request), Limits(close_timeout=0.2)
    with EchoServer(codec=codec, limits=limits) as server, RawPeer(server) as peer:
        peer.send(request())
        assert checking.wait(PATIENCE)
        with running(server.close):
            wait_until(lambda: "wslab-accept" not in {thread.name for thread in wslab_threads()})
            stopped.set()
        assert peer.read_to_end()[:13] in (b"", b"HTTP/1.1 101 ")
    assert wslab_threads() == set()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_handler_may_stop_its_server(caplog):
    def handler(connection):
        connection.receive()
        server.close()

    with live_server(handler=handler) as server, connect(server.url) as one, connect(server.url) as two:
        with running(lambda: list(one)):
            two.send("stop")
            assert closed_with(two) == (1001, "the server is stopping")
        assert one.close_code == 1001
        wait_until(lambda: wslab_threads() == set())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_stopping_twice_at_the_same_time_and_again():
    server = EchoServer().start()
    with connect(server.url) as connection, running(server.close), running(server.close):
        assert closed_with(connection)[0] == 1001
    server.close()
    assert wslab_threads() == set()


def test_a_server_that_never_started_can_be_closed():
    EchoServer().close()


def test_starting_twice_is_starting_once():
    with EchoServer().start() as server:
        assert server.start() is server
        assert [thread.name for thread in wslab_threads()] == ["wslab-accept"]
        with connect(server.url) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"


def test_a_server_can_be_started_again_and_keeps_its_port():
    server = EchoServer()
    for number in (1, 2, 3):
        with server, connect(server.url) as connection:
            assert [c.number for c in server.connections] == [number]
            connection.send("Hello")
            assert connection.receive() == "Hello"
            url = server.url
    assert server.url == url


def test_a_port_in_use_is_an_oserror_and_leaves_nothing_behind():
    with EchoServer() as first:
        second = EchoServer(port=first.port)
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            second.start()
        second.close()
        assert [thread.name for thread in wslab_threads()] == ["wslab-accept"]


def test_a_stopped_server_refuses_connections():
    with EchoServer() as server:
        pass
    with pytest.raises(ConnectionRefusedError):
        connect(server.url)


def test_an_exception_in_the_with_block_is_raised_and_the_server_stops():
    with pytest.raises(ZeroDivisionError), EchoServer() as server, connect(server.url):
        raise ZeroDivisionError
    assert wslab_threads() == set()


def test_a_handler_that_never_ends_is_reported_and_does_not_hold_up_the_stop_for_ever(monkeypatch, caplog):
    monkeypatch.setattr("wslab.sockets.server.STOP_TIMEOUT", 0.2)
    release = threading.Event()
    with (
        EchoServer(handler=lambda connection: release.wait(PATIENCE)) as server,
        connect(server.url) as connection,
        running(lambda: list(connection)),
    ):
        server.close()
    assert "1 handlers are still running after the server has closed" in caplog.text
    release.set()
    wait_until(lambda: wslab_threads() == set())


def test_the_threads_of_a_crowd_have_a_second_after_it_was_ended_by_force(monkeypatch):
    now, deadlines = [100.0], []

    class SlowToEnd(Connection):
        def abort(self) -> None:
            super().abort()
            now[0] = 105.0

    with EchoServer() as server, RawPeer.upgraded(server):
        with monkeypatch.context() as patch:
            patch.setattr("wslab.sockets.server.time", SimpleNamespace(monotonic=lambda: now[0]))
            patch.setattr("wslab.sockets.server._join", lambda _, deadline: deadlines.append(deadline))
            server.connections[0].__class__ = SlowToEnd
            server.close()
        assert deadlines == [103.0, 106.0]
    wait_until(lambda: wslab_threads() == set())


def test_serve_forever_serves_until_the_server_is_closed():
    server = EchoServer().start()
    with running(server.serve_forever):
        with connect(server.url) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"
        server.close()


@needs_fork
def test_a_server_stops_as_ever_while_a_fork_of_its_process_lives_on():
    server = EchoServer().start()
    with RawPeer.upgraded(server) as peer, forked():
        with running(answer_close, peer):
            server.close()
        assert wslab_threads() == set()
        with pytest.raises(ConnectionRefusedError):
            connect(server.url)


@needs_fork
def test_a_fork_that_leaves_the_with_block_of_a_server_does_not_stop_it():
    with live_server() as server, connect(server.url) as connection, forked(server.close):
        connection.send("Hello")
        assert connection.receive() == "Hello"


@needs_fork
def test_a_fork_that_leaves_the_with_block_of_a_client_does_not_close_it():
    with (
        live_server() as server,
        connect(server.url) as connection,
        forked(lambda: connection.__exit__(None, None, None)),
    ):
        connection.send("Hello")
        assert connection.receive() == "Hello"


def test_small_messages_are_not_held_back_by_nagle():
    with live_server() as server, connect(server.url) as connection:
        for end in [connection, *server.connections]:
            assert end._transport.stream._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# Limits


def test_a_silent_client_is_told_1001():
    with live_server(limits=Limits(idle_timeout=0.1)) as server, connect(server.url) as connection:
        assert closed_with(connection) == (1001, "idle for 0.1 s")


def test_the_close_timeout_of_a_server_is_how_long_it_waits_for_the_end_of_tcp():
    short, long = Limits(close_timeout=0.1), Limits(close_timeout=3 * PATIENCE)
    with (
        live_server(limits=short) as hasty,
        live_server(limits=long) as patient,
        RawPeer.upgraded(patient) as first,
        RawPeer.upgraded(hasty) as second,
    ):
        for peer in (first, second):
            peer.send(b"\xff\xff")
            assert peer.read_frame().opcode is Opcode.CLOSE
        wait_until(lambda: not hasty.connections)
        assert len(patient.connections) == 1


def test_a_client_that_does_not_read_is_left_after_the_send_timeout_and_others_are_served():
    with live_server(limits=Limits(send_timeout=0.2)) as server, RawPeer.upgraded(server, receive_buffer=4096) as deaf:
        wait_until(lambda: len(server.connections) == 1)
        (its_connection,) = server.connections
        with running(send_until_it_is_left, deaf), connect(server.url) as other:
            while its_connection in server.connections:
                other.send("Hello")
                assert other.receive() == "Hello"
        assert its_connection.close_code == 1006


def send_until_it_is_left(peer: RawPeer) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            peer.send(masked(Opcode.BINARY, bytes(500_000)))


def test_the_thread_that_accepts_opens_no_file_of_its_own_which_it_could_lack():
    gc.collect()
    before = open_files()
    with live_server() as server:
        connect(server.url).close()
        wait_until(lambda: not server.connections)
        assert open_files() - before == 3  # what listens, and a pair of sockets to wake it


def open_files() -> int:
    process = psutil.Process()
    return process.num_fds() if hasattr(process, "num_fds") else pytest.skip("Windows counts handles of all kinds")


def test_without_file_descriptors_the_server_waits_for_better_times(caplog):
    resource = files.resource or pytest.skip("needs the limit on open files, which Windows does not have")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with live_server() as server, socket.socket() as late, contextlib.ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    opened.enter_context(open(os.devnull))
            late.connect((server.host, server.port))
            wait_until(lambda: "a connection could not be accepted" in caplog.text)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            opened.close()
        late.settimeout(PATIENCE)
        late.sendall(request())
        assert late.recv(100).startswith(b"HTTP/1.1 101")
    assert len(caplog.records) < 100


def test_the_client_for_whom_there_is_no_file_left_is_told_503_and_others_are_served_again_when_some_have_gone():
    resource = files.resource or pytest.skip("needs the limit on open files, which Windows does not have")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with live_server(limits=Limits(close_timeout=0.2)) as server, contextlib.ExitStack() as peers:
        most = 100
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        try:
            while True:
                peer = peers.enter_context(RawPeer(server))
                peer.send(request())
                if (answer := peer.read_head()).status != 101:
                    break
            assert answer.status == 503
            assert (
                f"This server has its {len(server.connections) - 1} connections already" in peer.read_to_end().decode()
            )
            with open(os.devnull):  # the process can still open a file
                peers.close()
            wait_until(lambda: not server.connections)
            with RawPeer.upgraded(server) as late:
                assert late.says_goodbye()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_log_does_not_tell_the_token_in_an_address(caplog):
    caplog.set_level(logging.INFO, "wslab")
    with live_server(origins=[]) as server, pytest.raises(HandshakeError, match="403"):
        connect(f"{server.url}?token=sesame")

    assert "refused /?token=[redacted] with 403" in caplog.text
    assert "sesame" not in caplog.text


# Pages


def teapot(connection):
    if connection.request.target == "/tea":
        return Response(418, "I'm a Teapot", Headers((("Content-Length", "0"),)))
    return None


def test_a_page_answers_the_requests_that_it_wants_and_no_others():
    with live_server() as server:
        server.pages.append(teapot)
        with RawPeer(server) as peer:
            peer.send(request("GET /tea HTTP/1.1"))
            assert Answer.from_bytes(peer.read_to_end()).status == 418
        with RawPeer.upgraded(server) as peer:
            assert peer.says_goodbye()


def test_a_page_may_refuse_as_a_handshake_is_refused():
    def refuse(connection):
        raise HandshakeError("no tea today", 403)

    with live_server() as server:
        server.pages.append(refuse)
        with RawPeer(server) as peer:
            peer.send(request())
            answer = Answer.from_bytes(peer.read_to_end())
    assert (answer.status, answer.body) == (403, b"No tea today.\n")


def test_a_server_says_whether_it_listens():
    server = EchoServer()
    assert not server.is_listening
    with server:
        assert server.is_listening
    assert not server.is_listening


# Parts of the codec that a learner has built


class LearnerError(Exception):
    """What a learner's unfinished function raises."""


def my_unfinished_function(*arguments, **options):
    raise LearnerError("not written yet")


def everything_with(server) -> list[object]:
    """What a client sees that does a handshake, sends a compressed message and closes."""
    try:
        with connect(server.url) as connection:
            connection.send("Hello")
            try:
                return [connection.receive()]
            except (ConnectionClosed, ProtocolError) as error:
                return [error.code, error.reason]
    except HandshakeError as error:
        return [error.status, error.reason]


@contextlib.contextmanager
def learners_server(error: type[Exception], match: str | None = None, **parts: object):
    """A live server with these parts, which must raise the error of one of them when it stops, traceback and all."""
    server = EchoServer(codec=Codec(**parts)).start()
    try:
        yield server
    finally:
        with pytest.raises(error, match=match) as caught:
            server.close()
        assert wslab_threads() == set()
    if my_unfinished_function in parts.values():
        assert "my_unfinished_function" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["parse_request", "check_request", "accept_key", "build_response"])
def test_a_part_of_the_handshake_that_raises_is_a_500_and_raised_again_at_the_end(name):
    with learners_server(LearnerError, **{name: my_unfinished_function}) as server:
        for _ in range(2):
            status, reason = everything_with(server)
            assert status == 500
            assert f"{name} raised LearnerError: not written yet" in reason


@pytest.mark.parametrize("name", ["parse_frame", "apply_mask", "inflate", "deflate"])
def test_a_part_that_raises_later_is_a_1011_and_raised_again_at_the_end(name):
    with learners_server(LearnerError, **{name: my_unfinished_function}) as server:
        for _ in range(2):
            assert everything_with(server) == [1011, f"{name} raised LearnerError: not written yet"]


def test_a_part_that_raises_on_a_frame_that_is_not_all_there():
    with (
        learners_server(LearnerError, parse_header=my_unfinished_function) as server,
        RawPeer.upgraded(server) as peer,
    ):
        peer.send(text("Hello")[:3])
        assert peer.read_frame() == close_frame(1011, "parse_header raised LearnerError: not written yet")


def test_a_serializer_that_raises_cannot_even_say_so_and_the_connection_ends():
    with learners_server(LearnerError, serialize_frame=my_unfinished_function) as server:
        assert everything_with(server)[0] == 1006


def test_a_serializer_that_raises_on_close_frames_when_the_server_stops():
    def serialize_frame(frame, masking_key):
        if frame.opcode is Opcode.CLOSE:
            raise LearnerError
        return b"\x81\x02hi"

    with learners_server(LearnerError, serialize_frame=serialize_frame) as server:
        connection = connect(server.url)
        connection.send("Hello")
        assert connection.receive() == "hi"
    assert closed_with(connection)[0] == 1006


def test_a_parser_that_reports_no_bytes_used_gets_a_plain_message_and_no_endless_loop():
    message = "parse_frame returned a value but reports 0 bytes used: it would find it for ever"
    with learners_server(PartError, message, parse_frame=lambda data: (Frame(Opcode.TEXT, b"x"), 0)) as server:
        assert everything_with(server) == [1011, message]


def test_what_a_part_returns_wrongly_is_said_to_the_client_and_to_the_learner():
    message = "accept_key must return str; it returned None"
    with learners_server(PartError, message, accept_key=lambda key: None) as server:
        status, reason = everything_with(server)
        assert status == 500
        assert message in reason


def test_a_fault_that_a_part_finds_is_told_to_the_peer_and_is_no_failure_of_the_part():
    def parse_frame(data):
        raise ProtocolError("I do not like it", 4000)

    with live_server(codec=Codec(parse_frame=parse_frame)) as server:
        assert everything_with(server) == [4000, "I do not like it"]


def test_messages_before_the_failure_of_a_part_are_served():
    def picky_mask(data, key):
        if data == b"three":
            raise LearnerError
        return data

    with learners_server(LearnerError, apply_mask=picky_mask) as server, RawPeer.upgraded(server) as peer:
        peer.send(b"".join(bytes((0x81, 0x80 | len(word), *bytes(4))) + word for word in (b"one", b"two", b"three")))

        *echoes, close = peer.read_frames_to_end()
        assert [echo.payload for echo in echoes] == [b"one", b"two"]
        assert close == close_frame(1011, "apply_mask raised LearnerError: ")


def test_only_the_first_failure_is_raised_and_a_server_that_starts_again_has_forgotten_it():
    failures = iter([LearnerError("first"), LearnerError("second")])

    def accept_key(key):
        raise next(failures)

    server = EchoServer(codec=Codec(accept_key=accept_key)).start()
    for _ in range(2):
        assert everything_with(server)[0] == 500
    with pytest.raises(LearnerError, match="first"):
        server.close()
    with server:
        pass


def test_the_failure_of_a_part_and_what_the_with_block_raised_are_both_shown():
    with pytest.raises(LearnerError) as caught, live_server(codec=Codec(accept_key=my_unfinished_function)) as server:
        connect(server.url)

    shown = "".join(traceback.format_exception(caught.value))
    assert "HandshakeError: 500" in shown
    assert "LearnerError: not written yet" in shown


def test_a_replaced_part_is_used_for_every_connection_and_every_frame():
    recording = Recording()
    shouting = Codec(
        serialize_frame=lambda frame, key: b"\x81\x05HELLO" if frame.opcode is Opcode.TEXT else b"\x88\x00"
    )
    with live_server(codec=shouting, recording=recording) as server:
        for _ in range(2):
            with connect(server.url) as connection:
                connection.send("Hello")
                assert connection.receive() == "HELLO"


# Addresses


def test_an_ipv6_server():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback address (::1): {error}")
    with live_server(host="::1") as server:
        assert server.url == f"ws://[::1]:{server.port}/"
        with connect(server.url) as connection:
            assert connection.request.headers["Host"] == f"[::1]:{server.port}"
            assert connection.remote_address == ("::1", server.port)
            connection.send("Hello")
            assert connection.receive() == "Hello"


def test_a_server_on_a_name():
    with live_server(host="localhost") as server, connect(server.url) as connection:
        assert server.url == f"ws://localhost:{server.port}/"
        connection.send("Hello")
        assert connection.receive() == "Hello"


def test_a_host_that_is_not_ours_is_an_oserror():
    with pytest.raises(OSError, match=r"assign|valid"):
        EchoServer("192.0.2.1").start()  # RFC 5737: an address for documentation
    assert wslab_threads() == set()


def test_of_what_a_part_raises_again_and_again_only_the_first_is_kept():
    class Counted(LearnerError):
        raised: ClassVar[list[weakref.ref]] = []

        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.raised.append(weakref.ref(self))

    def fails(key):
        raise Counted(f"number {len(Counted.raised)}")

    with learners_server(Counted, "number 0", accept_key=fails) as server:
        for _ in range(5):
            everything_with(server)
        wait_until(lambda: not server.connections)
        gc.collect()
        assert [reference() is not None for reference in Counted.raised] == [True, False, False, False, False]
