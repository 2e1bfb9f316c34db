"""Site: a web server on this machine, made of one function that answers requests (RFC 9110); pages with a script."""

import contextlib
import functools
import html
import socket
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wslab.labs.background import HOST, REUSES_ADDRESS, BackgroundServer
from wslab.page.answer import answer_html
from wslab.protocol.http import MAX_BODY_SIZE, Headers, Request, Response
from wslab.sockets.log import log
from wslab.sockets.stream import is_ready, shut_down

READ_TIMEOUT = 5.0  # seconds

Answer = Callable[[Request, str], Response]


class Site(BackgroundServer):
    """A web server for this machine alone; `answer` turns a request and its body into a response, in any thread.

    Use it in a `with` block, or call `start` and `close`. Browsers find it under `name`: 127.0.0.1, localhost or any
    name that ends in .localhost. Raises ValueError for any other name.
    """

    _name, _thread_name = "site", "wslab-site"

    def __init__(self, answer: Answer, name: str = HOST) -> None:
        if name != HOST and name.rpartition(".")[2] != "localhost":
            raise ValueError(f"a lab stays on this machine: {HOST}, localhost or x.localhost, not {name!r}")
        super().__init__()
        self.name = name
        self._answer = answer

    @property
    def origin(self) -> str:
        """The origin of its pages, `http://127.0.0.1:8765`: scheme, name and port (RFC 6454 §6.2)."""
        return f"http://{self.name}:{self._port}"

    def _make_server(self) -> "_Server":
        return _Server((HOST, 0), functools.partial(_Handler, self._answer))


class _Server(ThreadingHTTPServer):
    allow_reuse_address = REUSES_ADDRESS
    daemon_threads = False  # so that server_close waits for them

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self.is_over = False
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it: browsers open some in advance and send nothing on them."""
        sock, address = super().get_request()
        self._open.add(sock)
        return sock, address

    def shutdown_request(self, request: Any) -> None:
        """End a connection, and forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Read nothing more, so that each thread ends once it has answered what it has read."""
        self.is_over = True
        for sock in self._open.copy():
            with contextlib.suppress(OSError):  # its other end has gone already
                sock.shutdown(socket.SHUT_RD)
        shut_down(self.socket)  # a fork of this process may have it, too
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong, as browsers may leave in the middle of an answer; the default would print it."""
        log.info("a request to a site came to nothing", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_TIMEOUT

    def __init__(self, answer: Answer, *arguments: Any) -> None:
        self._answer = answer
        super().__init__(*arguments)

    def handle(self) -> None:
        """Answer a request, if one comes."""
        if is_ready(self.connection, self.timeout, lambda: self.server.is_over) and not self.server.is_over:
            super().handle()

    def do_GET(self) -> None:
        """Answer, and let the connection close."""
        request = Request(self.command, self.path, Headers(tuple(self.headers.items())))
        size = min(max(0, int(self.headers.get("Content-Length", 0))), MAX_BODY_SIZE)
        self.wfile.write(self._answer(request, self.rfile.read(size).decode()).serialize())

    do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing, as no thread does."""


def answer_with_page(
    title: str, text: str, script: str, *, may_connect_to: Iterable[str], headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """Return a page with a title, a sentence, an empty <output>, and a script, which is the only one that may run.

    The script may connect to its own origin and to the origins in `may_connect_to`, to nothing else.
    """
    page = PAGE.format(title=html.escape(title), text=html.escape(text), script=script)
    return answer_html(page, {"connect-src": f"'self' {' '.join(may_connect_to)}"}, headers)


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<h1>{title}</h1>
<p>{text}</p>
<p><output></output></p>
<script type="module">{script}</script>
"""
