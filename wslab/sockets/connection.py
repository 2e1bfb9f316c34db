"""Connection: what a handler is given and what `connect` returns, with blocking calls for any thread."""

import os
import socket
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence

from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.protocol.events import EVENT, MESSAGE, MESSAGE_TYPES, Event, Message
from wslab.protocol.http import HeaderLines, Request, Response, build_refusal
from wslab.protocol.states import Role, State
from wslab.recording.log import Observer
from wslab.sockets.receive_queue import LATE, ReceiveQueue
from wslab.sockets.stream import deadline_in
from wslab.sockets.traffic import Traffic
from wslab.sockets.transport import Transport


class Connection:
    """A WebSocket connection over a socket: what a handler is given and what `connect` returns.

    Any thread may send or close; threads that receive take turns. Pings are answered, and the end is noticed, by the
    one that receives, and if none has for a tenth of a second, by one that sends or asks `is_open`. Times are in
    seconds, None for no limit: `timeout` is how long `receive` waits unless it is told otherwise, `write_timeout` how
    long the peer may take to read what is sent, `idle_timeout` how long it may be silent. `recording` is told of all.
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
        recording: Observer | None = None,
    ) -> None:
        self.number = number
        self.remote_address = remote_address
        self.local_address: tuple[str, int] = sock.getsockname()[:2]
        self.timeout = timeout
        self._protocol = protocol
        self.recording = recording
        self._transport = Transport(sock, protocol, number, write_timeout, close_timeout, recording)
        self._receive_queue = ReceiveQueue(self._transport, idle_timeout)
        if recording is not None:
            ends = (self.local_address, remote_address)
            recording.opened(number, *(ends if protocol.role is Role.CLIENT else reversed(ends)))
        self.opened_at = time.monotonic()
        _connections[id(self)] = self

    @property
    def state(self) -> State:
        """CONNECTING, OPEN, CLOSING or CLOSED (RFC 6455 §4.1, §7.1)."""
        return State.CLOSED if self._transport.stream.is_over else self._protocol.state

    @property
    def is_open(self) -> bool:
        """True while messages can be sent and the peer is there, as far as the operating system knows."""
        lookahead = self._receive_queue.lookahead
        lookahead.look()
        is_there = not (self._transport.send_queue.broken or lookahead.is_half_closed)
        return is_there and self.state is State.OPEN

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
    def error(self) -> ProtocolError | None:
        """How the peer has broken the protocol, if it has."""
        return self._transport.error

    @property
    def traffic(self) -> Traffic:
        """What has flowed both ways up to now."""
        return self._transport.traffic.snapshot()

    def observe(self, observer: Observer) -> None:
        """Tell `observer`, too, of all bytes and calls from now on."""
        self._transport.observe(observer)

    def __repr__(self) -> str:
        return f"<Connection {self.number} ({self._protocol.role}, {self.state.name})>"

    def __enter__(self) -> "Connection":
        self._process = os.getpid()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            if self._process == os.getpid():  # a fork may leave the block of the process that it comes from
                self.close()
        except PartError:  # the with block has raised it already, if it did
            if not isinstance(error, PartError):
                raise

    # The opening handshake

    def open(self, request: Request, timeout: float | None = None, deadline: float | None = None) -> Response:
        """Client: send the request and return the server's agreement. Raises HandshakeError or TimeoutError.

        `deadline`, a time of `time.monotonic`, is when the `timeout` is over if it began before this call.
        """
        try:
            self._transport.send(self._protocol.connect, request)
            return self._receive_queue.next_response(deadline_in(timeout) if deadline is None else deadline)
        except ConnectionClosed as error:
            why = f" ({self._transport.send_queue.broken})" if self._transport.send_queue.broken else ""
            how = "in the middle of its" if self._transport.traffic.received.size else "without an"
            failure: Exception = HandshakeError(f"the server closed the connection {how} answer{why}", 0)
            failure.__cause__ = error
        except TimeoutError as error:
            if error.args != (LATE,):  # a signal handler has raised it
                raise
            failure = TimeoutError(f"the server did not answer the handshake within {timeout:g} s")
        self._protocol.end_refusal()
        raise failure

    def accept(self, *, subprotocols: Sequence[str] = (), headers: HeaderLines = ()) -> None:
        """Server: agree to the handshake. Raises HandshakeError, to be given to `reject`, if it is not one."""

        def accept(protocol: Protocol) -> None:
            if protocol.state is State.CLOSED:  # by another thread
                raise ConnectionClosed(self.close_code, "closed before the handshake was done")
            protocol.accept(subprotocols=subprotocols, headers=headers)

        self._transport.send(accept, self._protocol)

    def reject(self, error: HandshakeError) -> None:
        """Server: answer the handshake with the status and the reason of `error`, and end the TCP connection."""
        self._transport.error = error
        self.answer(build_refusal(error))

    def answer(self, response: Response) -> None:
        """Server: answer with plain HTTP instead of a handshake, and end the TCP connection."""
        self._transport.answer(response)

    def receive_body(self, length: int, timeout: float | None = None) -> bytes:
        """Server: return the body of the request, which has `length` bytes. Raises ConnectionClosed or TimeoutError.

        Only the browser console asks for one; wslab/browser/console_endpoint.py says why it has no server of its own.
        """
        return self._receive_queue.read_body(length, deadline_in(timeout))

    # Receiving

    def receive(self, timeout: float | None = None) -> str | bytes:
        """Return the next message: `str` for text, `bytes` for binary. Messages that arrived before a fault come first.

        Raises ConnectionClosed at the end, ProtocolError once if the peer broke the protocol (by then the peer has been
        told), and TimeoutError if no message arrives within `timeout` seconds (None: the connection's own `timeout`).
        """
        timeout = self.timeout if timeout is None else timeout
        return self._receive_queue.next(None if timeout is None else deadline_in(timeout), MESSAGE)

    def receive_many(self, timeout: float | None = None) -> list[Message]:
        """Return all messages that have arrived. If there is none, wait for one as `receive` does."""
        timeout = self.timeout if timeout is None else timeout
        return self._receive_queue.next_messages(None if timeout is None else deadline_in(timeout))

    def receive_event(self, timeout: float | None = None) -> Event:
        """Return the next event. As `receive`, but pings and pongs come too (a ping has already been answered)."""
        return self._receive_queue.next(deadline_in(self.timeout if timeout is None else timeout), EVENT)

    def __iter__(self) -> Iterator[Message]:
        """Yield messages until the connection closes, for whatever reason; `close_code` and `error` say why."""
        return iter(self._receive_or_none, None)  # unlike a generator, this goes on after a Ctrl-C

    def _receive_or_none(self) -> Message | None:
        try:
            return self.receive()
        except (ConnectionClosed, ProtocolError):
            return None

    # Sending

    def send(self, message: Message) -> None:
        """Send a message: `str` as text, anything like `bytes` as binary.

        Returns when the operating system has taken the bytes, which does not mean that the peer has them. Raises
        ConnectionClosed if the connection is closing, closed or broken.
        """
        self._transport.queue(self._protocol.send_messages, (message,), (message,))
        self._transport.send_queue.flush()

    def send_many(self, messages: Iterable[Message]) -> None:
        """Send messages, one after the other, with as few writes as possible; or none, if one cannot be sent.

        An iterable is read to its end before the first is sent.
        """
        if type(messages) in MESSAGE_TYPES:  # takes less time than isinstance
            raise TypeError("send_many takes a list of messages; send takes one")
        messages = list(messages)  # an iterable may raise midway, or give them only once
        self._transport.queue(self._protocol.send_messages, messages, messages)
        self._transport.send_queue.flush()

    def send_fragment(self, fragment: str | bytes, fin: bool = False) -> None:
        """Send a part of a message in a frame of its own; `fin=True` with the last part (RFC 6455 §5.4)."""
        self._transport.mark("send_fragment", fragment)

        def send(protocol: Protocol) -> None:
            if isinstance(fragment, str):
                protocol.send_text(fragment, fin)
            else:
                protocol.send_bytes(fragment, fin)
            self._transport.traffic.sent.messages += fin

        self._transport.send(send, self._protocol)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping of at most 125 bytes; `receive_event` returns the pong."""
        self._transport.mark("ping", payload)
        self._transport.send(self._protocol.ping, payload)

    def pong(self, payload: bytes = b"") -> None:
        """Send a pong that no ping has asked for (RFC 6455 §5.5.3)."""
        self._transport.mark("pong", payload)
        self._transport.send(self._protocol.pong, payload)

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the protocol: for frames that a correct endpoint never sends."""
        self._transport.mark("send_raw", data)
        self._transport.send_raw(data)

    # Closing

    def close(
        self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "", timeout: float | None = None
    ) -> None:
        """Do the closing handshake and end the TCP connection, unless that has been done (RFC 6455 §7.1.2).

        Waits at most `timeout` seconds (None: the close timeout) for the peer's close frame and then leaves without it
        (`close_code` 1006). Messages that arrive in the meantime can still be received. Raises ValueError for a code
        that must not be sent.
        """
        deadline = time.monotonic() + (self._transport.close_timeout if timeout is None else timeout)
        try:
            self._transport.start_close(code, reason, deadline)
            self._receive_queue.await_close(deadline)
        except (ConnectionClosed, TimeoutError, RuntimeError):
            self.abort()
        except PartError:
            self.abort()
            raise

    def begin_close(self, code: int = CloseCode.GOING_AWAY, reason: str = "", timeout: float = 5.0) -> bool:
        """Begin the closing handshake without waiting. Return True if a thread that is receiving will do the rest.

        It has `timeout` seconds for that; if False, `close` does it. Raises ConnectionClosed if there is nothing to do.
        """
        return self._transport.begin_close(code, reason, time.monotonic() + timeout)

    def fail(self, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
        """Tell the peer what went wrong in a close frame, and end the connection without waiting for its answer."""
        self._transport.fail(reason, code)

    def abort(self) -> None:
        """End the TCP connection at once, without a close frame (`close_code` 1006 on both sides)."""
        self._transport.abort()


_connections: weakref.WeakValueDictionary[int, Connection] = weakref.WeakValueDictionary()


def open_connections() -> list[Connection]:
    """Return the connections of this process that are not closed, those of servers and those of `connect`."""
    known = [reference() for reference in _connections.valuerefs()]  # no lock that a Ctrl-C could leave locked
    return [connection for connection in known if connection is not None and connection.state is not State.CLOSED]
