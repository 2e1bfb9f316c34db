"""Recording: what both ends of real connections put into it, bytes and calls, with times, and how it is shown."""

import itertools

import pytest
from support.heads_and_frames import KEY, MASKING_KEY, request, text
from support.raw_peer import RawPeer, live_server
from support.waiting import wait_until

from wslab import ConnectionClosed, Direction, HandshakeError, Recording, connect

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def ticking() -> Recording:
    """A recording whose clock says 0, 1, 2…"""
    return Recording(clock=itertools.count().__next__)


def test_a_recording_says_how_much_it_holds():
    recording = ticking()
    recording.add(1, UP, b"one")
    assert repr(recording) == "Recording(1 connection, 1 chunk, 3 bytes)"


def test_both_ends_record_the_same_bytes_and_a_peer_sees_them():
    at_server, at_client = Recording(), Recording()
    with live_server(recording=at_server) as server:
        with connect(server.url, recording=at_client) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"
        wait_until(lambda: not server.connections)

    for direction in Direction:
        assert at_server.bytes_sent(1, direction) == at_client.bytes_sent(1, direction) != b""
    assert at_client.bytes_sent(1, UP).startswith(b"GET / HTTP/1.1\r\n")
    assert at_client.bytes_sent(1, DOWN).startswith(b"HTTP/1.1 101 Switching Protocols\r\n")


@pytest.mark.parametrize("sent", [request("POST / HTTP/1.1"), b"\0", request(Host=None), b"G" * 20000])
def test_a_refusal_is_recorded_once_as_it_was_sent(sent):
    recording = Recording()
    with live_server(recording=recording) as server, RawPeer(server) as peer:
        peer.send(sent)
        answer = peer.read_to_end()

        assert recording.bytes_sent(1, UP) == sent
        assert recording.bytes_sent(1, DOWN) == answer


def test_connections_are_numbered_in_the_order_in_which_they_come():
    recording = Recording()
    with live_server(recording=recording) as server:
        for number in (1, 2, 3):
            with connect(server.url) as connection:
                assert [c.number for c in server.connections] == [number]
                connection.send(str(number))
                connection.receive()
            wait_until(lambda: not server.connections)

    assert recording.connections == [1, 2, 3]
    assert [call.argument for call in recording.calls if call.name == "receive"] == ["'1'", "'2'", "'3'"]


def test_the_calls_of_both_ends_are_marked_with_a_short_form_of_what_they_were_given():
    def handler(connection):
        connection.receive()
        connection.receive()
        connection.send("x" * 41)
        connection.send_raw(b"\x89\x00")
        connection.close(4000, "enough")

    at_server, at_client = ticking(), ticking()
    with live_server(handler=handler, recording=at_server) as server:
        connection = connect(server.url, recording=at_client)
        connection.ping(b"?")
        connection.send_fragment("Hel")
        connection.send_fragment("lo", fin=True)
        connection.pong()
        connection.send(bytes(100_000))
        assert list(connection) == ["x" * 41]
        with pytest.raises(ConnectionClosed):
            connection.send("too late")

    assert [call[2:] for call in at_server.calls] == [
        (UP, "receive", "'Hello'"),
        (UP, "receive", "100000 bytes"),
        (DOWN, "send", f"'{'x' * 40}…'"),
        (DOWN, "send_raw", "2 bytes"),
        (DOWN, "close", "4000"),
    ]
    assert [call[2:] for call in at_client.calls] == [
        (UP, "ping", "1 byte"),
        (UP, "send_fragment", "'Hel'"),
        (UP, "send_fragment", "'lo'"),
        (UP, "pong", "0 bytes"),
        (UP, "send", "100000 bytes"),
        (DOWN, "receive", f"'{'x' * 40}…'"),
        (UP, "send", "'too late'"),
    ]


def test_with_given_keys_and_clock_two_conversations_are_the_same():
    def talk(url: str) -> Recording:
        recording = ticking()
        with connect(url, key=KEY, masking_key=MASKING_KEY, recording=recording) as connection:
            for message in ["Hello", b"\x00\x01", ""]:
                connection.send(message)
                assert connection.receive() == message
        return recording

    with live_server() as server:
        first, second = talk(server.url), talk(server.url)
    assert [first.bytes_sent(1, way) for way in Direction] == [second.bytes_sent(1, way) for way in Direction]
    assert [call[1:] for call in first.calls] == [call[1:] for call in second.calls]
    assert len(first.calls) == 7


def test_without_given_keys_no_two_handshakes_and_no_two_frames_have_the_same():
    recording = Recording()
    with live_server(recording=recording) as server:
        for _ in range(2):
            with connect(server.url, deflate=False) as connection:
                for _ in range(2):
                    connection.send("Hello")
                    connection.receive()

    sent = [recording.bytes_sent(number, UP) for number in (1, 2)]
    keys = {data.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0] for data in sent}
    frames = [data.partition(b"\r\n\r\n")[2] for data in sent]
    masking_keys = {frame[start + 2 : start + 6] for frame in frames for start in (0, 11)}
    assert len(keys) == 2
    assert len(masking_keys) == 4


def test_the_connections_of_one_client_recording_are_numbered_too():
    recording = Recording()
    with live_server() as server:
        for number in (1, 2):
            with connect(server.url, recording=recording) as connection:
                assert connection.number == number

    assert recording.connections == [1, 2]
    assert recording.bytes_sent(2, UP).count(b"GET / HTTP/1.1") == 1


def test_a_failed_connect_is_recorded_too():
    recording = Recording()
    with live_server(origins=[]) as server, pytest.raises(HandshakeError):
        connect(server.url, recording=recording)

    assert recording.bytes_sent(1, DOWN).startswith(b"HTTP/1.1 403 Forbidden")


def test_a_pong_that_the_protocol_sends_is_recorded_as_bytes_and_not_as_a_call():
    recording = Recording()
    with live_server(recording=recording) as server, RawPeer.upgraded(server) as peer:
        peer.send(b"\x89\x80\0\0\0\0" + text("Hello"))
        assert peer.read_frame().payload == b""
        assert peer.read_frame().payload == b"Hello"
        assert peer.says_goodbye()

    assert recording.bytes_sent(1, DOWN).partition(b"\r\n\r\n")[2] == b"\x8a\x00\x81\x05Hello\x88\x02\x03\xe8"
    assert [call.name for call in recording.calls] == ["receive", "send"]
