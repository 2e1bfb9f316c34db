"""Lesson 00 in false worlds: messages run together, servers wait to be asked, and a side leaves without a word."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "00-start-here"

A_RECEIVE_BRINGS_ALL_THAT_HAS_COME = """
from wslab.sockets.connection import Connection
receive = Connection.receive
def receive_all(self, timeout=None):
    received = receive(self, timeout)
    try:
        while True:
            received += receive(self, 0.2)
    except TimeoutError:
        return received
Connection.receive = receive_all
"""

ALL_MESSAGES_ARE_TEXT = """
from wslab.sockets.connection import Connection
receive = Connection.receive
def receive_text(self, timeout=None):
    received = receive(self, timeout)
    return received if isinstance(received, str) else received.decode("latin-1")
Connection.receive = receive_text
"""

A_CONNECTION_OUTLIVES_ITS_HANDLER = """
import functools
make = wslab.EchoServer.__init__
def make_false(self, *arguments, handler=None, **options):
    def stay(connection):
        handler(connection)
        list(connection)
    make(self, *arguments, **({"handler": stay} if handler else {}), **options)
wslab.EchoServer.__init__ = make_false
wslab.connect = functools.partial(wslab.connect, timeout=1)
"""

A_HANDLER_WAITS_FOR_A_QUESTION = """
import functools
make = wslab.EchoServer.__init__
def make_false(self, *arguments, handler=None, **options):
    def wait(connection):
        connection.receive()
        handler(connection)
    make(self, *arguments, **({"handler": wait} if handler else {}), **options)
wslab.EchoServer.__init__ = make_false
wslab.connect = functools.partial(wslab.connect, timeout=1)
"""

A_CLOSE_FRAME_GETS_NO_ANSWER = """
from wslab.protocol.endpoint import Protocol
receive_close = Protocol._receive_close
def receive_close_only(self, payload):
    self._send_close = lambda *arguments: None
    try:
        return receive_close(self, payload)
    finally:
        del self._send_close
Protocol._receive_close = receive_close_only
"""

SERVERS_STOP_WITHOUT_A_WORD = """
wslab.EchoServer._tell_end = lambda *arguments: None
"""


@pytest.mark.parametrize(
    ("world", "cell"),
    [
        pytest.param(A_RECEIVE_BRINGS_ALL_THAT_HAS_COME, "cell-12", id="messages-run-together"),
        pytest.param(ALL_MESSAGES_ARE_TEXT, "cell-16", id="all-messages-are-text"),
        pytest.param(A_HANDLER_WAITS_FOR_A_QUESTION, "cell-23", id="servers-only-answer"),
        pytest.param(A_CONNECTION_OUTLIVES_ITS_HANDLER, "cell-23", id="a-connection-outlives-its-handler"),
        pytest.param(A_CLOSE_FRAME_GETS_NO_ANSWER, "cell-28", id="one-close-frame-is-enough"),
        pytest.param(SERVERS_STOP_WITHOUT_A_WORD, "cell-45", id="servers-stop-without-a-word"),
    ],
)
def test_the_experiment_says_something_else_where_its_rule_does_not_hold(world, cell):
    assert cell in changed_cells(LESSON, "import wslab\n" + world, until=cell)
