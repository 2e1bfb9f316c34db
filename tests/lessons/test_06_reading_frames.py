"""Lesson 06 in false worlds: a parser that reads lengths or pieces in another way finds other frames."""

import pytest
from support.false_worlds import THE_LENGTH_126_IS_A_LENGTH, changed_cells, without_rule

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "06-reading-frames"

ONE_READ_IS_ONE_FRAME = """
parse = parse_frame
def parse_frame(data):
    parsed = parse(data)
    return parsed and (parsed[0], len(data))
"""

A_FRAME_CUT_SHORT_IS_A_FRAME = """
parse = parse_frame
def parse_frame(data):
    return parse(data) or (len(data) >= 6 and (wslab.Frame(wslab.Opcode.TEXT, hasty_payload(data)), len(data))) or None
"""

ANY_FORM_OF_A_LENGTH_WILL_DO = without_rule("wslab.protocol.rules", "LENGTH_RULES", "shortest form")


def test_a_server_that_takes_126_for_a_length_answers_the_ping():
    assert "cell-62" in changed_cells(LESSON, THE_LENGTH_126_IS_A_LENGTH, until="cell-62")


def test_a_parser_that_throws_the_rest_away_is_seen():
    assert "cell-127" in changed_cells(LESSON, ONE_READ_IS_ONE_FRAME, until="cell-127", after="cell-118")


def test_a_parser_that_takes_half_a_frame_is_seen():
    assert "cell-120" in changed_cells(LESSON, A_FRAME_CUT_SHORT_IS_A_FRAME, until="cell-120", after="cell-118")


def test_an_endpoint_that_takes_long_forms_is_seen():
    assert "cell-101" in changed_cells(LESSON, ANY_FORM_OF_A_LENGTH_WILL_DO, until="cell-101")
