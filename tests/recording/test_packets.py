"""Packets: segments to IP packets and back, and the IP packets in what other programs capture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import A6, B6, RAW, A, B

from wslab.recording.packets import (
    ACK,
    FIN,
    MSS,
    PSH,
    SYN,
    Fragment,
    IpPacket,
    Segment,
    checksum,
    parse_ip,
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


def test_a_fragment_tells_which_part_of_which_packet_it_is():
    whole, whole_6 = (serialize_segment(Segment(a, b, 1, 2, ACK, b"Hello")) for a, b in ((A, B), (A6, B6)))
    first = whole[:4] + b"\x12\x34\x20\x05" + whole[8:]
    last = whole_6[:6] + b"\x2c" + whole_6[7:40] + b"\x06\0\0\x10\0\0\x12\x34" + whole_6[40:]
    last = last[:4] + (len(last) - 40).to_bytes(2, "big") + last[6:]

    assert parse_ip(first) == IpPacket(A.address, B.address, 6, whole[20:], Fragment(0x1234, 40, is_last=False))
    assert parse_ip(last) == IpPacket(A6.address, B6.address, 6, whole_6[40:], Fragment(0x1234, 16, is_last=True))
    assert parse_segment(first) is None


def test_a_fragment_that_is_the_whole_packet_is_no_fragment():
    whole = serialize_segment(Segment(A6, B6, 1, 2, ACK, b"Hello"))
    atomic = whole[:6] + b"\x2c" + whole[7:40] + b"\x06\0\0\0\0\0\x12\x34" + whole[40:]
    atomic = atomic[:4] + (len(atomic) - 40).to_bytes(2, "big") + atomic[6:]

    assert parse_segment(atomic) == parse_segment(whole)
