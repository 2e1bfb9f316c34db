"""Waiter: it waits for a socket, and any other thread can end that; one pair of sockets is enough for two of them."""

import socket
from collections.abc import Iterator

import pytest
from support.waiting import running

from wslab.tap.waiter import Waiter


@pytest.fixture
def both() -> Iterator[tuple[Waiter, Waiter, socket.socket, socket.socket]]:
    """Two waiters for the two directions between two sockets, and the other ends of these."""
    (client, ours), (server, theirs), pair = (socket.socketpair() for _ in range(3))
    with client, ours, server, theirs, pair[0], pair[1]:
        for end in (client, server, *pair):
            end.setblocking(False)
        yield Waiter(client, server, *pair), Waiter(server, client, *reversed(pair)), ours, theirs


def test_it_waits_until_its_source_can_be_read(both):
    upward, downward, ours, _ = both
    assert not upward.until_readable(0)
    ours.sendall(b"Hello")
    assert upward.until_readable(None)
    assert not downward.until_readable(0)


def test_it_waits_until_its_sink_can_be_written(both):
    upward, _, _, _theirs = both
    assert upward.until_writable(None)


@pytest.mark.parametrize("wait", ["until_readable", "until_writable"])
def test_being_woken_ends_a_wait_and_the_wait_of_no_other(both, wait):
    upward, downward, _ours, _theirs = both
    for sink in (upward._writable, downward._writable):
        fill(next(key.fileobj for key in sink.get_map().values()))
    answers = []
    with running(lambda: answers.append(getattr(upward, wait)(None))):
        upward.wake()
    assert answers == [False]
    assert not getattr(upward, wait)(0)  # woken once is not woken twice

    downward.wake()
    assert not getattr(downward, wait)(None)


def fill(sock: object) -> None:
    try:
        while isinstance(sock, socket.socket):
            sock.send(bytes(100_000))
    except BlockingIOError:
        return


def test_waking_often_neither_blocks_nor_fails_and_is_over_soon(both):
    upward, _, ours, _ = both
    for _ in range(10_000):
        upward.wake()
    assert not any(upward.until_readable(0) for _ in range(10))
    ours.sendall(b"Hello")
    assert upward.until_readable(None)
    assert upward._readable.select(0)[0][0].fileobj is not upward._woken
