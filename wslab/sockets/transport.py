"""Transport: one TCP socket joined to one Protocol: bytes go both ways, and both are ended in the right order."""

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
from wslab.protocol.states import Direction, Role, State
from wslab.recording.log import Observer
from wslab.sockets.send_queue import SendQueue
from wslab.sockets.stream import seconds_to, stream_of
from wslab.sockets.traffic import Traffic, short

MESSAGE_TYPES = frozenset((str, bytes))


class Transport:
    """Moves what a Protocol says over a socket, for any number of threads.

    A `deadline` is a time of `time.monotonic`, None for never. `number` is what the connection is called where
    `observer` takes notes; `error` is how the peer has broken the protocol, if it has.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: Protocol,
        *,
        number: int,
        write_timeout: float | None,
        close_timeout: float,
        observer: Observer | None,
    ) -> None:
        to_server, to_client = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
        client = protocol.role is Role.CLIENT
        self.outward, self.inward = (to_server, to_client) if client else (to_client, to_server)
        self.stream = stream_of(sock)
        self.protocol = protocol
        self.traffic = Traffic()
        self.send_queue = SendQueue(self.stream, write_timeout, self.traffic.sent)
        if observer is not None:
            self.send_queue.record = partial(observer.add, number, self.outward)
        self.close_timeout = close_timeout
        self.reading = threading.Lock()  # held by the one thread that reads
        self.has_ended = False
        self.error: ProtocolError | None = None
        self.observer = observer
        self.number = number
        self.lock = threading.Lock()  # held while the protocol is used and its bytes are queued, never while waiting
        self._leave_by = math.inf  # when the peer's time for its part of the closing handshake is over

    # Counting and observing

    def mark(self, name: str, argument: str | bytes | int | None = None) -> None:
        """Note a call of the API that says something to the peer."""
        if name == "ping":
            self.traffic.pinged = time.monotonic()
        words = name.removeprefix("send_")
        self.traffic.sent.said = words if words in ("ping", "pong") else f"{words} {short(argument)}"
        if self.observer is not None:
            self.observer.mark(self.number, self.outward, name, short(argument))

    def mark_received(self, messages: Iterable[Message]) -> None:
        """Record that the caller was given these messages, if anything is recorded."""
        if self.observer is not None:
            for message in messages:
                self.observer.mark(self.number, self.inward, "receive", short(message))

    # Sending

    @contextlib.contextmanager
    def sending(self) -> Iterator[Protocol]:
        """The protocol, for this thread alone; at the end, what it has to send is written."""
        with self.lock:
            yield self.protocol
            self._enqueue_output()
        self.send_queue.flush()

    def send_messages(self, messages: Sequence[Message]) -> None:
        """Send messages; in less time than with `sending`."""
        if self.observer is not None:
            for message in messages:
                self.observer.mark(self.number, self.outward, "send", short(message))
        self.lock.acquire()  # in half the time of `with`
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

    def begin_close(self, code: int, reason: str, deadline: float) -> bool:
        """Begin it without waiting. Return True if a thread that is reading will do the rest of it."""
        self._queue_close(code, reason, deadline)
        return self.send_queue.try_flush(deadline) and self.reading.locked()

    def start_close(self, code: int | None, reason: str, deadline: float) -> None:
        """Send our close frame, if the connection is open."""
        self._queue_close(code, reason, deadline)
        self.send_queue.flush(deadline)

    def _queue_close(self, code: int | None, reason: str, deadline: float) -> None:
        with self.lock:
            if self.protocol.state is State.CONNECTING:
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, "closed before the handshake was done")
            if self.protocol.state is State.OPEN:
                self.mark("close", code)
                self.protocol.close(code, reason)
                self._enqueue_output()
        self._leave_by = min(self._leave_by, deadline)

    def _queue_failure(self, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
        with self.lock, contextlib.suppress(PartError):  # serialize_frame may be what fails
            self.protocol.fail(ProtocolError(reason, code))
            self._enqueue_output()

    # The end of TCP

    def end_by(self, error: ProtocolError | PartError) -> None:
        """End TCP after a fault, of which the peer is told in a close frame. Needs `reading`."""
        if isinstance(error, ProtocolError):
            self.error = error
            with self.lock:  # the protocol has made the close frame
                self._enqueue_output()
        elif self.protocol.state is State.CONNECTING:  # `reject` tells it
            return
        else:
            self._queue_failure(str(error))
        self.end()

    def answer(self, response: Response) -> None:
        """Server: answer the request with plain HTTP, and end TCP."""
        with self.lock:
            if not self.has_ended:  # a request that cannot be parsed has been rejected already
                self.protocol.answer(response)
                self._enqueue_output()
        self._leave()

    def fail(self, reason: str, code: int) -> None:
        """Tell the peer what went wrong in a close frame, and end TCP without waiting for its answer."""
        self._queue_failure(reason, code)
        self._leave()

    def abort(self) -> None:
        """End TCP at once, without a close frame."""
        self.send_queue.abort("this side has cut it off")
        with self.reading:  # the thread that has it is woken
            self.end()

    def _leave(self) -> None:
        if self.reading.acquire(timeout=self.close_timeout):
            try:
                self.end()
            finally:
                self.reading.release()
        else:
            self.abort()

    def end(self) -> None:
        """End the TCP connection, once, so that the peer still reads our last bytes. Needs `reading`."""
        if self.has_ended:
            return
        self.has_ended = True
        deadline = min(time.monotonic() + self.close_timeout, self._leave_by)
        with contextlib.suppress(ConnectionClosed, OSError):  # the peer has gone already
            self.send_queue.flush(deadline)
            self._await_end_of_tcp(deadline)
        with self.lock:
            self.protocol.receive_eof()
        self.send_queue.close()

    def _await_end_of_tcp(self, deadline: float) -> None:
        """Let the server end TCP first (RFC 6455 §7.1.1), and read up to its end what still comes.

        Closing a socket with unread bytes resets the connection, and a reset can overtake our close frame.
        """
        server = self.protocol.role is Role.SERVER
        if self.protocol.state is State.CLOSED or (self.protocol.state is State.CONNECTING and not server):
            return
        if server:
            self.stream.end_writing()
        while self.stream.read(seconds_to(deadline)):
            if time.monotonic() > deadline:  # what keeps coming must not keep us
                return

    def closed(self) -> ConnectionClosed:
        """Return what whoever asks for more is told once TCP has ended."""
        reason = self.protocol.close_reason
        if not reason and self.protocol.close_code == CloseCode.ABNORMAL_CLOSURE:
            why = "the TCP connection ended without a close frame"
            reason = f"{why}: {self.send_queue.broken}" if self.send_queue.broken else why
        return ConnectionClosed(self.protocol.close_code, reason)
