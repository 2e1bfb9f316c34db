"""What ends a program from outside ends a command as Ctrl-C does, once, and not where it is to be ignored."""

import gc
import signal
import sys
import threading

import pytest
from support.command_line import ENDS
from support.waiting import running

from wslab.cli import signals, watch
from wslab.cli.main import main
from wslab.cli.signals import ended_as_by_ctrl_c


@pytest.mark.parametrize("number", ENDS)
def test_each_of_them_is_a_keyboardinterrupt_and_afterwards_what_it_was(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_as_by_ctrl_c():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.fixture(autouse=True)
def _no_collection():
    """An interrupt that falls into a callback of the garbage collector, such as that of Hypothesis, is lost."""
    gc.disable()
    yield
    gc.enable()


def raise_twice_and_then_end(first: signal.Signals, then: signal.Signals, done: list[str]) -> None:
    with ended_as_by_ctrl_c():
        try:
            signal.raise_signal(first)
        except KeyboardInterrupt:
            signal.raise_signal(then)
            done.append("saved")
            raise


@pytest.mark.parametrize("then", ENDS)
@pytest.mark.parametrize("first", ENDS)
def test_a_second_one_does_not_disturb_the_end(first, then):
    done = []
    with pytest.raises(KeyboardInterrupt):
        raise_twice_and_then_end(first, then, done)
    assert done == ["saved"]


def test_a_second_one_that_comes_late_ends_what_does_not_end(monkeypatch):
    monkeypatch.setattr(signals, "PATIENCE", 0)
    done = []
    with pytest.raises(KeyboardInterrupt):
        raise_twice_and_then_end(signal.SIGINT, signal.SIGTERM, done)
    assert done == []


@pytest.mark.parametrize("number", ENDS)
def test_what_is_ignored_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with ended_as_by_ctrl_c():
            signal.raise_signal(number)
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", ENDS)
def test_a_watch_in_a_terminal_ends_well(number, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(watch, "keep_showing", lambda look: signal.raise_signal(number))
    assert main(["watch"]) == 0


def test_a_command_can_also_run_in_another_thread():
    done = threading.Event()

    def run() -> None:
        with ended_as_by_ctrl_c():
            done.set()

    with running(run):
        pass
    assert done.is_set()
