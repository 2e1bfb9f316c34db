"""Frames: bytes to Frame and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import CLOSE_CODES, FRAMES, KEY, cuts, fault, named

from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import (
    Frame,
    FrameHeader,
    Opcode,
    parse_close,
    parse_frame,
    parse_header,
    serialize_close,
    serialize_frame,
)

every_frame = pytest.mark.parametrize("wanted", named(FRAMES))
MASKING_KEYS = st.binary(min_size=4, max_size=4)


@st.composite
def frames(draw):
    opcode = draw(st.sampled_from(Opcode))
    fin = opcode.is_control or draw(st.booleans())
    sizes = st.integers(0, 125) if opcode.is_control else st.sampled_from([0, 1, 125, 126, 127, 300, 65535, 65536])
    payload = draw(st.binary(min_size=4, max_size=64)) * (2**16 // 4 + 1)
    return Frame(
        opcode,
        payload[: draw(sizes)],
        fin,
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.none() | MASKING_KEYS),
    )


# Examples, read and written


@every_frame
def test_the_bytes_of_a_frame_are_read(wanted):
    frame, used = parse_frame(wanted.wire)

    assert frame == wanted.frame
    assert frame.masking_key == wanted.frame.masking_key
    assert used == len(wanted.wire)


@every_frame
def test_the_bytes_of_a_frame_are_written(wanted):
    assert serialize_frame(wanted.frame, wanted.frame.masking_key) == wanted.wire


@every_frame
def test_a_frame_cut_short_is_not_yet_a_frame(wanted):
    wire = memoryview(wanted.wire)

    assert all(parse_frame(wire[:size]) is None for size in cuts(wanted.wire))


@every_frame
def test_bytes_after_a_frame_are_left_alone(wanted):
    for more in (b"\x00", b"\xff" * 20, wanted.wire):
        assert parse_frame(wanted.wire + more) == (wanted.frame, len(wanted.wire))


@every_frame
def test_a_header_is_read_as_soon_as_it_is_whole(wanted):
    frame, size = wanted.frame, len(wanted.wire) - len(wanted.frame.payload)
    header = FrameHeader(
        frame.opcode, len(frame.payload), frame.fin, frame.rsv1, frame.rsv2, frame.rsv3, frame.masking_key
    )

    assert all(parse_header(wanted.wire[:cut]) is None for cut in range(size))
    assert parse_header(wanted.wire[:size]) == parse_header(wanted.wire) == (header, size)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_frame_is_read_from_any_buffer_and_its_payload_is_bytes(kind):
    frame, _ = parse_frame(kind(bytes.fromhex("818537fa213d7f9f4d5158")))

    assert (type(frame.payload), type(frame.masking_key)) == (bytes, bytes)
    assert frame.payload == b"Hello"


@given(frames(), st.binary(max_size=20), st.data())
def test_any_frame_is_read_back_wherever_it_was_cut_and_whatever_follows(frame, more, data):
    wire = serialize_frame(frame, frame.masking_key)

    parsed, used = parse_frame(wire + more)

    assert (parsed, parsed.masking_key, used) == (frame, frame.masking_key, len(wire))
    assert parse_frame(wire[: data.draw(st.integers(0, len(wire) - 1))]) is None


def test_every_length_near_a_boundary_takes_its_shortest_form():
    sizes = {0: 2, 1: 2, 124: 2, 125: 2, 126: 4, 127: 4, 65534: 4, 65535: 4, 65536: 10, 65537: 10}

    assert {size: len(serialize_frame(Frame(Opcode.BINARY, bytes(size)))) - size for size in sizes} == sizes


def test_the_masking_key_is_no_part_of_what_a_frame_says():
    assert Frame(Opcode.TEXT, b"Hello", masking_key=KEY) == Frame(Opcode.TEXT, b"Hello")
    assert Frame(Opcode.TEXT, b"Hello") != Frame(Opcode.BINARY, b"Hello")


def test_a_frame_can_be_written_with_another_function_that_masks():
    wire = serialize_frame(Frame(Opcode.TEXT, b"Hello"), KEY, apply_mask=lambda data, key: data[::-1])

    assert wire == bytes.fromhex("818537fa213d") + b"olleH"
    assert parse_frame(wire, apply_mask=lambda data, key: data[::-1])[0].payload == b"Hello"


def test_an_illegal_frame_is_written_as_it_is_so_that_a_learner_can_send_one():
    assert serialize_frame(Frame(Opcode.PING, bytes(126), fin=False)) == bytes.fromhex("097e007e") + bytes(126)


# Masking


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("83 00", "opcode 0x3 is reserved"),
        ("87 00", "opcode 0x7 is reserved"),
        ("8b 00", "opcode 0xb is reserved"),
        ("8f 00", "opcode 0xf is reserved"),
        ("08 00", "a fragmented close frame"),
        ("09 80", "a fragmented ping frame"),
        ("0a 00", "a fragmented pong frame"),
        ("88 7e", "a close frame of more than 125 bytes"),
        ("89 fe", "a ping frame of more than 125 bytes"),
        ("8a 7f", "a pong frame of more than 125 bytes"),
        ("82 7e 00 00", "length 0 is not in its shortest form"),
        ("82 fe 00 7d", "length 125 is not in its shortest form"),
        ("82 7f 00 00 00 00 00 00 00 00", "length 0 is not in its shortest form"),
        ("82 ff 00 00 00 00 00 00 ff ff", "length 65535 is not in its shortest form"),
        ("82 7f 80 00 00 00 00 00 00 00", "the most significant bit of a 64-bit length must be 0"),
        ("82 ff ff ff ff ff ff ff ff ff", "the most significant bit of a 64-bit length must be 0"),
    ],
)
def test_an_illegal_header_is_refused_with_its_last_byte_and_not_before(header, reason):
    wire = bytes.fromhex(header)

    assert all(parse_frame(wire[:size]) is None for size in range(len(wire)))
    with pytest.raises(ProtocolError) as caught:
        parse_frame(wire)
    assert (caught.value.code, caught.value.reason) == (1002, reason)


def test_every_pair_of_first_bytes_is_refused_or_not_by_the_rules_of_section_5():
    for first in range(256):
        opcode, fin = first % 16, first >= 128
        for second in range(256):
            length = second % 128
            bad_control = opcode >= 8 and (length > 125 or not fin)
            refused = fault(parse_header, bytes((first, second))) is not None
            assert refused is (opcode in {3, 4, 5, 6, 7, 11, 12, 13, 14, 15} or bad_control), f"{first:x} {second:x}"


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ("82 7e 00 7e", 126),
        ("82 7e ff ff", 2**16 - 1),
        ("82 7f 00 00 00 00 00 01 00 00", 2**16),
        ("82 7f 00 00 01 00 00 00 00 00", 2**40),
        ("82 7f 7f ff ff ff ff ff ff ff", 2**63 - 1),
    ],
)
def test_a_length_is_read_in_network_byte_order(header, length):
    assert parse_header(bytes.fromhex(header))[0].payload_length == length


@given(st.binary(max_size=200))
def test_whatever_arrives_is_a_frame_or_not_yet_one_or_a_protocol_error(data):
    if fault(parse_frame, data) is None:
        parsed = parse_frame(data)
        assert parsed is None or 2 <= parsed[1] <= len(data)


# What a frame says, in one line


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (Frame(Opcode.TEXT, b"Hello"), 'text "Hello"'),
        (Frame(Opcode.TEXT, b"Hel", fin=False), 'text "Hel" (more to come)'),
        (Frame(Opcode.CONTINUATION, b"lo"), "continuation 6c 6f"),
        (Frame(Opcode.BINARY, b""), "binary"),
        (Frame(Opcode.PING, b"\x01\x02"), "ping 01 02"),
        (Frame(Opcode.CLOSE), "close"),
        (Frame(Opcode.CLOSE, b"\x03"), "close 03"),
        (Frame(Opcode.CLOSE, b"\x03\xe8"), "close 1000"),
        (Frame(Opcode.CLOSE, b"\x03\xe8bye"), 'close 1000 "bye"'),
        (Frame(Opcode.CLOSE, b"\x03\xe8\xff"), 'close 1000 "\ufffd"'),
        (Frame(Opcode.TEXT, b"\xf2\x48", rsv1=True), "text f2 48 (rsv1)"),
        (Frame(Opcode.TEXT, b"\x00", rsv1=True), "text 00 (rsv1)"),
        (Frame(Opcode.BINARY, b"", False, True, True, True), "binary (rsv1, rsv2, rsv3, more to come)"),
        (Frame(Opcode.TEXT, b"caf\xc3", fin=False), "text 63 61 66 c3 (more to come)"),
        (Frame(Opcode.TEXT, b"x" * 40), 'text "' + "x" * 40 + '"'),
        (Frame(Opcode.TEXT, b"x" * 41), 'text "' + "x" * 40 + '…" (41 bytes)'),
        (Frame(Opcode.BINARY, bytes(20)), "binary" + " 00" * 20),
        (Frame(Opcode.BINARY, bytes(21)), "binary" + " 00" * 20 + " … (21 bytes)"),
    ],
)
def test_a_frame_reads_as_one_line(frame, line):
    assert str(frame) == line


def test_a_frame_and_its_header_are_values_that_nobody_can_change():
    for value in (Frame(Opcode.TEXT), FrameHeader(Opcode.TEXT, 5)):
        with pytest.raises(AttributeError):
            value.fin = False
    assert hash(Frame(Opcode.TEXT)) == hash(Frame(Opcode.TEXT))


def test_unless_told_otherwise_a_frame_is_a_whole_message_with_no_bit_set_and_no_mask():
    assert Frame(Opcode.TEXT) == Frame(Opcode.TEXT, b"", True, False, False, False, None)
    assert Frame(Opcode.TEXT).masking_key is None
    assert FrameHeader(Opcode.TEXT, 5) == FrameHeader(Opcode.TEXT, 5, True, False, False, False, None)


def test_control_frames_are_those_with_the_top_bit_of_the_opcode():
    assert {opcode for opcode in Opcode if opcode.is_control} == {0x8, 0x9, 0xA}
    assert set(Opcode) == {0x0, 0x1, 0x2, 0x8, 0x9, 0xA}


# The payload of a close frame

CLOSE_PAYLOADS = [
    ("03 e8", 1000, ""),
    ("03 e8 62 79 65", 1000, "bye"),
    ("03 f6", 1014, ""),
    ("0f a0 e2 82 ac", 4000, "€"),
    ("13 87" + " 78" * 123, 4999, "x" * 123),
]


@pytest.mark.parametrize(("payload", "code", "reason"), CLOSE_PAYLOADS)
def test_a_close_payload_is_read_and_written(payload, code, reason):
    assert parse_close(bytes.fromhex(payload)) == (code, reason)
    assert serialize_close(code, reason) == bytes.fromhex(payload)


def test_an_empty_close_payload_stands_for_1005_which_itself_is_never_written():
    assert parse_close(b"") == (1005, "")
    assert serialize_close(None) == b""


def test_all_close_codes_are_checked_in_both_directions():
    for code in range(2**16):
        payload = code.to_bytes(2, "big")
        assert fault(parse_close, payload) == (None if code in CLOSE_CODES else 1002)
        if code in CLOSE_CODES:
            assert parse_close(payload) == (code, "")
            assert serialize_close(code) == payload


@pytest.mark.parametrize("code", [999, 1004, 1005, 1006, 1015, 1016, 2999, 5000])
def test_a_code_that_must_not_travel_is_neither_read_nor_written(code):
    with pytest.raises(ProtocolError, match=f"close code {code} must not be sent"):
        parse_close(code.to_bytes(2, "big"))
    with pytest.raises(ValueError, match=f"close code {code} must not be sent"):
        serialize_close(code)


@pytest.mark.parametrize("code", [-1, 0, 70000])
def test_a_number_that_is_no_close_code_at_all_is_not_written(code):
    with pytest.raises(ValueError, match="must not be sent"):
        serialize_close(code)


@pytest.mark.parametrize(
    ("payload", "code", "reason"),
    [
        ("03", 1002, "a close frame with half a close code"),
        ("03 ed", 1002, "close code 1005 must not be sent"),
        ("03 e8 ff", 1007, "a close reason that is not UTF-8"),
        ("03 e8 e2 82", 1007, "a close reason that is not UTF-8"),
        ("03 e8 ed a0 80", 1007, "a close reason that is not UTF-8"),
    ],
)
def test_a_wrong_close_payload_is_refused_with_the_code_that_says_why(payload, code, reason):
    with pytest.raises(ProtocolError) as caught:
        parse_close(bytes.fromhex(payload))
    assert (caught.value.code, caught.value.reason) == (code, reason)


def test_a_reason_needs_a_code_before_it():
    with pytest.raises(ValueError, match=r"^a close reason needs a close code before it$"):
        serialize_close(None, "bye")


def test_a_reason_fits_into_123_bytes_not_characters():
    assert len(serialize_close(1000, "€" * 41)) == 125
    with pytest.raises(ValueError, match="at most 123 bytes, not 126"):
        serialize_close(1000, "€" * 42)


@given(st.binary(max_size=125))
def test_whatever_a_close_frame_holds_is_a_code_and_a_reason_or_a_protocol_error(payload):
    if fault(parse_close, payload) is None and payload:
        assert serialize_close(*parse_close(payload)) == payload
