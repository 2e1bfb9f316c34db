"""Interrupts, as Ctrl-C or the stop button of a notebook causes them, at every line of some files."""

import linecache
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeVar

import pytest

from support.waiting import running

T = TypeVar("T")

needs_lines_of_311 = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="from Python 3.12 on, `with` blocks tell of their lines otherwise at their end"
)


def interrupted_at_each_line(*files: str, prepare: Callable[[], T], act: Callable[[T], object]) -> Iterator[T]:
    """For each line of these files that `act` runs in its own thread, interrupt it there; yield what it acted on.

    It is done once for each line, with something that `prepare` has made each time, until `act` runs to its end. At the
    end of a `with` block Python tells of its first line once more, just before it leaves the block. No signal is
    handled there, so nothing is interrupted there.
    """
    line = 0
    while True:
        line += 1
        subject = prepare()
        if not _interrupt(line, files, lambda subject=subject: act(subject)):
            assert line > 1, "none of these files was run"
            yield subject
            return
        yield subject


def _interrupt(number: int, files: tuple[str, ...], act: Callable[[], object]) -> bool:
    """Run `act` in a thread and interrupt it at its line of this number, if it has so many. Return True if it had.

    In a thread of its own, because CPython 3.11 may keep an exception from a tracer as that which is being handled.
    """
    left = number
    entered: set[tuple[FrameType, int]] = set()

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal left
        if not frame.f_code.co_filename.endswith(files):
            return None
        if event == "line" and (frame, frame.f_lineno) not in entered:
            if linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
                entered.add((frame, frame.f_lineno))
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    def traced() -> None:
        sys.settrace(trace)
        try:
            act()
        finally:
            sys.settrace(None)

    try:
        with running(traced):
            pass
    except KeyboardInterrupt:
        return True
    return False
