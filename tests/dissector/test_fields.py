"""fields: the parts of a frame are found whatever its bits say, and judged as `parse_header` judges them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import FRAMES, named

from wslab.dissector.fields import judge_header, read_layout, repair_header
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import parse_header


@pytest.mark.parametrize("example", named(FRAMES))
def test_the_layout_of_a_legal_frame_is_that_of_its_header(example):
    header, size = parse_header(example.wire)
    layout = read_layout(b"before" + example.wire, 6)
    assert (layout.start, layout.size, layout.length) == (6, size, header.payload_length)
    assert (layout.opcode, layout.masking_key) == (header.opcode, header.masking_key)
    assert (layout.payload_start, layout.end) == (6 + size, 6 + len(example.wire))
    assert layout.is_whole
    assert repair_header(layout) == layout.header
    assert judge_header(layout) == []


@given(st.binary(min_size=1, max_size=20))
def test_what_parse_header_refuses_is_the_first_that_is_told_and_nothing_else_is(data):
    layout = read_layout(data)
    faults = [fault.reason for fault in judge_header(layout)]
    try:
        parsed, reasons = parse_header(data), []
    except ProtocolError as error:
        parsed, reasons = None, [error.reason]
    if parsed is not None or reasons:
        assert (faults[0] in reasons) if faults else not reasons
        assert bool(faults) is bool(reasons)


@given(st.binary(min_size=1, max_size=20))
def test_a_repaired_header_can_be_read_and_says_the_same_otherwise(data):
    layout = read_layout(data)
    repaired = repair_header(layout)
    if repaired is not None:
        header, size = parse_header(repaired)
        assert size == len(repaired)
        assert (header.payload_length, header.masking_key) == (layout.length, layout.masking_key)
        assert (header.opcode, header.rsv2) == (layout.opcode, bool(data[0] & 0b0010_0000))
