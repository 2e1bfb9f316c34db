"""Lesson 05 in false worlds: a server that reads bits or lengths in another way gives other answers."""

import pytest
from support.false_worlds import THE_LENGTH_126_IS_A_LENGTH, changed_cells, without_rule

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "05-the-frame"

RESERVED_BITS_ARE_IGNORED = without_rule("wslab.protocol.rules", "FRAME_RULES", "a reserved bit is set")

OPCODE_3_IS_FINE = without_rule("wslab.protocol.rules", "START_RULES", "is reserved")

MASKS_ARE_OPTIONAL = without_rule("wslab.protocol.rules", "FRAME_RULES", "a frame from a client without a mask")

TEXT_MAY_BE_ANYTHING = """
from wslab.protocol import messages
def whole(kind, payload):
    return bytes(payload).decode(errors="replace") if kind is messages.Opcode.TEXT else payload
messages._whole = whole
"""


def test_a_server_that_ignores_reserved_bits_is_seen():
    assert "cell-50" in changed_cells(LESSON, RESERVED_BITS_ARE_IGNORED, until="cell-50")


def test_a_server_that_takes_reserved_opcodes_is_seen():
    assert "cell-40" in changed_cells(LESSON, OPCODE_3_IS_FINE, until="cell-40")


def test_a_server_that_takes_frames_without_a_mask_is_seen():
    assert "cell-38" in changed_cells(LESSON, MASKS_ARE_OPTIONAL, until="cell-38")


def test_a_server_that_takes_126_for_a_length_is_seen():
    assert "cell-60" in changed_cells(LESSON, THE_LENGTH_126_IS_A_LENGTH, until="cell-60")


def test_a_server_that_does_not_check_utf_8_is_seen():
    assert "cell-88" in changed_cells(LESSON, TEXT_MAY_BE_ANYTHING, until="cell-88")
