"""short_tracebacks: what an error in a cell shows, and a cell that is stopped, in a kernel of Jupyter."""

import re
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from support.waiting import PATIENCE

from wslab.display.short_tracebacks import PACKAGE

BEGIN = """
import socket, sys, threading, traceback
import wslab

server = wslab.EchoServer().start()
connection = wslab.connect(server.url)
silent = socket.create_server(("127.0.0.1", 0))
nobody = socket.create_server(("127.0.0.1", 0))
nowhere = f"ws://127.0.0.1:{nobody.getsockname()[1]}/"
nobody.close()

def is_in(name):
    stack = traceback.walk_stack(sys._current_frames()[threading.main_thread().ident])
    return any(frame.f_code.co_name == name for frame, _ in stack)

def tell_when_in(name):
    tick = threading.Event()
    while not is_in(name):
        tick.wait(0.01)
    print("waiting")
"""
WAITS = {
    "connect": ("await_bytes", "wslab.connect(f'ws://127.0.0.1:{silent.getsockname()[1]}/', timeout=None)"),
    "receive": ("await_bytes", "connection.receive(None)"),
    "a loop over messages": ("await_bytes", "for message in connection:\n    pass"),
}
GOES_ON = "connection.send('Hello'); connection.receive()"
MOST_LINES = 20  # of a traceback: a cell, a place in the package, the error


class Kernel:
    """A kernel of Jupyter; `run` gives what a cell shows: its kind, and its text or, of an error, the traceback."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel()

    def run(self, code: str, stop_when_waiting: bool = False) -> list[tuple[str, str]]:
        asked, shown = self.client.execute(code), []
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                if stop_when_waiting:
                    self.manager.interrupt_kernel()
            elif kind == "error":
                shown.append((content["ename"], re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"]))))
            elif kind == "execute_result":
                shown.append((kind, content["data"]["text/plain"]))
            elif content.get("execution_state") == "idle" and message["parent_header"].get("msg_id") == asked:
                return shown


def places_in_package(told: str) -> int:
    """How many lines of the package a traceback names; IPython writes ~ for the home of the user."""
    return told.replace("File ~", f"File {Path.home()}").count(PACKAGE)


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    assert kernel.run(BEGIN) == []
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(("function", "code"), WAITS.values(), ids=WAITS)
def test_a_cell_that_is_stopped_while_it_waits_ends_in_a_few_lines_and_the_next_one_works(kernel, function, code):
    teller = f"threading.Thread(target=tell_when_in, args=({function!r},)).start()\n"
    [(name, told)] = kernel.run(teller + code, stop_when_waiting=True)
    assert name == "KeyboardInterrupt"
    assert len(told.splitlines()) <= MOST_LINES
    assert places_in_package(told) == 1
    assert kernel.run(GOES_ON) == [("execute_result", "'Hello'")]


def test_a_server_that_serves_until_it_is_stopped_then_stops_without_an_error(kernel):
    code = "threading.Thread(target=tell_when_in, args=('serve_forever',)).start()\nother = wslab.EchoServer()\n"
    assert kernel.run(code + "other.serve_forever()\nother.is_listening", stop_when_waiting=True) == [
        ("execute_result", "False")
    ]
    assert kernel.run(GOES_ON) == [("execute_result", "'Hello'")]


def test_an_error_shows_the_cell_and_where_it_was_raised(kernel):
    [(name, told)] = kernel.run("wslab.connect(nowhere)")
    assert name == "ConnectionRefusedError"
    assert re.search(r"^Cell In\[\d+\], line 1$", told, re.MULTILINE)
    assert places_in_package(told) == 1
    assert told.splitlines()[-1].startswith("ConnectionRefusedError: nobody listens on 127.0.0.1 port ")
    assert len(told.splitlines()) <= MOST_LINES


def test_a_learners_own_lines_stand_in_it_wherever_they_were_called(kernel):
    code = """
def mine(key):
    return 1 / 0

with wslab.EchoServer(codec=wslab.Codec(accept_key=mine)) as host:
    try:
        wslab.connect(host.url)
    except wslab.HandshakeError:
        pass
"""
    [(name, told)] = kernel.run(code)
    assert name == "ZeroDivisionError"
    assert "return 1 / 0" in told
    assert "mine(key)" in told


def test_what_the_package_did_not_raise_is_shown_as_ever(kernel):
    [(name, told)] = kernel.run("def f():\n    return g()\n\ndef g():\n    return {}['x']\n\nf()")
    assert name == "KeyError"
    assert len(re.findall(r"^Cell In", told, re.MULTILINE)) == 3
    assert "skipping hidden" not in told


def test_below_an_error_stands_what_to_do_about_it_and_once_only(kernel):
    [(name, told)] = kernel.run("not_yet")
    assert (name, told.splitlines()[-1]) == ("NameError", "If a cell above defines it, run that one first.")
    kernel.run("try:\n    not_yet\nexcept NameError as error:\n    kept = error")
    for _ in range(2):
        [(name, told)] = kernel.run("raise kept")
        assert told.count("run that one first") == 1


def test_a_handler_that_somebody_else_has_set_stays(kernel):
    kernel.run("shell = get_ipython()\nours = shell.custom_exceptions\nshell.set_custom_exc((KeyError,), print)")
    kernel.run("from wslab.display.short_tracebacks import shorten_tracebacks\nshorten_tracebacks()")
    assert kernel.run("shell.custom_exceptions, ours") == [("execute_result", "((KeyError,), (BaseException,))")]
