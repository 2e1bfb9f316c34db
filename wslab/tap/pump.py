"""Pump: one direction of a connection through a tap, in a thread of its own.

Strategy: it reads once, lets the fault of its direction turn the bytes into actions, and does these before it reads
again. So nothing is kept but one read, and a receiver that does not read makes the sender wait. A pump that waits for a
peer also waits for its waker, by which other threads tell it that a fault was set or that the connection is over;
nothing is asked again and again. A pump that pauses waits for `settings.change`.
"""

import contextlib
import math
import socket
import threading

from wslab.protocol.states import Direction
from wslab.tap.faults import End, Fault, Pause
from wslab.tap.passage import Passage
from wslab.tap.waiter import Waiter

READ_SIZE = 64 * 1024
NO_FAULT = Fault()


class Pump:
    """One direction: what `source` sends goes to `sink`, as the fault of this direction changes it."""

    opposite: "Pump"

    def __init__(
        self, passage: Passage, direction: Direction, source: socket.socket, sink: socket.socket, waiter: Waiter
    ) -> None:
        self.direction = direction
        self.source = source
        self.sink = sink
        self.waiter = waiter
        self.has_ended = False  # nothing more will come out of it
        self.is_broken = False  # TCP of the source is, so that its end is a reset
        self._passage = passage
        self._settings = passage.settings
        self._is_sink_closed = False  # it takes nothing more
        self._version = 0  # of the fault
        self._position = 0  # how many bytes the fault has met

    def run(self) -> None:
        """Forward until the source ends or the connection is over."""
        try:
            while not self._passage.is_over:
                self._cut_at_once()
                data = self._read()
                if data is not None:
                    self._forward(data)
                if data == b"":
                    break
        except BaseException:  # a fault that a reader has written may raise anything
            self._passage.reset(self.source, self.sink)
            raise
        finally:
            with self._settings.change:
                self.has_ended = True
                self._settings.change.notify_all()

    def _read(self) -> bytes | None:
        """Wait for what arrives and return it, b"" for the end of TCP, or None if something else has happened first."""
        if not self.waiter.until_readable(self._passage.seconds_to_idle()):
            self._passage.leave_if_idle()
            return None
        try:
            data = self.source.recv(READ_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            self.is_broken, data = True, b""
        if self._passage.is_over:
            return None
        recording, number = self._passage.recording, self._passage.number
        if data:
            self._passage.has_read()
            recording.add(number, self.direction, data)
        else:
            recording.mark(number, self.direction, "reset" if self.is_broken else "end")
        return data

    # What the fault makes of it

    @property
    def _is_fault_new(self) -> bool:
        return self._settings.version(self.direction) != self._version

    def _current_fault(self) -> Fault:
        with self._settings.change:
            if self._is_fault_new:
                self._version, self._position = self._settings.version(self.direction), 0
            return self._settings.get(self.direction) or NO_FAULT

    def _cut_at_once(self) -> None:
        """Cut as soon as a fault is set that does so before the first byte, and not only when that byte comes."""
        if self._is_fault_new:
            first = next(self._current_fault().act(b"", 0), b"")
            if isinstance(first, End):
                self._cut(first.reset)

    def _forward(self, data: bytes) -> None:
        """Forward one read or, where that is empty, the end of TCP. The fault may be changed meanwhile."""
        done = 0
        while not self._passage.is_over and (done < len(data) or not data):
            fault, rest = self._current_fault(), data[done:]
            for action in fault.act(rest, self._position):
                match action:
                    case Pause(seconds):
                        self._pause(seconds)
                    case End(reset):
                        self._cut(reset)
                    case b"":
                        self._end()
                        return
                    case bytes(piece):
                        self._write(piece)
                        done += len(piece)
                if self._passage.is_over or self._is_fault_new:
                    break
            else:
                self._position += len(rest)
                return

    def _pause(self, seconds: float) -> None:
        """Wait, unless the fault is changed. A pause without an end is over when the receiver has ended, too."""
        passage, change = self._passage, self._settings.change
        is_endless = math.isinf(seconds)

        def is_over() -> bool:
            return passage.is_over or self._is_fault_new or (is_endless and self.opposite.has_ended)

        with change:
            change.wait_for(is_over, None if is_endless else min(seconds, threading.TIMEOUT_MAX))
            if is_endless and not self._is_fault_new:
                passage.finish()

    # What goes out

    def _write(self, data: bytes) -> None:
        if self._is_sink_closed:
            return
        if self._passage.delivered is not None:
            self._passage.delivered.add(self._passage.number, self.direction, data)
        rest = memoryview(data)
        while rest and not self._passage.is_over:
            try:
                rest = rest[self.sink.send(rest) :]
            except BlockingIOError:
                self.waiter.until_writable(self._passage.seconds_to_idle())
                self._passage.leave_if_idle()
            except OSError:
                self._lose_sink()
                return

    def _lose_sink(self) -> None:
        """The receiver has reset TCP: let the opposite direction pass that on, or do so if that has ended."""
        self._is_sink_closed = True
        with self._settings.change:
            self.opposite.is_broken = True
            if not self.opposite.has_ended:
                return
        self._passage.reset(self.source)

    def _end(self) -> None:
        with self._settings.change:
            self.has_ended = True
            is_broken = self.is_broken
        self._cut(is_broken, self.sink)

    def _cut(self, reset: bool, *ends: socket.socket) -> None:
        """End TCP for the receiver, unless that has happened; with a reset, at both ends unless `ends` are given."""
        if self._is_sink_closed and not reset:
            return
        if self._passage.delivered is not None:
            self._passage.delivered.mark(self._passage.number, self.direction, "reset" if reset else "end")
        self._is_sink_closed = True
        if reset:
            self._passage.reset(*(ends or (self.source, self.sink)))
        else:
            with contextlib.suppress(OSError):  # it may have ended already
                self.sink.shutdown(socket.SHUT_WR)
