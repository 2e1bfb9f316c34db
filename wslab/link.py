"""Connection: one TCP socket joined to one Protocol, with blocking calls for whoever holds it."""

import contextlib
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from wslab.errors import CloseCode, ConnectionClosed, HandshakeError, ProtocolError
from wslab.http import Request, Response
from wslab.messages import Binary, Text
from wslab.protocol import Close, Event, Protocol, Role, State
from wslab.recording import Direction, Recording

READ_SIZE = 64 * 1024


class Connection:
    """A WebSocket connection over a socket: what a handler is given and what `connect` returns.

    Any thread may send or close; threads that receive take turns. Pings are answered while something
    receives. `timeout` is the number of seconds that `receive` waits when it is not told otherwise, None for ever;
    the socket's own timeout bounds every single read and write.
    """

    def __init__(
        self,
        sock: socket.socket,
        protocol: Protocol,
        *,
        remote_address: tuple[str, int],
        number: int = 1,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        close_timeout: float = 5.0,
        recording: Recording | None = None,
    ) -> None:
        self.number = number
        self.remote_address = remote_address
        self.local_address: tuple[str, int] = sock.getsockname()[:2]
        self.timeout = timeout
        self.error: ProtocolError | None = None
        self._sock = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._protocol = protocol
        self._idle_timeout = idle_timeout
        self._close_timeout = close_timeout
        self._recording = recording
        self._events: deque[Event] = deque()
        self._lock = threading.Lock()  # held while the protocol is fed and its bytes are written, never longer
        self._turn = threading.Lock()  # held by the one thread that reads from the socket
        self._ended = False
        to_server, to_client = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
        client = protocol.role is Role.CLIENT
        self._outward, self._inward = (to_server, to_client) if client else (to_client, to_server)

    # What is known about it

    @property
    def state(self) -> State:
        """CONNECTING, OPEN, CLOSING or CLOSED (RFC 6455 §4.1, §7.1)."""
        return self._protocol.state

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

    def __repr__(self) -> str:
        return f"<Connection {self.number} ({self._protocol.role}, {self.state.name})>"

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    # The opening handshake

    def open(self, request: Request, timeout: float | None = None) -> Response:
        """Client: send the request and read the server's agreement. Raises HandshakeError, or TimeoutError."""
        with self._lock:
            self._protocol.connect(request)
            self._flush()
        try:
            response = self._next_event(_deadline(timeout))
        except ConnectionClosed:
            raise HandshakeError("the server closed the connection without an answer", 0) from None
        return cast(Response, response)

    def accept(self, *, subprotocols: Sequence[str] = (), headers: Iterable[tuple[str, str]] = ()) -> None:
        """Server: agree to the handshake. Raises HandshakeError, to be given to `reject`, if it is not one."""
        with self._lock:
            self._protocol.accept(subprotocols=subprotocols, headers=headers)
            self._flush()

    def reject(self, error: HandshakeError) -> None:
        """Server: answer the handshake with the status and the reason of `error`, and end the TCP connection."""
        self.error = error
        with self._lock, contextlib.suppress(ConnectionClosed):
            self._protocol.reject(error)
            self._flush()
        self._end_tcp()

    # Receiving

    def receive(self, timeout: float | None = None) -> str | bytes:
        """The next message: `str` for text, `bytes` for binary. Messages that arrived before a fault come first.

        Raises ConnectionClosed at the end, ProtocolError once if the peer broke the protocol (it has then been told),
        and TimeoutError if no message is there within `timeout` seconds (None: the connection's own `timeout`).
        """
        deadline = _deadline(self.timeout if timeout is None else timeout)
        while True:
            event = self._next_event(deadline)
            if isinstance(event, Text | Binary):
                if self._recording is not None:
                    self._recording.mark(self.number, self._inward, "receive", _short(event.data))
                return event.data

    def receive_event(self, timeout: float | None = None) -> Event:
        """The next event, as `receive`, but pings and pongs come too (a ping has already been answered)."""
        return self._next_event(_deadline(self.timeout if timeout is None else timeout))

    def __iter__(self) -> Iterator[str | bytes]:
        """The messages until the connection closes, for whatever reason; `close_code` and `error` tell which."""
        while True:
            try:
                message = self.receive()
            except (ConnectionClosed, ProtocolError):
                return
            yield message

    def _next_event(self, deadline: float | None) -> Event:
        if not self._turn.acquire(timeout=-1 if deadline is None else max(0.0, deadline - time.monotonic())):
            raise TimeoutError("another thread is receiving from this connection")
        try:
            while not self._events:
                self._check_not_ended()
                self._read(deadline)
            event = self._events.popleft()
            if isinstance(event, Close):
                self._end_tcp()
                raise ConnectionClosed(event.code, event.reason)
            return event
        finally:
            self._turn.release()

    def _check_not_ended(self) -> None:
        if self._ended:
            cut = self.close_code == CloseCode.ABNORMAL_CLOSURE
            reason = "the TCP connection ended without a close frame" if cut else self.close_reason
            raise ConnectionClosed(self.close_code, reason)

    def _read(self, deadline: float | None) -> None:
        """Read once from the socket and feed the protocol; the caller has the turn."""
        withheld = self._protocol.withheld
        data = b"" if withheld else self._receive_bytes(deadline)
        try:
            with self._lock:
                try:
                    if data or withheld:
                        self._events.extend(self._protocol.receive_data(data))
                    else:
                        self._protocol.receive_eof()
                finally:
                    # An answer that cannot be written hides nothing: what was received is still delivered.
                    with contextlib.suppress(ConnectionClosed):
                        self._flush()
        except ProtocolError as error:
            self.error = error
            self._end_tcp()
            raise
        if self.state is State.CLOSED:
            self._end_tcp()

    def _receive_bytes(self, deadline: float | None) -> bytes:
        """What the socket has, waiting for it until `deadline`; b"" at the end of TCP, orderly or not."""
        idle = 0.0
        while True:
            try:
                data = self._receive_tls(deadline) if self._tls else self._receive_tcp(deadline)
            except TimeoutError:
                if deadline is not None:
                    raise
                idle += self._sock.gettimeout() or 0.0
                if self._idle_timeout is not None and idle >= self._idle_timeout:
                    return self._leave_idle_peer()
                continue
            except OSError:  # reset, or closed by another thread: nothing more will come
                return b""
            if self._recording is not None and data:
                self._recording.add(self.number, self._inward, data)
            return data

    def _receive_tcp(self, deadline: float | None) -> bytes:
        if deadline is not None:
            self._wait_until_readable(deadline)
        return self._sock.recv(READ_SIZE)

    def _receive_tls(self, deadline: float | None) -> bytes:
        timeout = self._sock.gettimeout()
        while True:
            with self._lock:  # OpenSSL must not read and write one connection at the same time, so reads cannot wait
                self._sock.settimeout(0)
                try:
                    return self._sock.recv(READ_SIZE)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self._sock.settimeout(timeout)
            self._wait_until_readable(deadline)

    def _leave_idle_peer(self) -> bytes:
        try:
            self._start_close(CloseCode.GOING_AWAY, f"idle for {self._idle_timeout:g} s")
            return self._receive_bytes(time.monotonic() + self._close_timeout)
        except (ConnectionClosed, TimeoutError):
            self._shutdown()
            return b""

    def _wait_until_readable(self, deadline: float | None) -> None:
        wait = self._sock.gettimeout() if deadline is None else max(0.0, deadline - time.monotonic())
        if not _readable(self._sock, wait):
            raise TimeoutError("no message arrived in time (see `timeout` of connect() and receive())")

    # Sending

    def send(self, message: str | bytes) -> None:
        """Send a message: `str` as text, anything like `bytes` as binary.

        It returns when the operating system has taken the bytes, which is no sign that the peer has them.
        Raises ConnectionClosed if the connection is closing, closed or broken.
        """
        if self._recording is not None:
            self._recording.mark(self.number, self._outward, "send", _short(message))
        with self._lock:
            if isinstance(message, str):
                self._protocol.send_text(message)
            else:
                self._protocol.send_bytes(message)
            self._flush()

    def send_fragment(self, fragment: str | bytes, fin: bool = False) -> None:
        """Send a part of a message in a frame of its own; `fin=True` with the last part (RFC 6455 §5.4)."""
        with self._lock:
            if isinstance(fragment, str):
                self._protocol.send_text(fragment, fin)
            else:
                self._protocol.send_bytes(fragment, fin)
            self._flush()

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping of at most 125 bytes; `receive_event` returns the pong."""
        self._mark("ping", _short(payload))
        with self._lock:
            self._protocol.ping(payload)
            self._flush()

    def pong(self, payload: bytes = b"") -> None:
        """Send a pong that nobody asked for."""
        self._mark("pong", _short(payload))
        with self._lock:
            self._protocol.pong(payload)
            self._flush()

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the protocol: for frames that no correct endpoint would send."""
        self._mark("send_raw", f"{len(data)} bytes")
        with self._lock:
            self._write(data)

    def _mark(self, name: str, argument: str) -> None:
        if self._recording is not None:
            self._recording.mark(self.number, self._outward, name, argument)

    def _flush(self) -> None:
        if data := self._protocol.data_to_send():
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._recording is not None:
            self._recording.add(self.number, self._outward, data)
        try:
            self._sock.sendall(data)
        except OSError as error:  # a time-out may have written half a frame, so nothing can follow it either
            self._shutdown()
            late = isinstance(error, TimeoutError)
            reason = "the peer does not read what is sent to it" if late else "the TCP connection is broken"
            raise ConnectionClosed(CloseCode.ABNORMAL_CLOSURE, reason) from error

    # Closing

    def close(
        self, code: int | None = CloseCode.NORMAL_CLOSURE, reason: str = "", timeout: float | None = None
    ) -> None:
        """Do the closing handshake and end the TCP connection; does nothing if that has been done.

        Waits at most `timeout` seconds (None: the close timeout) for the peer's close frame and then leaves without it
        (`close_code` 1006). Messages that arrive meanwhile can still be received. Raises ValueError for a code that
        must not be sent.
        """
        timeout = self._close_timeout if timeout is None else timeout
        deadline = time.monotonic() + timeout
        try:
            self._start_close(code, reason)
        except ConnectionClosed:
            self._shutdown()
        if self.state is State.CONNECTING:
            self._shutdown()
        if not self._turn.acquire(timeout=timeout):
            self._shutdown()  # whoever has the turn now finds the end of the connection
            return
        try:
            while not self._ended:
                if self._events and isinstance(self._events[-1], Close):
                    self._end_tcp()
                else:
                    self._read(deadline)
        except TimeoutError:
            self._shutdown()
            self._end_tcp()
        except ProtocolError:
            return  # the connection has ended for it, and `error` keeps it
        finally:
            self._turn.release()

    def fail(self, reason: str, code: int = CloseCode.INTERNAL_ERROR) -> None:
        """Tell the peer what went wrong in a close frame, and end the connection without waiting for its answer."""
        with self._lock, contextlib.suppress(ConnectionClosed):
            self._protocol.fail(ProtocolError(reason, code))
            self._flush()
        with self._turn:
            self._end_tcp()

    def _start_close(self, code: int | None, reason: str) -> None:
        with self._lock:
            if self.state is State.OPEN:
                self._mark("close", str(code))
                self._protocol.close(code, reason)
                self._flush()

    def _end_tcp(self) -> None:
        """End the TCP connection so that the peer still reads our last bytes: the server first (RFC 6455 §7.1.1)."""
        if self._ended:
            return
        self._ended = True
        deadline = time.monotonic() + self._close_timeout
        try:
            if self.state is not State.CLOSED:
                self._sock.settimeout(self._close_timeout)
                if isinstance(self._sock, ssl.SSLSocket):
                    self._sock.unwrap()
                elif self._protocol.role is Role.SERVER:
                    self._sock.shutdown(socket.SHUT_WR)
                # Closing a socket with unread bytes resets the connection, and a reset can overtake our close frame.
                while (left := deadline - time.monotonic()) > 0 and _readable(self._sock, left):
                    if not self._sock.recv(READ_SIZE):
                        break
        except OSError:
            pass  # the peer has gone already
        with self._lock:
            self._protocol.receive_eof()
        self._sock.close()

    def _shutdown(self) -> None:
        """End the TCP connection at once, in both directions; a thread that reads or writes is woken."""
        with contextlib.suppress(OSError):  # it may not be connected any more
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _readable(sock: socket.socket, timeout: float | None) -> bool:
    if hasattr(select, "poll"):  # unlike select, poll takes any file descriptor
        poller = select.poll()
        poller.register(sock, select.POLLIN)
        return bool(poller.poll(None if timeout is None else timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])


def _short(data: str | bytes, most: int = 40) -> str:
    if isinstance(data, str):
        return repr(data if len(data) <= most else data[:most] + "…")
    return f"{len(data)} bytes"
