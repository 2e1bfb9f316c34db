"""Leaving: which threads are there still, while they leave at the same time."""

import threading

from support.waiting import running

from wslab.sockets.leaving import Leaving

COUNT = 20_000


def test_a_thread_is_known_until_it_is_gone():
    leaving, thread, other = Leaving(), threading.Thread(), threading.Thread()
    for _ in range(2):
        leaving.add(thread)
    leaving.add(other)

    assert sorted(map(id, leaving.threads())) == sorted(map(id, (thread, other)))
    del thread
    assert leaving.threads() == [other]


def test_threads_may_leave_while_they_are_listed():
    leaving = Leaving()

    class Gone:
        """In the place of a thread, which takes long to make."""

    def leave():
        for _ in range(COUNT):
            leaving.add(Gone())

    with running(leave) as first, running(leave) as second:
        while first.is_alive() or second.is_alive():
            leaving.threads()
    assert leaving.threads() == []
