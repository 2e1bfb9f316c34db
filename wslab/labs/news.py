"""News: what happens, and a web server that tells it in whatever way a generator answers a request (RFC 9112)."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator

from wslab.labs.background import HOST, REUSES_ADDRESS, BackgroundServer
from wslab.protocol.errors import HandshakeError
from wslab.protocol.http import Request, Response, parse_request, parse_response
from wslab.sockets.stream import is_ready, shut_down

READ_SIZE = 65536  # bytes
LEAVE_TIMEOUT = 2.0  # seconds for an answer that has begun, when the server closes

Answer = Callable[[Request], Iterable[bytes]]


class News:
    """A list of short texts that grows, for servers to tell of. Any thread may call any method."""

    def __init__(self) -> None:
        self._updates: list[str] = []
        self._is_over = False
        self._change = threading.Condition()

    def publish(self, text: str) -> None:
        """Add a text, and wake those who wait for it."""
        with self._change:
            self._updates.append(text)
            self._change.notify_all()

    def end(self) -> None:
        """Say that nothing more will come: nobody waits any longer."""
        with self._change:
            self._is_over = True
            self._change.notify_all()

    def after(self, count: int) -> list[str]:
        """Return the texts after the first `count`, as many as there are now."""
        with self._change:
            return self._updates[count:]

    def wait_after(self, count: int, timeout: float = 30.0) -> list[str]:
        """As `after`, but wait until there is one: at most `timeout` seconds, and not after the end."""
        with self._change:
            self._change.wait_for(lambda: self._is_over or len(self._updates) > count, timeout)
            return self._updates[count:]

    def follow(self) -> Iterator[str]:
        """Return the texts that are published from now on, one by one, until the end."""
        with self._change:
            return self._follow(len(self._updates))

    def _follow(self, count: int) -> Iterator[str]:
        while not self._is_over:
            for text in self.wait_after(count):
                count += 1
                yield text


class HttpServer(BackgroundServer):
    """A web server for this machine alone that keeps connections open, and writes each piece that `answer` yields.

    `answer` is called with each request, in a thread of the connection; requests have no body. Use it in a `with`
    block, or call `start` and `close`.
    """

    _thread_name = "wslab-http"

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    @property
    def url(self) -> str:
        """The address, `http://127.0.0.1:8765/`."""
        return f"http://{HOST}:{self._port}/"

    def _make_server(self) -> "_Server":
        return _Server(self._answer)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = REUSES_ADDRESS
    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.open: dict[threading.Thread, socket.socket] = {}
        self.is_over = False
        super().__init__((HOST, 0), _Handler)

    def server_close(self) -> None:
        """End all connections, and wait a moment for answers that have begun."""
        self.is_over = True
        shut_down(self.socket)  # a fork of this process may have it, too
        super().server_close()
        for thread, sock in self.open.copy().items():
            shut_down(sock)
            thread.join(LEAVE_TIMEOUT)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        self.server.open[threading.current_thread()] = self.request
        with contextlib.suppress(OSError):  # the client has gone, perhaps in the middle of an answer
            for request in self._requests():
                for piece in self.server.answer(request):
                    self.request.sendall(piece)

    def finish(self) -> None:
        self.server.open.pop(threading.current_thread(), None)

    def _requests(self) -> Iterator[Request]:
        data = b""
        while is_ready(self.request, None, lambda: self.server.is_over) and (piece := self.request.recv(READ_SIZE)):
            data += piece
            try:
                while found := parse_request(data):
                    request, used = found
                    data = data[used:]
                    yield request
            except HandshakeError:  # that is no HTTP: leave, as there is nobody to talk to
                return


def read_response(sock: socket.socket) -> Response:
    """Read one response, with a body of at most 4 KiB whose Content-Length is given. Raises ConnectionError if it ends.

    Nothing may come after it: the client has asked for one thing, and asks for the next one when it has it.
    """
    data = b""
    while (found := parse_response(data)) is None:
        if not (piece := sock.recv(READ_SIZE)):
            raise ConnectionError("the server hung up in the middle of an answer")
        data += piece
    return found[0]
