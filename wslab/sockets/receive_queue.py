"""ReceiveQueue: what the peer has sent, in order, for any number of threads; the one whose turn it is reads.

Strategy: there is no reader thread. A thread that asks for a message takes the turn (`Transport.reading`), looks into
the queue, and reads from the socket only while it finds nothing there; what else a read brings waits in the queue.
Where nobody asks, Lookahead fills the queue. A fault waits in it as well, behind the messages that came before it.

Locks: the turn protects the queue. It is held while a thread waits for the peer, so others wait for the turn as long as
they would for a message, up to their own deadlines. The lock of the Transport is held only while the protocol takes in
what was read. Neither is held while a handler works on a message.

Interrupts: a message that an exception keeps from its caller goes back into the queue. While a thread waits for the
peer, a signal handler in it may receive and close: waiting and reading are two steps, and between them nothing is lost.

Any thread may call the public methods; the private ones need the turn.
"""

import contextlib
import itertools
import math
import time
from collections import deque
from collections.abc import Sequence
from threading import get_ident, main_thread
from typing import Any, NoReturn, TypeVar

from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.events import EVENT, MESSAGE, MESSAGE_TYPES, Close, Message, as_event
from wslab.protocol.http import Response
from wslab.protocol.states import Role, State
from wslab.sockets.lookahead import BUSY_INTERVAL, LOOK_INTERVAL, MAX_UNREAD, Lookahead, memory_of_last
from wslab.sockets.stream import seconds_to
from wslab.sockets.transport import Transport

MAIN_THREAD = main_thread().ident  # in which signal handlers run
REFUSAL_PAUSE = 1.0  # seconds in which nothing more of the text of a refusal has come
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
        self._owes_answers = False  # whether some could not be written in time
        self._queue: deque[Any] = deque()  # messages, events, at the end what says that there are no more
        self.lookahead = Lookahead(transport, self._queue, self._read)

    def next(self, deadline: float | None, wanted: type[T] | tuple[type[T], ...]) -> T:
        """Return the next message or event of a wanted type; others are dropped.

        Raises ConnectionClosed, ProtocolError and TimeoutError as `Connection.receive` does.
        """
        queue, turn, before = self._queue, self._turn, 0
        is_nested = turn._is_owned() and self._may_nest()
        try:
            if not turn.acquire(False):
                self._await_turn(deadline)
            self._await_item(deadline, wanted)
            before, item = len(queue), queue[0]
            received: Any = as_event(item) if wanted is EVENT else item
            if self._transport.observer is not None and wanted is MESSAGE:
                self._mark((received,))
            # Else a look is due BUSY_INTERVAL after the last read. Nobody is about to answer a response.
            if (before == 1 and not self._protocol.withheld) or wanted is Response:
                self._transport.look_at = time.monotonic() + LOOK_INTERVAL
            del queue[0]  # unlike after a call, no signal handler is run between this and what follows
            turn.release()
            return received  # type: ignore[no-any-return]
        except BaseException:
            if before and (len(queue) < before or not turn._is_owned()):
                queue.appendleft(item)
            self._transport.free(is_nested)
            raise

    def next_messages(self, deadline: float | None) -> list[Message]:
        """Return all messages that have arrived, at least one. Raises as `next` does."""
        queue, turn, before = self._queue, self._turn, 0
        messages: list[Message] = []
        is_nested = turn._is_owned() and self._may_nest()
        try:
            if not turn.acquire(False):
                self._await_turn(deadline)
            if not queue:
                messages = self._read(deadline)  # nearly always
            if not messages:
                self._await_item(deadline, MESSAGE)
                before = len(queue)
                messages = list(itertools.takewhile(lambda received: isinstance(received, MESSAGE), queue))
                for _ in messages:
                    del queue[0]
            if self._transport.observer is not None:
                self._mark(messages)
            has_more = queue or self._protocol.withheld
            self._transport.look_at = time.monotonic() + (BUSY_INTERVAL if has_more else LOOK_INTERVAL)
            turn.release()
            return messages
        except BaseException:
            taken = before - len(queue) if before and turn._is_owned() else len(messages)
            queue.extendleft(messages[:taken][::-1])
            self._transport.free(is_nested)
            raise

    def next_response(self, deadline: float | None) -> Response:
        """Client: return the server's agreement. Waits for the text of a refusal as long as some of it comes."""
        received = self._counters
        while True:
            size, patience = received.size, time.monotonic() + REFUSAL_PAUSE
            try:
                return self.next(min(patience, deadline or math.inf), Response)
            except TimeoutError as error:
                if error.args != (LATE,) or (deadline is not None and time.monotonic() >= deadline):
                    raise
            if received.size == size:
                self._protocol.end_refusal()

    def read_body(self, length: int, deadline: float | None) -> bytes:
        """Return the `length` bytes that follow the head of the request."""
        try:
            self._await_turn(deadline)
            while (body := self._protocol.request_body(length)) is None:
                self._queue.extend(self._read(deadline))
                _check_time(deadline)
            self._turn.release()
            return body
        except ConnectionClosed as error:
            raise ConnectionClosed(error.code, "the TCP connection ended inside the body of a request") from None
        finally:
            self._transport.free(False)

    def await_close(self, deadline: float) -> None:
        """Read until the peer's close frame or the end of TCP, and end TCP. Messages that come before it are kept.

        Raises TimeoutError if the peer is late, or sends too much instead of a close frame.
        """
        is_nested = self._turn._is_owned() and self._may_nest()
        try:
            self._await_turn(deadline)
            self._await_close(deadline)
            self._turn.release()
        except BaseException:
            self._transport.free(is_nested)
            raise

    def _may_nest(self) -> bool:
        """Return True in a signal handler that has interrupted its own thread while that waited for the peer."""
        if not self._transport.stream.waits:
            raise RuntimeError("a signal handler has interrupted this connection in the middle of its work")
        return True

    def _mark(self, messages: Sequence[Message]) -> None:
        self._transport.mark_messages(self._transport.inward, "receive", messages)

    def _await_turn(self, deadline: float | None) -> None:
        if not self._turn.acquire(timeout=seconds_to(deadline)):
            raise TimeoutError("another thread is receiving from this connection")

    def _await_item(self, deadline: float | None, wanted: type[T] | tuple[type[T], ...]) -> None:
        """Wait until the first in the queue is of a wanted type."""
        queue, has_read = self._queue, False
        while True:
            while queue:
                received = queue[0]
                if isinstance(received, wanted):
                    return
                if isinstance(received, Close | ProtocolError | PartError):
                    self._raise_end(received, deadline)
                del queue[0]
            if has_read and self._protocol.state is not State.CLOSED:
                _check_time(deadline)
            queue.extend(self._read(deadline))
            self._transport.look_at = time.monotonic() + BUSY_INTERVAL
            has_read = True

    def _raise_end(self, received: Close | ProtocolError | PartError, deadline: float | None) -> NoReturn:
        """End TCP, and raise what tells the caller why."""
        if not (isinstance(received, PartError) and self._protocol.state is State.CONNECTING):
            self._transport.end(deadline)
        del self._queue[0]
        raise ConnectionClosed(received.code, received.reason) if isinstance(received, Close) else received

    def _await_close(self, deadline: float) -> None:
        budget, has_read, queue = MAX_UNREAD, False, self._queue
        while not (self._protocol.state is State.CLOSED or (queue and isinstance(queue[-1], Close | Exception))):
            if has_read:
                _check_time(deadline)
            before, has_read = len(queue), True
            with contextlib.suppress(ConnectionClosed):  # then TCP has ended
                queue.extend(self._read(deadline))
            budget -= memory_of_last(queue, len(queue) - before)
            if budget < 0:
                raise TimeoutError("the peer sends messages instead of a close frame")
        self._transport.end(deadline)
        if queue and isinstance(queue[-1], Exception):
            fault = queue.pop()
            if isinstance(fault, PartError):  # a ProtocolError is kept in `error`
                raise fault

    def _read(self, deadline: float | None) -> list[Any]:
        """Read once, and send what the protocol answers. Return what has arrived if it is messages only; else queue it.

        A fault is queued, too, and the peer told of it. Raises ConnectionClosed once TCP has ended, and TimeoutError.
        """
        transport, protocol, stream = self._transport, self._protocol, self._transport.stream
        if protocol.state is State.CLOSED or self._owes_answers:
            self._go_on(deadline)
        has_data, may_block = protocol.withheld, deadline is None and stream.can_block and get_ident() != MAIN_THREAD
        timeout = self._idle_timeout if deadline is None else seconds_to(deadline)
        if not (has_data or may_block or stream.await_bytes(timeout)):
            return self._give_up(deadline)
        try:
            data = b"" if has_data else stream.read_waiting(timeout) if may_block else stream.read()
            if data is None or not (data or has_data):
                return self._take_in_nothing(data, may_block)
            self._counters.size += len(data)
            if data and transport.observer is not None:
                transport.observer.add(transport.number, transport.inward, data)
            with self._lock:
                received: list[Any] = protocol.receive(data)
                if MESSAGE_TYPES.issuperset(map(type, received)):
                    self._counters.count(received)
                    return received
                transport.send_queue.enqueue(protocol.pieces_to_send())  # only events are answered
            transport.traffic.receive(received)
            self._queue.extend(received)
        except (ProtocolError, PartError) as error:
            transport.tell(error)
            self._queue.append(error)
        except BaseException:
            transport.cut()
            raise
        self._answer(deadline)
        return []

    def _take_in_nothing(self, data: bytes | None, has_waited: bool) -> list[Any]:
        """Take in that TCP has ended, or that there is nothing to read yet."""
        if data is not None:
            if self.lookahead.is_looking and self._protocol.role is Role.SERVER:
                self.lookahead.is_half_closed = True  # this client may wait for the answer that is about to be sent
            else:
                self._transport.receive_eof()
        elif has_waited:
            self._give_up(None)
        return []

    def _go_on(self, deadline: float | None) -> None:
        """Raise ConnectionClosed if TCP has ended, TimeoutError if the peer does not read what it was answered."""
        if self._protocol.state is State.CLOSED:
            self._transport.end(deadline)
            raise self._transport.why_closed()
        if not self._answer(deadline):
            raise TimeoutError(LATE)

    def _answer(self, deadline: float | None) -> bool:
        """Write what the protocol has answered. Return False if it could not be written in time."""
        self._owes_answers = False
        try:
            self._transport.send_queue.flush_nowait(deadline)
        except ConnectionClosed:  # an answer that cannot be written hides nothing that was received
            pass
        except TimeoutError:
            self._owes_answers = True
        return not self._owes_answers

    def _give_up(self, deadline: float | None) -> list[Any]:
        """Raise TimeoutError at the deadline; without one, leave the peer, which was idle for too long."""
        if deadline is not None:
            raise TimeoutError(LATE)
        by = time.monotonic() + self._transport.close_timeout
        try:
            self._transport.start_close(CloseCode.GOING_AWAY, f"idle for {self._idle_timeout:g} s", by)
            self._await_close(by)
        except (ConnectionClosed, TimeoutError):
            self._transport.send_queue.abort("the peer was idle")
            self._transport.end()
        return []


def _check_time(deadline: float | None) -> None:
    """Raise TimeoutError after the deadline: a peer that sends on and on must not keep us."""
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(LATE)
