"""Lesson 10 in false worlds: handlers called again, echoed pings, locks that lock nothing, one loop for all."""

import pytest
from support.false_worlds import NOTEBOOKS, changed_cells
from support.notebook_rules import read

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "10-an-echo-server-with-threads"

A_HANDLER_IS_CALLED_FOR_EACH_MESSAGE = """
import wslab
make = wslab.EchoServer.__init__
def again(handler):
    def handle(connection):
        while True:
            handler(connection)
    return handle
def make_false(self, *arguments, handler=None, **options):
    make(self, *arguments, **options, **({"handler": again(handler)} if handler else {}))
wslab.EchoServer.__init__ = make_false
"""

A_PING_IS_ECHOED = """
def echo_frames(sock):
    for frame in frames_from(sock, open_websocket(sock)):
        sock.sendall(wslab.serialize_frame(Frame(frame.opcode, frame.payload, frame.fin)))
        if frame.opcode is Opcode.CLOSE:
            return
connect = wslab.connect
def connect_and_look_twice(*arguments, **options):
    client = connect(*arguments, **options)
    receive_event = client.receive_event
    client.receive_event = lambda: f"{receive_event()}, {receive_event()}"
    return client
wslab.connect = connect_and_look_twice
"""

THE_LOCK_LOCKS_NOTHING = """
import contextlib
lock = contextlib.nullcontext()
"""

EVERY_CLIENT_HAS_A_THREAD = """
def serve(listener, clients):
    with listener:
        for _ in range(clients):
            threading.Thread(target=echo_or_refuse, args=[listener.accept()[0]]).start()
"""

THOSE_WHO_LEFT_MAY_STILL_BE_TOLD = """
send = wslab.Connection.send
def send_or_not(self, *arguments):
    with contextlib.suppress(wslab.ConnectionClosed):
        send(self, *arguments)
import contextlib
wslab.Connection.send = send_or_not
"""


def test_a_handler_that_is_called_again_is_seen():
    assert "cell-33" in changed_cells(LESSON, A_HANDLER_IS_CALLED_FOR_EACH_MESSAGE, until="cell-33")


def test_a_server_that_echoes_pings_and_pongs_is_seen_as_the_lesson_says():
    ping, pong = "Ping(payload=b'knock')", "Pong(payload=b'knock')"
    says = changed_cells(LESSON, A_PING_IS_ECHOED, until="cell-13", after="cell-12")["cell-13"]
    assert f"{ping}, {pong}" in says
    answer = next(cell["source"] for cell in read(NOTEBOOKS / f"{LESSON}.ipynb")["cells"] if cell["id"] == "cell-14")
    assert f"<code>{ping}</code>" in answer
    assert f"<code>{pong}</code>" in answer


def test_a_lock_that_locks_nothing_is_seen():
    assert "cell-49" in changed_cells(LESSON, THE_LOCK_LOCKS_NOTHING, until="cell-49", after="cell-48")


def test_a_server_with_threads_answers_the_second_client():
    assert "cell-20" in changed_cells(LESSON, EVERY_CLIENT_HAS_A_THREAD, until="cell-20", after="refuse")


def test_a_send_that_never_fails_is_seen():
    assert "cell-59" in changed_cells(LESSON, THOSE_WHO_LEFT_MAY_STILL_BE_TOLD, until="cell-59", after="cell-02")
