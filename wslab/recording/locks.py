"""locks: an RLock that is held for one call and that no Ctrl-C leaves locked.

`with`, and `finally` as well, leave it locked if a Ctrl-C comes between their last line and the release.
"""

from collections.abc import Callable
from typing import Any


def hold(lock: Any, act: Callable[..., object], *arguments: object) -> None:
    """Call `act` while no other thread has the lock."""
    try:
        lock.acquire()
        act(*arguments)
        lock.release()
    except BaseException:
        release_if_owned(lock)
        raise


def release_if_owned(lock: Any) -> None:
    """Release the lock if this thread has it: after an exception that may have come before the release or after it."""
    if lock._is_owned():
        lock.release()
