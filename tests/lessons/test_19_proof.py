"""Lesson 19 in false worlds: where a rule does not hold, or a bug is none, the judge and the trials say so."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "19-proof"

NO_FRAME_IS_REFUSED = """
from wslab.protocol import reader
reader.broken_by_frame = lambda *facts: []
"""

EACH_FRAME_IS_A_TEXT = """
from wslab.protocol.messages import TextDecoder
decode = TextDecoder.decode
TextDecoder.decode = lambda self, piece, final=False: decode(self, piece, True)
"""

UNKNOWN_HEADERS_ARE_REFUSED = """
import wslab
from wslab.protocol import endpoint
from wslab.protocol.codec import Codec
def check(request):
    if request.headers.get("X-Mine"):
        raise wslab.HandshakeError("unknown header", 400)
serve = wslab.EchoServer.__init__
def serve_strictly(self, *arguments, codec=None, **options):
    serve(self, *arguments, codec=codec or Codec(check_request=check), **options)
wslab.EchoServer.__init__ = serve_strictly
"""

NOBODY_HAS_A_CODEC = """
serve = wslab.EchoServer.__init__
def serve_well(self, *arguments, codec=None, **options):
    serve(self, *arguments, **options)
wslab.EchoServer.__init__ = serve_well
"""

TORNADO_KNOWS_THE_CODES = """
import wslab
from wslab.labs import tornado_server
tornado_server.TornadoServer = wslab.EchoServer
"""


@pytest.mark.parametrize(
    ("world", "after", "cell"),
    [
        ("misprinted = wslab.accept_key", "misprint-code", "misprint-run"),
        (NO_FRAME_IS_REFUSED, None, "judge-wslab-run"),
        (TORNADO_KNOWS_THE_CODES, None, "tornado-run"),
        (NOBODY_HAS_A_CODEC, "mutants-out", "mutants-run"),
        (NOBODY_HAS_A_CODEC, "mutants-run", "probe"),
        (NOBODY_HAS_A_CODEC, "mutants-run", "lazy-pong"),
        (NO_FRAME_IS_REFUSED, "lazy-pong", "trial-run"),
        (EACH_FRAME_IS_A_TEXT, "lazy-pong", "trial-run"),
        (UNKNOWN_HEADERS_ARE_REFUSED, "lazy-pong", "trial-run"),
    ],
    ids=lambda value: value if value is None or "\n" not in value else "",
)
def test_where_the_world_is_otherwise_the_cell_says_something_else(world, after, cell):
    assert cell in changed_cells(LESSON, world, until=cell, after=after)
