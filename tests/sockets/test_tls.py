"""wss://, both sides: WebSocket over TLS, with certificates of an authority that lives as long as the tests."""

import contextlib
import logging
import socket
import ssl

import pytest
import trustme
from support.heads_and_frames import masked, request, text
from support.raw_peer import RawPeer, live_server, tiny_server, wait_for_end
from support.waiting import PATIENCE, running, wait_until

from wslab import Frame, Limits, Opcode, Recording, connect
from wslab.sockets.stream import RECORD_SIZE, stream_of

HEADER = 5  # bytes of a record of TLS; its tag is longer, and nothing here depends on it


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def for_server(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def for_client(authority):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def server(for_server):
    with live_server(ssl=for_server, limits=Limits(handshake_timeout=PATIENCE, close_timeout=1.0)) as server:
        yield server


def test_an_echo_over_tls(server, for_client):
    assert server.url == f"wss://127.0.0.1:{server.port}/"
    with connect(server.url, ssl=for_client) as connection:
        for message in ["Hello", b"\x00\xff", "", bytes(1024 * 1024), "é" * 500_000]:
            connection.send(message)
            assert connection.receive() == message


def test_a_name_in_the_address_is_checked_against_the_certificate(server, for_client):
    with connect(f"wss://localhost:{server.port}/", ssl=for_client) as connection:
        connection.send("Hello")
        assert connection.receive() == "Hello"


def test_a_client_names_the_host_in_the_tls_handshake(authority, for_client):
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.sni_callback = lambda sock, name, context: names.append(name)

    with live_server(ssl=context) as server, connect(f"wss://localhost:{server.port}/", ssl=for_client):
        assert names == ["localhost"]


def test_a_certificate_of_another_name_is_refused(authority, for_client):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    with live_server(ssl=context) as server, pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        connect(server.url, ssl=for_client)


def test_an_untrusted_certificate_is_refused_by_default_and_the_log_says_why(server, caplog):
    caplog.set_level(logging.INFO, "wslab")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        connect(server.url)
    wait_until(lambda: not server.connections)

    assert "ended before its handshake did" in caplog.text
    assert "alert unknown ca" in caplog.text.lower().replace("_", " ")


def test_what_is_recorded_is_what_tls_carries_and_not_what_is_on_the_wire(for_server, for_client):
    recording = Recording()
    with live_server(ssl=for_server, recording=recording) as server, connect(server.url, ssl=for_client) as connection:
        connection.send("Hello")
        connection.receive()

    assert recording.chunks[0].data.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("closer", ["client", "server"])
def test_either_side_closes_in_good_order(for_server, for_client, closer):
    codes = []

    def handler(connection):
        if closer == "server":
            connection.close(4001, "bye")
        list(connection)
        codes.append(connection.close_code)

    with live_server(handler=handler, ssl=for_server) as server, connect(server.url, ssl=for_client) as connection:
        if closer == "client":
            connection.close(4001, "bye")
        assert list(connection) == []
        assert connection.close_code == 4001
    assert codes == [4001]


def test_the_server_ends_tls_with_a_close_notify(server, for_client):
    strict = for_client.wrap_socket(
        socket.create_connection((server.host, server.port), PATIENCE),
        server_hostname=server.host,
        suppress_ragged_eofs=False,
    )
    with strict:
        strict.sendall(request() + text("Hello") + masked(Opcode.CLOSE, b"\x03\xe8"))
        data = wait_for_end(strict)
    assert data.partition(b"\r\n\r\n")[2] == b"\x81\x05Hello\x88\x02\x03\xe8"


def test_what_arrives_behind_a_fault_does_not_hide_the_close_frame(server, for_client):
    with RawPeer.upgraded(server, tls=for_client) as peer:
        peer.send(text("before") + b"\x83\x80\0\0\0\0", bytes(100_000), bytes(100_000))

        before, close = peer.read_frames_to_end()
        assert before == Frame(Opcode.TEXT, b"before")
        assert close.payload == b"\x03\xeaopcode 0x3 is reserved"


def test_stopping_tells_clients_1001(for_server, for_client):
    with live_server(ssl=for_server) as server:
        connection = connect(server.url, ssl=for_client)
        with running(server.close):
            assert list(connection) == []
        assert (connection.close_code, connection.close_reason) == (1001, "the server is stopping")


def test_big_messages_in_both_directions_at_once(server, for_client):
    messages = [bytes([number]) * 1_000_000 for number in range(30)]

    def send_all(connection) -> None:
        for message in messages:
            connection.send(message)

    with (
        connect(server.url, ssl=for_client, timeout=PATIENCE, deflate=False) as connection,
        running(send_all, connection),
    ):
        assert [connection.receive() for _ in messages] == messages


def test_messages_of_several_threads_are_not_mixed(server, for_client):
    def send_all(letter: str) -> None:
        for _ in range(20):
            connection.send(letter * 50_000)

    with (
        connect(server.url, ssl=for_client, timeout=PATIENCE) as connection,
        running(send_all, "a"),
        running(send_all, "b"),
        running(send_all, "c"),
    ):
        received = [connection.receive() for _ in range(60)]
    assert sorted(received) == [letter * 50_000 for letter in "abc" for _ in range(20)]


def test_a_timeout_in_receive_and_then_the_message(for_server, for_client):
    def handler(connection):
        connection.receive()
        connection.send("Hello")

    with live_server(handler=handler, ssl=for_server) as server, connect(server.url, ssl=for_client) as connection:
        with pytest.raises(TimeoutError):
            connection.receive(timeout=0.05)
        connection.send("now")
        assert connection.receive() == "Hello"


@pytest.mark.parametrize(
    "sent",
    [request(), b"\0", b"\x16\x03\x01", b"hello" * 10_000],
    ids=["a plain handshake", "one byte", "a TLS record cut short", "much text"],
)
def test_a_plain_client_on_the_tls_port_hurts_nobody(server, for_client, sent, caplog):
    with connect(server.url, ssl=for_client) as other:
        with RawPeer(server) as peer, contextlib.suppress(OSError):  # a reset is no wonder here
            peer.send(sent)
            peer.sock.shutdown(socket.SHUT_WR)
            peer.read_to_end()
        other.send("Hello")
        assert other.receive() == "Hello"
        wait_until(lambda: len(server.connections) == 1)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_client_that_never_begins_with_tls_is_left_after_the_handshake_timeout(for_server):
    limits = Limits(handshake_timeout=0.1, close_timeout=0.1)
    with live_server(ssl=for_server, limits=limits) as server, RawPeer(server) as peer:
        assert peer.read_to_end() == b""
        wait_until(lambda: not server.connections)


STALLED = {
    "nothing": b"",
    "half a record": b"\x16\x03\x01",
    "half a hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("sent", STALLED.values(), ids=STALLED.keys())
def test_a_tls_handshake_that_stalls_is_left_after_the_handshake_timeout_alone(for_server, for_client, sent):
    limits = Limits(handshake_timeout=0.2, close_timeout=3 * PATIENCE)
    with live_server(ssl=for_server, limits=limits) as server, RawPeer(server) as peer:
        peer.send(sent)
        assert peer.read_to_end() == b""
        wait_until(lambda: not server.connections)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Python's ssl does not close the socket
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n\r\n"], ids=["nothing", "plain HTTP"])
def test_clients_that_reset_before_tls_begins_cost_the_others_no_pause(for_server, for_client, sent, monkeypatch):
    monkeypatch.setattr("wslab.sockets.acceptor.PAUSE", 3 * PATIENCE)
    with live_server(ssl=for_server) as server:
        for _ in range(20):
            with RawPeer(server) as peer:
                peer.send(sent)
                peer.reset()
        with connect(server.url, ssl=for_client) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"


def test_stopping_while_a_tls_handshake_is_under_way(for_server):
    with contextlib.ExitStack() as stack:
        with live_server(ssl=for_server) as server:
            peer = stack.enter_context(RawPeer(server))
            peer.send(b"\x16\x03\x01")
            wait_until(lambda: server.connections)
        with contextlib.suppress(ConnectionError):
            assert peer.read_to_end() == b""


def test_a_client_that_vanishes_without_a_close_notify_is_a_1006(for_server, for_client):
    codes = []

    def handler(connection):
        list(connection)
        codes.append(connection.close_code)

    with live_server(handler=handler, ssl=for_server) as server:
        with RawPeer.upgraded(server, tls=for_client) as peer:
            peer.reset()
        wait_until(lambda: codes)
    assert codes == [1006]


def test_a_server_that_never_answers_the_tls_handshake_is_a_timeouterror(for_client):
    with tiny_server(wait_for_end) as url, pytest.raises(TimeoutError, match="the TLS handshake in time"):
        connect(url.replace("ws://", "wss://"), ssl=for_client, timeout=0.2)


def test_the_tls_handshake_has_what_is_left_of_the_timeout():
    seen = []

    class Context:
        def wrap_socket(self, sock, server_hostname):
            seen.append(sock.gettimeout())
            return sock

    with live_server() as server, connect(server.url.replace("ws://", "wss://"), ssl=Context(), timeout=PATIENCE):
        assert 0 < seen[0] < PATIENCE


def test_a_server_that_does_not_speak_tls_is_an_oserror(for_client):
    with live_server() as server, pytest.raises(ssl.SSLError):
        connect(server.url.replace("ws://", "wss://"), ssl=for_client)


@contextlib.contextmanager
def encrypted_pair(for_server, for_client):
    """Both ends of a TCP connection within TLS."""
    ours, theirs = socket.socketpair()
    with for_client.wrap_socket(theirs, server_hostname="localhost", do_handshake_on_connect=False) as peer:
        with running(peer.do_handshake):
            encrypted = for_server.wrap_socket(ours, server_side=True)
        with encrypted:
            yield encrypted, peer


def wait_for_bytes(sock, size):
    """Wait until so many have arrived. They stay there, encrypted."""
    wait_until(lambda: len(socket.socket.recv(sock, 2 * size, socket.MSG_PEEK)) >= size)


def test_the_records_of_a_message_that_have_arrived_are_read_together(for_server, for_client):
    with encrypted_pair(for_server, for_client) as (encrypted, peer):
        peer.sendall(message := bytes(range(250)) * 200)
        assert len(message) > 3 * RECORD_SIZE
        wait_for_bytes(encrypted, len(message) + 4 * HEADER)
        stream = stream_of(encrypted)

        assert stream.read() == message
        assert stream.read() is None


@pytest.mark.parametrize("end", [b"", b"\x17\x03\x03\x00\x05noise"], ids=["no close_notify", "noise"])
def test_a_full_record_is_read_before_what_is_wrong_after_it_is_told(for_server, for_client, end):
    with encrypted_pair(for_server, for_client) as (encrypted, peer):
        peer.sendall(bytes(RECORD_SIZE))
        with socket.socket(fileno=peer.detach()) as bare:
            bare.sendall(end)
        wait_for_bytes(encrypted, RECORD_SIZE + HEADER + len(end))
        stream = stream_of(encrypted)

        assert stream.read() == bytes(RECORD_SIZE)
        assert stream.read() == b""
        assert stream.error or not end  # without a close_notify, TCP may end well or by a reset
