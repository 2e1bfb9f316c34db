"""Capture files of both formats, our own and those of others, in both byte orders; and files that are none."""

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import (
    block,
    conversation_packets,
    enhanced,
    interface,
    is_small_talk,
    load,
    option,
    pcap,
    saved,
    section,
    small_talk,
)

from wslab import Recording
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.pcapng import CaptureReader


@given(st.floats(0, 2**64 / 1e9, exclude_max=True))
def test_a_time_comes_back_to_the_nanosecond(tmp_path_factory, time):
    path = saved(tmp_path_factory.mktemp("time"), small_talk(lambda: time))

    assert all(chunk.time == pytest.approx(time, rel=2**-52, abs=1e-9) for chunk in Recording.load(path).chunks)


@given(st.floats(1e9, 4e9))
def test_a_time_of_our_days_comes_back_exactly(tmp_path_factory, time):
    path = saved(tmp_path_factory.mktemp("time"), small_talk(lambda: time))

    assert {chunk.time for chunk in Recording.load(path).chunks} == {time}


@pytest.mark.parametrize("time", [-1.0, 1e11, float("nan"), float("inf")])
def test_a_time_that_no_capture_file_can_hold_is_refused(tmp_path, time):
    with pytest.raises(CaptureError, match=rf"^talk.pcapng cannot hold a time of {time} seconds$"):
        saved(tmp_path, small_talk(lambda: time))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "ticks"), [(0xA1B2C3D4, 10**6), (0xA1B23C4D, 10**9)])
@pytest.mark.parametrize("name", ["talk.pcap", "talk.pcapng", "TALK.CAP"])
def test_pcap_is_loaded_in_both_byte_orders_and_both_resolutions(tmp_path, order, magic, ticks, name):
    recording = load(tmp_path, pcap(conversation_packets(), order, magic, ticks=ticks), name)

    assert is_small_talk(recording)
    assert [chunk.time for chunk in recording.chunks] == [1_700_000_000 + number / 1000 for number in (3, 4, 5, 6)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_several_sections_interfaces_options_and_unknown_blocks_is_loaded(tmp_path, order):
    packets = conversation_packets()
    comment, end = option(order, 1, b"a comment"), bytes(4)
    in_milliseconds = option(order, 9, b"\x03")
    offset = option(order, 14, struct.pack(order + "q", 1000))
    file = section(order, option(order, 4, b"Dumpcap") + comment + end)
    file += interface(order, 1, 0, comment + end) + interface(order, 101, 0, in_milliseconds + offset + end)
    file += block(order, 5, bytes(12)) + block(order, 0x80000001, b"whatever")
    file += enhanced(order, 0, 1_500_000, bytes(12) + b"\x08\x00" + packets[0])
    file += b"".join(enhanced(order, 1, 2500, packet, comment + end) for packet in packets[1:4])
    file += block(order, 2, struct.pack(order + "HHIIII", 1, 7, 0, 3500, len(packets[4]), len(packets[4])) + packets[4])
    other = "<>"[order == "<"]
    file += section(other) + interface(other, 101, 0, option(other, 9, b"\x82")) + enhanced(other, 0, 4010, packets[5])
    file += block(other, 3, struct.pack(other + "I", len(packets[6])) + packets[6])
    recording = load(tmp_path, file)

    assert is_small_talk(recording)
    assert [chunk.time for chunk in recording.chunks] == [1002.5, 1003.5, 1002.5, 1002.5]


SAVED = pcap(conversation_packets())
NG = section("<") + interface("<") + b"".join(enhanced("<", 0, 0, packet) for packet in conversation_packets())

CUT = "is cut short: it ends in the middle of a packet"
DAMAGED_ONCE = "is damaged in one place: what cannot be read is left out"
NOTHING, NOTHING_LEFT = (f"has no WebSocket conversation in {what}" for what in ("it", "what can be read of it"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is neither a capture file, in pcapng or pcap, nor HAR"),
        (b"PK\x03\x05" + bytes(100), "is neither a capture file, in pcapng or pcap, nor HAR"),
        (b"\xd4\xc3", "is neither a capture file, in pcapng or pcap, nor HAR"),
        *((SAVED[:size], f"{CUT}; it {NOTHING_LEFT}") for size in (4, 23, 25, 39, 41, 400)),
        *((NG[:size], f"{CUT}; it {NOTHING_LEFT}") for size in (4, 8, 11, 27, 31, 60, 400)),
        (SAVED[:24], NOTHING),
        (section("<"), NOTHING),
        (pcap(conversation_packets()[:3]), NOTHING),
        (pcap([b"", b"\x45", bytes(100)]), NOTHING),
        (pcap([b""] * 2, link_type=147), f"has 2 packets of link type 147, which wslab cannot read; it {NOTHING_LEFT}"),
        (SAVED[:32] + bytes.fromhex("01010101") + SAVED[36:], f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<")[:8] + b"ABCD" + section("<")[12:], f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + bytes(12), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + struct.pack("<III", 1, 13, 0) + bytes(8), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + enhanced("<", 0, 0, b""), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + interface("<") + enhanced("<", 1, 0, b""), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + interface("<") + block("<", 6, bytes(16)), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + interface("<") + block("<", 6, bytes(12) + b"\xff" + bytes(7)), f"{DAMAGED_ONCE}; it"),
        (section("<") + block("<", 3, bytes(4)), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
        (section("<") + block("<", 1, bytes(4)), f"{DAMAGED_ONCE}; it {NOTHING_LEFT}"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(tmp_path, data, sentence):
    with pytest.raises(CaptureError) as caught:
        load(tmp_path, data, "bad.pcapng")

    assert str(caught.value).startswith(f"bad.pcapng {sentence}")


# What is read all the same


def load_with_a_warning(tmp_path, data: bytes, *sentences: str) -> Recording:
    """The recording in a file, about which these sentences are said, and no others."""
    with pytest.warns(CaptureWarning) as told:
        recording = load(tmp_path, data)
    assert [str(warning.message) for warning in told] == [f"talk.pcapng {sentence}" for sentence in sentences]
    return recording


@pytest.mark.parametrize("data", [SAVED[:-1], SAVED[:-50], SAVED + bytes(15), NG[:-4], NG[:-60], NG + b"\x06\0\0\0"])
def test_a_file_that_ends_within_a_packet_is_read_up_to_there(tmp_path, data):
    assert is_small_talk(load_with_a_warning(tmp_path, data, CUT))


TALK = [enhanced("<", 0, 0, packet) for packet in conversation_packets()]
ODD_BLOCKS = {
    "a packet of an unknown interface": enhanced("<", 7, 0, b"?"),
    "a packet longer than its block": block("<", 6, bytes(12) + b"\xff" + bytes(7)),
    "a block too short": block("<", 6, bytes(8)),
    "a block with a size that is not repeated": enhanced("<", 0, 0, b"?" * 40)[:-4] + b"\x01\0\0\0",
    "a block of size 0": struct.pack("<II", 6, 0) + bytes(40),
    "a block with an odd size": struct.pack("<II", 6, 13) + bytes(40),
    "a block of gigabytes": struct.pack("<II", 6, 0x7FFFFFFC) + b"?" * 40,
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("odd", ODD_BLOCKS.values(), ids=ODD_BLOCKS)
def test_a_damaged_block_costs_only_itself(tmp_path, odd):
    file = section("<") + interface("<") + b"".join([*TALK[:5], odd, *TALK[5:]])

    assert is_small_talk(load_with_a_warning(tmp_path, file, DAMAGED_ONCE))


class Watched(io.BytesIO):
    """A file that knows how many bytes were asked of it at once."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


def test_a_block_that_is_too_long_or_of_an_unknown_kind_is_not_read(monkeypatch):
    monkeypatch.setattr("wslab.recording.pcapng.MAX_BLOCK", 3000)
    long = block("<", 0xBAD, bytes(10_000)) + enhanced("<", 0, 0, bytes(10_000))
    file = Watched(section("<") + interface("<") + long + b"".join(TALK))
    reader = CaptureReader(file)

    assert len(list(reader)) == len(TALK)
    assert reader.faults == [DAMAGED_ONCE]
    assert file.most <= 3000


@pytest.mark.parametrize("order", ["<", ">"])
def test_keys_of_tls_are_kept_up_to_a_limit_and_those_of_others_are_not(monkeypatch, order):
    monkeypatch.setattr("wslab.recording.pcapng.MAX_KEYS", 10)
    keys = {b"one": 0x544C534B, b"other": 0x57474B4C, b"two": 0x544C534B, b"three": 0x544C534B}
    blocks = [block(order, 10, struct.pack(order + "II", kind, len(data)) + data) for data, kind in keys.items()]
    reader = CaptureReader(io.BytesIO(section(order) + b"".join(blocks) + block(order, 10, b"?")))

    assert list(reader) == []
    assert reader.keys == b"one\ntwo\nth"
    assert reader.faults == ["is damaged in one place: what cannot be read is left out"]


@pytest.mark.parametrize("kind", ["pcap", "enhanced", "simple"])
def test_packets_that_the_capture_has_shortened_are_counted(tmp_path, kind):
    packets = conversation_packets()
    most = max(map(len, packets))
    longest = packets[0].ljust(most) + bytes(-most % 4)
    sizes = struct.pack("<II", most, most + 1)
    simple = [block("<", 3, struct.pack("<I", len(packet)) + packet) for packet in packets]
    file = {
        "pcap": pcap(packets) + bytes(8) + sizes + longest[:most],
        "enhanced": section("<") + interface("<") + b"".join(TALK) + block("<", 6, bytes(12) + sizes + longest),
        "simple": section("<") + interface("<", most=most) + b"".join(simple) + block("<", 3, sizes[4:] + longest),
    }
    with pytest.warns(CaptureWarning, match=r"has only the beginning of 1 packet: .*snap length"):
        load(tmp_path, file[kind])


def test_a_damaged_interface_costs_only_its_own_packets(tmp_path):
    file = section("<") + block("<", 1, b"\x01\0\0\0") + interface("<")
    file += enhanced("<", 0, 0, b"?") * 2
    file += b"".join(enhanced("<", 1, 0, packet) for packet in conversation_packets())
    sentence = "is damaged in 3 places: what cannot be read is left out"

    assert is_small_talk(load_with_a_warning(tmp_path, file, sentence))


def test_an_interface_of_an_unknown_link_type_costs_only_its_own_packets(tmp_path):
    file = section("<") + interface("<", 147) + interface("<")
    file += enhanced("<", 0, 0, b"?") * 2
    file += b"".join(enhanced("<", 1, 0, packet) for packet in conversation_packets())
    sentence = "has 2 packets of link type 147, which wslab cannot read"

    assert is_small_talk(load_with_a_warning(tmp_path, file, sentence))


def test_options_of_an_interface_that_are_too_short_are_left_out(tmp_path):
    for code in 9, 14:
        packets = b"".join(TALK)
        assert is_small_talk(load(tmp_path, section("<") + interface("<", options=option("<", code, b"")) + packets))


def test_the_longer_headers_of_an_old_linux_are_read(tmp_path):
    file = SAVED[:24].replace(b"\xd4\xc3\xb2\xa1", b"\x34\xcd\xb2\xa1")
    for packet in conversation_packets():
        file += struct.pack("<IIII", 1, 0, len(packet), len(packet)) + bytes(8) + packet

    assert is_small_talk(load(tmp_path, file))


@given(st.data())
def test_whatever_happened_to_a_file_only_a_capture_error_comes_of_it(tmp_path_factory, data):
    damaged = bytearray(data.draw(st.sampled_from([SAVED, NG])))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CaptureError, CaptureWarning):
        load(tmp_path_factory.mktemp("damaged"), bytes(damaged))
