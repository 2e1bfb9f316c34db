"""locks: whatever interrupts the one that holds a lock, the next can have it."""

import threading

import pytest

from wslab.recording.locks import hold, release_if_owned


class Interrupted(BaseException):
    """What a signal handler raises."""


def interrupt(*_):
    raise Interrupted


def can_be_had(lock):
    had = []
    thread = threading.Thread(target=lambda: had.append(lock.acquire(timeout=0)))
    thread.start()
    thread.join()
    return had == [True]


def test_a_lock_is_held_while_the_function_is_called_and_no_longer():
    lock, seen = threading.RLock(), []

    hold(lock, lambda *arguments: seen.append((can_be_had(lock), arguments)), 1, 2)

    assert seen == [(False, (1, 2))]
    assert can_be_had(lock)


def test_an_exception_inside_leaves_no_lock():
    lock = threading.RLock()

    with pytest.raises(Interrupted):
        hold(lock, interrupt)

    assert can_be_had(lock)


@pytest.mark.parametrize("interrupted", ["acquire", "release"])
def test_an_exception_right_after_the_step_that_takes_or_gives_the_lock_leaves_no_lock(interrupted):
    class Lock:
        def __init__(self):
            self.real = threading.RLock()
            self._is_owned = self.real._is_owned

        def acquire(self):
            self.real.acquire()
            if interrupted == "acquire":
                raise Interrupted

        def release(self):
            self.real.release()
            if interrupted == "release":
                raise Interrupted

    lock = Lock()
    with pytest.raises(Interrupted):
        hold(lock, lambda: None)

    assert can_be_had(lock.real)


def test_a_lock_of_another_thread_is_not_released():
    lock = threading.RLock()
    with lock:
        thread = threading.Thread(target=release_if_owned, args=(lock,))
        thread.start()
        thread.join()
        assert not can_be_had(lock)
