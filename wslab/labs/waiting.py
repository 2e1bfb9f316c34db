"""Waiting: a condition in, back as soon as it holds; and an end to the wait if it never does."""

import time
from collections.abc import Callable

PAUSE = 0.01  # seconds between two looks


def wait_until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Look again and again until `condition()` is true. Raises TimeoutError if it is not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"what the program waits for has not happened within {timeout:g} s")
        time.sleep(PAUSE)
