"""The console's endpoint: over plain HTTP, one page gets a learner's script and reports what a browser does with it.

It answers on the port of the echo server (`EchoServer.pages`), not on one of its own from `http.server`, although the
core then has to read the body of a request (`Connection.receive_body`). A page from another port would lose

- readers who reach only one port: a forwarded one, or the one `address` that a `BrowserConsole` was given;
- relative addresses: `new WebSocket("/chat")` takes host and port from the page;
- TLS: the page of a `wss://` server comes by https, with the same certificate. A reader who accepts that by hand would
  have to do it twice: Firefox keeps it for one host and port;
- the server's side of a handshake: it passes here, even if it is refused, and the page shows it beside its own.

A server of its own that also passed WebSockets on would be a proxy, which changes what the page is told.
"""

import re
import threading
import time
from collections.abc import Callable
from functools import cache
from hmac import compare_digest
from pathlib import Path
from urllib.parse import urlsplit

from wslab.browser.report import parse_report
from wslab.browser.run import MAX_EVENTS, Run
from wslab.page.answer import answer_html, answer_json
from wslab.page.bundle import bundle
from wslab.protocol.errors import HandshakeError
from wslab.protocol.http import Request, Response
from wslab.sockets.connection import Connection

FILE = Path(__file__).with_name("console.html")
PAGE, CLAIM, REPORT = "/console", "/console/claim", "/console/report"
TICKET, TOKEN = "Wslab-Ticket", "Wslab-Token"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

MAX_POST = 64 * 1024  # bytes of a body
MAX_RUNS = 50
RUN_TIMEOUT = 600.0  # seconds from the cell to the last report


class ConsoleEndpoint:
    """Hands each `Run` to the one page that has its ticket, and takes what that page reports.

    The page itself is the same for everybody and holds no secret. A run has a ticket of 256 random bits. It follows the
    `#` in the frame's address, so it is in no request line, and is good for one page: that page brings a token of its
    own, which no output and no answer ever holds, and all its reports must carry it. A request is also refused unless
    its Origin is that of the page (the same host as in Host), and Host is a loopback name, or the one that came with
    the ticket if a public proxy is in between, whose name is not known here.

    Defended: other web pages can neither fetch a script nor have one run nor report anything, and rebinding DNS to this
    machine does not help them: they have no ticket, and the header that carries one makes a browser ask for permission
    first (CORS), which is never given. Not defended: anybody who reads the notebook's output in the second before its
    frame has loaded; programs that read this process or the browser; and the page's origin from the script: behind a
    proxy that is Jupyter's own, where a script may do what the JavaScript of any cell may.
    """

    def __init__(self, timeout: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.refused = 0
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: list[tuple[float, Run]] = []

    def add(self, run: Run) -> None:
        """Wait for the page of this run. With more than MAX_RUNS of them, the oldest is given up."""
        with self._lock:
            self._runs = [*self._runs[1 - MAX_RUNS :], (self._clock() + RUN_TIMEOUT, run)]

    def __call__(self, connection: Connection) -> Response | None:
        """Return the answer for the console's own paths, None for all others. Raises HandshakeError to refuse."""
        request = connection.request
        if request is None:
            return None
        path = request.resource_name.partition("?")[0]
        if path not in (PAGE, CLAIM, REPORT):
            self._note_handshake(connection, request)
            return None
        try:
            return self._answer(connection, request, path)
        except HandshakeError:
            with self._lock:
                self.refused += 1
            raise

    def _answer(self, connection: Connection, request: Request, path: str) -> Response:
        methods = ("GET", "HEAD") if path == PAGE else ("POST",)
        if request.method not in methods:
            raise HandshakeError(f"{path} is for {methods[0]}", 405, [("Allow", ", ".join(methods))])
        if path == PAGE:
            return _build_page()
        run = self._find_run(request, TICKET if path == CLAIM else TOKEN)
        body = self._read_body(connection, request)
        if path == CLAIM:
            return _claim(run, request, connection.local_address[1])
        if not run.add(*parse_report(body)):
            raise HandshakeError(f"this run is over, or has its {MAX_EVENTS} events already", 403)
        answer = answer_json({"handshakes": run.take_handshakes()})
        if run.is_done:
            connection.answer(answer)  # before a thread is woken that may close the server
            run.end()
        return answer

    def _find_run(self, request: Request, header: str) -> Run:
        """Return the run whose ticket or token this request carries, if the request comes from where its page is."""
        secret = _only_value(request, header).encode("latin-1")
        now = self._clock()
        with self._lock:
            runs = [run for ends, run in self._runs if now < ends]
        keys = [run.ticket if header == TICKET else run.token for run in runs]
        found = [run for run, key in zip(runs, keys, strict=True) if compare_digest(secret, key.encode()) and key]
        if not found:
            raise HandshakeError("no run waits for this page", 403)
        if not _comes_from_its_page(request, found[0]):
            origin, cure = _only_value(request, "Origin"), ""
            if header == TICKET and origin.startswith(("http://", "https://")):
                cure = f": if {origin} is yours, make the console as BrowserConsole(..., origins=[{origin!r}])"
            raise HandshakeError(f"a page from elsewhere may not talk to this console{cure}", 403)
        return found[0]

    def _read_body(self, connection: Connection, request: Request) -> bytes:
        try:
            return connection.receive_body(body_length(request, MAX_POST), self._timeout)
        except TimeoutError:
            raise HandshakeError(f"no whole body within {self._timeout:g} s", 408) from None

    def _note_handshake(self, connection: Connection, request: Request) -> None:
        """Show a handshake to the page of its origin, or to all of them: nothing says which of these has asked."""
        origin = _only_value(request, "Origin")
        with self._lock:
            runs = [run for _, run in self._runs if run.origin and run.origin == origin and not run.is_done]
        if "Upgrade" in request.headers:
            for run in runs:
                run.note_handshake(connection)


def endpoint_among(pages: list[Callable[[Connection], Response | None]], timeout: float) -> ConsoleEndpoint:
    """Return the console's endpoint among the pages of a server, to which one is added if there is none."""
    found = next((page for page in pages if isinstance(page, ConsoleEndpoint)), None)
    if found is None:
        pages.append(found := ConsoleEndpoint(timeout))
    return found


def body_length(request: Request, limit: int) -> int:
    """Return how many bytes of body follow the head of a request, according to its Content-Length (RFC 9112 §6).

    Raises HandshakeError: 411 if there is no Content-Length, 413 for more than `limit` bytes, 400 if it is no length.

    >>> from wslab import Headers
    >>> body_length(Request("POST", "/", Headers((("Content-Length", "5"),))), limit=10)
    5
    """
    lengths = request.headers.get_all("Content-Length")
    if "Transfer-Encoding" in request.headers:
        raise HandshakeError("a body in a transfer coding is not read here: tell its length with Content-Length")
    if not lengths:
        raise HandshakeError("a request with a body needs a Content-Length", 411)
    if len(lengths) != 1 or not re.fullmatch(r"[0-9]{1,9}", lengths[0]):
        raise HandshakeError("a request needs exactly one Content-Length, a number")
    if int(lengths[0]) > limit:
        raise HandshakeError(f"a body of more than {limit} bytes", 413)
    return int(lengths[0])


def _claim(run: Run, request: Request, port: int) -> Response:
    """Give the script to the page that brings a token, if it is the first."""
    if not run.claim(_only_value(request, TOKEN), _only_value(request, "Origin")):
        raise HandshakeError("another page has this run, or the token is none", 403)
    return answer_json({"name": run.name, "script": run.script, "port": port})


def _only_value(request: Request, name: str) -> str:
    """Return the value of the only line with this name, or an empty text if there is none or more than one."""
    values = request.headers.get_all(name)
    return values[0] if len(values) == 1 else ""


def _comes_from_its_page(request: Request, run: Run) -> bool:
    """Return True if Origin is the address that Host was asked for, and the page can be at that address."""
    origin, host = _only_value(request, "Origin").lower(), _only_value(request, "Host").lower()
    if run.origin:
        return origin == run.origin.lower()
    if origin in run.origins:
        return True
    if not host or origin not in (f"http://{host}", f"https://{host}"):
        return False
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return run.is_public or name in LOOPBACK


@cache
def _build_page() -> Response:
    """Build the page, whose policy lets it run the script it is given, call this endpoint, and open any WebSocket.

    VS Code shows outputs in frames with addresses of its own, which no page of the web can have.
    """
    frames = "vscode-webview: vscode-file:"
    rules = {"script-src": "'unsafe-eval'", "connect-src": "'self' ws: wss:", "frame-ancestors": frames}
    return answer_html(bundle(FILE), rules)
