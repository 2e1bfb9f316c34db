"""TCP in capture files: streams to segments and, however these arrive, back to the same streams."""

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import RAW, A, B, captured, segments_of, sent_by

from wslab.recording.decapsulation import Decapsulator
from wslab.recording.log import Gap
from wslab.recording.packets import (
    ACK,
    FIN,
    MSS,
    PSH,
    RST,
    SYN,
    Endpoint,
    Segment,
    serialize_segment,
)
from wslab.recording.pcapng import Packet
from wslab.recording.tcp import CLIENT, CONVERSATION_COST, SEGMENT_COST, SERVER, Piece, TcpWriter, read_conversations


def shifted(segment: Segment, client: int, server: int) -> Segment:
    """The segment of a connection whose sides began with these sequence numbers instead of 0."""
    mine, theirs = (client, server) if segment.source == A else (server, client)
    acknowledgement = segment.acknowledgement + theirs if segment.flags & ACK else 0
    return segment._replace(sequence=(segment.sequence + mine) % 2**32, acknowledgement=acknowledgement % 2**32)


# Writing


def test_a_connection_opens_talks_and_closes_as_rfc_9293_says():
    segments = segments_of((CLIENT, b"ab"), (SERVER, b"cde"), (CLIENT, b"f"))

    assert [(s.source == A, s.flags, s.sequence, s.acknowledgement, s.data) for s in segments] == [
        (True, SYN, 0, 0, b""),
        (False, SYN | ACK, 0, 1, b""),
        (True, ACK, 1, 1, b""),
        (True, PSH | ACK, 1, 1, b"ab"),
        (False, PSH | ACK, 1, 3, b"cde"),
        (True, PSH | ACK, 3, 4, b"f"),
        (False, FIN | ACK, 4, 4, b""),
        (True, ACK, 4, 5, b""),
        (True, FIN | ACK, 4, 5, b""),
        (False, ACK, 5, 5, b""),
    ]


def test_much_data_is_cut_into_segments_and_acknowledged_before_the_window_is_full():
    data = random.Random(1).randbytes(200_000)
    segments = segments_of((SERVER, data))

    assert b"".join(segment.data for segment in segments) == data
    assert max(len(segment.data) for segment in segments) == MSS
    acknowledged, most = 1, 0
    for segment in segments[3:]:
        if segment.source == B:
            most = max(most, segment.sequence + len(segment.data) - acknowledged)
        else:
            acknowledged = segment.acknowledgement
    assert MSS < most <= 65535
    assert sum(1 for segment in segments if segment.flags == ACK and segment.source == A) < 10


# Reading


@st.composite
def mistreated(draw) -> tuple[list[tuple[int, bytes]], list[Segment]]:
    """What both sides sent, and its segments cut, joined, doubled and in any order after the opening."""
    sent = draw(st.lists(st.tuples(st.sampled_from([CLIENT, SERVER]), st.binary(min_size=1, max_size=40)), max_size=12))
    opening, rest = (lambda all_of_them: (all_of_them[:3], all_of_them[3:]))(segments_of(*sent))
    first = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0, 2**32 - 1, 2**32 - 10, 2**31]))
    pieces = []
    for segment in rest:
        cut = draw(st.integers(0, len(segment.data)))
        head = segment._replace(data=segment.data[:cut], flags=segment.flags & ~FIN)
        tail = segment._replace(data=segment.data[cut:], sequence=segment.sequence + cut)
        pieces += [[head, tail], [segment, tail], [head, segment], [segment]][draw(st.integers(0, 3))]
    pieces += draw(st.lists(st.sampled_from(pieces), max_size=5))
    return sent, [shifted(segment, *first) for segment in [*opening, *draw(st.permutations(pieces))]]


@given(mistreated())
def test_segments_cut_doubled_and_shuffled_are_the_same_streams(example):
    sent, segments = example
    (conversation,) = captured(segments)

    assert conversation.ends[conversation.client] == A
    for side in CLIENT, SERVER:
        assert sent_by(conversation, side) == b"".join(data for who, data in sent if who == side)
        assert conversation.streams[side].missing == 0
    numbers = [piece.number for piece in conversation.pieces]
    assert numbers == sorted(numbers)


def test_bytes_that_came_early_are_there_when_those_before_them_are():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"two"), (CLIENT, b"three"))
    segments[3:6] = [segments[5], segments[4], segments[3]]
    (conversation,) = captured(segments)

    assert [(piece.number, piece.data) for piece in conversation.pieces] == [(5, b"one"), (5, b"two"), (5, b"three")]


def test_a_stream_goes_on_beyond_four_gibibytes():
    near_the_end = [
        shifted(segment, 2**32 - 3, 2**32 - 6) for segment in segments_of((CLIENT, b"Hello"), (SERVER, b"Hello"))
    ]
    (conversation,) = captured(near_the_end)

    assert [sent_by(conversation, side) for side in (CLIENT, SERVER)] == [b"Hello", b"Hello"]


def test_a_probe_that_repeats_a_byte_adds_nothing():
    segments = segments_of((CLIENT, b"Hello"), (CLIENT, b"!"))
    probe = segments[3]._replace(sequence=segments[3].sequence + 4, data=b"?")
    (conversation,) = captured([*segments[:4], probe, *segments[4:]])

    assert sent_by(conversation, 0) == b"Hello!"


def is_gap(piece: Piece, size: int) -> bool:
    return isinstance(piece.data, Gap) and (piece.data.size, piece.data.skipped) == (size, None)


def test_behind_a_lost_segment_stands_what_came_after_it_in_its_place():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"two"), (CLIENT, b"three"), (SERVER, b"four"))
    del segments[4]
    (conversation,) = captured(segments)

    one, gap, three, four = conversation.pieces
    assert is_gap(gap, 3)
    assert [(piece.number, piece.time, piece.side, piece.data) for piece in (one, three, four)] == [
        (3, 3, CLIENT, b"one"),
        (4, 4, CLIENT, b"three"),
        (5, 5, SERVER, b"four"),
    ]
    assert gap[:3] == three[:3]
    assert [stream.missing for stream in conversation.streams] == [3, 0]


def test_what_is_sent_again_behind_a_gap_comes_once():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"two"), (CLIENT, b"three"), (CLIENT, b"four"))
    del segments[4]
    again = segments[4]._replace(data=b"threefo")
    (conversation,) = captured([*segments[:5], again, segments[4], *segments[5:]])

    assert sent_by(conversation, CLIENT) == b"onethreefour"
    assert [piece.data for piece in conversation.pieces] == [b"one", b"", b"three", b"fo", b"ur"]


def test_pieces_behind_gaps_come_in_the_order_of_their_bytes_though_not_of_their_packets():
    segments = segments_of(*((CLIENT, data) for data in (b"a", b"bb", b"c", b"dd", b"e")))
    (conversation,) = captured([*segments[:3], segments[7], segments[5], segments[3]])

    assert [piece.data for piece in conversation.pieces] == [b"a", b"", b"c", b"", b"e"]
    assert [piece.number for piece in conversation.pieces] == [5] * 5
    assert conversation.streams[CLIENT].missing == 4


def test_the_end_shows_what_is_lost_at_the_end():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"four"))
    del segments[4]
    (conversation,) = captured(segments)

    assert is_gap(conversation.pieces[-1], 4)
    assert conversation.pieces[-1].number == len(segments) - 1
    assert conversation.streams[0].missing == 4


def test_a_packet_that_was_cut_by_the_capture_is_as_good_as_lost():
    packets = [serialize_segment(segment) for segment in segments_of((CLIENT, b"x" * 100), (CLIENT, b"y"))]
    (conversation,) = read_conversations(Packet(0, RAW, packet[:96]) for packet in packets)

    first, gap, last = conversation.pieces
    assert (first.data, last.data) == (b"x" * 56, b"y")
    assert is_gap(gap, 44)


def test_what_is_written_with_a_gap_is_read_with_it():
    writer = TcpWriter(A, B)
    segments = [*writer.open(), *writer.send(CLIENT, b"one")]
    writer.skip(CLIENT, 1000)
    (conversation,) = captured([*segments, *writer.send(CLIENT, b"two")])

    assert is_gap(conversation.pieces[1], 1000)
    assert sent_by(conversation, CLIENT) == b"onetwo"


def test_a_second_connection_between_the_same_endpoints_is_another_one():
    first, second = segments_of((CLIENT, b"one")), segments_of((CLIENT, b"two"))
    segments = [*first, first[3], *(shifted(segment, 10**9, 10**9) for segment in second)]

    assert [sent_by(conversation, 0) for conversation in captured(segments)] == [b"one", b"two"]


def test_a_second_connection_is_another_one_although_its_first_packet_is_lost():
    first, second = segments_of((CLIENT, b"one"), (SERVER, b"1")), segments_of((CLIENT, b"two"), (SERVER, b"2"))
    segments = [*first, *(shifted(segment, 10**9, 10**9) for segment in second[1:])]

    sent = [{sent_by(conversation, side) for side in (0, 1)} for conversation in captured(segments)]
    assert sent == [{b"one", b"1"}, {b"two", b"2"}]
    assert captured(segments)[1].client == 1


def test_a_repeated_syn_opens_no_second_connection():
    segments = segments_of((CLIENT, b"one"))
    (conversation,) = captured([segments[0], *segments[:2], segments[1], *segments[2:]])

    assert sent_by(conversation, 0) == b"one"


@pytest.mark.parametrize("place", [1, 4, 9])
def test_a_syn_that_was_captured_late_opens_no_second_connection(place):
    first, *others = segments_of((CLIENT, b"ab"), (SERVER, b"c"), (CLIENT, b"d"))
    segments = [*others[:place], first, *others[place:]]
    [conversation] = captured([shifted(segment, 2**32 - 1, 5) for segment in segments])

    assert (sent_by(conversation, 0), sent_by(conversation, 1)) in ((b"abd", b"c"), (b"c", b"abd"))


def test_conversations_at_the_same_time_are_kept_apart():
    other = Endpoint(A.address, 50002)
    swap = {A: other, B: B}
    here, there = segments_of((CLIENT, b"here"), (SERVER, b"1")), segments_of((CLIENT, b"there"), (SERVER, b"2"))
    there = [s._replace(source=swap[s.source], destination=swap[s.destination]) for s in there]
    mixed = list(itertools.chain.from_iterable(zip(here, there, strict=True)))

    assert [[sent_by(c, side) for side in (0, 1)] for c in captured(mixed)] == [[b"here", b"1"], [b"there", b"2"]]


def test_a_reset_changes_nothing_that_has_been_sent():
    segments = segments_of((CLIENT, b"one"))[:4]
    reset = segments[3]._replace(source=B, destination=A, flags=RST, data=b"", sequence=1)
    (conversation,) = captured([*segments, reset])

    assert sent_by(conversation, 0) == b"one"


def test_without_syn_the_first_segments_may_be_in_disorder_until_the_other_side_answers():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"two"), (SERVER, b"three"), (SERVER, b"four"))
    (conversation,) = captured([segments[4], segments[3], *segments[5:7]])

    assert sent_by(conversation, 0) == b"onetwo"
    assert [(piece.number, piece.side) for piece in conversation.pieces][:2] == [(2, 0), (2, 0)]


def test_no_more_is_read_than_there_is_memory_for(monkeypatch):
    segments = segments_of(*[(CLIENT, b"x" * 100)] * 50)
    packets = [Packet(0.0, RAW, serialize_segment(segment)) for segment in segments]
    monkeypatch.setattr("wslab.recording.tcp.MAX_HELD", CONVERSATION_COST + 10 * (SEGMENT_COST + 100))
    decapsulator = Decapsulator()
    (conversation,) = read_conversations(packets, decapsulator)

    assert 0 < len(sent_by(conversation, 0)) <= 1100
    (told,) = decapsulator.faults()
    assert re.fullmatch(r"is read only up to its packet 1\d: TCP would take more than 5,000 bytes of memory", told)


@pytest.mark.parametrize("count", [20, 40])
def test_connections_take_memory_too(monkeypatch, count):
    opening = segments_of((CLIENT, b""))[0]
    packets = [
        Packet(0.0, RAW, serialize_segment(opening._replace(source=A._replace(port=port))))
        for port in range(1, count + 1)
    ]
    monkeypatch.setattr("wslab.recording.tcp.MAX_HELD", 10 * (CONVERSATION_COST + SEGMENT_COST))

    assert len(read_conversations(packets)) == 11
