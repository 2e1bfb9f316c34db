"""FrameReader: one way to read frames, whatever their kind and however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import FRAMES, KEY, fault, naive_mask, named

from wslab import Codec, Frame, Opcode, parse_frame, parse_header, serialize_frame
from wslab.protocol import frames
from wslab.protocol.reader import FrameReader
from wslab.protocol.states import Role

WHOLE_FRAMES = Codec(parse_frame=lambda data: frames.parse_frame(data))


def arrive(reader, data):
    """What a reader makes of `data`: for each step the header, the piece and how many bytes are missing."""
    steps = []
    reader.buffer.open(data)
    while reader.buffer.has_more and (frame := reader.read()) is not None:
        steps.append((frame.header.opcode, frame.piece, frame.missing, frame.is_new))
        if frame.is_foreseen:
            break
    reader.buffer.close()
    return steps


@pytest.mark.parametrize("wanted", named(FRAMES))
def test_a_frame_is_read_whole(wanted):
    sender = Role.SERVER if wanted.frame.masking_key is None else Role.CLIENT
    reader = FrameReader(sender)

    assert arrive(reader, wanted.wire) == [(wanted.frame.opcode, wanted.frame.payload, 0, True)]
    assert reader.frame is None


@given(st.binary(max_size=300), st.lists(st.integers(1, 100), max_size=8), st.booleans())
def test_a_frame_in_pieces_has_the_payload_of_the_whole(payload, sizes, is_masked):
    wire = serialize_frame(Frame(Opcode.BINARY, payload), KEY if is_masked else None)
    reader, pieces, start = FrameReader(Role.CLIENT if is_masked else Role.SERVER), [], 0
    for size in (*sizes, len(wire)):
        pieces += [piece for _, piece, _, _ in arrive(reader, wire[start : start + size])]
        start += size

    assert b"".join(pieces) == payload


def test_a_piece_is_handed_out_as_it_arrives_and_control_frames_are_no_exception():
    reader = FrameReader(Role.CLIENT)

    assert arrive(reader, bytes.fromhex("8985 37fa213d 7f9f")) == [(Opcode.PING, b"He", 3, True)]
    assert arrive(reader, bytes.fromhex("4d")) == [(Opcode.PING, b"l", 2, False)]
    assert arrive(reader, b"") == []
    assert arrive(reader, bytes.fromhex("5158 8180")) == [(Opcode.PING, b"lo", 0, False)]
    assert arrive(reader, KEY) == [(Opcode.TEXT, b"", 0, True)]


def test_without_more_bytes_there_is_nothing_more_of_a_frame():
    reader = FrameReader(Role.SERVER)
    arrive(reader, bytes.fromhex("8105 48"))

    reader.buffer.open(b"")
    assert reader.read() is None


def test_a_reader_knows_whether_a_frame_or_a_message_has_begun():
    reader = FrameReader(Role.SERVER)
    assert reader.is_between_messages
    for data, between in (("8103 48", False), ("656c", True), ("0100", False), ("8900", False), ("8000", True)):
        arrive(reader, bytes.fromhex(data))
        assert reader.is_between_messages is between


def test_a_continuation_is_of_the_kind_of_its_message_and_compressed_as_that_is():
    reader, seen = FrameReader(Role.SERVER, has_deflate=True), []
    reader.buffer.open(bytes.fromhex("4200 8900 0000 8000 0100 8000"))
    while reader.buffer.has_more:
        frame = reader.read()
        seen.append((frame.kind, frame.is_compressed))

    compressed, plain = (Opcode.BINARY, True), (Opcode.TEXT, False)
    assert seen == [compressed, (Opcode.PING, False), compressed, compressed, plain, plain]


def test_a_late_reader_forgives_a_continuation_until_a_message_has_ended():
    reader, broken = FrameReader(Role.SERVER, is_late=True), []
    reader.buffer.open(bytes.fromhex("0000 8900 0000 8000 8000"))
    while reader.buffer.has_more:
        broken.append(len(reader.read().violations))

    assert broken == [0, 0, 0, 0, 1]


def test_after_a_close_frame_data_breaks_a_rule_and_control_frames_do_not():
    reader, broken = FrameReader(Role.SERVER), []
    reader.buffer.open(bytes.fromhex("8800 8900 8100"))
    while reader.buffer.has_more:
        broken.append([violation.section for violation in reader.read().violations])

    assert broken == [[], [], ["§5.5.1"]]


# Parts that a learner has replaced


def test_a_parser_of_whole_frames_is_given_whole_frames_and_reads_every_one():
    calls = []

    def mine(data):
        calls.append(bytes(data))
        return parse_frame(data)

    reader = FrameReader(Role.CLIENT, Codec(parse_frame=mine))
    wire = serialize_frame(Frame(Opcode.TEXT, b"Hello"), KEY)

    assert arrive(reader, wire[:4]) == []
    assert arrive(reader, wire[4:8]) == [(Opcode.TEXT, b"", 5, True)]  # its header has been looked at
    assert arrive(reader, wire[8:10]) == []  # there is no need to look again
    assert arrive(reader, wire[10:] + wire) == [(Opcode.TEXT, b"Hello", 0, True)] * 2
    assert calls == [wire[:4], wire[:8], wire + wire, wire]


def test_a_frame_that_hides_its_key_is_judged_by_its_mask_bit():
    def hides(data):
        parsed = parse_frame(data)
        return parsed and (Frame(parsed[0].opcode, parsed[0].payload), parsed[1])

    reader = FrameReader(Role.CLIENT, Codec(parse_frame=hides))
    reader.buffer.open(serialize_frame(Frame(Opcode.TEXT, b"Hello"), KEY) + bytes.fromhex("8100"))

    assert [reader.read().violations == (), reader.read().violations == ()] == [True, False]


@pytest.mark.parametrize("opcode", Opcode)
@pytest.mark.parametrize("part", ["parse_header", "apply_mask"])
def test_a_replaced_part_reads_every_frame(part, opcode):
    calls = []
    reference = {"parse_header": parse_header, "apply_mask": naive_mask}[part]

    def mine(*arguments):
        calls.append(arguments)
        return reference(*arguments)

    reader = FrameReader(Role.CLIENT, Codec(**{part: mine}))
    wire = serialize_frame(Frame(opcode, b"Hello"), KEY)

    assert arrive(reader, wire) == [(opcode, b"Hello", 0, True)]
    assert len(calls) == 1
    assert all(type(argument) is bytes for argument in calls[0])


@given(st.binary(max_size=60), st.lists(st.integers(1, 20), max_size=6))
def test_frames_read_whole_say_what_frames_in_pieces_say(data, sizes):
    assert fault(told, FrameReader(Role.SERVER), data, sizes) == fault(
        told, FrameReader(Role.SERVER, WHOLE_FRAMES), data, sizes
    )


def told(reader, data, sizes):
    start = 0
    for size in (*sizes, len(data)):
        arrive(reader, data[start : start + size])
        start += size
