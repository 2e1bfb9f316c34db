"""Strands of greenlets: what a browser does by switching stacks (JSPI), for tests outside of one."""

import time
from collections import deque
from collections.abc import Callable

from greenlet import getcurrent, greenlet

from wslab.in_memory.strands import Strands

pause = time.sleep  # before it is replaced


class GreenStrands(Strands):
    """Each strand runs in turn, until nothing has changed for a whole round."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[greenlet] = deque()
        self._unchanged = 0  # turns in a row

    def changed(self) -> None:
        self._unchanged = 0

    def _start(self, run: Callable[[], None]) -> None:
        def run_and_go_on(*_: object) -> None:
            run()
            getcurrent().parent = self._waiting.popleft()

        self._waiting.append(greenlet(run_and_go_on))
        self.changed()

    def _pause(self, timeout: float | None) -> None:
        self._unchanged += 1
        if self._unchanged > len(self._waiting) + 1:
            pause(0.001 if timeout is None else min(timeout, 0.001))
        self._waiting.append(getcurrent())
        self._waiting.popleft().switch()
