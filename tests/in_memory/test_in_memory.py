"""What passes in memory is what passes over TCP: messages, close codes, recordings, errors, threads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.two_wires import MEMORY, SCENES

from wslab.in_memory.strands import CANNOT_WAIT, BrowserStrands, Strands
from wslab.in_memory.threads import Lock
from wslab.in_memory.wire import NO_NETWORK

TESTS = Path(__file__).parents[1]


def play(wire: str) -> dict[str, list[object]]:
    """What the scenes return, in a program of their own: memory takes the place of `socket`."""
    result = subprocess.run(
        [sys.executable, "-m", "support.two_wires", wire],
        cwd=TESTS,
        env=os.environ | {"PYTHONPATH": str(TESTS.parent)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def in_memory():
    return play(MEMORY)


@pytest.fixture(scope="module")
def over_tcp():
    return play("tcp")


@pytest.mark.parametrize("scene", [scene.__name__ for scene in SCENES])
def test_a_scene_in_memory_is_as_over_tcp(in_memory, over_tcp, scene):
    assert in_memory[scene] == over_tcp[scene]


def test_the_scenes_play(over_tcp):
    assert over_tcp["tour"][:6] == [
        "[<Connection 1 (server, OPEN)>]",
        "Hello",
        "Hello",
        "000000000",
        "Pong(payload=b'17')",
        "CLOSED",
    ]
    assert over_tcp["handlers"][:2] == [["welcome", "0 hi", "1 hi"], ["welcome", "0 hi"]]


def test_what_there_is_not_in_memory_is_said_in_one_sentence(in_memory):
    tls, host, address, udp = in_memory["what_memory_lacks"]
    assert tls == "there is no TLS in memory: use ws:// here, and lesson 17 on your own machine for wss://"
    assert host == f"no connection to example.com port 80: {NO_NETWORK}"
    assert address == f"no connection to 192.0.2.1 port 80: {NO_NETWORK}"
    assert udp == NO_NETWORK


def test_who_cannot_wait_is_told_so(monkeypatch):
    class Ffi:
        can_run_sync, run_sync = staticmethod(lambda: False), None

    monkeypatch.setitem(sys.modules, "pyodide.ffi", Ffi)
    lock = Lock(BrowserStrands())
    assert lock.acquire()
    assert not lock.acquire(blocking=False)
    with pytest.raises(RuntimeError, match="nothing can be waited for here") as told:
        lock.acquire()
    assert str(told.value) == CANNOT_WAIT


def test_a_strand_runs_when_another_waits():
    class Alone(Strands):
        def __init__(self):
            super().__init__()
            self.later = []

        def changed(self):
            pass

        def _start(self, run):
            self.later.append(run)

        def _pause(self, timeout):
            self.later.pop()()

    strands, seen = Alone(), []
    strands.start(lambda: seen.append(strands.current))
    assert seen == []
    assert strands.wait(lambda: bool(seen), timeout=100)
    assert seen != [strands.main] == [strands.current]
    assert not strands.wait(lambda: False, timeout=0)
