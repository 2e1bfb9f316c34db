"""Decapsulation: the WebSocket conversation in captured packets, whatever is around it; tshark is the judge."""

import pytest
from support.capture_files import (
    SMALL_TALK,
    A,
    B,
    conversation_packets,
    enhanced,
    interface,
    is_small_talk,
    load,
    pcap,
    section,
    segments_of,
)
from support.encapsulations import ENCAPSULATIONS, SNAP, ethernet, ipv4, ipv6, udp, wlan
from support.wireshark import tshark

from wslab import Direction
from wslab.recording.decapsulation import MAX_LAYERS, Decapsulator
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.packets import Endpoint, Segment, serialize_segment
from wslab.recording.pcapng import Packet
from wslab.recording.tcp import CLIENT, SERVER

UP = Direction.CLIENT_TO_SERVER
TOO_DEEP = ethernet(b"\0\x01\x81\x00" * (MAX_LAYERS + 9), 0x8100)
FIRST_PORT = 20_000


def talk_from(port: int) -> list[bytes]:
    """The IP packets of a small conversation of a client at this port."""
    client = Endpoint(A.address, port)
    sent = [(CLIENT if way is UP else SERVER, data) for way, data in SMALL_TALK]
    swapped = {A: client, B: B}
    return [
        serialize_segment(s._replace(source=swapped[s.source], destination=swapped[s.destination]))
        for s in segments_of(*sent)
    ]


@pytest.fixture(scope="module")
def capture_of_all() -> bytes:
    """A file with a small conversation in each encapsulation, that of a client at a port of its own."""
    links = sorted({link for link, _ in ENCAPSULATIONS.values()})
    file = section("<") + b"".join(interface("<", link) for link in links)
    for number, (link, wrap) in enumerate(ENCAPSULATIONS.values()):
        for packet in talk_from(FIRST_PORT + number):
            file += enhanced("<", links.index(link), number, wrap(packet))
    return file


def test_every_encapsulation_is_read_as_wireshark_reads_it(tmp_path, capture_of_all):
    recording = load(tmp_path, capture_of_all)
    fields = ["-e", "tcp.srcport", "-e", "tcp.dstport"]
    seen = tshark(tmp_path / "talk.pcapng", "-Y", "websocket", "-T", "fields", *fields).split()

    names = list(ENCAPSULATIONS)
    by_us = [names[client[1] - FIRST_PORT] for client, _ in recording.addresses.values()]
    assert by_us == names == [name for number, name in enumerate(names) if seen.count(str(FIRST_PORT + number)) == 2]
    for number in recording.connections:
        assert [chunk[2:] for chunk in recording.chunks if chunk.connection == number] == SMALL_TALK


@pytest.mark.parametrize(("link", "wrap"), ENCAPSULATIONS.values(), ids=ENCAPSULATIONS)
def test_a_packet_that_is_cut_anywhere_is_no_error(link, wrap):
    packet = wrap(serialize_segment(Segment(A, B, 1, 2, 0b1_0000, b"Hello")))
    for size in range(len(packet) + 1):
        found = list(Decapsulator().segments(Packet(0, link, packet[:size])))
        assert not found or b"Hello".startswith(found[0].data)


@pytest.mark.parametrize(
    ("link", "data"),
    [
        (1, ethernet(bytes(40), 0x0806)),
        (1, ethernet(b"\xe0\xe0\x03" + bytes(40), 43)),
        (1, b"\x81\x00" * 20),
        (113, bytes(60)),
        (276, bytes(60)),
        (0, b""),
        (127, b""),
        (105, b"\x80\0" + bytes(60)),  # a beacon
        (105, b"\x48\0" + bytes(60)),  # a frame without data
        (101, udp(53, b"a question")),
        (101, udp(2152, b"\x32\x01\0\x04" + bytes(8))),  # an echo of GTP
        (101, udp(2152, b"\x34\xff\0\x08" + bytes(7) + b"\x85" + bytes(40))),  # an extension of no length
        (101, udp(1701, b"\xc8\x02" + bytes(20))),  # a control message of L2TP
        (101, udp(4790, b"\x0c\0\0\x09" + bytes(40))),
        (101, udp(37008, b"\x01\0\0\x63\x01" + bytes(40))),
        (9, b"\xc0\x21" + bytes(40)),  # LCP
    ],
)
def test_what_is_not_tcp_is_left_out_without_a_word(link, data):
    decapsulator = Decapsulator()

    assert list(decapsulator.segments(Packet(0, link, data))) == []
    assert decapsulator.faults() == []


@pytest.mark.parametrize(
    ("link", "data", "fault"),
    [
        (147, b"?", "has 2 packets of link type 147, which wslab cannot read"),
        (105, wlan(b"\x08\x42", b"?"), "has 2 encrypted frames of a wireless LAN, which wslab cannot read"),
        (101, ipv4(50, bytes(40)), "has 2 encrypted packets of IPsec, which wslab cannot read"),
        (101, ipv6(50, bytes(40)), "has 2 encrypted packets of IPsec, which wslab cannot read"),
        (1, TOO_DEEP, "has 2 packets in more than 32 layers, which wslab cannot read"),
    ],
)
def test_what_cannot_be_read_is_told_once_and_the_rest_is_read(tmp_path, link, data, fault):
    file = section("<") + interface("<", link) + interface("<")
    file += enhanced("<", 0, 0, data) * 2
    file += b"".join(enhanced("<", 1, 0, packet) for packet in conversation_packets())
    with pytest.warns(CaptureWarning) as told:
        recording = load(tmp_path, file)

    assert is_small_talk(recording)
    assert [str(warning.message) for warning in told] == [f"talk.pcapng {fault}"]
    with pytest.raises(CaptureError, match=f"^talk.pcapng {fault}; it has no WebSocket conversation in what can be"):
        load(tmp_path, pcap([data] * 2, link_type=link))


def test_frames_within_frames_of_a_wireless_lan_have_an_end():
    data = b""
    for _ in range(100):
        wireless = b"\x88\x02\0\0" + bytes(20) + b"\x80\0" + bytes(12) + len(data).to_bytes(2, "big") + data
        data = SNAP + udp(37008, b"\x01\0\0\x12\x01" + wireless)
    decapsulator = Decapsulator()

    assert list(decapsulator.segments(Packet(0, 100, data))) == []
    assert decapsulator.faults() == ["has 1 packet in more than 32 layers, which wslab cannot read"]
