"""Lesson 10 in false worlds: handlers that are called again, locks that lock nothing, one loop for all."""

import pytest
from support.false_worlds import changed_cells

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


def test_a_lock_that_locks_nothing_is_seen():
    assert "cell-49" in changed_cells(LESSON, THE_LOCK_LOCKS_NOTHING, until="cell-49", after="cell-48")


def test_a_server_with_threads_answers_the_second_client():
    assert "cell-20" in changed_cells(LESSON, EVERY_CLIENT_HAS_A_THREAD, until="cell-20", after="refuse")


def test_a_send_that_never_fails_is_seen():
    assert "cell-59" in changed_cells(LESSON, THOSE_WHO_LEFT_MAY_STILL_BE_TOLD, until="cell-59", after="cell-02")
