"""Lesson 14 in false worlds: each experiment about pings, silence and ends says something else where its rule fails."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "14-ping-silence-goodbye"

A_MESSAGE_CAN_BE_A_PING = """
import wslab
def answer(connection):
    for message in connection:
        if message == bytes([0x89, 0x00]):
            connection.pong()
        else:
            connection.send(message)
make = wslab.EchoServer.__init__
def make_with_answer(self, *arguments, handler=answer, **options):
    make(self, *arguments, handler=handler, **options)
wslab.EchoServer.__init__ = make_with_answer
"""

PONGS_ARE_ANSWERED = """
from wslab.protocol import endpoint
from wslab.protocol.frames import Frame, Opcode
receive = endpoint.Protocol._receive_control
def receive_and_answer_pongs(self, frame, received):
    if frame.header.opcode is Opcode.PONG and self.role == "server":
        self._writer.write_frame(Frame(Opcode.PONG, frame.piece))
    return receive(self, frame, received)
endpoint.Protocol._receive_control = receive_and_answer_pongs
"""

PONGS_PROVE_THAT_HANDLERS_WORK = "free.set()"

A_CUT_CABLE_IS_REPORTED = """
import wslab
wslab.faults.silence = wslab.faults.cut
"""

SEND_WAITS_FOR_THE_PEER = """
from wslab.sockets.connection import Connection
send = Connection.send
def send_and_ask(self, message):
    send(self, message)
    self.ping()
    self.receive_event(timeout=0.5)
Connection.send = send_and_ask
"""

SILENCE_IS_TAKEN_FOR_DEATH = """
patiences = iter([0.05])  # the quiet one comes first, and is gone first

def guard(connection):
    patience = next(patiences, 0.4)
    while True:
        try:
            connection.send(connection.receive(timeout=patience))
        except TimeoutError:
            return connection.abort()
"""

GOODBYE_IS_THE_END = """
from wslab.sockets.connection import Connection
Connection.close = lambda self, code=1000, reason="", timeout=None: self.abort()
"""

THE_CLIENT_ENDS_TCP_FIRST = """
from wslab.protocol.states import Role
from wslab.sockets.transport import Transport
end = Transport._await_end_of_tcp
def end_if_client(self, deadline):
    if self.protocol.role is Role.CLIENT:
        return
    while self.stream.await_bytes(5) and self.stream.read() != b"":
        pass
Transport._await_end_of_tcp = end_if_client
"""

NO_CODE_IS_1000 = """
from wslab.protocol import endpoint
parse = endpoint.parse_close
endpoint.parse_close = lambda payload: parse(payload or (1000).to_bytes(2, "big"))
"""

CODE_1006_TRAVELS = """
from wslab.sockets.connection import Connection
from wslab.protocol.frames import Frame, Opcode, serialize_frame
abort = Connection.abort
def abort_with_1006(self):
    self.send_raw(serialize_frame(Frame(Opcode.CLOSE, (1006).to_bytes(2, "big")), bytes(4)))
    abort(self)
Connection.abort = abort_with_1006
"""

CODE_1006_IS_ACCEPTED = """
from wslab.protocol import errors
errors.NEVER_ON_THE_WIRE.clear()
"""

THE_SERVER_HAS_ROOM_FOR_ALL = """
few = storm
storm = lambda delay: few(delay, room=1000)
"""

CHANCE_CHANGES_NOTHING = """
random.Random.uniform = lambda self, low, high: high
"""


@pytest.mark.parametrize(
    ("world", "cell", "after"),
    [
        pytest.param(A_MESSAGE_CAN_BE_A_PING, "ping-as-payload", None, id="a-page-can-ping-with-bytes"),
        pytest.param(PONGS_ARE_ANSWERED, "unasked-pong", None, id="pongs-are-answered"),
        pytest.param(PONGS_PROVE_THAT_HANDLERS_WORK, "busy-asked", "busy-server", id="somebody-else-answers-pings"),
        pytest.param(A_CUT_CABLE_IS_REPORTED, "send-into-silence", None, id="tcp-reports-a-cut-cable"),
        pytest.param(SEND_WAITS_FOR_THE_PEER, "send-into-silence", "tunnel", id="send-says-that-it-arrived"),
        pytest.param(SILENCE_IS_TAKEN_FOR_DEATH, "guard-at-work", "guard", id="quiet-is-dead"),
        pytest.param(GOODBYE_IS_THE_END, "last-words", None, id="after-goodbye-nothing-is-heard"),
        pytest.param(THE_CLIENT_ENDS_TCP_FIRST, "ends-first-seen", None, id="the-client-ends-tcp"),
        pytest.param(NO_CODE_IS_1000, "codes", None, id="no-code-is-1000"),
        pytest.param(CODE_1006_TRAVELS, "codes", None, id="1006-travels"),
        pytest.param(CODE_1006_IS_ACCEPTED, "on-the-wire", None, id="1006-is-accepted"),
        pytest.param(THE_SERVER_HAS_ROOM_FOR_ALL, "storm-seen", "storm", id="there-is-no-herd"),
        pytest.param(CHANCE_CHANGES_NOTHING, "storm-seen", "storm", id="backoff-is-enough"),
    ],
)
def test_the_experiment_says_something_else_where_its_rule_does_not_hold(world, cell, after):
    assert cell in changed_cells(LESSON, world, until=cell, after=after)
