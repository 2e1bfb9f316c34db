"""Waiting: until a condition holds, and no longer."""

import pytest

from wslab.labs.waiting import wait_until


def test_the_wait_ends_with_the_first_look_at_which_the_condition_holds():
    looks = iter([False, [], "done", "too often"])
    wait_until(lambda: next(looks))
    assert list(looks) == ["too often"]


def test_what_holds_already_is_found_even_without_any_time():
    wait_until(lambda: True, timeout=0)


def test_what_never_happens_ends_the_wait_with_a_timeout():
    with pytest.raises(TimeoutError, match=r"has not happened within 0\.05 s"):
        wait_until(lambda: False, timeout=0.05)
