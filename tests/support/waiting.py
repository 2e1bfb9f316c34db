"""Waiting for what should happen, and no longer: conditions, threads beside a test, and how long is too long."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

PATIENCE = 20.0  # seconds; a test waits so long for what should come at once, and then fails


def wait_until(condition: Callable[[], object]) -> None:
    """Come back as soon as `condition` holds; fail if it does not in PATIENCE."""
    deadline, tick = time.monotonic() + PATIENCE, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for has not happened"
        tick.wait(0.002)


def is_held(lock: threading.RLock) -> bool:
    """Whether another thread has this lock."""
    if is_free := lock.acquire(blocking=False):
        lock.release()
    return not is_free


@contextlib.contextmanager
def running(function: Callable[..., object], *arguments: object) -> Iterator[threading.Thread]:
    """Run `function` in a thread beside the `with` block, which then waits for it and raises what it raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            function(*arguments)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name=f"test-{getattr(function, '__name__', 'thread')}", daemon=True)
    thread.start()
    yield thread
    thread.join(PATIENCE)
    assert not thread.is_alive(), "the thread hangs"
    if errors:
        raise errors[0]


def wslab_threads() -> set[threading.Thread]:
    """Those that run. An interrupt in `Thread.start` leaves one in Python's list that has never run, and never will."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("wslab-") and thread.is_alive()}
