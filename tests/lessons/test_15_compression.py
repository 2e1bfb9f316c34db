"""Lesson 15 in false worlds: each experiment about compression says something else where its rule does not hold."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "15-compression"

SHORT_MESSAGES_ARE_SENT_PLAIN = """
from wslab.protocol.messages import MessageWriter
write = MessageWriter._write_fragment
def write_short_ones_plain(self, opcode, payload, fin):
    self._compresses = self._compresses and len(payload) > 100
    write(self, opcode, payload, fin)
MessageWriter._write_fragment = write_short_ones_plain
"""

RSV1_STANDS_ON_EVERY_FRAGMENT = """
from dataclasses import replace
from wslab.protocol.messages import MessageWriter
write = MessageWriter.write_frame
def write_with_rsv1(self, frame):
    is_data = frame.opcode < 8
    write(self, replace(frame, rsv1=self._compresses and is_data))
MessageWriter.write_frame = write_with_rsv1
"""

NO_BIT_IS_REFUSED = """
from wslab.protocol import reader
reader.broken_by_frame = lambda *facts: []
"""

EACH_MESSAGE_MUST_BE_COMPRESSED = """
from wslab.protocol.messages import MessageReader
from wslab.protocol.rules import NOT_DEFLATE
read = MessageReader.read
def read_compressed(self, frame):
    if not frame.is_compressed:
        raise NOT_DEFLATE.broken()
    return read(self, frame)
MessageReader.read = read_compressed
"""

THE_WINDOW_IS_EMPTIED = """
from wslab.protocol.messages import MessageWriter
compress = MessageWriter.compress
MessageWriter.compress = lambda self, bits, takeover: compress(self, bits, False)
"""

THE_WINDOW_IS_ALWAYS_KEPT = """
from wslab.protocol.messages import MessageWriter
compress = MessageWriter.compress
MessageWriter.compress = lambda self, bits, takeover: compress(self, bits, True)
"""

THE_TAIL_TRAVELS = """
from wslab.protocol import deflate
deflate.TAIL = b"no message ends with this"
"""

FLUSHES_END_THE_STREAM = """
import zlib
zlib.Z_SYNC_FLUSH = zlib.Z_FULL_FLUSH
"""

DEFLATERS_ARE_SMALL = """
import zlib
make = zlib.compressobj
zlib.compressobj = lambda wbits, memLevel=8: make(wbits=-9, memLevel=1)
"""

ONLY_WHAT_COMES_IN_IS_COUNTED = """
from wslab.protocol.messages import MessageReader
make = MessageReader.__init__
def make_without_limit(self, max_size, *rest):
    make(self, 2**30, *rest)
MessageReader.__init__ = make_without_limit
"""

SKIPPED_MESSAGES_LEAVE_NO_TRACE = """
kept = deflater
def compressed(text):
    data = deflate(text.encode(), kept.copy())
    if text == first:
        deflate(text.encode(), kept)
    return Frame(Opcode.TEXT, data, rsv1=True)
"""

REPETITIONS_COST_AS_MUCH = """
def deflate(payload, deflater, fin=True):
    return payload
"""


@pytest.mark.parametrize(
    ("world", "cell", "after"),
    [
        pytest.param(SHORT_MESSAGES_ARE_SENT_PLAIN, "hello-frame", None, id="compression-always-helps"),
        pytest.param(THE_TAIL_TRAVELS, "tail", None, id="the-tail-travels"),
        pytest.param(RSV1_STANDS_ON_EVERY_FRAGMENT, "fragments-seen", None, id="rsv1-on-every-fragment"),
        pytest.param(NO_BIT_IS_REFUSED, "cases-seen", None, id="rsv1-anywhere"),
        pytest.param(EACH_MESSAGE_MUST_BE_COMPRESSED, "cases-seen", None, id="rsv1-on-every-message"),
        pytest.param(THE_WINDOW_IS_EMPTIED, "three-hellos-seen", None, id="no-takeover"),
        pytest.param(THE_WINDOW_IS_ALWAYS_KEPT, "no-takeover", None, id="takeover-although-refused"),
        pytest.param(FLUSHES_END_THE_STREAM, "fresh-inflaters", "round-trip", id="messages-stand-alone"),
        pytest.param(SKIPPED_MESSAGES_LEAVE_NO_TRACE, "skip-seen", "exchange", id="a-skipped-message-is-harmless"),
        pytest.param(DEFLATERS_ARE_SMALL, "memory-seen", None, id="the-window-costs-nothing"),
        pytest.param(ONLY_WHAT_COMES_IN_IS_COUNTED, "bomb-seen", None, id="the-limit-counts-what-comes-in"),
        pytest.param(REPETITIONS_COST_AS_MUCH, "oracle-seen", "predict-oracle", id="lengths-tell-nothing"),
    ],
)
def test_the_experiment_says_something_else_where_its_rule_does_not_hold(world, cell, after):
    assert cell in changed_cells(LESSON, world, until=cell, after=after)
