"""Strands: parts of a program that take turns; each runs until it has to wait for another."""

import asyncio
import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

CANNOT_WAIT = (
    "nothing can be waited for here: run this in a cell, and in a browser that lets Python wait (JSPI), as Chrome does"
)


class Strands(ABC):
    """Who runs, and who waits for what. `current` is the number of the strand that runs."""

    def __init__(self) -> None:
        self.main = self.current = threading.get_ident()
        self._numbers = itertools.count(1)

    def start(self, run: Callable[[], object]) -> None:
        """Let a new strand call `run`, soon."""
        number = next(self._numbers)

        def run_as_strand() -> None:
            self.current = number
            try:
                run()
            finally:
                self.current = self.main
                self.changed()

        self._start(run_as_strand)

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Let others run until `ready` is true. Return False if it is not within `timeout` seconds (None: no limit)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not ready():
            rest = None if deadline is None else deadline - time.monotonic()
            if rest is not None and rest <= 0:
                return False
            # What runs meanwhile and is no strand counts as the main one.
            number, self.current = self.current, self.main
            try:
                self._pause(rest)
            finally:
                self.current = number
        return True

    def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        self.wait(lambda: False, seconds)

    @abstractmethod
    def changed(self) -> None:
        """Say that what somebody waits for may have come true."""

    @abstractmethod
    def _start(self, run: Callable[[], None]) -> None:
        """Call `run` soon, so that it may pause."""

    @abstractmethod
    def _pause(self, timeout: float | None) -> None:
        """Let the others run until something has changed, or the time is over."""


class BrowserStrands(Strands):
    """Strands as a browser can run them: WebAssembly sets one stack aside and goes on with another (JSPI)."""

    def __init__(self) -> None:
        super().__init__()
        self._change: asyncio.Future[None] | None = None

    def changed(self) -> None:
        """As `Strands.changed`."""
        if self._change is not None and not self._change.done():
            self._change.set_result(None)

    def _start(self, run: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(run)

    def _pause(self, timeout: float | None) -> None:
        from pyodide.ffi import can_run_sync, run_sync

        if not can_run_sync():
            raise RuntimeError(CANNOT_WAIT)
        if self._change is None or self._change.done():
            self._change = asyncio.get_running_loop().create_future()
        run_sync(asyncio.wait([self._change], timeout=timeout))
