"""Relay: one connection through a tap, with a socket at each end and a thread for each direction.

Strategy: each direction is a `Pump` that reads once, lets the fault of its direction turn the bytes into actions, and
does these before it reads again. So nothing is kept but one read, and a receiver that does not read makes the sender
wait. A pump that waits for a peer also waits for its waker, by which other threads tell it that a fault was set or that
the relay is over; nothing is asked again and again. A pump that pauses waits for `settings.change`, whose lock guards
all that several threads look at: which faults are set, which directions have ended, whether the relay is over. It is
never held while bytes are read or written.
"""

import contextlib
import math
import os
import socket
import struct
import sys
import threading
import time
import weakref
from collections.abc import Sequence

from wslab.protocol.states import Direction
from wslab.recording.log import Observer
from wslab.sockets.log import log
from wslab.sockets.stream import shut_down
from wslab.tap.fault_settings import FaultSettings
from wslab.tap.faults import End, Fault, Pause
from wslab.tap.waiter import Waiter

READ_SIZE = 64 * 1024
FIRST_BYTE_TIMEOUT = 10.0  # seconds in which one side must have said something
IDLE_TIMEOUT = 3600.0  # seconds between two reads, of whichever side
CONNECT_TIMEOUT = 5.0
FAREWELL_TIMEOUT = 1.0
RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # SO_LINGER: on, for 0 seconds
TO_SERVER, TO_CLIENT = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
NO_FAULT = Fault()


class Relay:
    """One connection: `run` opens TCP to `target`, carries the bytes of both directions, and returns at the end.

    What each side sends goes to `recording`, what the other one then gets to `delivered`. An end of TCP is passed on in
    its direction alone, a reset to the other side. If nothing is sent for `idle_timeout` seconds (None: no limit), or
    for FIRST_BYTE_TIMEOUT at the beginning, TCP is ended on both sides.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        target: tuple[str, int],
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
        self._target = target
        self._client = client
        self.socks = [client]
        self._waiters: list[Waiter] = []
        self._idle_timeout = math.inf if idle_timeout is None else idle_timeout
        self._idle_at = time.monotonic() + min(FIRST_BYTE_TIMEOUT, self._idle_timeout)
        _relays.add(self)

    def run(self) -> None:
        """Forward until both directions have ended. `stop` ends them both."""
        with self._client, contextlib.ExitStack() as opened:
            try:
                pair = [opened.enter_context(end) for end in socket.socketpair()]
                server = opened.enter_context(socket.create_connection(self._target, CONNECT_TIMEOUT))
            except ConnectionResetError:  # the server accepted, and went away at once
                self.recording.mark(self.number, TO_CLIENT, "reset")
                self.reset(self._client)
            except OSError as error:
                self._refuse(error)
            else:
                self.socks.append(server)
                self._carry(self._client, server, pair)

    def _carry(self, client: socket.socket, server: socket.socket, pair: Sequence[socket.socket]) -> None:
        for sock in (client, server, *pair):
            sock.setblocking(False)
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # the client may have gone already
            ends = client.getpeername()[:2], server.getpeername()[:2]
            for observer in filter(None, (self.recording, self.delivered)):
                observer.opened(self.number, *ends)
        upward = Pump(self, TO_SERVER, client, server, Waiter(client, server, *pair))
        downward = Pump(self, TO_CLIENT, server, client, Waiter(server, client, *reversed(pair)))
        upward.opposite, downward.opposite = downward, upward
        self._waiters = [upward.waiter, downward.waiter]
        thread = threading.Thread(target=downward.run, name=f"wslab-tap-{self.number}-to-client", daemon=True)
        thread.start()
        try:
            upward.run()
        finally:
            thread.join()

    def _refuse(self, error: OSError) -> None:
        """End TCP in good order: closing a socket with unread bytes would reset it."""
        log.warning("connection %d: %s port %d cannot be reached: %s", self.number, *self._target, error)
        self.recording.mark(self.number, TO_SERVER, "unreachable", str(error))
        deadline = time.monotonic() + FAREWELL_TIMEOUT
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
            self._client.settimeout(FAREWELL_TIMEOUT)
            while time.monotonic() < deadline and not self.is_over and (data := self._client.recv(READ_SIZE)):
                self.recording.add(self.number, TO_SERVER, data)

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
                for observer in filter(None, (self.recording, self.delivered)):
                    observer.mark(self.number, direction, "end")
            self.stop()

    def wake(self) -> None:
        """Let the pumps look at what has changed, if they wait for a peer."""
        for waiter in self._waiters:
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


_relays: weakref.WeakSet[Relay] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """Close what a fork has of the sockets, as its parent could not reset TCP otherwise."""
    for relay in _relays:
        for sock in relay.socks:
            sock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


class Pump:
    """One direction of a relay: what `source` sends goes to `sink`, as the fault of this direction changes it."""

    opposite: "Pump"

    def __init__(
        self, relay: Relay, direction: Direction, source: socket.socket, sink: socket.socket, waiter: Waiter
    ) -> None:
        self.direction = direction
        self.source = source
        self.sink = sink
        self.waiter = waiter
        self.has_ended = False  # nothing more will come out of it
        self.is_broken = False  # TCP of the source is, so that its end is a reset
        self._relay = relay
        self._settings = relay.settings
        self._is_sink_closed = False  # it takes nothing more
        self._version = 0  # of the fault
        self._position = 0  # how many bytes the fault has met

    def run(self) -> None:
        """Forward until the source ends or the relay is over."""
        try:
            while not self._relay.is_over:
                self._cut_at_once()
                data = self._read()
                if data is not None:
                    self._forward(data)
                if data == b"":
                    break
        except BaseException:  # a fault that a reader has written may raise anything
            self._relay.reset(self.source, self.sink)
            raise
        finally:
            with self._settings.change:
                self.has_ended = True
                self._settings.change.notify_all()

    def _read(self) -> bytes | None:
        """Wait for what arrives and return it, b"" for the end of TCP, or None if something else has happened first."""
        if not self.waiter.until_readable(self._relay.seconds_to_idle()):
            self._relay.leave_if_idle()
            return None
        try:
            data = self.source.recv(READ_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            self.is_broken, data = True, b""
        if self._relay.is_over:
            return None
        recording, number = self._relay.recording, self._relay.number
        if data:
            self._relay.has_read()
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
        while not self._relay.is_over and (done < len(data) or not data):
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
                if self._relay.is_over or self._is_fault_new:
                    break
            else:
                self._position += len(rest)
                return

    def _pause(self, seconds: float) -> None:
        """Wait, unless the fault is changed. A pause without an end is over when the receiver has ended, too."""
        relay, change = self._relay, self._settings.change
        is_endless = math.isinf(seconds)

        def is_over() -> bool:
            return relay.is_over or self._is_fault_new or (is_endless and self.opposite.has_ended)

        with change:
            change.wait_for(is_over, None if is_endless else min(seconds, threading.TIMEOUT_MAX))
            if is_endless and not self._is_fault_new:
                relay.finish()

    # What goes out

    def _write(self, data: bytes) -> None:
        if self._is_sink_closed:
            return
        if self._relay.delivered is not None:
            self._relay.delivered.add(self._relay.number, self.direction, data)
        rest = memoryview(data)
        while rest and not self._relay.is_over:
            try:
                rest = rest[self.sink.send(rest) :]
            except BlockingIOError:
                self.waiter.until_writable(self._relay.seconds_to_idle())
                self._relay.leave_if_idle()
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
        self._relay.reset(self.source)

    def _end(self) -> None:
        with self._settings.change:
            self.has_ended = True
            is_broken = self.is_broken
        self._cut(is_broken, self.sink)

    def _cut(self, reset: bool, *ends: socket.socket) -> None:
        """End TCP for the receiver, unless that has happened; with a reset, at both ends unless `ends` are given."""
        if self._is_sink_closed and not reset:
            return
        if self._relay.delivered is not None:
            self._relay.delivered.mark(self._relay.number, self.direction, "reset" if reset else "end")
        self._is_sink_closed = True
        if reset:
            self._relay.reset(*(ends or (self.source, self.sink)))
        else:
            with contextlib.suppress(OSError):  # it may have ended already
                self.sink.shutdown(socket.SHUT_WR)
