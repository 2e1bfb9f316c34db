"""EchoServer: a WebSocket server with one thread per connection that runs a handler, the echo by default.

Strategy: one thread accepts connections and starts a thread for each, in which a Session does everything else. `close`
tells all clients, lets the threads that are receiving finish the closing handshakes, starts a thread for each
connection where none is, and ends by force whatever is left when the time is over.

Locks: `_lock` protects the list of connections and the counts beside it. It is never held while a handler runs or a
peer is waited for.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence

from wslab.dissector.wording import how_many
from wslab.page.echo_page import answer_page
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import CloseCode, ConnectionClosed, PartError, ProtocolError
from wslab.protocol.http import Response
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role
from wslab.recording.recording import Recording
from wslab.sockets.acceptor import Acceptor
from wslab.sockets.connection import Connection
from wslab.sockets.files import are_few_left
from wslab.sockets.leaving import Leaving
from wslab.sockets.log import log
from wslab.sockets.memory import keep_memory_for
from wslab.sockets.server_view import ServerView
from wslab.sockets.session import Handler, Page, Service, Session
from wslab.sockets.stream import send_at_once

MAX_REFUSALS = 100
SPARE_FILES = 20  # for whatever else this process opens
STOP_TIMEOUT = 3.0


def echo_one_by_one(connection: Connection) -> None:
    """Send every message back as it came, until the connection closes."""
    for message in connection:
        connection.send(message)


def echo(connection: Connection) -> None:
    """As `echo_one_by_one`, but take all messages that have arrived at once and answer them with one write.

    That is five times as fast if many short ones arrive together (64 of 32 bytes).
    """
    with contextlib.suppress(ConnectionClosed, ProtocolError):
        while True:
            connection.send_many(connection.receive_many())


def _answer_with_echo_test(connection: Connection) -> Response | None:
    return answer_page(connection.request) if connection.request is not None else None


class EchoServer:
    """Listens on `host` and `port` (0: any free one) and runs `handler` with each connection, in a thread of its own.

    Use it in a `with` block, or call `start` and `close`. A handler that returns closes its connection with 1000, one
    that raises with 1011 (the traceback goes to the log `wslab`). What a replaced part of `codec` raises is raised
    again when the server closes. `origins` lists the Origin values that may connect (None: all of them), `subprotocols`
    what the server can speak; `deflate` may hold wishes for permessage-deflate; `ssl` makes it `wss://`; `page` gives a
    browser that opens the address by `http://` the Echo test page. Each of `pages` is asked whether it answers a
    request with plain HTTP, before that is taken for a handshake. `recording` records all connections.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        handler: Handler = echo,
        *,
        codec: Codec | None = None,
        recording: Recording | None = None,
        limits: Limits | None = None,
        deflate: bool | PermessageDeflate = True,
        subprotocols: Sequence[str] = (),
        origins: Sequence[str] | None = None,
        ssl: ssl.SSLContext | None = None,
        page: bool = True,
    ) -> None:
        if isinstance(subprotocols, str) or isinstance(origins, str):  # its letters would be taken for the names
            raise TypeError("subprotocols and origins are lists: ['chat'], not 'chat'")
        self.host = host
        self.port = port
        self.limits = limits or Limits()
        self._codec = codec or Codec()
        self.recording = recording
        self._deflate = PermessageDeflate() if deflate is True else deflate or None
        self._ssl = ssl
        self.pages: list[Page] = [ServerView(), _answer_with_echo_test] if page else []
        self._service = Service(
            handler,
            self.limits,
            self.pages,
            None if origins is None else frozenset(origin.lower() for origin in origins),
            tuple(subprotocols),
            self._part_failed,
        )
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, Connection] = {}
        self._leaving = Leaving()
        self._refusals = 0
        self._accepted = 0
        self._part_error: PartError | None = None  # the first: a codec may fail with each client
        self._acceptor: Acceptor | None = None

    @property
    def url(self) -> str:
        """The address to connect to, `ws://127.0.0.1:8765/`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ws' if self._ssl is None else 'wss'}://{host}:{self.port}/"

    @property
    def is_listening(self) -> bool:
        """True from `start` to `close`."""
        return self._acceptor is not None

    @property
    def connections(self) -> list[Connection]:
        """The connections that are being served, in the order in which they came."""
        with self._lock:
            return list(self._threads.values())

    def __enter__(self) -> "EchoServer":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = how_many(len(self.connections), "connection") if self._acceptor else "not listening"
        return f"<EchoServer {self.url}, {state}>"

    # Starting and stopping

    def start(self) -> "EchoServer":
        """Listen and serve in the background, unless it already does. Raises OSError if the address cannot be had."""
        if self._acceptor is None:
            keep_memory_for(self.limits.max_size)
            acceptor = Acceptor(self, self._start_thread, "wslab-accept")
            try:
                acceptor.start()
                self._acceptor, self.port = acceptor, acceptor.port
            except BaseException:  # no thread can be had, or Ctrl-C was pressed
                acceptor.close()
                raise
        return self

    def close(self, code: int = CloseCode.GOING_AWAY, reason: str = "the server is stopping") -> None:
        """Stop listening, tell every client `code`, and wait for the threads, at most four seconds in all.

        Raises what a replaced part of the codec raised first, if any did.
        """
        acceptor = self._acceptor
        if acceptor is None or not acceptor.is_ours:
            return
        timeout = min(STOP_TIMEOUT, self.limits.close_timeout)
        deadline = time.monotonic() + timeout
        acceptor.close()
        with self._lock:
            serving = dict(self._threads)
            threads = {*serving, *self._leaving.threads()} - {threading.current_thread()}
        try:
            closers = [
                closer
                for connection in serving.values()
                if (closer := self._tell_end(connection, code, reason, timeout))
            ]
            _join([*closers, *threads], deadline)
        finally:
            for connection in serving.values():
                connection.abort()
        # To end a crowd by force takes time itself (1 ms for each in free-threaded Python); then they have a second.
        _join([*closers, *threads], max(deadline, time.monotonic()) + 1)
        if stuck := [thread for thread in threads if thread.is_alive()]:
            log.warning("%d handlers are still running after the server has closed", len(stuck))
        if self._acceptor is acceptor:
            self._acceptor = None
        error, self._part_error = self._part_error, None
        if error is not None:
            raise error.__cause__ or error

    def _tell_end(self, connection: Connection, code: int, reason: str, timeout: float) -> threading.Thread | None:
        """Tell a client that the server stops. Return a thread that awaits its answer, unless one already does."""
        try:
            if connection.begin_close(code, reason, timeout):
                return None
            closer = threading.Thread(
                target=self._close, args=(connection, code, reason, timeout), name="wslab-close", daemon=True
            )
            closer.start()
            return closer
        except RuntimeError:  # no thread can be had, but that of the handler may still write the close frame
            return None
        except ConnectionClosed:  # no handshake yet, or TCP is broken
            connection.abort()
        except PartError as error:
            self._part_failed(error)
            connection.abort()
        return None

    def _close(self, connection: Connection, code: int, reason: str, timeout: float) -> None:
        try:
            connection.close(code, reason, timeout)
        except PartError as error:
            self._part_failed(error)

    def serve_forever(self) -> None:
        """Serve until interrupted (Ctrl-C), then close."""
        acceptor = self._acceptor
        try:
            while acceptor is not None and not acceptor.wait(timeout=1):
                pass
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    # The accepting thread

    def _start_thread(self, sock: socket.socket, address: tuple[str, int]) -> None:
        try:
            send_at_once(sock)
            if self._ssl is not None:  # its handshake happens when the connection reads
                sock = self._ssl.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                number, refusal = self._accepted + 1, self._why_full(sock, address)
                if refusal is not None and self._refusals >= MAX_REFUSALS:
                    sock.close()
                    return
                connection = self._new_connection(sock, address, number)
                session = Session(connection, self._service, refusal)
                thread = threading.Thread(target=self._run, args=(session,), name=f"wslab-{number}", daemon=True)
                thread.start()
                self._threads[thread] = connection
                self._accepted = number
                self._refusals += session.is_full
        except BaseException:
            sock.close()
            raise

    def _why_full(self, sock: socket.socket, address: tuple[str, int]) -> str | None:
        """Return why no more clients are served now, or no more of this address; None if they are. Needs the lock."""
        served, most = len(self._threads) - self._refusals, self.limits.max_per_address
        if served >= self.limits.max_connections or are_few_left(sock, MAX_REFUSALS + SPARE_FILES):
            return f"this server has its {how_many(served, 'connection')} already"
        if served >= most and sum(it.remote_address[0] == address[0] for it in self._threads.values()) >= most:
            return f"this address has its {how_many(most, 'connection')} already"
        return None

    def _new_connection(self, sock: socket.socket, address: tuple[str, int], number: int) -> Connection:
        limits = self.limits
        return Connection(
            sock,
            Protocol(Role.SERVER, deflate=self._deflate, limits=limits, codec=self._codec),
            remote_address=address,
            number=number,
            write_timeout=limits.send_timeout,
            idle_timeout=limits.idle_timeout,
            close_timeout=limits.close_timeout,
            recording=self.recording,
        )

    def _run(self, session: Session) -> None:
        try:
            session.run()
        finally:
            with self._lock:
                del self._threads[threading.current_thread()]
                self._leaving.add(threading.current_thread())
                self._refusals -= session.is_full

    def _part_failed(self, error: PartError) -> None:
        with self._lock:
            self._part_error = self._part_error or error
        log.error("a part of the codec failed: %s", error)


def _join(threads: Iterable[threading.Thread], deadline: float) -> None:
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
