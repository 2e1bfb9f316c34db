"""Link: one TCP socket joined to one Protocol; bytes are read and written, and both are ended in the right order."""

import contextlib
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import cast

from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.events import Close, Event, Message
from wslab.protocol.http import Response
from wslab.protocol.states import Direction, Role, State
from wslab.sockets.send_queue import Outbox
from wslab.sockets.stream import seconds_to, stream_of
from wslab.sockets.traffic import Tally, short

MAX_UNREAD = 16 * 1024 * 1024
EVENT_SIZE = 200  # bytes of memory that an event takes besides its data, about
MESSAGE = (str, bytes)
LATE = "no message arrived in time (see `timeout` of connect() and receive())"


class Link:
    """Moves what a Protocol says over a socket, for any number of threads: those that read take turns.

    A `deadline` is a time of `time.monotonic`, None for never. `number` is the connection's in what `tally` counts and
    records, once there is one; `error` is how the peer has broken the protocol, if it has.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: Protocol,
        number: int,
        *,
        write_timeout: float | None,
        idle_timeout: float | None,
        close_timeout: float,
    ) -> None:
        to_server, to_client = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
        client = protocol.role is Role.CLIENT
        self._outward, self.inward = (to_server, to_client) if client else (to_client, to_server)
        self._stream = stream_of(sock)
        self.protocol = protocol
        self.outbox = Outbox(self._stream, write_timeout)
        self.tally: Tally | None = None
        self.error: ProtocolError | None = None
        self._number = number
        self._idle_timeout = idle_timeout
        self._close_timeout = close_timeout
        self._receive: Callable[[bytes], list[Message | Event]] = protocol.receive
        self._record_input: Callable[[bytes], None] | None = None
        self._received: deque[Message | Event] = deque()
        self._lock = threading.Lock()  # held while the protocol and the queues are used, never while waiting
        self._turn = threading.Lock()  # held by the one thread that reads
        self._ended = False
        self._leave_by = math.inf  # when the peer's time for its part of the closing handshake is over

    # Counting and recording

    def count(self, new_tally: Callable[[], Tally]) -> None:
        """Count with a new tally from now on, if there is none yet."""
        with self._lock:
            if self.tally is None:
                self.tally = tally = new_tally()
                self._receive = tally.counting(self.protocol.receive)
                self._record_input = partial(tally.add, self._number, self.inward)
                self.outbox.record = partial(tally.add, self._number, self._outward)

    def mark(self, name: str, argument: str | bytes | int | None) -> None:
        """Record a call of the API that says something to the peer, if anything is recorded."""
        if self.tally is not None:
            self.tally.mark(self._number, self._outward, name, short(argument))

    def mark_received(self, messages: Iterable[Message]) -> None:
        """Record that the caller was given these messages, if anything is recorded."""
        if self.tally is not None:
            for message in messages:
                self.tally.mark(self._number, self.inward, "receive", short(message))

    # Reading

    def next(self, deadline: float | None, wanted: type | tuple[type, ...]) -> Message | Event:
        """The next thing of a wanted type, others are dropped.

        Raises ConnectionClosed, ProtocolError and TimeoutError as `Connection.receive` does.
        """
        self._take_turn(deadline)
        try:
            return self._await_next(deadline, wanted)
        finally:
            self._turn.release()

    def next_messages(self, deadline: float | None) -> list[Message]:
        """All messages that have arrived, at least one."""
        self._take_turn(deadline)
        try:
            messages = [cast(Message, self._await_next(deadline, MESSAGE))]
            while self._received and isinstance(self._received[0], MESSAGE):
                messages.append(cast(Message, self._received.popleft()))
            return messages
        finally:
            self._turn.release()

    def read_body(self, length: int, deadline: float | None) -> bytes:
        """The `length` bytes behind the head of the request."""
        self._take_turn(deadline)
        try:
            while (body := self.protocol.request_body(length)) is None:
                if self._ended:
                    why = "the TCP connection ended inside the body of a request"
                    raise ConnectionClosed(self.protocol.close_code, why)
                _check_time(deadline)
                self._read(deadline)
            return body
        finally:
            self._turn.release()

    def _await_next(self, deadline: float | None, wanted: type | tuple[type, ...]) -> Message | Event:
        """As `next`; the caller has the turn."""
        has_read = False
        while (received := self._pop(wanted)) is None:
            if self._ended:
                raise ConnectionClosed(self.protocol.close_code, self.protocol.close_reason or self._why_abnormal())
            if has_read:
                _check_time(deadline)
            self._read(deadline)
            has_read = True
        return received

    def _pop(self, wanted: type | tuple[type, ...]) -> Message | Event | None:
        while self._received:
            received = self._received.popleft()
            if isinstance(received, Close):
                self._end_tcp()
                raise ConnectionClosed(received.code, received.reason)
            if isinstance(received, wanted):
                return received
        return None

    def _why_abnormal(self) -> str:
        if self.protocol.close_code != CloseCode.ABNORMAL_CLOSURE:
            return ""
        return ": ".join(filter(None, ["the TCP connection ended without a close frame", self.outbox.broken]))

    def _take_turn(self, deadline: float | None) -> None:
        if not self._turn.acquire(False) and not self._turn.acquire(timeout=seconds_to(deadline)):
            raise TimeoutError("another thread is receiving from this connection")

    def _read(self, deadline: float | None) -> None:
        """Read once from the socket and feed the protocol; the caller has the turn."""
        if self.protocol.withheld:
            self._feed(b"")
            return
        try:
            data = self._stream.read(self._idle_timeout if deadline is None else seconds_to(deadline))
        except TimeoutError:
            if deadline is not None:
                raise TimeoutError(LATE) from None
            self._leave_idle_peer()
            return
        except OSError as error:
            self.outbox.broken = self.outbox.broken or str(error)
            data = b""
        if self._record_input is not None and data:
            self._record_input(data)
        self._feed(data, not data)

    def _feed(self, data: bytes, at_end: bool = False) -> None:
        try:
            with self._lock:
                try:
                    if at_end:
                        self.protocol.receive_eof()
                    else:
                        self._received.extend(self._receive(data))
                finally:
                    has_answers = self._queue_output()
        except ProtocolError as error:
            self.error = error
            self._end_tcp()
            raise
        except PartError as error:
            if self.protocol.state is not State.CONNECTING:  # `reject` tells it in the handshake
                self._queue_failure(str(error))
                self._end_tcp()
            raise
        if has_answers:
            # An answer that cannot be written hides nothing: what was received is still delivered.
            with contextlib.suppress(ConnectionClosed):
                self.outbox.flush_or_leave()
        if self.protocol.state is State.CLOSED:
            self._end_tcp()

    def _leave_idle_peer(self) -> None:
        deadline = time.monotonic() + self._close_timeout
        try:
            self._start_close(CloseCode.GOING_AWAY, f"idle for {self._idle_timeout:g} s", deadline)
            self._await_close(deadline)
        except (ConnectionClosed, TimeoutError):
            self.outbox.cut("the peer was idle")
            self._end_tcp()

    # Writing

    @contextlib.contextmanager
    def sending(self) -> Iterator[Protocol]:
        """The protocol, for this thread alone; at the end, what it has to send is written."""
        with self._lock:
            yield self.protocol
            self._queue_output()
        self.outbox.flush()

    def send_messages(self, messages: Sequence[Message]) -> None:
        """Send messages; in less time than with `sending`."""
        with self._lock:
            self.protocol.send_messages(messages)
            self._queue_output()
        self.outbox.flush()

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the protocol."""
        if self._ended:
            raise ConnectionClosed(self.protocol.close_code, self.protocol.close_reason)
        with self.sending():
            self.outbox.put(bytes(data))

    def _queue_output(self) -> bool:
        """Queue what the protocol has to send; whether there was anything."""
        if pieces := self.protocol.pieces_to_send():
            self.outbox.put(*pieces)
            return True
        return False

    # Ending

    def answer(self, response: Response) -> None:
        """Server: answer the request with plain HTTP, and end TCP."""
        with self._lock:
            if not self._ended:  # a request that cannot be parsed has been rejected already
                self.protocol.answer(response)
                self._queue_output()
        self._leave()

    def close(self, code: int | None, reason: str, timeout: float | None) -> None:
        """Do the closing handshake and end TCP, without the peer's part if that does not come in time."""
        deadline = time.monotonic() + (self._close_timeout if timeout is None else timeout)
        try:
            self._start_close(code, reason, deadline)
            self._take_turn(deadline)
            try:
                self._await_close(deadline)
            finally:
                self._turn.release()
        except (ConnectionClosed, TimeoutError):
            self.abort()
        except PartError:
            self.abort()
            raise

    def begin_close(self, code: int, reason: str, deadline: float) -> bool:
        """Begin the closing handshake without waiting; whether a thread that is reading will do the rest of it."""
        self._queue_close(code, reason, deadline)
        return self.outbox.flush_if_there_is_room(deadline) and self._turn.locked()

    def fail(self, reason: str, code: int) -> None:
        """Tell the peer what went wrong in a close frame, and end TCP without waiting for its answer."""
        self._queue_failure(reason, code)
        self._leave()

    def abort(self) -> None:
        """End TCP at once, without a close frame."""
        self.outbox.cut("this side has cut it off")
        with self._turn:  # whoever has it is woken
            self._end_tcp()

    def _start_close(self, code: int | None, reason: str, deadline: float) -> None:
        self._queue_close(code, reason, deadline)
        self.outbox.flush(deadline)

    def _queue_close(self, code: int | None, reason: str, deadline: float) -> None:
        with self._lock:
            if self.protocol.state is State.CONNECTING:
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, "closed before the handshake was done")
            if self.protocol.state is State.OPEN:
                self.mark("close", code)
                self.protocol.close(code, reason)
                self._queue_output()
        self._leave_by = min(self._leave_by, deadline)

    def _queue_failure(self, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
        with self._lock, contextlib.suppress(PartError):  # serialize_frame may be what fails
            self.protocol.fail(ProtocolError(reason, code))
            self._queue_output()

    def _await_close(self, deadline: float) -> None:
        """Read until the peer's close frame or the end of TCP, and end it too; the caller has the turn."""
        room, has_read = MAX_UNREAD, False
        while not (self._ended or (self._received and isinstance(self._received[-1], Close))):
            if has_read:
                _check_time(deadline)
            before, has_read = len(self._received), True
            with contextlib.suppress(ProtocolError):  # it has ended the connection, and `error` keeps it
                self._read(deadline)
            room -= sum(map(_memory, islice(self._received, before, None)))
            if room < 0:
                raise TimeoutError("the peer sends messages instead of a close frame")
        self._end_tcp()

    def _leave(self) -> None:
        if self._turn.acquire(timeout=self._close_timeout):
            try:
                self._end_tcp()
            finally:
                self._turn.release()
        else:
            self.abort()

    def _end_tcp(self) -> None:
        """End the TCP connection, once, so that the peer still reads our last bytes; the caller has the turn."""
        if self._ended:
            return
        self._ended = True
        deadline = min(time.monotonic() + self._close_timeout, self._leave_by)
        with contextlib.suppress(ConnectionClosed, OSError):  # the peer has gone already
            self.outbox.flush(deadline)
            self._await_end_of_tcp(deadline)
        with self._lock:
            self.protocol.receive_eof()
        self.outbox.close()

    def _await_end_of_tcp(self, deadline: float) -> None:
        """Let the server end TCP first (RFC 6455 §7.1.1), and read up to its end what still comes.

        Closing a socket with unread bytes resets the connection, and a reset can overtake our close frame.
        """
        server = self.protocol.role is Role.SERVER
        if self.protocol.state is State.CLOSED or (self.protocol.state is State.CONNECTING and not server):
            return
        if server:
            self._stream.end_writing()
        while self._stream.read(seconds_to(deadline)):
            _check_time(deadline)


def _check_time(deadline: float | None) -> None:
    """What keeps coming must not keep us beyond the deadline."""
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(LATE)


def _memory(received: Message | Event) -> int:
    return EVENT_SIZE + (len(received) if isinstance(received, MESSAGE) else 0)
