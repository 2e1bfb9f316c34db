"""Packets: segments to IP packets and back, and the IP packets in what other programs capture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import A6, B6, RAW, A, B

from wslab.recording.errors import CaptureError
from wslab.recording.packets import (
    ACK,
    FIN,
    MSS,
    PSH,
    SYN,
    Segment,
    checksum,
    parse_segment,
    serialize_segment,
)
from wslab.recording.pcapng import Packet
from wslab.recording.tcp import read_conversations


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
