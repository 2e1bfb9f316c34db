"""Transport: one TCP socket joined to one Protocol; bytes go both ways, and both are ended in the right order.

Strategy: the protocol decides what bytes mean and what to answer, and this module moves them. Two queues stand beside
it: SendQueue holds the bytes that are still to be written, ReceiveQueue the messages that nobody has asked for yet.

Locks: `lock` protects the protocol and the order of what it sends. It is held while the protocol is called and its
bytes are queued, and never while a thread waits for the peer. `reading` is held by the one thread that reads from the
socket, for as long as the peer is silent; `send_queue.writing` by the one that writes. A thread that needs several
takes `reading` first; it never holds `lock` and `writing` at the same time.

Any thread may call any method, except where it says "Needs `reading`": the caller must hold that lock.
"""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.events import Message
from wslab.protocol.http import Response
from wslab.protocol.states import DIRECTIONS, Direction, Role, State
from wslab.recording.log import Observer
from wslab.sockets.send_queue import SendQueue
from wslab.sockets.stream import seconds_to, stream_of
from wslab.sockets.traffic import Traffic, short


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
        self.lock = threading.Lock()
        self.reading = threading.Lock()
        self.has_ended = False
        self.error: ProtocolError | None = None
        self._close_by = math.inf  # when the peer's time for its part of the closing handshake is over

    # Observing

    def mark(self, name: str, argument: str | bytes | int | None = None) -> None:
        """Note a call of the API that says something to the peer."""
        if name == "ping":
            self.traffic.pinged = time.monotonic()
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

    @contextlib.contextmanager
    def sending(self) -> Iterator[Protocol]:
        """Lend the protocol to this thread alone; at the end, write what it has to send."""
        with self.lock:
            yield self.protocol
            self._enqueue_output()
        self.send_queue.flush()

    def send_messages(self, messages: Sequence[Message]) -> None:
        """Send messages, in less time than with `sending`."""
        if self.observer is not None:
            self.mark_messages(self.outward, "send", messages)
        self.lock.acquire()  # takes half the time of `with`
        try:
            self.protocol.send_messages(messages)
            self.send_queue.enqueue(self.protocol.pieces_to_send())
            self.traffic.sent.count(messages)
        finally:
            self.lock.release()
        self.send_queue.flush()

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the protocol."""
        if self.has_ended:
            raise ConnectionClosed(self.protocol.close_code, self.protocol.close_reason)
        with self.sending():
            self.send_queue.enqueue((bytes(data),))

    def _enqueue_output(self) -> None:
        self.send_queue.enqueue(self.protocol.pieces_to_send())

    # The closing handshake

    def start_close(self, code: int | None, reason: str, deadline: float) -> None:
        """Send our close frame, if the connection is open (RFC 6455 §7.1.2)."""
        self._enqueue_close(code, reason, deadline)
        self.send_queue.flush(deadline)

    def begin_close(self, code: int, reason: str, deadline: float) -> bool:
        """As `start_close`, without waiting. Return True if a thread that is reading will do the rest."""
        self._enqueue_close(code, reason, deadline)
        return self.send_queue.try_flush(deadline) and self.reading.locked()

    def _enqueue_close(self, code: int | None, reason: str, deadline: float) -> None:
        with self.lock:
            if self.protocol.state is State.CONNECTING:
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, "closed before the handshake was done")
            if self.protocol.state is State.OPEN:
                self.mark("close", code)
                self.protocol.close(code, reason)
                self._enqueue_output()
        self._close_by = min(self._close_by, deadline)

    def _enqueue_failure(self, reason: str, code: int) -> None:
        with self.lock, contextlib.suppress(PartError):  # serialize_frame may be what fails
            self.protocol.fail(ProtocolError(reason, code))
            self._enqueue_output()

    # The end of TCP

    def answer(self, response: Response) -> None:
        """Server: answer the request with plain HTTP, and end TCP."""
        with self.lock:
            if not self.has_ended:  # a request that cannot be parsed has been rejected already
                self.protocol.answer(response)
                self._enqueue_output()
        self._leave()

    def fail(self, reason: str, code: int) -> None:
        """Tell the peer what went wrong in a close frame, and end TCP without waiting for its answer."""
        self._enqueue_failure(reason, code)
        self._leave()

    def abort(self) -> None:
        """End TCP at once, without a close frame. A thread that is reading or writing is woken."""
        self.send_queue.abort("this side has cut it off")
        with self.reading:
            self.end()

    def _leave(self) -> None:
        if self.reading.acquire(timeout=self.close_timeout):
            try:
                self.end()
            finally:
                self.reading.release()
        else:
            self.abort()

    def end_after(self, error: ProtocolError | PartError) -> None:
        """End TCP after a fault, of which the peer is told in a close frame (RFC 6455 §7.1.7). Needs `reading`."""
        if isinstance(error, ProtocolError):
            self.error = error
            with self.lock:  # the protocol has made the close frame itself
                self._enqueue_output()
        elif self.protocol.state is State.CONNECTING:  # `reject` tells the peer
            return
        else:
            self._enqueue_failure(str(error), CloseCode.INTERNAL_ERROR)
        self.end()

    def end(self) -> None:
        """End TCP, once, so that the peer can still read our last bytes. Needs `reading`."""
        if self.has_ended:
            return
        self.has_ended = True
        deadline = min(time.monotonic() + self.close_timeout, self._close_by)
        with contextlib.suppress(ConnectionClosed, OSError):  # the peer has gone already
            self.send_queue.flush(deadline)
            self._await_end_of_tcp(deadline)
        with self.lock:
            self.protocol.receive_eof()
        self.send_queue.close()

    def _await_end_of_tcp(self, deadline: float) -> None:
        """Let the server end TCP first (RFC 6455 §7.1.1), and read what still arrives until TCP has ended.

        Closing a socket with unread bytes resets the connection, and a reset can overtake our close frame.
        """
        is_server = self.protocol.role is Role.SERVER
        if self.protocol.state is State.CLOSED or (self.protocol.state is State.CONNECTING and not is_server):
            return
        if is_server:
            self.stream.end_writing()
        while self.stream.read(seconds_to(deadline)):
            if time.monotonic() > deadline:  # a peer that sends on and on must not keep us
                return

    def why_closed(self) -> ConnectionClosed:
        """Return the error for a caller that asks for more after TCP has ended."""
        reason = self.protocol.close_reason
        if not reason and self.protocol.close_code == CloseCode.ABNORMAL_CLOSURE:
            why = "the TCP connection ended without a close frame"
            reason = f"{why}: {self.send_queue.broken}" if self.send_queue.broken else why
        return ConnectionClosed(self.protocol.close_code, reason)
