"""raw_frame: every frame that bytes can say, legal or not, from its fields to its bytes and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heads_and_frames import MASKING_KEY, masked
from support.raw_peer import live_server

from wslab import Opcode, parse_header
from wslab.display.widgets.raw_frame import LengthForm, RawFrame, name_of_opcode, shortest_form

HELLO = RawFrame(payload=b"Hello", masking_key=MASKING_KEY)


def test_a_legal_frame_has_the_bytes_that_a_client_sends():
    assert HELLO.to_bytes() == masked(Opcode.TEXT, b"Hello")
    assert RawFrame.from_bytes(masked(Opcode.TEXT, b"Hello")) == HELLO


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (RawFrame(fin=False), "01 00"),
        (RawFrame(rsv1=True), "c1 00"),
        (RawFrame(rsv2=True), "a1 00"),
        (RawFrame(rsv3=True), "91 00"),
        (RawFrame(opcode=0x3), "83 00"),
        (RawFrame(opcode=0x9, payload=b"\1\2"), "89 02 01 02"),
        (RawFrame(masking_key=bytes(4), payload=b"a"), "81 81 00 00 00 00 61"),
        (RawFrame(payload=b"a", length_form=LengthForm.BITS_16), "81 7e 00 01 61"),
        (RawFrame(payload=b"a", length_form=LengthForm.BITS_64), "81 7f 00 00 00 00 00 00 00 01 61"),
        (RawFrame(declared_length=2**64 - 1), "81 7f ff ff ff ff ff ff ff ff"),
        (RawFrame(payload=b"a", declared_length=3), "81 03 61"),
        (RawFrame(payload=b"a", trailing=b"\x89\x00"), "81 01 61 89 00"),
    ],
)
def test_each_field_has_its_place(frame, data):
    assert frame.to_bytes().hex(" ") == data
    assert RawFrame.from_bytes(bytes.fromhex(data)) == frame


@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536])
def test_the_shortest_form_is_the_legal_one(length):
    data = RawFrame(payload=bytes(length)).to_bytes()
    header, size = parse_header(data)
    assert (header.payload_length, len(data) - size) == (length, length)


@given(st.binary(min_size=14, max_size=200))
def test_bytes_come_back_as_they_were(data):
    assert RawFrame.from_bytes(data).to_bytes() == data


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (RawFrame(payload=bytes(126), length_form=LengthForm.BITS_7), "7 bits tell a length of 0 to 125, not 126"),
        (
            RawFrame(declared_length=65536, length_form=LengthForm.BITS_16),
            "16 bits tell a length of 0 to 65535, not 65536",
        ),
        (RawFrame(declared_length=2**64), f"no frame can tell a length of {2**64}"),
        (RawFrame(declared_length=-1), "no frame can tell a length of -1"),
        (RawFrame(declared_length=-1, length_form=LengthForm.BITS_7), "7 bits tell a length of 0 to 125, not -1"),
        (RawFrame(opcode=16), "an opcode has 4 bits: 16 is no opcode"),
        (RawFrame(masking_key=b"abc"), "a masking key has 4 bytes, not 3"),
    ],
)
def test_what_no_bytes_can_say_is_told_in_a_sentence(frame, why):
    with pytest.raises(ValueError, match=why):
        frame.to_bytes()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "a header has at least 2 bytes, and here 0 are"),
        ("81", "a header has at least 2 bytes, and here 1 is"),
        ("81 7e 01", "this header has 4 bytes, and here 3 are"),
        ("81 ff 00 00", "this header has 14 bytes, and here 4 are"),
    ],
)
def test_a_header_that_is_cut_short_is_told(data, why):
    with pytest.raises(ValueError, match=why):
        RawFrame.from_bytes(bytes.fromhex(data))


def test_a_raw_frame_says_what_it_is_in_a_line():
    assert str(HELLO) == "FIN 1, RSV 000, opcode 0x1 (text), masked with 37 fa 21 3d, length 5 in 7 bits"
    assert str(RawFrame(0xB, b"a", fin=False, rsv3=True, declared_length=300, trailing=b"bcd")) == (
        "FIN 0, RSV 001, opcode 0xb (reserved), not masked, length 300 in 16 bits, but 1 is there, and 3 more behind it"
    )


def test_names_and_forms():
    assert [name_of_opcode(opcode) for opcode in (0, 2, 3, 8, 15)] == [
        *("continuation", "binary", "reserved", "close", "reserved")
    ]
    assert [shortest_form(length) for length in (125, 126, 65536)] == [
        *(LengthForm.BITS_7, LengthForm.BITS_16, LengthForm.BITS_64)
    ]


def test_a_raw_frame_can_be_sent():
    with live_server() as server:
        assert str(HELLO.send(server.url)).startswith('< text "Hello"\n')
        assert RawFrame(opcode=0x3, masking_key=MASKING_KEY).send(server.url).close_code == 1002
