"""ReceiveQueue: what the peer has sent, in order, for any number of threads; the one whose turn it is reads."""

import contextlib
import time
from collections import deque
from itertools import islice
from typing import Any, TypeVar

from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.events import Close, Event, Message
from wslab.sockets.stream import seconds_to
from wslab.sockets.transport import MESSAGE_TYPES, Transport

MAX_UNREAD = 16 * 1024 * 1024
EVENT_SIZE = 200  # bytes of memory that an event takes besides its data, about
MESSAGE: tuple[type[Message], ...] = (str, bytes)
LATE = "no message arrived in time (see `timeout` of connect() and receive())"

T = TypeVar("T")


class ReceiveQueue:
    """What has been received from `transport` and not yet been asked for.

    A `deadline` is a time of `time.monotonic`, None for never; then `idle_timeout` bounds each wait, in seconds.
    """

    def __init__(self, transport: Transport, idle_timeout: float | None) -> None:
        self._transport = transport
        self._stream, self._protocol, self._lock = transport.stream, transport.protocol, transport.lock
        self._counters = transport.traffic.received
        self._turn = transport.reading
        self._idle_timeout = idle_timeout
        self._queue: deque[Message | Event] = deque()

    def next(self, deadline: float | None, wanted: type[T] | tuple[type[T], ...]) -> T:
        """Return the next thing of a wanted type; others are dropped.

        Raises ConnectionClosed, ProtocolError and TimeoutError as `Connection.receive` does.
        """
        if not self._turn.acquire(False):
            self._take_turn(deadline)
        try:
            return self._await_next(deadline, wanted)
        finally:
            self._turn.release()

    def next_messages(self, deadline: float | None) -> list[Message]:
        """Return all messages that have arrived, at least one. Raises as `next` does."""
        queue = self._queue
        if not self._turn.acquire(False):
            self._take_turn(deadline)
        try:
            if not queue and (messages := self._read(deadline)):  # nearly always
                return messages
            messages = [self._await_next(deadline, MESSAGE)]
            while queue and isinstance(queue[0], MESSAGE):
                messages.append(queue.popleft())
            return messages
        finally:
            self._turn.release()

    def read_body(self, length: int, deadline: float | None) -> bytes:
        """Return the `length` bytes behind the head of the request."""
        self._take_turn(deadline)
        try:
            while (body := self._transport.protocol.request_body(length)) is None:
                if self._transport.has_ended:
                    why = "the TCP connection ended inside the body of a request"
                    raise ConnectionClosed(self._transport.protocol.close_code, why)
                _check_time(deadline)
                self._queue.extend(self._read(deadline))
            return body
        finally:
            self._turn.release()

    def await_close(self, deadline: float) -> None:
        """Read until the peer's close frame or the end of TCP, and end it too; keep the messages that come before.

        Raises TimeoutError if the peer is late, or sends too much instead of a close frame.
        """
        self._take_turn(deadline)
        try:
            self._await_close(deadline)
        finally:
            self._turn.release()

    # With the turn

    def _take_turn(self, deadline: float | None) -> None:
        if not self._turn.acquire(timeout=seconds_to(deadline)):
            raise TimeoutError("another thread is receiving from this connection")

    def _await_next(self, deadline: float | None, wanted: type[T] | tuple[type[T], ...]) -> T:
        has_read = False
        while True:
            while self._queue:
                received = self._queue.popleft()
                if isinstance(received, Close):
                    self._transport.end()
                    raise ConnectionClosed(received.code, received.reason)
                if isinstance(received, wanted):
                    return received
            if has_read:
                _check_time(deadline)
            self._queue.extend(self._read(deadline))
            has_read = True

    def _read(self, deadline: float | None) -> list[Any]:
        """Read once and answer what is answered. Return what has arrived if it is messages only; else queue it."""
        transport, protocol = self._transport, self._protocol
        if transport.has_ended:
            raise transport.closed()
        data = b""
        if not protocol.withheld and not (data := self._read_bytes(deadline)):
            return []
        try:
            self._lock.acquire()  # in half the time of `with`
            try:
                received: list[Any] = protocol.receive(data)
                if has_events := not MESSAGE_TYPES.issuperset(map(type, received)):
                    transport.send_queue.enqueue(protocol.pieces_to_send())  # only events are answered
            finally:
                self._lock.release()
        except (ProtocolError, PartError) as error:
            transport.end_by(error)
            raise
        if not has_events:
            self._counters.count(received)
            return received
        transport.traffic.receive(received)
        self._queue.extend(received)
        with contextlib.suppress(ConnectionClosed):  # what cannot be written hides nothing that was received
            transport.send_queue.flush_nowait()
        return []

    def _read_bytes(self, deadline: float | None) -> bytes:
        """Read from the socket; b"" if TCP has ended, or the peer was idle and is left."""
        transport = self._transport
        try:
            data = self._stream.read(self._idle_timeout if deadline is None else seconds_to(deadline))
        except TimeoutError:
            if deadline is not None:
                raise TimeoutError(LATE) from None
            self._leave_idle_peer()
            return b""
        except OSError as error:
            transport.send_queue.broken = transport.send_queue.broken or str(error)
            data = b""
        self._counters.size += len(data)
        if not data:
            with self._lock:
                self._protocol.receive_eof()
            transport.end()
        elif transport.observer is not None:
            transport.observer.add(transport.number, transport.inward, data)
        return data

    def _leave_idle_peer(self) -> None:
        deadline = time.monotonic() + self._transport.close_timeout
        try:
            self._transport.start_close(CloseCode.GOING_AWAY, f"idle for {self._idle_timeout:g} s", deadline)
            self._await_close(deadline)
        except (ConnectionClosed, TimeoutError):
            self._transport.send_queue.abort("the peer was idle")
            self._transport.end()

    def _await_close(self, deadline: float) -> None:
        budget, has_read = MAX_UNREAD, False
        while not (self._transport.has_ended or (self._queue and isinstance(self._queue[-1], Close))):
            if has_read:
                _check_time(deadline)
            before, has_read = len(self._queue), True
            with contextlib.suppress(ProtocolError):  # it has ended the connection, and `error` keeps it
                self._queue.extend(self._read(deadline))
            budget -= sum(map(_memory, islice(self._queue, before, None)))
            if budget < 0:
                raise TimeoutError("the peer sends messages instead of a close frame")
        self._transport.end()


def _check_time(deadline: float | None) -> None:
    """What keeps coming must not keep us beyond the deadline."""
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(LATE)


def _memory(received: Message | Event) -> int:
    return EVENT_SIZE + (len(received) if isinstance(received, MESSAGE) else 0)
