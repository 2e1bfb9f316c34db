"""TCP in capture files: streams to segments and, however these arrive, back to the same streams."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heads_and_frames import masked, request

from wslab import Frame, Opcode, serialize_frame
from wslab.protocol.frames import FrameHeader, parse_header
from wslab.recording.detection import find_client
from wslab.recording.errors import CaptureError
from wslab.recording.packets import (
    ACK,
    FIN,
    MSS,
    PSH,
    RST,
    SYN,
    Endpoint,
    Segment,
    checksum,
    parse_segment,
    serialize_segment,
)
from wslab.recording.pcapng import Packet
from wslab.recording.tcp import CLIENT, SERVER, Conversation, Writer, read_conversations

A, B = Endpoint(bytes((127, 0, 0, 1)), 50001), Endpoint(bytes((127, 0, 0, 1)), 8765)
A6, B6 = Endpoint(bytes(15) + b"\x01", 50001), Endpoint(bytes(15) + b"\x01", 8765)
RAW, ETHERNET = 101, 1
HEADS = [(CLIENT, request()), (SERVER, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")]


def segments_of(*sent: tuple[int, bytes]) -> list[Segment]:
    writer = Writer(A, B)
    segments = [*writer.open()]
    for side, data in sent:
        segments += writer.send(side, data)
    return [*segments, *writer.close()]


def read(segments: list[Segment]) -> list[Conversation]:
    return read_conversations(Packet(n, RAW, serialize_segment(segment)) for n, segment in enumerate(segments))


def sent_by(conversation: Conversation, side: int) -> bytes:
    return b"".join(piece.data for piece in conversation.pieces if piece.side == side)


def shifted(segment: Segment, client: int, server: int) -> Segment:
    """The segment of a connection whose sides began with these sequence numbers instead of 0."""
    mine, theirs = (client, server) if segment.source == A else (server, client)
    acknowledgement = segment.acknowledgement + theirs if segment.flags & ACK else 0
    return segment._replace(sequence=(segment.sequence + mine) % 2**32, acknowledgement=acknowledgement % 2**32)


# Packets


@pytest.mark.parametrize(("source", "destination"), [(A, B), (A6, B6)], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("data", [b"", b"x", b"Hello", bytes(MSS)])
@pytest.mark.parametrize("flags", [SYN, PSH | ACK, FIN | ACK])
def test_a_segment_goes_into_a_packet_and_comes_back(source, destination, data, flags):
    segment = Segment(source, destination, 2**32 - 1, 7, flags, data)
    packet = serialize_segment(segment)

    assert parse_segment(packet) == segment
    assert parse_segment(packet + b"padding of Ethernet") == segment


def test_the_checksum_of_what_holds_its_own_checksum_is_zero():
    ipv4 = serialize_segment(Segment(A, B, 1, 2, ACK, b"Hello"))
    ipv6 = serialize_segment(Segment(A6, B6, 1, 2, ACK, b"Hello"))

    assert checksum(ipv4[:20]) == 0
    for addresses, tcp in (ipv4[12:20], ipv4[20:]), (ipv6[8:40], ipv6[40:]):
        assert checksum(addresses + bytes((0, 6, 0, len(tcp))) + tcp) == 0


def word_by_word(data: bytes) -> int:
    """RFC 1071 §4.1, as it stands there."""
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@given(st.binary(min_size=1).filter(any))
def test_the_checksum_is_that_of_rfc_1071(data):
    assert checksum(data) == word_by_word(data)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x45",
        b"\x60" + bytes(10),
        bytes(60),
        serialize_segment(Segment(A, B, 1, 2, ACK))[:39],
        serialize_segment(Segment(A6, B6, 1, 2, ACK))[:59],
        serialize_segment(Segment(A, B, 1, 2, ACK)).replace(b"\x40\x06", b"\x40\x11", 1),  # UDP
        serialize_segment(Segment(A, B, 1, 2, ACK)).replace(b"\x40\x00\x40\x06", b"\x20\x00\x40\x06", 1),  # a fragment
        serialize_segment(Segment(A6, B6, 1, 2, ACK)).replace(b"\x06\x40", b"\x00\x40", 1)[:41],
    ],
)
def test_what_is_no_tcp_segment_is_left_out(packet):
    assert parse_segment(packet) is None
    assert read_conversations([Packet(0, RAW, packet)]) == []


def test_extension_headers_of_ipv6_are_skipped():
    packet = serialize_segment(Segment(A6, B6, 1, 2, ACK, b"Hello"))
    extension = b"\x06\x00" + bytes(6)
    extended = packet[:4] + (len(packet) - 40 + 8).to_bytes(2, "big") + b"\x3c" + packet[7:40] + extension + packet[40:]

    assert parse_segment(extended) == parse_segment(packet)


def test_a_packet_that_was_too_long_for_its_length_field_is_read_to_its_end():
    packet = serialize_segment(Segment(A, B, 1, 2, ACK, b"Hello"))

    assert parse_segment(packet[:2] + b"\0\0" + packet[4:]).data == b"Hello"


RAW_PACKET = serialize_segment(Segment(A, B, 0, 0, SYN))
RAW_PACKET_6 = serialize_segment(Segment(A6, B6, 0, 0, SYN))


@pytest.mark.parametrize(
    ("link_type", "header", "header_6"),
    [
        (0, b"\x02\0\0\0", b"\x18\0\0\0"),
        (108, b"\0\0\0\x02", b"\0\0\0\x1e"),
        (1, bytes(12) + b"\x08\x00", bytes(12) + b"\x86\xdd"),
        (1, bytes(12) + b"\x88\xa8\0\x01\x81\x00\0\x02\x08\x00", bytes(12) + b"\x81\x00\0\x02\x86\xdd"),
        (12, b"", b""),
        (101, b"", b""),
        (113, bytes(14) + b"\x08\x00", bytes(14) + b"\x86\xdd"),
        (276, b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
    ],
)
def test_every_link_type_that_carries_ip_is_read(link_type, header, header_6):
    for data, end in (header + RAW_PACKET, A), (header_6 + RAW_PACKET_6, A6):
        (conversation,) = read_conversations([Packet(0, link_type, data)])
        assert conversation.ends[conversation.client] == end


@pytest.mark.parametrize(
    ("link_type", "data"),
    [(1, bytes(12) + b"\x08\x06" + bytes(40)), (1, b"\x81\x00" * 20), (113, bytes(60)), (276, bytes(60)), (0, b"")],
)
def test_what_is_not_ip_is_left_out(link_type, data):
    assert read_conversations([Packet(0, link_type, data)]) == []


def test_an_unknown_link_type_is_named():
    with pytest.raises(CaptureError, match="link type 147"):
        read_conversations([Packet(0, 147, b"")])


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
    (conversation,) = read(segments)

    assert conversation.ends[conversation.client] == A
    for side in CLIENT, SERVER:
        assert sent_by(conversation, side) == b"".join(data for who, data in sent if who == side)
        assert conversation.streams[side].missing == 0
    numbers = [piece.number for piece in conversation.pieces]
    assert numbers == sorted(numbers)


def test_bytes_that_came_early_are_there_when_those_before_them_are():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"two"), (CLIENT, b"three"))
    segments[3:6] = [segments[5], segments[4], segments[3]]
    (conversation,) = read(segments)

    assert [(piece.number, piece.data) for piece in conversation.pieces] == [(5, b"one"), (5, b"two"), (5, b"three")]


def test_a_stream_goes_on_beyond_four_gibibytes():
    near_the_end = [
        shifted(segment, 2**32 - 3, 2**32 - 6) for segment in segments_of((CLIENT, b"Hello"), (SERVER, b"Hello"))
    ]
    (conversation,) = read(near_the_end)

    assert [sent_by(conversation, side) for side in (CLIENT, SERVER)] == [b"Hello", b"Hello"]


def test_a_probe_that_repeats_a_byte_adds_nothing():
    segments = segments_of((CLIENT, b"Hello"), (CLIENT, b"!"))
    probe = segments[3]._replace(sequence=segments[3].sequence + 4, data=b"?")
    (conversation,) = read([*segments[:4], probe, *segments[4:]])

    assert sent_by(conversation, 0) == b"Hello!"


def test_a_lost_segment_ends_the_stream_and_is_counted():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"two"), (CLIENT, b"three"), (SERVER, b"four"))
    del segments[4]
    (conversation,) = read(segments)

    assert [sent_by(conversation, side) for side in (CLIENT, SERVER)] == [b"one", b"four"]
    assert [stream.missing for stream in conversation.streams] == [3, 0]


def test_the_end_shows_what_is_lost_at_the_end():
    segments = segments_of((CLIENT, b"one"), (CLIENT, b"four"))
    del segments[4]
    (conversation,) = read(segments)

    assert conversation.streams[0].missing == 4


def test_a_packet_that_was_cut_by_the_capture_is_as_good_as_lost():
    packets = [serialize_segment(segment) for segment in segments_of((CLIENT, b"x" * 100), (CLIENT, b"y"))]
    (conversation,) = read_conversations(Packet(0, RAW, packet[:96]) for packet in packets)

    assert sent_by(conversation, 0) == b"x" * 56
    assert conversation.streams[0].missing == 44


def test_a_second_connection_between_the_same_endpoints_is_another_one():
    first, second = segments_of((CLIENT, b"one")), segments_of((CLIENT, b"two"))
    segments = [*first, first[3], *(shifted(segment, 10**9, 10**9) for segment in second)]

    assert [sent_by(conversation, 0) for conversation in read(segments)] == [b"one", b"two"]


def test_a_repeated_syn_opens_no_second_connection():
    segments = segments_of((CLIENT, b"one"))
    (conversation,) = read([segments[0], *segments[:2], segments[1], *segments[2:]])

    assert sent_by(conversation, 0) == b"one"


def test_conversations_at_the_same_time_are_kept_apart():
    other = Endpoint(A.address, 50002)
    swap = {A: other, B: B}
    here, there = segments_of((CLIENT, b"here"), (SERVER, b"1")), segments_of((CLIENT, b"there"), (SERVER, b"2"))
    there = [s._replace(source=swap[s.source], destination=swap[s.destination]) for s in there]
    mixed = list(itertools.chain.from_iterable(zip(here, there, strict=True)))

    assert [[sent_by(c, side) for side in (0, 1)] for c in read(mixed)] == [[b"here", b"1"], [b"there", b"2"]]


def test_a_reset_changes_nothing_that_has_been_sent():
    segments = segments_of((CLIENT, b"one"))[:4]
    reset = segments[3]._replace(source=B, destination=A, flags=RST, data=b"", sequence=1)
    (conversation,) = read([*segments, reset])

    assert sent_by(conversation, 0) == b"one"


# Which of them is WebSocket


UP = [(CLIENT, masked(Opcode.TEXT, b"Hello")), (CLIENT, masked(Opcode.PING, b"?"))]
DOWN = [(SERVER, serialize_frame(Frame(Opcode.TEXT, b"Hello"))), (SERVER, serialize_frame(Frame(Opcode.CLOSE)))]


def client_of(segments: list[Segment]) -> Endpoint | None:
    (conversation,) = read(segments)
    client = find_client(conversation)
    return None if client is None else conversation.ends[client]


def test_the_one_that_asks_for_websocket_is_the_client():
    segments = segments_of(*HEADS, *UP, *DOWN)

    assert client_of(segments) == A
    assert client_of(segments[3:]) == A
    assert client_of(segments[4:]) == A, "the answer alone"
    assert client_of(segments[1:]) == A
    assert client_of([*segments[4:8], segments[3]]) == A, "what comes first need not be the client's"


@pytest.mark.parametrize("sent", [UP, DOWN, [*UP, *DOWN], [*DOWN, *UP], [UP[0], *DOWN, UP[1]]])
def test_without_the_handshake_the_one_that_masks_is_the_client(sent):
    assert client_of(segments_of(*sent)[3:]) == A


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([(CLIENT, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\n\r\n")], id="HTTP"),
        pytest.param([(CLIENT, b"\x16\x03\x01\x02\x00\x01" + bytes(30)), (SERVER, b"\x17\x03\x03")], id="TLS"),
        pytest.param([(CLIENT, b"SSH-2.0-x\r\n"), (SERVER, b"SSH-2.0-y\r\n")], id="SSH"),
        pytest.param([(CLIENT, bytes(100)), (SERVER, bytes(100))], id="zeros"),
        pytest.param([(CLIENT, bytes(100))], id="zeros of one side"),
        pytest.param([(CLIENT, UP[0][1]), (SERVER, UP[0][1])], id="both sides mask"),
        pytest.param([(CLIENT, DOWN[0][1]), (SERVER, DOWN[0][1])], id="no side masks"),
        pytest.param([(CLIENT, UP[0][1] + DOWN[0][1])], id="now masked, now not"),
        pytest.param([(CLIENT, b"\x81")], id="too little to tell"),
        pytest.param([(CLIENT, masked(Opcode.TEXT, b"Hello", rsv2=True))], id="a bit that no extension uses"),
        pytest.param([], id="nothing"),
    ],
)
def test_what_is_no_websocket_has_no_client(sent):
    assert client_of(segments_of(*sent)[3:]) is None


def test_what_opens_without_a_handshake_is_no_websocket():
    assert client_of(segments_of(*UP, *DOWN)) is None


def test_a_capture_that_begins_inside_a_frame_begins_with_the_next_one():
    message = masked(Opcode.BINARY, bytes(range(200, 256)) * 100)
    segments = segments_of((CLIENT, message), *UP, *DOWN)
    late = [s for s in segments[4:] if not s.flags & FIN]
    (conversation,) = read(late)

    assert conversation.ends[find_client(conversation)] == A
    assert sent_by(conversation, 0) == UP[0][1] + UP[1][1]
    assert sent_by(conversation, 1) == DOWN[0][1] + DOWN[1][1]


@pytest.mark.parametrize("end", [b"", b"\x83"], ids=["endless", "illegal"])
def test_bytes_that_could_be_frames_are_not_read_again_from_every_segment_on(monkeypatch, end):
    sizes = []

    def counting(data: bytes) -> tuple[FrameHeader, int] | None:
        sizes.append(len(data))
        return parse_header(data)

    monkeypatch.setattr("wslab.recording.detection.parse_header", counting)
    zeros = [(SERVER, bytes(99))] * 100
    assert client_of(segments_of(*zeros, (SERVER, end))[3:]) is None
    assert 99 * 100 // 2 < len(sizes) < 99 * 100 + 200


def test_without_syn_the_first_segments_may_be_in_disorder_until_the_other_side_answers():
    segments = segments_of(*UP, *DOWN)
    (conversation,) = read([segments[4], segments[3], *segments[5:7]])

    assert sent_by(conversation, 0) == UP[0][1] + UP[1][1]
    assert [(piece.number, piece.side) for piece in conversation.pieces][:2] == [(2, 0), (2, 0)]


def test_the_rest_of_a_frame_that_looks_like_a_frame_does_not_hide_the_next_ones():
    rest = [(CLIENT, b"\x82\x7e\xff\xff" + bytes(100)), (SERVER, b"\x82\xfe\xff\xff" + bytes(100))]
    (conversation,) = read(segments_of(*rest, *UP, *DOWN)[3:7] + segments_of(*rest, *UP, *DOWN)[7:-4])

    assert conversation.ends[find_client(conversation)] == A
    assert [piece.data for piece in conversation.pieces] == [data for _, data in [*UP, DOWN[0], DOWN[1]]]
