"""tally: what flows over a connection is counted from its handshake or from the first look on, and not before."""

import itertools

import pytest
from support.raw import RawPeer, live_server, text, wait_until

from wslab import Direction, Pong, Recording, Role, connect
from wslab.sockets.connection import open_connections
from wslab.sockets.traffic import Flow, Tally


def test_nothing_is_counted_before_somebody_watches():
    with live_server() as server, connect(server.url) as connection:
        connection.send("Hello")
        connection.receive()

        assert connection.traffic is None
        assert server.connections[0].traffic is None


def test_from_the_first_look_on_both_ends_count_the_same():
    with live_server() as server, connect(server.url, deflate=False) as connection:
        connection.send("before")
        connection.receive()
        for end in open_connections():
            end.count_traffic()
        connection.send("Hello")
        connection.receive()
        connection.send(b"\x00\x01")
        connection.receive()
        here, there = connection.traffic, server.connections[0].traffic

    assert (here.sent.messages, here.sent.size, here.sent.last) == (2, 6 + 5 + 6 + 2, "2 bytes")
    assert (here.received.messages, here.received.size, here.received.last) == (2, 2 + 5 + 2 + 2, "2 bytes")
    assert (there.received, there.sent) == (here.sent, here.received)
    assert not here.is_whole


def test_a_connection_that_is_recorded_is_counted_from_its_first_byte_and_still_recorded():
    recording = Recording(clock=itertools.count().__next__)
    with live_server() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
        traffic = connection.traffic

        sent = sum(len(chunk.data) for chunk in recording.chunks if chunk.direction == "client → server")
        assert traffic.sent == Flow(1, sent, "'Hello'")
        assert traffic.is_whole
        assert [call.name for call in recording.calls] == ["send", "receive"]
        assert sorted(entry.time for entry in [*recording.chunks, *recording.calls]) == [0, 1, 2, 3, 4, 5]


def test_a_server_that_is_watched_counts_its_later_connections_from_their_first_byte():
    with live_server() as server:
        server.count_traffic()
        with connect(server.url) as connection:
            connection.send("Hello")
            connection.receive()
            traffic = server.connections[0].traffic

    assert traffic.is_whole
    assert traffic.received.messages == traffic.sent.messages == 1
    assert traffic.received.size > 100, "the request is a part of what came"


def test_a_message_in_fragments_is_one_message_each_way():
    with live_server() as server, connect(server.url, deflate=False) as connection:
        for end in open_connections():
            end.count_traffic()
        connection.send_fragment("Hel")
        assert connection.traffic.sent == Flow(0, 9, "fragment 'Hel'")
        connection.send_fragment("lo", fin=True)
        connection.receive()

        assert connection.traffic.sent.messages == 1
        assert server.connections[0].traffic.received == Flow(1, 9 + 8, "'Hello'")


def test_a_ping_and_its_pong_are_told_with_the_time_between_them():
    with live_server() as server, connect(server.url) as connection:
        for end in open_connections():
            end.count_traffic()
        connection.ping(b"knock")
        assert connection.receive_event() == Pong(b"knock")
        here, there = connection.traffic, server.connections[0].traffic

    assert 0 < here.round_trip < 20
    assert there.round_trip is None
    assert (here.sent.last, here.received.last) == (there.received.last, there.sent.last) == ("ping", "pong")


def test_a_round_trip_is_from_the_last_ping_to_the_first_pong_behind_it():
    times = iter([10.0, 11.0, 11.25])
    tally = Tally(Direction.SERVER_TO_CLIENT, is_whole=True, clock=times.__next__)
    receive = tally.counting(lambda _: [Pong(b"")])

    assert tally.traffic.round_trip is None
    for _ in range(2):
        tally.mark(1, Direction.CLIENT_TO_SERVER, "ping")
    receive(b"")
    assert tally.traffic.round_trip == 0.25
    receive(b"")
    assert tally.traffic.round_trip == 0.25


def test_a_close_frame_and_its_answer_come_last():
    with live_server() as server, connect(server.url) as connection:
        connection.count_traffic()
        connection.close(4000)

    assert (connection.traffic.sent.last, connection.traffic.received.last) == ("close 4000", "close 4000")


def test_a_connection_may_be_watched_in_the_middle_of_a_message():
    whole = text("x" * 1000)
    with live_server() as server, RawPeer.upgraded(server) as peer:
        peer.send(whole[:500])
        [end] = server.connections
        wait_until(lambda: end._protocol._partial)
        end.count_traffic()
        peer.send(whole[500:])
        assert peer.read_frame().payload == b"x" * 1000

        assert end.traffic.received.messages == end.traffic.sent.messages == 1
        assert end.traffic.received.size == len(whole) - 500


@pytest.mark.parametrize("deflate", [True, False])
def test_compressed_messages_are_counted_as_messages_and_their_bytes_as_they_travel(deflate):
    with live_server() as server, connect(server.url, deflate=deflate) as connection:
        connection.count_traffic()
        connection.send("a" * 1000)
        connection.receive()
        received = connection.traffic.received

    assert (received.messages, received.last) == (1, "'aaaaaaaaaaaaaaaaaaaaaa…")
    assert (received.size < 1000) is deflate


def test_the_open_connections_of_this_process_are_known_until_they_are_closed():
    with live_server() as server, connect(server.url) as connection:
        assert {end.role for end in open_connections()} == {Role.CLIENT, Role.SERVER}
        assert connection in open_connections()

    assert open_connections() == []
