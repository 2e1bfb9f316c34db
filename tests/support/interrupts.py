"""A KeyboardInterrupt in front of a chosen step of wslab's connections, as Ctrl-C may come at any, or another error."""

import contextlib
import dis
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import wslab
from support.waiting import running

FOLDERS = tuple(str(Path(wslab.__file__).parent / folder) for folder in ("sockets", "protocol"))


# After these instructions CPython runs signal handlers (3.11 to 3.15), if what was called is not written in Python.
CHECKING = {
    dis.opmap[name] for name in ("RESUME", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD") if name in dis.opmap
}


class Interruption:
    """Raises `error` once, or calls `act`, in front of step `at` that this thread takes in wslab.

    A step is a line of its sockets or protocol, or with `opcodes` a moment at which CPython runs signal handlers.
    `steps` counts them.
    """

    def __init__(
        self, at: int | None = None, opcodes: bool = False, error: type[BaseException] = KeyboardInterrupt
    ) -> None:
        self.steps = 0
        self.where = ""
        self.act: Callable[[], object] | None = None
        self.error = error
        self._at = at
        self._opcodes = opcodes
        self._previous: dict[FrameType | None, int] = {}  # the latest instruction of each call

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any] | None:
        if event == "call":
            self._previous.pop(frame.f_back, None)
        if not frame.f_code.co_filename.startswith(FOLDERS):
            return None
        frame.f_trace_opcodes = self._opcodes
        is_step = event == "line" and not self._opcodes
        if event == "opcode":
            is_step = self._previous.get(frame, -1) in CHECKING
            self._previous[frame] = frame.f_code.co_code[frame.f_lasti]
        if is_step:
            self.steps += 1
            if self.steps == self._at:
                self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}"
                if self.act is None:
                    raise self.error
                self.act()
        return self._trace

    @contextlib.contextmanager
    def armed(self) -> Iterator["Interruption"]:
        """Interrupt what happens in the `with` block."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield self
        except self.error:
            pass
        finally:
            sys.settrace(before)


def every_interrupt(
    scenario: Callable[[Interruption], None],
    opcodes: bool = False,
    every: int = 1,
    error: type[BaseException] = KeyboardInterrupt,
) -> int:
    """Run `scenario` once for each step that it takes while it is armed; how many there are.

    Each time it has a thread of its own: CPython 3.11 may take an exception from a tracer for one that is still being
    handled, and go on to show it as the context of every later exception of that thread.
    """
    counting = Interruption(opcodes=opcodes)
    with running(scenario, counting):
        pass
    for at in range(1 + counting.steps % every, counting.steps + 1, every):
        interruption = Interruption(at, opcodes, error)
        try:
            with running(scenario, interruption):
                pass
        except BaseException as failure:
            failure.add_note(f"interrupted at step {at}: {interruption.where}")
            raise
    return counting.steps


def held_locks(*locks: Any) -> int:
    """How many of these locks another thread cannot take."""
    held: list[bool] = []

    def take() -> None:
        for lock in locks:
            if is_free := lock.acquire(blocking=False):
                lock.release()
            held.append(not is_free)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return sum(held)
