"""Lesson 07 in false worlds: keys that stay, servers that mask, and keys that do not turn."""

import pytest
from support.false_worlds import changed_cells, without_rule

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "07-masking"

ONE_KEY_FOR_EVERY_FRAME = """
import functools, wslab
wslab.connect = functools.partial(wslab.connect, masking_key=bytes.fromhex("37fa213d"))
"""

A_SERVER_MASKS_TOO = """
import wslab
def serialize_frame(frame, masking_key):
    return wslab.serialize_frame(frame, masking_key or bytes.fromhex("37fa213d"))
make = wslab.EchoServer.__init__
def make_false(self, *arguments, codec=None, **options):
    make(self, *arguments, codec=codec or wslab.Codec(serialize_frame=serialize_frame), **options)
wslab.EchoServer.__init__ = make_false
import wslab.protocol.rules as rules
rules.FRAME_RULES[:] = [it for it in rules.FRAME_RULES if "a masked frame" not in it[0].sentence]
"""

MASKS_ARE_OPTIONAL = without_rule("wslab.protocol.rules", "FRAME_RULES", "a frame from a client without a mask")

CLIENTS_TAKE_MASKED_FRAMES = without_rule("wslab.protocol.rules", "FRAME_RULES", "a masked frame from a server")

THE_KEY_STANDS_STILL = """
from wslab.protocol import reader
take = reader.FrameReader._take_piece
def take_without_turning(self, frame):
    key = frame.masking_key
    take(self, frame)
    frame.masking_key = key
reader.FrameReader._take_piece = take_without_turning
"""


def test_a_client_that_keeps_its_key_is_seen():
    assert "cell-04" in changed_cells(LESSON, ONE_KEY_FOR_EVERY_FRAME, until="cell-04")


def test_a_server_that_masks_is_seen():
    assert "cell-08" in changed_cells(LESSON, A_SERVER_MASKS_TOO, until="cell-08")


def test_a_server_that_takes_frames_without_a_mask_is_seen():
    assert "cell-33" in changed_cells(LESSON, MASKS_ARE_OPTIONAL, until="cell-33")


def test_a_client_that_unmasks_what_a_server_masked_is_seen():
    assert "cell-39" in changed_cells(LESSON, CLIENTS_TAKE_MASKED_FRAMES, until="cell-39")


def test_a_server_that_does_not_turn_the_key_is_seen():
    assert "cell-104" in changed_cells(LESSON, THE_KEY_STANDS_STILL, until="cell-104")
