"""isolation: cases played where they can do no harm, with a limit of time for each.

Where the system can fork, a child process plays them: it has the learner's function as it stands in the notebook, and
it can be killed, whatever it waits for. Elsewhere a thread does, which an exception is sent into.
"""

import contextlib
import ctypes
import gc
import os
import queue
import selectors
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any

from wslab.exercises.checks.exercise import Case, Function
from wslab.exercises.checks.outcome import ENDED, NEVER_RETURNED, Outcome, Sink, Stopped, codes_of, outcomes_of
from wslab.exercises.checks.values import dumps, loads
from wslab.sockets.stream import Selector

try:
    import resource
except ImportError:  # Windows has no limits of this kind
    resource = None  # type: ignore[assignment]

LIMIT = 3.0  # seconds for a call
MEMORY = 1 << 30  # bytes more than the process had
ATTEMPTS, PATIENCE = 20, 0.05  # seconds in which a thread may end after an exception
HEADER = 8  # bytes that say how long an outcome is
TOOL = 4  # a number of sys.monitoring that no debugger, profiler or coverage has


def can_fork() -> bool:
    """Whether this system has fork; in a browser Python has it in name only."""
    return hasattr(os, "fork") and sys.platform not in ("emscripten", "wasi")


def play(function: Function, cases: Sequence[Case], same: frozenset[str], limit: float) -> list[Outcome]:
    """The outcomes of the cases, in order, up to the first that does not come to its end."""
    if can_fork():
        with contextlib.suppress(BlockingIOError):  # no more processes are to be had
            return play_in_fork(function, cases, same, limit)
    return play_in_thread(function, cases, same, limit)


def play_in_fork(function: Function, cases: Sequence[Case], same: frozenset[str], limit: float) -> list[Outcome]:
    """As `play`, in a child process. Raises BlockingIOError if there can be none."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: there are threads, which a fork has not
        try:
            child = os.fork()
        except BlockingIOError:
            os.close(reader)
            os.close(writer)
            raise
    if child == 0:
        _be_the_child(function, cases, same, writer)
    os.close(writer)
    try:
        return _read_outcomes(reader, len(cases), limit)
    finally:
        os.close(reader)
        for kill in (os.killpg, os.kill):  # the child, and what it has started
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _be_the_child(function: Function, cases: Sequence[Case], same: frozenset[str], writer: int) -> None:
    """Play the cases and write their outcomes; never return."""
    try:
        os.setsid()
        _let_go_of_what_is_open(writer)
        _limit_memory()
        gc.disable()  # what the parent has is not ours to collect
        sink = Sink()
        sys.stdout = sys.stderr = sink
        me = os.getpid()
        for outcome in outcomes_of(function, cases, same, sink):
            if os.getpid() != me:  # the function has forked, and this is the copy
                break
            data = dumps(outcome.to_data())
            _write(writer, len(data).to_bytes(HEADER, "big") + data)
    finally:
        os._exit(0)


def _let_go_of_what_is_open(writer: int) -> None:
    """Leave only the writer: what the parent has open, such as a kernel's sockets, is not for a learner's function."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        if standard != writer:
            os.dup2(nowhere, standard)
    for opened in map(int, os.listdir("/dev/fd")):
        if opened > 2 and opened != writer:
            with contextlib.suppress(OSError):  # the list was open, too
                os.close(opened)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _limit_memory() -> None:
    if resource is None or not os.path.exists("/proc/self/statm"):
        return
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)


def _write(writer: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(writer, view) :]


def _read_outcomes(reader: int, count: int, limit: float) -> list[Outcome]:
    outcomes: list[Outcome] = []
    while len(outcomes) < count:
        try:
            size = int.from_bytes(_read(reader, HEADER, limit), "big")
            outcomes.append(Outcome.from_data(loads(_read(reader, size, limit))))
        except TimeoutError:
            return [*outcomes, Outcome(ended=NEVER_RETURNED)]
        except (EOFError, ValueError, SyntaxError, TypeError):  # the child has ended, or wrote what we did not ask for
            return [*outcomes, Outcome(ended=ENDED)]
    return outcomes


def _read(reader: int, count: int, limit: float) -> bytes:
    deadline, data = time.monotonic() + limit, b""
    with Selector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while len(data) < count:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            piece = os.read(reader, min(count - len(data), 1 << 20))
            if not piece:
                raise EOFError
            data += piece
    return data


def play_in_thread(function: Function, cases: Sequence[Case], same: frozenset[str], limit: float) -> list[Outcome]:
    """As `play`, in a thread: one that waits in C for ever is left there, asleep."""
    results: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
    sink: Any = Sink()

    def work() -> None:
        with contextlib.suppress(Stopped):
            for outcome in outcomes_of(function, cases, same, sink):
                results.put(outcome)
        results.put(None)

    thread = threading.Thread(target=work, name="exercise", daemon=True)
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        thread.start()
        return list(_collect(results, thread, function, len(cases), limit))


def _collect(
    results: "queue.SimpleQueue[Outcome | None]",
    thread: threading.Thread,
    function: Function,
    count: int,
    limit: float,
) -> Iterator[Outcome]:
    for _ in range(count):
        try:
            outcome = results.get(timeout=limit)
        except queue.Empty:
            _stop(thread, function)
            yield Outcome(ended=NEVER_RETURNED)
            return
        yield outcome or Outcome(ended=ENDED)
        if outcome is None:
            return


def _stop(thread: threading.Thread, function: Function) -> None:
    """Raise Stopped in the thread, more than once if the function catches even that."""
    with _raising_in_each_line(thread, {code.co_filename for code in codes_of(function)}):
        for _ in range(ATTEMPTS):
            if thread.ident is not None and thread.is_alive():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped))
                thread.join(PATIENCE)


@contextlib.contextmanager
def _raising_in_each_line(thread: threading.Thread, files: set[str]) -> Iterator[None]:
    """Raise Stopped in each line of these files that the thread comes to, also in one behind an `except`.

    Python 3.13 and later need it, where an exception that is sent comes up within a loop, and so within the `try`
    around it; Python 3.11 has no such means.
    """
    if sys.version_info < (3, 12) or sys.monitoring.get_tool(TOOL):
        yield
        return

    def look(code: CodeType, _line: int) -> None:
        if threading.get_ident() == thread.ident and code.co_filename in files:
            raise Stopped

    monitoring, line = sys.monitoring, sys.monitoring.events.LINE
    monitoring.use_tool_id(TOOL, "wslab")
    try:
        monitoring.register_callback(TOOL, line, look)
        monitoring.set_events(TOOL, line)
        yield
    finally:
        monitoring.set_events(TOOL, 0)
        monitoring.register_callback(TOOL, line, None)
        monitoring.free_tool_id(TOOL)
