"""Log: all bytes in both directions, all calls, and the times of whatever clock it is given."""

import itertools
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from wslab import Direction
from wslab.recording.log import ENTRY_COST, Call, Chunk, Log, fine_clock

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def ticking() -> Log:
    """A log whose clock says 0, 1, 2…"""
    return Log(clock=itertools.count().__next__)


def test_a_log_holds_chunks_and_calls_with_the_times_of_its_clock():
    log = ticking()
    log.add(1, UP, b"one")
    log.mark(1, UP, "send", "'one'")
    log.add(2, DOWN, b"two")

    assert log.chunks == [Chunk(0, 1, UP, b"one"), Chunk(2, 2, DOWN, b"two")]
    assert log.calls == [Call(1, 1, UP, "send", "'one'")]
    assert repr(log) == "Log(2 connections, 2 chunks, 6 bytes)"


def test_the_default_clock_tells_the_time_of_day():
    log = Log()
    log.add(1, UP, b"")
    log.mark(1, UP, "close")

    assert log.calls[0].time >= log.chunks[0].time > 1_700_000_000


def test_where_the_clock_goes_in_long_steps_the_time_of_day_is_told_in_short_ones(monkeypatch):
    class Coarse:
        resolution = 0.015625  # as on Windows

    now = time.time()
    monkeypatch.setattr(time, "get_clock_info", lambda name: Coarse)
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "perf_counter", itertools.count(100, 0.0001).__next__)
    clock = fine_clock()

    assert [clock() - now for _ in range(3)] == pytest.approx([0.0001, 0.0002, 0.0003], abs=1e-6)


def test_the_bytes_of_one_direction_of_one_connection_are_joined_in_order():
    log = ticking()
    for connection, direction, data in [(2, UP, b"a"), (1, UP, b"b"), (2, DOWN, b"c"), (2, UP, b"d")]:
        log.add(connection, direction, data)

    assert log.connections == [2, 1]
    assert log.bytes_sent(2, UP) == b"ad"
    assert log.bytes_sent(2, DOWN) == b"c"
    assert log.bytes_sent(3, UP) == b""


def test_the_events_of_a_connection_are_its_chunks_and_calls_in_the_order_of_their_times():
    log = ticking()
    log.add(1, UP, b"one")
    log.mark(1, DOWN, "receive", "'one'")
    log.mark(2, UP, "close")
    log.add(1, DOWN, b"two")

    assert list(log.events(1)) == [log.chunks[0], log.calls[0], log.chunks[1]]
    assert list(log.events(3)) == []


def test_at_one_time_calls_stand_before_what_they_send_and_after_what_they_receive():
    log = Log(clock=lambda: 7.0)
    log.mark(1, UP, "send", "'one'")
    log.mark(1, DOWN, "receive", "'two'")
    log.add(1, UP, b"one")
    log.add(1, DOWN, b"two")

    assert list(log.events(1)) == [log.calls[0], *log.chunks, log.calls[1]]


def test_a_clock_that_is_set_back_changes_no_order():
    log = Log(clock=iter([5.0, 6.0, 1.0, 7.0, 2.0]).__next__)
    log.add(1, UP, b"a")
    log.mark(1, UP, "send", "'b'")
    log.add(1, UP, b"b")
    log.mark(1, UP, "send", "'c'")
    log.add(1, UP, b"c")

    assert [entry for entry in log.events(1) if isinstance(entry, Chunk)] == log.chunks
    assert [entry for entry in log.events(1) if isinstance(entry, Call)] == log.calls


def test_threads_may_add_at_the_same_time():
    log = Log()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: [log.add(number, UP, b"x") for _ in range(1000)], range(8)))

    assert [len(log.bytes_sent(number, UP)) for number in range(8)] == [1000] * 8


def test_what_is_lost_is_counted_also_where_threads_run_at_the_same_time():
    log = Log(limit=10 * (ENTRY_COST + 1))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: [log.add(number, UP, b"x") for _ in range(10_000)], range(4)))

    assert len(log.chunks) == 10
    assert " 39,990 chunks " in log.left_out


def test_clients_that_begin_at_the_same_time_get_numbers_of_their_own():
    log = Log()
    log.add(3, Direction.CLIENT_TO_SERVER, b"loaded")

    assert [log.new_number() for _ in range(3)] == [4, 5, 6]  # before anything of theirs is recorded


# A log that is full


def test_a_full_log_keeps_nothing_more_and_says_so():
    log = Log(limit=2 * ENTRY_COST + 100)
    log.add(1, UP, bytes(40))
    log.mark(1, UP, "send", "x" * 60)
    assert log.left_out == ""
    log.add(1, UP, b"!")
    log.add(2, UP, b"")
    log.mark(1, UP, "close")
    log.opened(3, ("127.0.0.1", 1), ("127.0.0.1", 2))

    assert ([chunk.data for chunk in log.chunks], len(log.calls), log.addresses) == ([bytes(40)], 1, {})
    assert log.left_out == (
        "The recording was full at 500 bytes: 2 chunks of bytes and 1 call after that were left out. "
        "A larger limit keeps more."
    )
    assert repr(log) == "Log(1 connection, 1 chunk, 40 bytes, full)"


def test_addresses_fill_a_log_too():
    log = Log(limit=3 * ENTRY_COST)
    for number in range(5):
        log.opened(number, ("127.0.0.1", 1), ("127.0.0.1", 2))
    log.add(1, UP, b"")

    assert log.left_out


@pytest.mark.parametrize("size", [0, 100, 10_000])
def test_a_log_takes_about_as_much_memory_as_it_counts(size):
    log = Log(limit=2_000_000)
    tracemalloc.start()
    try:
        while not log.left_out:
            log.add(1, UP, bytes(size))
            log.mark(1, DOWN, "receive", f"'message {len(log.calls)}'")
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert 1_000_000 < used < 2_200_000


def test_new_numbers_are_beyond_all_that_were_recorded_however_they_came():
    log = Log()
    assert log.new_number() == 1
    log.add(7, UP, b"")
    assert log.new_number() == 8
    log.chunks.append(Chunk(0, 20, UP, b""))
    assert log.new_number() == 21
    log.add(3, UP, b"")
    assert log.new_number() == 22


@pytest.mark.parametrize("limit", [-1, float("nan"), "1", None, 1.5])
def test_a_limit_is_a_whole_number(limit):
    with pytest.raises(ValueError, match=r"^limit must be a whole number from 0 to "):
        Log(limit=limit)
