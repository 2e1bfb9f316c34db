"""Lookahead: what arrives while nobody asks for messages, so that pings are answered and the end is noticed.

Strategy: there is no thread for it. A thread that sends, or asks whether the connection is open, looks at the socket
now and then, without waiting, and puts what it finds into the queue of messages, `MAX_UNREAD` bytes at most: the rest
stays with the operating system, and the peer has to wait. Whoever receives says when the next look is due
(`transport.look_at`).

Locks: a look needs the turn to receive (`transport.reading`); while another thread has it, there is no look.
"""

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from wslab.protocol.errors import ConnectionClosed
from wslab.protocol.events import MESSAGE
from wslab.protocol.states import State
from wslab.sockets.transport import Transport

MAX_UNREAD = 16 * 1024 * 1024  # bytes of memory that may be filled while nobody asks for messages
LOOK_INTERVAL = 0.1  # seconds from a receive or a look to the next look
BUSY_INTERVAL = 1.0  # the same if there was more to receive: the receiver will come to it, and may want to answer first
EVENT_SIZE = 200  # bytes of memory that an event takes besides its data, about


class Lookahead:
    """Puts what has arrived into `queue`, by means of `read`, which takes a deadline and reads once."""

    def __init__(self, transport: Transport, queue: deque[Any], read: Callable[[float], list[Any]]) -> None:
        self.is_looking = False
        self.is_half_closed = False  # a client has ended its half of TCP; it may still read
        self._transport, self._queue, self._read = transport, queue, read
        self._filled = 0  # bytes of memory that looks have filled since the queue was empty
        transport.look = self.look_now

    def look(self) -> None:
        """Take in what has arrived, without waiting for more, unless a receiver is about to come to it.

        What may be wrong with it is told by `next`, later.
        """
        if self._filled or not self._queue or time.monotonic() > self._transport.look_at:
            self.look_now()

    def look_now(self) -> None:
        """As `look`, but whether or not it is time for it."""
        self._transport.look_at = time.monotonic() + LOOK_INTERVAL
        turn = self._transport.reading
        if self._transport.protocol.state is not State.OPEN or turn._is_owned():
            return
        try:
            if turn.acquire(False):  # else another thread is reading
                self.is_looking = True
                with contextlib.suppress(TimeoutError, ConnectionClosed):  # there is no more
                    self._read_ahead()
                self.is_looking = False
                turn.release()
        except BaseException:
            self.is_looking = False
            self._transport.free(False)
            raise

    def _read_ahead(self) -> None:
        """Read all that has arrived, as long as there is room for it. Raises TimeoutError when there is no more."""
        queue, now = self._queue, time.monotonic()
        self._filled = self._filled if queue else 0
        while self._filled < MAX_UNREAD and not self.is_half_closed:
            before = len(queue)
            queue.extend(self._read(now))
            self._filled += memory_of_last(queue, len(queue) - before)
        if self._filled >= MAX_UNREAD and (fault := self._transport.stream.fault()):
            self._transport.send_queue.broken = fault


def memory_of_last(queue: deque[Any], count: int) -> int:
    """Return how many bytes of memory the last ones in the queue take, about. The others are not looked at."""
    last = itertools.islice(reversed(queue), count)
    return sum(EVENT_SIZE + (len(received) if isinstance(received, MESSAGE) else 0) for received in last)
