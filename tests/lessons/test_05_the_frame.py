"""Lesson 05 in false worlds: a server that reads bits or lengths in another way gives other answers."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "05-the-frame"

RESERVED_BITS_ARE_IGNORED = """
import wslab.protocol.rules as rules
kept = [it for it in rules.FRAME_RULES if "a reserved bit is set" not in it[0].sentence]
assert len(kept) < len(rules.FRAME_RULES)
rules.FRAME_RULES[:] = kept
"""

OPCODE_3_IS_FINE = """
import wslab.protocol.rules as rules
kept = [it for it in rules.START_RULES if "is reserved" not in it[0].sentence]
assert len(kept) < len(rules.START_RULES)
rules.START_RULES[:] = kept
"""

MASKS_ARE_OPTIONAL = """
import wslab.protocol.rules as rules
kept = [it for it in rules.FRAME_RULES if "a frame from a client without a mask" not in it[0].sentence]
assert len(kept) < len(rules.FRAME_RULES)
rules.FRAME_RULES[:] = kept
"""

THE_LENGTH_126_IS_A_LENGTH = """
import wslab
def parse_frame(data):
    if len(data) < 2 or data[1] & 127 != 126:
        return wslab.parse_frame(data)
    if len(data) < 6 + 126:
        return None
    payload = wslab.apply_mask(bytes(data[6:132]), bytes(data[2:6]))
    return wslab.Frame(wslab.Opcode(data[0] & 15), payload), 132
make = wslab.EchoServer.__init__
def make_false(self, *arguments, codec=None, **options):
    make(self, *arguments, codec=codec or wslab.Codec(parse_frame=parse_frame), **options)
wslab.EchoServer.__init__ = make_false
"""

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
