"""outbox: what one client is to be sent, in order; it waits here, so that nobody waits for a client that does not read.

Strategy: whoever has news puts them in and goes on; a thread of the outbox sends all that has come together. A client
that reads too slowly does not get half of it: it is told so, as far as it listens, and let go.

Locks: `_has_news` protects the queue, and is never held while anything is sent.
"""

import contextlib
import threading
from collections import deque

from wslab.protocol.errors import CloseCode, ConnectionClosed
from wslab.sockets.connection import Connection

MAX_WAITING = 5000  # messages
MAX_SIZE = 4 * 1024 * 1024  # characters or bytes, which the outboxes of all share
TOO_SLOW = "you do not read what is sent to you"


class Outbox:
    """Sends what is `put` to a connection, from a thread of its own, in a `with` block."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._has_news = threading.Condition()
        self._waiting: deque[str | bytes] = deque()
        self._size = 0
        self._is_over = self._has_overflowed = False
        self._thread = threading.Thread(target=self._run, name=f"wslab-outbox-{connection.number}", daemon=True)

    def __enter__(self) -> "Outbox":
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        with self._has_news:
            self._is_over = True
            self._has_news.notify()
        self._thread.join()

    def put(self, message: str | bytes) -> None:
        """Send this as soon as the client has read what comes before it, and never wait for that."""
        with self._has_news:
            if self._has_overflowed:
                return
            self._waiting.append(message)
            self._size += len(message)
            if len(self._waiting) > MAX_WAITING or self._size > MAX_SIZE:
                self._has_overflowed = True
                self._waiting.clear()
                self._size = 0
            self._has_news.notify()

    def _run(self) -> None:
        with contextlib.suppress(ConnectionClosed):  # then the thread that receives learns of it, too
            while messages := self._take():
                self._connection.send_many(messages)
        if self._has_overflowed:
            self._connection.close(CloseCode.POLICY_VIOLATION, TOO_SLOW)

    def _take(self) -> list[str | bytes]:
        """Wait for something to send, and take all of it; nothing when it is over."""
        with self._has_news:
            while not (self._waiting or self._is_over or self._has_overflowed):
                self._has_news.wait()
            messages, self._size = list(self._waiting), 0
            self._waiting.clear()
            return messages
