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

THE_KEY_DOES_NOT_TRAVEL = """
parse = wslab.parse_frame
wslab.parse_frame = lambda data: parse(data[:2] + bytes(4) + data[6:])
"""

EACH_BYTE_DEPENDS_ON_THE_ONE_BEFORE = """
def chain(data, key, masked):
    out, last = bytearray(), 0
    for i, byte in enumerate(data):
        out.append(byte ^ key[i % 4] ^ last)
        last = byte if masked else out[-1]
    return bytes(out)
serialize = wslab.serialize_frame
wslab.serialize_frame = lambda frame, key: serialize(frame, key)[:6] + chain(frame.payload, key, masked=False)
server.close()
codec = wslab.Codec(apply_mask=lambda data, key: chain(data, key, masked=True))
server = wslab.EchoServer(codec=codec, deflate=False).start()
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


def test_a_mask_that_keeps_a_secret_is_seen():
    assert "cell-47" in changed_cells(LESSON, THE_KEY_DOES_NOT_TRAVEL, until="cell-47", after="cell-46")


def test_a_mask_that_notices_a_change_is_seen():
    assert "cell-51" in changed_cells(LESSON, EACH_BYTE_DEPENDS_ON_THE_ONE_BEFORE, until="cell-51", after="cell-50")
