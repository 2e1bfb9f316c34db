"""console: the desk where one page gets a learner's script and reports what a browser does with it, and no other."""

import json
import re
import threading
import time
from collections.abc import Callable
from functools import cache
from hmac import compare_digest
from pathlib import Path
from urllib.parse import urlsplit

from wslab.browser.run import MAX_EVENTS, Event, Run
from wslab.page.answer import answer_html, answer_json
from wslab.protocol.errors import HandshakeError
from wslab.protocol.http import Request, Response, body_length
from wslab.sockets.connection import Connection

FILE = Path(__file__).with_name("console.html")
PAGE, CLAIM, REPORT = "/console", "/console/claim", "/console/report"
TICKET, TOKEN = "Wslab-Ticket", "Wslab-Token"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

MAX_POST = 64 * 1024
MAX_FIELDS = 12
MAX_TEXT = 2000  # characters of a value
MAX_RUNS = 50
RUN_TIMEOUT = 600.0  # seconds from the cell to the last report


class Desk:
    """Hands each `Run` to the one page that has its ticket, and takes what that page reports.

    The page itself is the same for everybody and holds no secret. A run has a ticket of 256 random bits; it stands
    behind the `#` of the frame's address, so it is in no request line, and is good for one page: that page brings a
    token of its own, which no output and no answer ever holds, and all its reports must carry it. A request is also
    refused unless its Origin is that of the page (the same host as in Host), and Host is a loopback name, or the one
    that came with the ticket where a public proxy is in between, whose name nobody has told us.

    Defended: other web pages cannot fetch a script, let one be run or report anything, by rebinding DNS to this
    machine neither: they have no ticket, and the header that carries one makes a browser ask for leave first (CORS),
    which is never given. Not defended: whoever reads the notebook's output in the second before its frame has loaded,
    programs that read this process or the browser, and the page's origin from the script: behind a proxy that is
    Jupyter's own, and a script may do there what any cell's JavaScript may.
    """

    def __init__(self, timeout: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.refused = 0
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: list[tuple[float, Run]] = []

    def open(self, run: Run) -> None:
        """Wait for the page of this run; of many, the oldest is given up."""
        with self._lock:
            self._runs = [*self._runs[1 - MAX_RUNS :], (self._clock() + RUN_TIMEOUT, run)]

    def __call__(self, connection: Connection) -> Response | None:
        """The answer for the console's own addresses; None for all others. Raises HandshakeError to refuse."""
        request = connection.request
        if request is None:
            return None
        path = request.resource_name.partition("?")[0]
        if path not in (PAGE, CLAIM, REPORT):
            self._notice(connection, request)
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
        run = self._admit(request, TICKET if path == CLAIM else TOKEN)
        try:
            body = connection.receive_body(body_length(request, MAX_POST), self._timeout)
        except TimeoutError:
            raise HandshakeError(f"no whole body within {self._timeout:g} s", 408) from None
        if path == CLAIM:
            if not run.claim(_only(request, TOKEN), _only(request, "Origin")):
                raise HandshakeError("another page has this run, or the token is none", 403)
            return answer_json({"name": run.name, "script": run.script, "port": connection.local_address[1]})
        if not run.add(*parse_report(body)):
            raise HandshakeError(f"this run is over, or has its {MAX_EVENTS} events already", 403)
        answer = answer_json({"handshakes": run.take_handshakes()})
        if run.is_done:
            connection.answer(answer)  # before anybody is woken who may close the server
            run.end()
        return answer

    def _admit(self, request: Request, header: str) -> Run:
        """The run whose ticket or token this request carries, if it comes from where its page is."""
        secret = _only(request, header).encode("latin-1")
        now = self._clock()
        with self._lock:
            runs = [run for ends, run in self._runs if now < ends]
        keys = [run.ticket if header == TICKET else run.token for run in runs]
        found = [run for run, key in zip(runs, keys, strict=True) if compare_digest(secret, key.encode()) and key]
        if not found:
            raise HandshakeError("no run waits for this page", 403)
        if not _comes_from_its_page(request, found[0]):
            origin, cure = _only(request, "Origin"), ""
            if header == TICKET and origin.startswith(("http://", "https://")):
                cure = f": if {origin} is yours, make the console as BrowserConsole(..., origins=[{origin!r}])"
            raise HandshakeError(f"a page from elsewhere may not talk to this console{cure}", 403)
        return found[0]

    def _notice(self, connection: Connection, request: Request) -> None:
        """Show a handshake to the page of its origin; of several that run at once, nothing tells which, so to all."""
        origin = _only(request, "Origin")
        with self._lock:
            runs = [run for _, run in self._runs if run.origin and run.origin == origin and not run.is_done]
        if "Upgrade" in request.headers:
            for run in runs:
                run.notice(connection)


def desk_of(pages: list[Callable[[Connection], Response | None]], timeout: float) -> Desk:
    """The desk among the pages of a server; it gets one if it has none."""
    found = next((page for page in pages if isinstance(page, Desk)), None)
    if found is None:
        pages.append(found := Desk(timeout))
    return found


def parse_report(body: bytes) -> tuple[list[Event], bool]:
    r"""The events in a report, and whether they are the last. Raises HandshakeError 400 for anything else.

    >>> parse_report(b'{"events": [{"what": "open", "readyState": 1}], "done": false}')
    ([{'what': 'open', 'readyState': 1}], False)
    """
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        raise HandshakeError("a report is JSON") from None
    match report:
        case {"events": list(events), "done": bool(is_done), **others} if not others and all(map(is_event, events)):
            return events, is_done
    raise HandshakeError("a report has events with plain values, and says whether they are the last")


def is_event(event: object) -> bool:
    """Whether it has a name and plain values, as the events in a report have."""
    if not isinstance(event, dict) or not isinstance(event.get("what"), str) or len(event) > MAX_FIELDS:
        return False
    return all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,39}", name) and _is_plain(value) for name, value in event.items())


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return value is None or (isinstance(value, int | float) and abs(value) <= 2**53)  # no NaN, no Infinity


def _only(request: Request, name: str) -> str:
    """The value of the only line with this name, or nothing."""
    values = request.headers.get_all(name)
    return values[0] if len(values) == 1 else ""


def _comes_from_its_page(request: Request, run: Run) -> bool:
    """Whether Origin is the address that Host was asked for, and that is one where the page can be."""
    origin, host = _only(request, "Origin").lower(), _only(request, "Host").lower()
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
    """It may run what the desk hands it, talk to the desk, and open WebSockets to anywhere.

    VS Code shows outputs in frames with addresses of its own, which no page of the web can have.
    """
    frames = "vscode-webview: vscode-file:"
    rules = {"script-src": "'unsafe-eval'", "connect-src": "'self' ws: wss:", "frame-ancestors": frames}
    return answer_html(FILE.read_text(encoding="utf-8"), rules)
