"""Threads that are strands: locks that let others run while they wait, and how a Thread starts and ends."""

import sys
import threading

from wslab.in_memory.strands import Strands


class Lock:
    """As `threading.Lock`; who waits for it lets the other strands run."""

    def __init__(self, strands: Strands) -> None:
        self._strands = strands
        self._is_held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock. Return False if it cannot be had at once, or in time."""
        limit = None if timeout < 0 else timeout
        if self._is_held and not (blocking and self._strands.wait(lambda: not self._is_held, limit)):
            return False
        self._is_held = True
        return True

    def release(self) -> None:
        """Give the lock back."""
        if not self._is_held:
            raise RuntimeError("release unlocked lock")
        self._is_held = False
        self._strands.changed()

    def locked(self) -> bool:
        """Return whether somebody has it."""
        return self._is_held

    def _at_fork_reinit(self) -> None:  # what the standard library asks of its locks
        self._is_held = False

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class ThreadMethods:
    """What a `threading.Thread` does where it is a strand."""

    def __init__(self, strands: Strands) -> None:
        self._strands = strands
        self._alive: set[threading.Thread] = set()

    def start(self, thread: threading.Thread) -> None:
        """As `Thread.start`."""
        if thread.ident is not None or thread in self._alive:
            raise RuntimeError("threads can only be started once")
        self._alive.add(thread)
        self._strands.start(lambda: self._run(thread))

    def is_alive(self, thread: threading.Thread) -> bool:
        """As `Thread.is_alive`."""
        return thread in self._alive or thread is threading.main_thread()

    def join(self, thread: threading.Thread, timeout: float | None = None) -> None:
        """As `Thread.join`."""
        if thread is threading.current_thread():
            raise RuntimeError("cannot join current thread")
        self._strands.wait(lambda: thread not in self._alive, timeout)

    def _run(self, thread: threading.Thread) -> None:
        running: dict[int, threading.Thread] = vars(threading)["_active"]  # where `current_thread` looks
        number = self._strands.current
        running[number] = thread
        vars(thread)["_ident"] = number
        try:
            thread.run()
        except SystemExit:
            pass
        except BaseException:  # as in a thread: whoever started it goes on
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), thread)))
        finally:
            del running[number]
            self._alive.discard(thread)
