"""A call that is played apart does no harm: to files, to other processes, to the one that plays it."""

import os

import psutil
import pytest
from support.forks import needs_fork
from support.learners import written

from wslab.exercises.checks import isolation
from wslab.exercises.checks.exercise import Case
from wslab.exercises.checks.outcome import ENDED, NEVER_RETURNED


def body(text):
    return written("f", f"import os, signal, sys, time\nseen = []\ndef f(*a):\n    {text}")


def play(function, *arguments, count=1, limit=2.0, way=isolation.play_in_fork):
    return way(function, [Case("", arguments)] * count, frozenset(), limit)


@needs_fork
@pytest.mark.parametrize(
    "text", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "os.abort()", "os.close(3) or os.closerange(3, 99)"]
)
def test_a_program_that_ends_is_told(text):
    assert play(body(text))[0].ended in (ENDED, "")


@needs_fork
def test_what_is_written_into_the_wrong_place_is_not_believed():
    forged = "for n in range(3, 64):\n        try: os.write(n, b'0' * 80)\n        except OSError: pass"
    assert play(body(forged))[0].ended == ENDED


@needs_fork
def test_what_the_parent_has_open_is_out_of_reach():
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    reaching = f"for n in range(3, {theirs + 1}):\n        try: os.write(n, b'0' * 80)\n        except OSError: pass"
    try:
        play(body(reaching))
        with pytest.raises(BlockingIOError):
            os.read(ours, 80)
    finally:
        os.close(ours)
        os.close(theirs)


@needs_fork
def test_a_child_and_its_children_are_gone_afterwards():
    before = set(psutil.Process().children(recursive=True))
    outcomes = play(body("os.fork(); time.sleep(60)"), limit=0.3)

    assert outcomes[0].ended == NEVER_RETURNED
    assert {child for child in psutil.Process().children(recursive=True) if child.status() != "zombie"} <= before


@needs_fork
def test_a_function_that_forks_is_still_called_once():
    assert [it.value for it in play(body("os.fork(); seen.append(1); return len(seen)"), count=3)] == [1, 2, 3]


@needs_fork
def test_no_file_is_left_open():
    before = psutil.Process().num_fds()
    for _ in range(5):
        play(body("return 1"))
    assert psutil.Process().num_fds() == before


@needs_fork
def test_what_happens_in_the_child_is_not_seen_here():
    function = body("seen.append(1); os.environ['WSLAB_SEEN'] = '1'; return len(seen)")

    assert [it.value for it in play(function, count=3)] == [1, 2, 3]
    assert function.__globals__["seen"] == []
    assert "WSLAB_SEEN" not in os.environ


@needs_fork
def test_memory_is_limited():
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("this system does not tell how large a process is")
    assert play(body("return len(bytearray(1 << 34))"))[0].raised.name == "MemoryError"


@needs_fork
def test_without_another_process_a_thread_plays(monkeypatch):
    def no_fork():
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", no_fork)
    assert isolation.play(body("return 5"), [Case("")], frozenset(), 2.0)[0].value == 5


@pytest.mark.parametrize("way", [pytest.param(isolation.play_in_fork, marks=needs_fork), isolation.play_in_thread])
def test_outcomes_come_up_to_the_first_call_that_does_not_return(way):
    function = body("seen.append(1)\n    while len(seen) > 2: pass\n    return len(seen)")
    outcomes = play(function, count=5, limit=0.5, way=way)

    assert [it.value for it in outcomes] == [1, 2, None]
    assert outcomes[-1].ended == NEVER_RETURNED


@pytest.mark.parametrize("way", [pytest.param(isolation.play_in_fork, marks=needs_fork), isolation.play_in_thread])
def test_arguments_that_were_changed_are_told(way):
    changed = play(body("a[1].append(1); a[2][0] = 7"), 1, [2], bytearray(b"a"), way=way)

    assert changed[0].changed == (1, 2)
