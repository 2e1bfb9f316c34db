"""Passage: what the two directions of one connection through a tap share: its observers, its idle clock, its end.

Locks: `settings.change` guards whether it is over, besides which faults are set and which directions have ended. It is
never held while bytes are read or written.
"""

import contextlib
import math
import os
import socket
import struct
import sys
import time
import weakref

from wslab.protocol.states import Direction
from wslab.recording.log import Observer
from wslab.sockets.log import log
from wslab.sockets.stream import shut_down
from wslab.tap.fault_settings import FaultSettings
from wslab.tap.waiter import Waiter

FIRST_BYTE_TIMEOUT = 10.0  # seconds in which one side must have said something
IDLE_TIMEOUT = 3600.0  # seconds between two reads, of whichever side
RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # SO_LINGER: on, for 0 seconds


class Passage:
    """One connection through a tap, as any thread may end it: by `finish`, `stop` or `reset`.

    What each side sends goes to `recording`, what the other one then gets to `delivered`. If nothing is sent for
    `idle_timeout` seconds (None: no limit), or for FIRST_BYTE_TIMEOUT at the beginning, TCP is ended on both sides.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        settings: FaultSettings,
        recording: Observer,
        delivered: Observer | None = None,
        idle_timeout: float | None = IDLE_TIMEOUT,
    ) -> None:
        self.number = number
        self.settings = settings
        self.recording = recording
        self.delivered = delivered
        self.is_over = False  # nothing more is to be forwarded
        self.socks = [client]
        self.waiters: list[Waiter] = []
        self._idle_timeout = math.inf if idle_timeout is None else idle_timeout
        self._idle_at = time.monotonic() + min(FIRST_BYTE_TIMEOUT, self._idle_timeout)
        _passages.add(self)

    @property
    def observers(self) -> list[Observer]:
        """Who is told of the connection."""
        return [self.recording] if self.delivered is None else [self.recording, self.delivered]

    def seconds_to_idle(self) -> float | None:
        """Return for how long a pump may wait for a peer."""
        return None if math.isinf(self._idle_at) else max(0.0, self._idle_at - time.monotonic())

    def has_read(self) -> None:
        """Take note that one side has sent something."""
        self._idle_at = time.monotonic() + self._idle_timeout

    def leave_if_idle(self) -> None:
        """End TCP at both ends if nothing has been sent for too long."""
        if self.seconds_to_idle() != 0:
            return
        with self.settings.lock:
            was_over, self.is_over = self.is_over, True
        if not was_over:
            log.info("connection %d: the tap has ended it, as neither side sends anything", self.number)
            for direction in Direction:
                for observer in self.observers:
                    observer.mark(self.number, direction, "end")
            self.stop()

    def wake(self) -> None:
        """Let the pumps look at what has changed, if they wait for a peer."""
        for waiter in self.waiters:
            waiter.wake()

    def finish(self) -> None:
        """Forward nothing more. The sockets are closed as soon as both threads have noticed."""
        with self.settings.lock:
            self.is_over = True
            self.settings.change.notify_all()
        self.wake()

    def stop(self) -> None:
        """End TCP at both ends."""
        self.is_over = True
        for sock in self.socks:  # before the threads notice and close them, which ends nothing if a fork has them, too
            shut_down(sock)
        self.finish()

    def reset(self, *socks: socket.socket) -> None:
        """Close the connection, with a reset at these ends of it."""
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.finish()


_passages: weakref.WeakSet[Passage] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """Close what a fork has of the sockets, as its parent could not reset TCP otherwise."""
    for passage in _passages:
        for sock in passage.socks:
            sock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
