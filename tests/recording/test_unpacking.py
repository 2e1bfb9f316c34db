"""Unpacking: files that gzip has packed, whole, cut, damaged, or with far more in them than they look."""

import bz2
import gzip
import lzma

import pytest
from support.capture_files import conversation_packets, is_small_talk, load, pcap

from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.unpacking import unpack

FILE = pcap(conversation_packets())
PACKED = gzip.compress(FILE)
CUT = "is cut short: what gzip has packed does not come to its end"


def unpacked(tmp_path, data: bytes, **options: int) -> tuple[bytes, list[str]]:
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as packed:
        file, faults = unpack(packed, **options)
        with file:
            return file.read(), faults


@pytest.mark.parametrize("data", [b"", b"\x1f", b"Hello", FILE])
def test_what_is_not_packed_stays_as_it_is(tmp_path, data):
    assert unpacked(tmp_path, data) == (data, [])


def test_what_is_packed_in_one_piece_or_in_several_is_unpacked(tmp_path):
    assert unpacked(tmp_path, PACKED) == (FILE, [])
    assert unpacked(tmp_path, gzip.compress(FILE[:99]) + gzip.compress(FILE[99:])) == (FILE, [])


@pytest.mark.parametrize("size", [1, 512, 40_000])
def test_zeros_behind_and_between_the_pieces_are_no_data_and_come_to_an_end(tmp_path, size):
    assert unpacked(tmp_path, PACKED + bytes(size)) == (FILE, [])
    assert unpacked(tmp_path, gzip.compress(FILE[:99]) + bytes(size) + gzip.compress(FILE[99:])) == (FILE, [])


@pytest.mark.parametrize(("data", "name"), [(bz2.compress(FILE), "bzip2"), (lzma.compress(FILE), "xz")])
def test_what_another_program_has_packed_is_for_that_program(tmp_path, data, name):
    with pytest.raises(CaptureError, match=f"is packed by {name}, which has to unpack it first"):
        unpacked(tmp_path, data)


def test_what_is_cut_is_unpacked_up_to_there(tmp_path):
    for size in range(2, len(PACKED)):
        data, faults = unpacked(tmp_path, PACKED[:size])
        assert FILE.startswith(data)
        assert faults == [CUT]


def test_what_is_damaged_is_unpacked_up_to_there_and_said_to_be(tmp_path):
    data, faults = unpacked(tmp_path, gzip.compress(FILE) + PACKED[:20] + b"\xff" * 40)

    assert data.startswith(FILE)
    assert faults == ["is damaged: what gzip has packed can be unpacked only in part"]


@pytest.mark.parametrize(
    "damaged", [PACKED[:-8] + bytes(8), PACKED[:-4] + bytes(4), PACKED[:-8] + b"\xff" * 8 + PACKED]
)
def test_a_wrong_checksum_behind_what_is_packed_costs_nothing_of_it(tmp_path, damaged):
    assert unpacked(tmp_path, damaged) == (FILE, ["is damaged: what gzip has packed can be unpacked only in part"])
    assert unpacked(tmp_path, damaged, most=99)[0] == FILE[:99]


def test_what_stands_before_the_damage_is_unpacked(tmp_path):
    noise = bytes(hash((place, place * place)) % 251 for place in range(9000))
    packed = bytearray(gzip.compress(noise))
    packed[len(packed) // 2 :] = b"\xff" * (len(packed) // 2)
    data, _ = unpacked(tmp_path, bytes(packed))

    assert len(data) > 3000
    assert noise.startswith(data[:3000])


def test_no_more_is_unpacked_than_is_allowed(tmp_path):
    assert unpacked(tmp_path, PACKED, most=len(FILE)) == (FILE, [])
    data, faults = unpacked(tmp_path, PACKED, most=100)
    assert data == FILE[:100]
    assert faults == ["has more than 100 bytes in it, unpacked: gzip -d unpacks the rest"]


def test_a_packed_capture_that_is_cut_is_loaded_as_far_as_it_goes(tmp_path):
    with pytest.warns(CaptureWarning, match=CUT):
        assert is_small_talk(load(tmp_path, PACKED[:-4], "talk.pcap.gz"))
