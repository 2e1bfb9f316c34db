"""Transport: one TCP socket joined to one Protocol; bytes go both ways, and both are ended in the right order.

Strategy: the protocol decides what bytes mean and what to answer, and this module moves them. Two queues stand beside
it: SendQueue holds the bytes that are still to be written, ReceiveQueue the messages that nobody has asked for yet.

Locks: `lock` protects the protocol and the order of what it sends. It is held while the protocol is called and its
bytes are queued, and never while a thread waits for the peer. `reading` is held by the one thread that reads from the
socket, for as long as the peer is silent; `send_queue.writing` by the one that writes. A thread that needs several
takes `reading` first; it never holds `lock` and `writing` at the same time. All know their owner, so that a signal
handler does not wait for the thread that it has interrupted.

Interrupts (Ctrl-C, or whatever a signal handler raises): one that falls while a thread waits does no harm. One that
falls while the protocol takes in bytes or makes them cuts the connection (`cut`): what the peer sent or got is not
known any more.

Any thread may call any method, except where it says "Needs `reading`": the caller must hold that lock.
"""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.events import Message, as_bytes
from wslab.protocol.http import Response
from wslab.protocol.states import DIRECTIONS, Direction, Role, State
from wslab.recording.locks import hold, release_if_owned
from wslab.recording.log import Both, Observer
from wslab.sockets.send_queue import INTERRUPTED, SendQueue
from wslab.sockets.stream import seconds_to, stream_of
from wslab.sockets.traffic import Traffic, short

ABORT_TIMEOUT = 5.0  # seconds for the thread that reads to notice that TCP has ended
TCP_END_TIMEOUT = 2.0  # seconds for the server to end TCP after the closing handshake (RFC 6455 §7.1.1), as in Chromium
# What a caller or a peer has done wrong, which leaves protocol and queue as they were.
HARMLESS = (ConnectionClosed, ProtocolError, PartError, ValueError, TypeError, AttributeError, RuntimeError)


class Transport:
    """Moves the bytes of a Protocol over a socket.

    A `deadline` is a time of `time.monotonic`, None for never. `number` is what the connection is called when
    `observer` is told of it; `error` is how the peer has broken the protocol, if it has.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: Protocol,
        number: int,
        write_timeout: float | None,
        close_timeout: float,
        observer: Observer | None,
    ) -> None:
        self.outward = DIRECTIONS[protocol.role]
        self.inward = next(direction for direction in Direction if direction is not self.outward)
        self.protocol = protocol
        self.number = number
        self.observer = observer
        self.close_timeout = close_timeout
        self.traffic = Traffic()
        self.stream = stream_of(sock)
        record = None if observer is None else partial(observer.add, number, self.outward)
        self.send_queue = SendQueue(self.stream, write_timeout, self.traffic.sent, record)
        self.lock: Any = threading.RLock()
        self.reading: Any = threading.RLock()
        self.has_ended = False
        self.look: Callable[[], None]  # called by whoever sends, when it is time to look for what has arrived
        self.look_at = 0.0
        self.error: ProtocolError | None = None
        self._close_by = math.inf  # when the peer's time for its part of the closing handshake is over

    # Observing

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of what passes from now on, beside the one that is told already, if there is one."""
        self.observer = observer if self.observer is None else Both(self.observer, observer)
        self.send_queue.record = partial(self.observer.add, self.number, self.outward)

    def mark(self, name: str, argument: str | bytes | int | None = None) -> None:
        """Note a call of the API that says something to the peer."""
        if name == "ping":
            self.traffic.pinged = time.perf_counter()
        words = name.removeprefix("send_")
        self.traffic.sent.said = words if words in ("ping", "pong") else f"{words} {short(argument)}"
        if self.observer is not None:
            self.observer.mark(self.number, self.outward, name, short(argument))

    def mark_messages(self, direction: Direction, name: str, messages: Iterable[Message]) -> None:
        """Tell the observer, if there is one, that the caller has sent or received messages."""
        if self.observer is not None:
            for message in messages:
                self.observer.mark(self.number, direction, name, short(message))

    # Sending

    def send(self, act: Callable[[Any], object], argument: object) -> None:
        """Call `act` of the protocol, which no other thread uses meanwhile, and write what it has to send."""
        if time.monotonic() > self.look_at:
            self.look()
        self.queue(act, argument)
        self.send_queue.flush()

    def queue(self, act: Callable[[Any], object], argument: object, messages: Sequence[Message] | None = None) -> None:
        """As `send`, but leave the writing to `send_queue.flush`. `messages` are what is sent, to be counted."""
        lock = self.lock
        if lock._is_owned():
            raise RuntimeError("a signal handler has interrupted this connection in the middle of its work")
        forgiven: tuple[type[BaseException], ...] = HARMLESS
        if messages is not None:
            if self.observer is not None:
                self.mark_messages(self.outward, "send", messages)
            if time.monotonic() > self.look_at:
                self.look()
        try:
            lock.acquire()  # takes half the time of `with`
            act(argument)
            forgiven = ()
            self.send_queue.enqueue(self.protocol.pieces_to_send())
            if messages:
                self.traffic.sent.count(messages)
            forgiven = (BaseException,)
            lock.release()
        except BaseException as error:
            # What a signal handler raises may look like a caller's mistake, but come when bytes have been made already.
            is_begun = forgiven is HARMLESS and lock._is_owned() and bool(self.protocol.pieces_to_send())
            is_split = (is_begun and not self.send_queue.broken) or not isinstance(error, forgiven)
            if is_split:
                self.cut()
            release_if_owned(lock)
            if not is_split and self._is_moot(error):
                raise self.why_closed() from None
            raise

    def _is_moot(self, error: BaseException) -> bool:
        """Whether the error does not tell that, or why, the connection is closed, which it is."""
        if isinstance(error, ValueError):  # a fragmented message will never be whole
            return bool(self.send_queue.broken)
        return isinstance(error, ConnectionClosed) and error.code == CloseCode.ABNORMAL_CLOSURE and not error.reason

    def cut(self) -> None:
        """End TCP at once and take nothing in any more: an exception has split what goes together."""
        self.send_queue.abort(INTERRUPTED)
        hold(self.lock, self.protocol.receive_eof)

    def receive_eof(self) -> None:
        """Take in that TCP has ended, or is broken."""
        self.send_queue.broken = self.send_queue.broken or self.stream.error
        hold(self.lock, self.protocol.receive_eof)

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the protocol."""

        def enqueue(data: bytes) -> None:
            if self.has_ended:
                raise self.why_closed()
            self.send_queue.enqueue((data,))

        self.send(enqueue, as_bytes(data))

    # The closing handshake

    def start_close(self, code: int | None, reason: str, deadline: float) -> None:
        """Send our close frame, if the connection is open (RFC 6455 §7.1.2)."""
        self._enqueue_close(code, reason, deadline)
        if not self.send_queue.flush(deadline):
            raise TimeoutError("a signal handler has interrupted the thread that is writing")

    def begin_close(self, code: int, reason: str, deadline: float) -> bool:
        """As `start_close`, without waiting. Return True if a thread that is reading will do the rest."""
        self._enqueue_close(code, reason, deadline)
        return self.send_queue.try_flush(deadline) and self.stream.waits > 0

    def _enqueue_close(self, code: int | None, reason: str, deadline: float) -> None:
        def close(protocol: Protocol) -> None:
            if protocol.state is State.CONNECTING:
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, "closed before the handshake was done")
            if protocol.state is State.OPEN:
                self.mark("close", code)
                protocol.close(code, reason)

        self.queue(close, self.protocol)
        self._close_by = min(self._close_by, deadline)

    def _enqueue_failure(self, reason: str, code: int) -> None:
        with contextlib.suppress(PartError):  # serialize_frame may be what fails
            self.queue(self.protocol.fail, ProtocolError(reason, code))

    # The end of TCP

    def answer(self, response: Response) -> None:
        """Server: answer the request with plain HTTP, and end TCP."""
        if not self.has_ended:  # a request that cannot be parsed has been rejected already
            self.queue(self.protocol.answer, response)
        self._leave()

    def fail(self, reason: str, code: int) -> None:
        """Tell the peer what went wrong in a close frame, and end TCP without waiting for its answer."""
        self._enqueue_failure(reason, code)
        self._leave()

    def abort(self) -> None:
        """End TCP at once, without a close frame. A thread that is reading or writing is woken."""
        self.send_queue.abort("this side has cut it off")
        self._end_alone(ABORT_TIMEOUT)

    def _leave(self) -> None:
        if not self._end_alone(self.close_timeout):
            self.abort()

    def _end_alone(self, timeout: float) -> bool:
        """End TCP as soon as no other thread reads; return False if one does so for too long."""
        if self.lock._is_owned():  # this is a signal handler: what it has interrupted will find that TCP has ended
            return False
        is_nested = self.reading._is_owned()
        try:
            is_free: bool = self.reading.acquire(timeout=timeout)
            if is_free:
                self.end()
                self.reading.release()
            return is_free
        except BaseException:
            self.free(is_nested)
            raise

    def free(self, is_nested: bool) -> None:
        """Release the locks that an exception has left to this thread, or to the signal handler in it."""
        release_if_owned(self.lock)
        release_if_owned(self.send_queue.writing)
        if not is_nested and self.reading._is_owned():
            self.stream.waits = 0
        release_if_owned(self.reading)

    def tell(self, error: ProtocolError | PartError) -> None:
        """Queue the close frame that tells the peer of a fault (RFC 6455 §7.1.7)."""
        if isinstance(error, ProtocolError):
            self.error = error
            self.queue(lambda _: None, None)  # the protocol has made the close frame itself
        elif self.protocol.state is not State.CONNECTING:  # else `reject` tells the peer
            self._enqueue_failure(str(error), CloseCode.INTERNAL_ERROR)

    def end(self, deadline: float | None = None) -> None:
        """End TCP, so that the peer can still read our last bytes, by `deadline` if it is given. Needs `reading`."""
        if self.has_ended:
            return
        by = min(time.monotonic() + self.close_timeout, self._close_by, math.inf if deadline is None else deadline)
        try:
            with contextlib.suppress(ConnectionClosed, OSError):  # the peer has gone already
                self.send_queue.flush(by)
                self._await_end_of_tcp(by)
        finally:
            hold(self.lock, self.protocol.receive_eof)
            # In a signal handler, the call that it has interrupted may still use the socket; the next one closes it.
            if not (self.stream.waits or self.send_queue.writing._is_owned()):
                self.send_queue.close()
                self.has_ended = True

    def _await_end_of_tcp(self, deadline: float) -> None:
        """Let the server end TCP first (RFC 6455 §7.1.1), and read what still arrives until TCP has ended.

        Closing a socket with unread bytes resets the connection, and a reset can overtake our close frame.
        """
        is_server = self.protocol.role is Role.SERVER
        if self.protocol.state is State.CLOSED or (self.protocol.state is State.CONNECTING and not is_server):
            return
        if is_server:
            self.stream.end_writing()
        else:
            deadline = min(deadline, time.monotonic() + TCP_END_TIMEOUT)
        while self.stream.await_bytes(seconds_to(deadline)) and self.stream.read() != b"":
            if time.monotonic() > deadline:  # a peer that sends on and on must not keep us
                return

    def why_closed(self) -> ConnectionClosed:
        """Return the error for a caller that asks for more after TCP has ended."""
        reason = self.protocol.close_reason
        if not reason and self.protocol.close_code == CloseCode.ABNORMAL_CLOSURE:
            why = "the TCP connection ended without a close frame"
            reason = f"{why}: {self.send_queue.broken}" if self.send_queue.broken else why
        return ConnectionClosed(self.protocol.close_code, reason)
