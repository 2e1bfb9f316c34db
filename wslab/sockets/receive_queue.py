"""ReceiveQueue: what the peer has sent, in order, for any number of threads; the one whose turn it is reads.

Strategy: there is no reader thread. A thread that asks for a message takes the turn (`Transport.reading`), looks into
the queue, and reads from the socket only while it finds nothing there; what else a read brings waits in the queue.
Pings are therefore answered, and a close frame or a fault is noticed, only while some thread asks for something.

Locks: the turn protects the queue. It is held while a thread waits for the peer, so others wait for the turn as long as
they would for a message, up to their own deadlines. The lock of the Transport is held only while the protocol takes in
what was read. Neither is held while a handler works on a message.

Any thread may call the public methods; the private ones need the turn.
"""

import contextlib
import time
from collections import deque
from itertools import islice
from typing import Any, TypeVar

from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.events import Close, Event, Message
from wslab.sockets.stream import seconds_to
from wslab.sockets.transport import Transport

MAX_UNREAD = 16 * 1024 * 1024
EVENT_SIZE = 200  # bytes of memory that an event takes besides its data, about
MESSAGE: tuple[type[Message], ...] = (str, bytes)
MESSAGE_TYPES = frozenset(MESSAGE)
LATE = "no message arrived in time (see `timeout` of connect() and receive())"

T = TypeVar("T")


class ReceiveQueue:
    """What `transport` has received and nobody has asked for yet.

    A `deadline` is a time of `time.monotonic`, None for never; then each wait is bounded by `idle_timeout` in seconds,
    after which the peer is left with close code 1001.
    """

    def __init__(self, transport: Transport, idle_timeout: float | None) -> None:
        self._transport = transport
        self._protocol, self._counters = transport.protocol, transport.traffic.received
        self._turn, self._lock = transport.reading, transport.lock
        self._idle_timeout = idle_timeout
        self._queue: deque[Message | Event] = deque()

    def next(self, deadline: float | None, wanted: type[T] | tuple[type[T], ...]) -> T:
        """Return the next message or event of a wanted type; others are dropped.

        Raises ConnectionClosed, ProtocolError and TimeoutError as `Connection.receive` does.
        """
        if not self._turn.acquire(False):
            self._await_turn(deadline)
        try:
            return self._await_next(deadline, wanted)
        finally:
            self._turn.release()

    def next_messages(self, deadline: float | None) -> list[Message]:
        """Return all messages that have arrived, at least one. Raises as `next` does."""
        queue = self._queue
        if not self._turn.acquire(False):
            self._await_turn(deadline)
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
        """Return the `length` bytes that follow the head of the request."""
        self._await_turn(deadline)
        try:
            while (body := self._protocol.request_body(length)) is None:
                if self._transport.has_ended:
                    why = "the TCP connection ended inside the body of a request"
                    raise ConnectionClosed(self._protocol.close_code, why)
                _check_time(deadline)
                self._queue.extend(self._read(deadline))
            return body
        finally:
            self._turn.release()

    def await_close(self, deadline: float) -> None:
        """Read until the peer's close frame or the end of TCP, and end TCP. Messages that come before it are kept.

        Raises TimeoutError if the peer is late, or sends too much instead of a close frame.
        """
        self._await_turn(deadline)
        try:
            self._await_close(deadline)
        finally:
            self._turn.release()

    def _await_turn(self, deadline: float | None) -> None:
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

    def _read(self, deadline: float | None) -> list[Any]:
        """Read once, and send what the protocol answers. Return what has arrived if it is messages only; else queue it.

        After a fault, TCP is ended before the error is raised.
        """
        transport, protocol = self._transport, self._protocol
        if transport.has_ended:
            raise transport.why_closed()
        data = b""
        if not protocol.withheld and not (data := self._read_bytes(deadline)):
            return []
        try:
            self._lock.acquire()  # takes half the time of `with`
            try:
                received: list[Any] = protocol.receive(data)
                if has_events := not MESSAGE_TYPES.issuperset(map(type, received)):
                    transport.send_queue.enqueue(protocol.pieces_to_send())  # only events are answered
            finally:
                self._lock.release()
        except (ProtocolError, PartError) as error:
            transport.end_after(error)
            raise
        if not has_events:
            self._counters.count(received)
            return received
        transport.traffic.receive(received)
        self._queue.extend(received)
        with contextlib.suppress(ConnectionClosed):  # an answer that cannot be written hides nothing that was received
            transport.send_queue.flush_nowait()
        return []

    def _read_bytes(self, deadline: float | None) -> bytes:
        """Read from the socket. Return b"" if TCP has ended, or the peer was idle and has been left."""
        transport = self._transport
        try:
            data = transport.stream.read(self._idle_timeout if deadline is None else seconds_to(deadline))
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


def _check_time(deadline: float | None) -> None:
    """Raise TimeoutError after the deadline: a peer that sends on and on must not keep us."""
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(LATE)


def _memory(received: Message | Event) -> int:
    return EVENT_SIZE + (len(received) if isinstance(received, MESSAGE) else 0)
