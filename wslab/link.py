"""Connection: one TCP socket joined to one Protocol, with blocking calls for whoever holds it."""

import contextlib
import math
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import cast

from wslab.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.events import Close, Event, Message, as_event
from wslab.http import Request, Response, build_refusal
from wslab.outbox import Outbox
from wslab.protocol import Protocol
from wslab.recording import Direction, Recording
from wslab.states import Role, State
from wslab.stream import deadline_in, seconds_to, stream_of
from wslab.tally import Tally, Traffic, short

MAX_UNREAD = 16 * 1024 * 1024
EVENT_SIZE = 200  # bytes of memory that an event takes besides its data, about
MESSAGE = (str, bytes)
LATE = "no message arrived in time (see `timeout` of connect() and receive())"


class Connection:
    """A WebSocket connection over a socket: what a handler is given and what `connect` returns.

    Any thread may send or close; threads that receive take turns. Pings are answered while something
    receives. Times are in seconds, None for no limit: `timeout` is how long `receive` waits when it is not told
    otherwise, `write_timeout` how long the peer may take to read what is sent.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: Protocol,
        *,
        remote_address: tuple[str, int],
        number: int = 1,
        timeout: float | None = None,
        write_timeout: float | None = None,
        idle_timeout: float | None = None,
        close_timeout: float = 5.0,
        recording: Recording | None = None,
        counts_traffic: bool = False,
    ) -> None:
        self.number = number
        self.remote_address = remote_address
        self.local_address: tuple[str, int] = sock.getsockname()[:2]
        self.timeout = timeout
        self.error: ProtocolError | None = None
        self._stream = stream_of(sock)
        self._outbox = Outbox(self._stream, write_timeout)
        self._protocol = protocol
        self._idle_timeout = idle_timeout
        self._close_timeout = close_timeout
        self._recording = recording
        self._tally: Tally | None = None
        self._receive: Callable[[bytes], list[Message | Event]] = protocol.receive
        self._received: deque[Message | Event] = deque()
        self._lock = threading.Lock()  # held while the protocol and the queues are used, never while waiting
        self._turn = threading.Lock()  # held by the one thread that reads
        self._ended = False
        self._leave_by = math.inf  # when the peer's time for its part of the closing handshake is over
        to_server, to_client = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
        client = protocol.role is Role.CLIENT
        self._outward, self._inward = (to_server, to_client) if client else (to_client, to_server)
        if recording is not None:
            ends = (self.local_address, remote_address)
            recording.opened(number, *(ends if client else reversed(ends)))
        if recording is not None or counts_traffic:
            self._count(Tally(self._inward, recording, is_whole=True))
        self.opened_at = time.monotonic()
        with _registering:
            _connections.add(self)

    # What is known about it

    @property
    def state(self) -> State:
        """CONNECTING, OPEN, CLOSING or CLOSED (RFC 6455 §4.1, §7.1)."""
        return self._protocol.state

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.state is State.OPEN and not self._outbox.broken

    @property
    def request(self) -> Request | None:
        """The client's handshake request."""
        return self._protocol.request

    @property
    def response(self) -> Response | None:
        """The server's handshake response."""
        return self._protocol.response

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that was agreed on."""
        return self._protocol.subprotocol

    @property
    def close_code(self) -> int:
        """The code of the peer's close frame: 1005 if it had none, 1006 if none has arrived (RFC 6455 §7.1.5)."""
        return self._protocol.close_code

    @property
    def close_reason(self) -> str:
        """The reason in the peer's close frame."""
        return self._protocol.close_reason

    @property
    def role(self) -> Role:
        """Which end of the connection this is."""
        return self._protocol.role

    @property
    def traffic(self) -> Traffic | None:
        """What has flowed, as far as it was counted; None without a recording and before `count_traffic`."""
        return None if self._tally is None else self._tally.traffic

    def count_traffic(self) -> None:
        """Count from now on what flows, if that is not done already; `traffic` tells it."""
        with self._lock:
            if self._tally is None:
                self._count(Tally(self._inward, is_whole=False))

    def _count(self, tally: Tally) -> None:
        self._recording = self._tally = tally
        self._receive = tally.counting(self._protocol.receive)
        self._outbox.record = self._record_output

    def __repr__(self) -> str:
        return f"<Connection {self.number} ({self._protocol.role}, {self.state.name})>"

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            self.close()
        except PartError:  # the with block has raised it already, if it did
            if not isinstance(error, PartError):
                raise

    # The opening handshake

    def open(self, request: Request, timeout: float | None = None) -> Response:
        """Client: send the request and read the server's agreement. Raises HandshakeError, or TimeoutError."""
        try:
            with self._sending() as protocol:
                protocol.connect(request)
            return cast(Response, self._next(deadline_in(timeout), Response))
        except ConnectionClosed as error:
            why = f" ({self._outbox.broken})" if self._outbox.broken else ""
            raise HandshakeError(f"the server closed the connection without an answer{why}", 0) from error
        except TimeoutError:
            raise TimeoutError(f"the server did not answer the handshake within {timeout:g} s") from None

    def accept(self, *, subprotocols: Sequence[str] = (), headers: Iterable[tuple[str, str]] = ()) -> None:
        """Server: agree to the handshake. Raises HandshakeError, to be given to `reject`, if it is not one."""
        with self._sending() as protocol:
            if protocol.state is State.CLOSED:  # by another thread
                raise ConnectionClosed(self.close_code, "closed before the handshake was done")
            protocol.accept(subprotocols=subprotocols, headers=headers)

    def reject(self, error: HandshakeError) -> None:
        """Server: answer the handshake with the status and the reason of `error`, and end the TCP connection."""
        self.error = error
        self.answer(build_refusal(error))

    def answer(self, response: Response) -> None:
        """Server: answer with plain HTTP instead of a handshake, and end the TCP connection."""
        with self._lock:
            if not self._ended:  # a request that cannot be parsed has been rejected already
                self._protocol.answer(response)
                self._queue_output()
        self._leave()

    def receive_body(self, length: int, timeout: float | None = None) -> bytes:
        """Server: the body of the request, which has `length` bytes. Raises ConnectionClosed, or TimeoutError."""
        deadline = deadline_in(timeout)
        self._take_turn(deadline)
        try:
            while (body := self._protocol.request_body(length)) is None:
                if self._ended:
                    raise ConnectionClosed(self.close_code, "the TCP connection ended inside the body of a request")
                _check_time(deadline)
                self._read(deadline)
            return body
        finally:
            self._turn.release()

    # Receiving

    def receive(self, timeout: float | None = None) -> str | bytes:
        """The next message: `str` for text, `bytes` for binary. Messages that arrived before a fault come first.

        Raises ConnectionClosed at the end, ProtocolError once if the peer broke the protocol (it has then been told),
        and TimeoutError if no message is there within `timeout` seconds (None: the connection's own `timeout`).
        """
        message = cast(Message, self._next(deadline_in(self.timeout if timeout is None else timeout), MESSAGE))
        if self._recording is not None:
            self._mark_received((message,))
        return message

    def receive_many(self, timeout: float | None = None) -> list[Message]:
        """All messages that have arrived, at least one, which it waits for as `receive` does."""
        messages = self._next_messages(deadline_in(self.timeout if timeout is None else timeout))
        if self._recording is not None:
            self._mark_received(messages)
        return messages

    def receive_event(self, timeout: float | None = None) -> Event:
        """The next event, as `receive`, but pings and pongs come too (a ping has already been answered)."""
        return as_event(self._next(deadline_in(self.timeout if timeout is None else timeout), object))

    def __iter__(self) -> Iterator[Message]:
        """The messages until the connection closes, for whatever reason; `close_code` and `error` tell which."""
        while True:
            try:
                message = self.receive()
            except (ConnectionClosed, ProtocolError):
                return
            yield message

    def _next(self, deadline: float | None, wanted: type | tuple[type, ...]) -> Message | Event:
        self._take_turn(deadline)
        try:
            return self._await_next(deadline, wanted)
        finally:
            self._turn.release()

    def _next_messages(self, deadline: float | None) -> list[Message]:
        self._take_turn(deadline)
        try:
            messages = [cast(Message, self._await_next(deadline, MESSAGE))]
            while self._received and isinstance(self._received[0], MESSAGE):
                messages.append(cast(Message, self._received.popleft()))
            return messages
        finally:
            self._turn.release()

    def _await_next(self, deadline: float | None, wanted: type | tuple[type, ...]) -> Message | Event:
        """The next thing of a wanted type, others are dropped; the caller has the turn."""
        has_read = False
        while (received := self._pop(wanted)) is None:
            if self._ended:
                raise ConnectionClosed(self.close_code, self.close_reason or self._why_abnormal())
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
        if self.close_code != CloseCode.ABNORMAL_CLOSURE:
            return ""
        return ": ".join(filter(None, ["the TCP connection ended without a close frame", self._outbox.broken]))

    def _take_turn(self, deadline: float | None) -> None:
        if not self._turn.acquire(False) and not self._turn.acquire(timeout=seconds_to(deadline)):
            raise TimeoutError("another thread is receiving from this connection")

    def _read(self, deadline: float | None) -> None:
        """Read once from the socket and feed the protocol; the caller has the turn."""
        if self._protocol.withheld:
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
            self._outbox.broken = self._outbox.broken or str(error)
            data = b""
        if self._recording is not None and data:
            self._recording.add(self.number, self._inward, data)
        self._feed(data, not data)

    def _feed(self, data: bytes, at_end: bool = False) -> None:
        try:
            with self._lock:
                try:
                    if at_end:
                        self._protocol.receive_eof()
                    else:
                        self._received.extend(self._receive(data))
                finally:
                    has_answers = self._queue_output()
        except ProtocolError as error:
            self.error = error
            self._end_tcp()
            raise
        except PartError as error:
            if self.state is not State.CONNECTING:  # `reject` tells it in the handshake
                self._queue_failure(str(error))
                self._end_tcp()
            raise
        if has_answers:
            # An answer that cannot be written hides nothing: what was received is still delivered.
            with contextlib.suppress(ConnectionClosed):
                self._outbox.flush_or_leave()
        if self._protocol.state is State.CLOSED:
            self._end_tcp()

    def _leave_idle_peer(self) -> None:
        deadline = time.monotonic() + self._close_timeout
        try:
            self._start_close(CloseCode.GOING_AWAY, f"idle for {self._idle_timeout:g} s", deadline)
            self._await_close(deadline)
        except (ConnectionClosed, TimeoutError):
            self._outbox.cut("the peer was idle")
            self._end_tcp()

    # Sending

    def send(self, message: Message) -> None:
        """Send a message: `str` as text, anything like `bytes` as binary.

        It returns when the operating system has taken the bytes, which is no sign that the peer has them.
        Raises ConnectionClosed if the connection is closing, closed or broken.
        """
        self.send_many((message,))

    def send_many(self, messages: Sequence[Message]) -> None:
        """Send messages, one after the other, with as few writes as possible."""
        if isinstance(messages, str | bytes):
            raise TypeError("send_many takes a list of messages; send takes one")
        for message in messages if self._recording is not None else ():
            self._mark("send", message)
        with self._lock:
            self._protocol.send_messages(messages)
            self._queue_output()
        self._outbox.flush()

    def send_fragment(self, fragment: str | bytes, fin: bool = False) -> None:
        """Send a part of a message in a frame of its own; `fin=True` with the last part (RFC 6455 §5.4)."""
        self._mark("send_fragment", fragment)
        with self._sending() as protocol:
            if isinstance(fragment, str):
                protocol.send_text(fragment, fin)
            else:
                protocol.send_bytes(fragment, fin)
            if fin and self._tally is not None:
                self._tally.end_fragments()

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping of at most 125 bytes; `receive_event` returns the pong."""
        self._mark("ping", payload)
        with self._sending() as protocol:
            protocol.ping(payload)

    def pong(self, payload: bytes = b"") -> None:
        """Send a pong that nobody asked for."""
        self._mark("pong", payload)
        with self._sending() as protocol:
            protocol.pong(payload)

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the protocol: for frames that no correct endpoint would send."""
        self._mark("send_raw", data)
        if self._ended:
            raise ConnectionClosed(self.close_code, self.close_reason)
        with self._sending():
            self._outbox.put(bytes(data))

    def _mark_received(self, messages: Iterable[Message]) -> None:
        if self._recording is not None:
            for message in messages:
                self._recording.mark(self.number, self._inward, "receive", short(message))

    def _mark(self, name: str, argument: str | bytes | int | None) -> None:
        if self._recording is not None:
            self._recording.mark(self.number, self._outward, name, short(argument))

    @contextlib.contextmanager
    def _sending(self) -> Iterator[Protocol]:
        """The protocol, for this thread alone; at the end, what it has to send is written."""
        with self._lock:
            yield self._protocol
            self._queue_output()
        self._outbox.flush()

    def _queue_output(self) -> bool:
        """Queue what the protocol has to send; whether there was anything."""
        if pieces := self._protocol.pieces_to_send():
            self._outbox.put(*pieces)
            return True
        return False

    def _record_output(self, data: bytes) -> None:
        if self._recording is not None:
            self._recording.add(self.number, self._outward, data)

    # Closing

    def close(
        self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "", timeout: float | None = None
    ) -> None:
        """Do the closing handshake and end the TCP connection; does nothing if that has been done.

        Waits at most `timeout` seconds (None: the close timeout) for the peer's close frame and then leaves without it
        (`close_code` 1006). Messages that arrive meanwhile can still be received. Raises ValueError for a code that
        must not be sent.
        """
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

    def fail(self, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
        """Tell the peer what went wrong in a close frame, and end the connection without waiting for its answer."""
        self._queue_failure(reason, code)
        self._leave()

    def abort(self) -> None:
        """End the TCP connection at once, without a close frame (`close_code` 1006 on both sides)."""
        self._outbox.cut("this side has cut it off")
        with self._turn:  # whoever has it is woken
            self._end_tcp()

    def _start_close(self, code: int | None, reason: str, deadline: float) -> None:
        with self._lock:
            if self.state is State.CONNECTING:
                raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, "closed before the handshake was done")
            if self.state is State.OPEN:
                self._mark("close", code)
                self._protocol.close(code, reason)
                self._queue_output()
        self._leave_by = min(self._leave_by, deadline)
        self._outbox.flush(deadline)

    def _queue_failure(self, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
        with self._lock, contextlib.suppress(PartError):  # serialize_frame may be what fails
            self._protocol.fail(ProtocolError(reason, code))
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
            self._outbox.flush(deadline)
            self._await_end_of_tcp(deadline)
        with self._lock:
            self._protocol.receive_eof()
        self._outbox.close()

    def _await_end_of_tcp(self, deadline: float) -> None:
        """Let the server end TCP first (RFC 6455 §7.1.1), and read up to its end what still comes.

        Closing a socket with unread bytes resets the connection, and a reset can overtake our close frame.
        """
        server = self._protocol.role is Role.SERVER
        if self.state is State.CLOSED or (self.state is State.CONNECTING and not server):
            return
        if server:
            self._stream.end_writing()
        while self._stream.read(seconds_to(deadline)):
            _check_time(deadline)


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()
_registering = threading.Lock()


def open_connections() -> list[Connection]:
    """The connections of this process that are not closed, those of servers and those of `connect`."""
    with _registering:
        return [connection for connection in _connections if connection.state is not State.CLOSED]


def _check_time(deadline: float | None) -> None:
    """What keeps coming must not keep us beyond the deadline."""
    if deadline is not None and time.monotonic() > deadline:
        raise TimeoutError(LATE)


def _memory(received: Message | Event) -> int:
    return EVENT_SIZE + (len(received) if isinstance(received, MESSAGE) else 0)
