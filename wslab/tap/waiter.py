"""Waiter: a thread's wait for one of two sockets, which any other thread can end."""

import contextlib
import selectors
import socket

from wslab.sockets.stream import Selector


class Waiter:
    """Waits until `source` can be read or `sink` be written.

    `woken` and `wakes` are the two ends of a pair of sockets: what is sent into one wakes who waits for the other. So
    one pair is enough for two waiters.
    """

    def __init__(self, source: socket.socket, sink: socket.socket, woken: socket.socket, wakes: socket.socket) -> None:
        self._woken, self._wakes = woken, wakes
        self._readable, self._writable = Selector(), Selector()
        self._readable.register(source, selectors.EVENT_READ)
        self._writable.register(sink, selectors.EVENT_WRITE)
        for selector in (self._readable, self._writable):
            selector.register(woken, selectors.EVENT_READ)

    def wake(self) -> None:
        """End the wait, or the next one if there is none now. Any thread may call this."""
        with contextlib.suppress(OSError):  # it has been woken often already, or is gone
            self._wakes.send(b"!")

    def until_readable(self, timeout: float | None) -> bool:
        """Return True if `source` can be read, False if the wait has ended for another reason."""
        return self._wait(self._readable, timeout)

    def until_writable(self, timeout: float | None) -> bool:
        """Return True if `sink` can be written, False if the wait has ended for another reason."""
        return self._wait(self._writable, timeout)

    def _wait(self, selector: selectors.BaseSelector, timeout: float | None) -> bool:
        ready = [key.fileobj for key, _ in selector.select(timeout)]
        if self._woken in ready:
            self._woken.recv(4096)
            ready.remove(self._woken)
        return bool(ready)
