"""Traffic: all that flows over a connection is counted at both ends, and what was said last is told in a few words."""

import itertools

import pytest
from support.heads_and_frames import text
from support.raw_peer import RawPeer, live_server
from support.waiting import wait_until

from wslab import Close, Ping, Pong, Recording, Role, connect
from wslab.sockets.connection import open_connections
from wslab.sockets.traffic import MOST_KEPT, DirectionCounters, Traffic


def test_both_ends_count_the_same_from_the_first_byte_on():
    with live_server() as server, connect(server.url, deflate=False) as connection:
        handshake, there = connection.traffic, server.connections[0].traffic
        assert (there.received, there.sent) == (handshake.sent, handshake.received)
        assert handshake.sent.size == len(connection.request.serialize())

        connection.send("Hello")
        connection.receive()
        connection.send(b"\x00\x01")
        connection.receive()
        here, there = connection.traffic, server.connections[0].traffic

    assert (there.received, there.sent) == (here.sent, here.received)
    assert here.is_whole
    since = here.since(handshake)
    assert since.sent == DirectionCounters(2, 6 + 5 + 6 + 2, "2 bytes")
    assert since.received == DirectionCounters(2, 2 + 5 + 2 + 2, "2 bytes")
    assert not since.is_whole


def test_what_is_recorded_is_counted_too():
    recording = Recording(clock=itertools.count().__next__)
    with live_server() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
        traffic = connection.traffic

        sent = sum(len(chunk.data) for chunk in recording.chunks if chunk.direction == "client → server")
        assert traffic.sent == DirectionCounters(1, sent, "'Hello'")
        assert [call.name for call in recording.calls] == ["send", "receive"]
        assert sorted(entry.time for entry in [*recording.chunks, *recording.calls]) == [0, 1, 2, 3, 4, 5]


def test_a_message_in_fragments_is_one_message_each_way():
    with live_server() as server, connect(server.url, deflate=False) as connection:
        handshake = connection.traffic
        connection.send_fragment("Hel")
        assert connection.traffic.since(handshake).sent == DirectionCounters(0, 9, "fragment 'Hel'")
        connection.send_fragment("lo", fin=True)
        connection.receive()

        assert connection.traffic.sent.messages == 1
        received = server.connections[0].traffic.received
        assert (received.messages, received.last) == (1, "'Hello'")


def test_a_ping_and_its_pong_are_told_with_the_time_between_them():
    with live_server() as server, connect(server.url) as connection:
        connection.ping(b"knock")
        assert connection.receive_event() == Pong(b"knock")
        here, there = connection.traffic, server.connections[0].traffic

    assert 0 < here.round_trip < 20
    assert there.round_trip is None
    assert (here.sent.last, here.received.last) == (there.received.last, there.sent.last) == ("ping", "pong")


def test_a_round_trip_is_from_the_last_ping_to_the_first_pong_after_it(monkeypatch):
    times = iter([11.25])
    monkeypatch.setattr("wslab.sockets.traffic.time.perf_counter", times.__next__)
    traffic = Traffic()

    traffic.receive([Pong(b"unasked")])
    assert traffic.round_trip is None
    traffic.pinged = 11.0
    for _ in range(2):
        traffic.receive([Pong(b"")])
        assert traffic.round_trip == 0.25


def test_a_batch_may_hold_messages_and_others():
    traffic = Traffic()
    traffic.receive(["one", Ping(b""), b"two", Pong(b"")])
    assert (traffic.received.messages, traffic.received.last, traffic.sent.last) == (2, "pong", "pong")
    traffic.receive(["three", Close(1001)])
    assert (traffic.received.messages, traffic.received.last, traffic.sent.last) == (3, "close 1001", "close 1001")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Hello", "'Hello'"),
        ("", "''"),
        (b"", "0 bytes"),
        (bytes(1_000_000), "1000000 bytes"),
        ("x" * 1_000_000, "'xxxxxxxxxxxxxxxxxxxxxx…"),
    ],
    ids=lambda value: repr(value)[:10],
)
def test_what_was_said_last_is_told_in_a_few_characters_and_a_long_message_is_not_kept(message, words):
    counters = DirectionCounters()
    counters.count([b"before", message])
    counters.count([])

    assert (counters.messages, counters.last) == (2, words)
    assert sum(map(len, counters.said)) <= MOST_KEPT + len("''…")


def test_a_close_frame_and_its_answer_come_last():
    with live_server() as server, connect(server.url) as connection:
        connection.close(4000)

    assert (connection.traffic.sent.last, connection.traffic.received.last) == ("close 4000", "close 4000")


def test_a_message_is_counted_when_it_is_whole_and_its_bytes_as_they_arrive():
    whole = text("x" * 1000)
    with live_server() as server, RawPeer.upgraded(server) as peer:
        [end] = server.connections
        handshake = end.traffic
        peer.send(whole[:500])
        wait_until(lambda: end.traffic.since(handshake).received == DirectionCounters(0, 500, ""))
        peer.send(whole[500:])
        assert peer.read_frame().payload == b"x" * 1000

        traffic = end.traffic.since(handshake)
        assert traffic.received.messages == traffic.sent.messages == 1
        assert traffic.received.size == len(whole)


@pytest.mark.parametrize("deflate", [True, False])
def test_compressed_messages_are_counted_as_messages_and_their_bytes_as_they_travel(deflate):
    with live_server() as server, connect(server.url, deflate=deflate) as connection:
        connection.send("a" * 1000)
        connection.receive()
        received = connection.traffic.received

    assert (received.messages, received.last) == (1, "'aaaaaaaaaaaaaaaaaaaaaa…")
    assert (received.size < 1000) is deflate


def test_the_open_connections_of_this_process_are_known_until_they_are_closed():
    others = set(open_connections())  # that another test has left to the garbage collector
    with live_server() as server, connect(server.url) as connection:
        assert {end.role for end in set(open_connections()) - others} == {Role.CLIENT, Role.SERVER}
        assert connection in open_connections()

    assert set(open_connections()) <= others
