"""rate: how often something may happen, counted for each of those who do it."""

import time
from collections.abc import Callable


class Rate:
    """Lets something happen `burst` times at once, and `per_second` times a second from then on.

    >>> rate = Rate(1.0, burst=2, clock=lambda: 0.0)
    >>> [rate.take() for _ in range(3)]
    [True, True, False]
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left, self._counted_at = float(burst), clock()

    def take(self) -> bool:
        """Return True if it may happen now, and count it."""
        self._fill()
        is_allowed = self._left >= 1
        self._left -= is_allowed
        return is_allowed

    @property
    def is_untouched(self) -> bool:
        """True if it has not happened for so long that nothing is left to remember."""
        self._fill()
        return self._left >= self._burst

    def _fill(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._counted_at) * self._per_second)
        self._counted_at = now
