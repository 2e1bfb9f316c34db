"""Fragments: IP packets cut on their way, joined again in any order, as tshark joins them."""

import itertools
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import A6, B6, A, B, load, pcap, segments_of
from support.heads_and_frames import RESPONSE, request, text
from support.wireshark import tshark

from wslab.recording.errors import CaptureWarning
from wslab.recording.fragments import COST, LIFETIME, Fragments
from wslab.recording.packets import Fragment, IpPacket, checksum, serialize_segment
from wslab.recording.tcp import CLIENT, SERVER

SENT = [
    (CLIENT, request()),
    (SERVER, RESPONSE),
    *[(CLIENT, text("x" * 600)), (SERVER, b"\x81\x7e\x02\x58" + b"y" * 600)] * 3,
]


def cut_4(packet: bytes, number: int, size: int) -> list[bytes]:
    """An IPv4 packet in fragments of at most `size` bytes."""
    fragments, data = [], packet[20:]
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        part = start // 8 | (0x2000 if start + size < len(data) else 0)
        head = packet[:2] + struct.pack("!HHH", 20 + len(piece), number, part) + packet[8:10]
        fragments.append(head + checksum(head + packet[12:20]).to_bytes(2, "big") + packet[12:20] + piece)
    return fragments


def cut_6(packet: bytes, number: int, size: int) -> list[bytes]:
    fragments, data = [], packet[40:]
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        part = struct.pack("!BxHI", 6, start | (start + size < len(data)), number)
        head = packet[:4] + struct.pack("!HBB", 8 + len(piece), 44, 64) + packet[8:40]
        fragments.append(head + part + piece)
    return fragments


VERSIONS = {"IPv4": ((A, B), cut_4), "IPv6": ((A6, B6), cut_6)}


def fragmented(version: str, size: int = 400) -> list[list[bytes]]:
    """The packets of a conversation, each in fragments."""
    ends, cut = VERSIONS[version]
    swap = dict(zip((A, B), ends, strict=True))
    segments = [s._replace(source=swap[s.source], destination=swap[s.destination]) for s in segments_of(*SENT)]
    return [cut(serialize_segment(segment), number, size) for number, segment in enumerate(segments, 1)]


def sizes(chunks) -> list[int]:
    return [len(chunk.data) for chunk in chunks]


@pytest.mark.parametrize("order", ["in order", "backwards", "shuffled", "doubled"])
@pytest.mark.parametrize("version", VERSIONS)
def test_fragments_are_joined_as_wireshark_joins_them(tmp_path, version, order):
    packets = []
    for fragments in fragmented(version):
        if order == "backwards":
            fragments.reverse()
        elif order == "shuffled":
            random.Random(1).shuffle(fragments)
        packets += fragments[:1] * (order == "doubled" and len(fragments) > 1) + fragments
    recording = load(tmp_path, pcap(packets), "cut.pcap")
    seen = tshark(tmp_path / "cut.pcap", "-Y", "websocket", "-T", "fields", "-e", "websocket.opcode").split()

    assert len(packets) > len(SENT) + 6
    assert sizes(recording.chunks) == [len(data) for _, data in SENT]
    assert len(seen) == len(recording.chunks) - 2 == 6


def test_a_missing_fragment_is_told_and_costs_its_packet(tmp_path):
    fragments = fragmented("IPv4")
    del fragments[-5][1]
    with pytest.warns(CaptureWarning) as told:
        recording = load(tmp_path, pcap([packet for packets in fragments for packet in packets]), "cut.pcap")

    assert sizes(recording.chunks) == [*(len(data) for _, data in SENT[:-1]), 0]
    assert [str(warning.message) for warning in told] == [
        "cut.pcap has 1 IP packet of which fragments are missing",
        "cut.pcap has lost 604 bytes from port 8765 in connection 1",
    ]


def part(start: int, data: bytes, *, is_last: bool = False, number: int = 1) -> IpPacket:
    return IpPacket(b"1", b"2", 6, data, Fragment(number, start, is_last))


def test_fragments_of_different_packets_are_kept_apart():
    fragments = Fragments()

    assert fragments.add(0, part(0, b"one", number=1)) is None
    assert fragments.add(0, part(0, b"two", number=2)) is None
    assert fragments.add(0, part(3, b"!", number=2, is_last=True)) == IpPacket(b"1", b"2", 6, b"two!")
    assert fragments.missing == 1


def test_an_identification_that_is_used_again_later_is_of_another_packet():
    fragments = Fragments()
    fragments.add(0, part(0, b"old "))

    assert fragments.add(LIFETIME + 1, part(4, b"new", is_last=True)) is None
    assert fragments.add(LIFETIME + 1, part(0, b"all ")) == IpPacket(b"1", b"2", 6, b"all new")
    assert fragments.missing == 1


@given(st.binary(min_size=1, max_size=60), st.lists(st.tuples(st.integers(0, 59), st.integers(1, 30))), st.randoms())
def test_fragments_in_any_order_that_overlap_and_repeat_are_the_same_packet(data, more, chance):
    cuts = [0, *sorted({chance.randrange(len(data)) for _ in range(4)}), len(data)]
    pieces = [*itertools.pairwise(cuts), *((start, min(start + size, len(data))) for start, size in more)]
    chance.shuffle(pieces)
    fragments = Fragments()
    found = [fragments.add(0, part(a, data[a:b], is_last=b == len(data))) for a, b in pieces if a < b]

    assert IpPacket(b"1", b"2", 6, data) in found


def test_what_fragments_take_of_memory_is_known_and_forgotten_with_their_packet():
    fragments = Fragments()
    for _ in range(3):
        fragments.add(0, part(4, b"late"))
    assert fragments.held == 3 * (COST + 4)
    fragments.add(LIFETIME + 1, part(4, b"new", is_last=True))
    assert fragments.held == COST + 3
    assert fragments.add(LIFETIME + 1, part(0, b"all ")) is not None
    assert fragments.held == 0
