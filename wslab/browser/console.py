"""browser_console: a notebook's JavaScript, run by the reader's browser against a live server; its events as values."""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from wslab.browser.desk import PAGE, desk_of
from wslab.browser.frontend import Frontend, find_frontend
from wslab.browser.run import Event, Run
from wslab.browser.transcript import Recorded, Transcript, load_transcripts
from wslab.protocol.states import Direction
from wslab.recording.recording import Recording
from wslab.sockets.server import EchoServer

# Pixels of the box: what stands around its events, one event, and the table of who talks to whom where that is open.
AROUND, LINE, HANDSHAKES = 165, 27, 270
CHARACTERS = 80  # of an event in one line
LATE = 2  # lines for each socket that is still open, when the server stops
UNKNOWN = 8  # lines of a script that was not recorded
MOST_LINES = 18

NO_PAGE = "If no page appears, the server or the kernel may have stopped: run the cells again. If that does not help:"


@dataclass(frozen=True, repr=False)
class BrowserRun:
    """A script in the browser, as the value of a cell: a box that runs it, or what was recorded where there is none.

    `repr` is the recorded transcript in both cases.
    """

    run: Run
    recorded: Recorded | None
    address: str  # of the page, with its ticket; empty where there is no browser
    advice: str
    height: int

    @property
    def name(self) -> str:
        """What the script is called."""
        return self.run.name

    @property
    def events(self) -> list[Event]:
        """What the browser has reported so far; while none has called, what was recorded."""
        if self.run.is_claimed or self.recorded is None:
            return self.run.events
        return [dict(event) for event in self.recorded.events]

    def wait(self, seconds: float = 5.0) -> Transcript:
        """Wait until the script calls `done()`; where no browser answers in time, the recorded transcript."""
        if self.address or self.run.is_claimed:
            self.run.wait(seconds)
        if self.run.is_done:
            return Transcript("Your browser reported:", tuple(self.events))
        if self.run.is_claimed:
            late = f"Your browser has not said within {seconds:g} s that it is done (a script calls done() at its end)"
            return Transcript(f"{late}; so far it reported:", tuple(self.events))
        nobody = f"No browser answered within {seconds:g} s" if self.address else "No browser shows this notebook"
        if self.recorded is None:
            return Transcript(f"{nobody}, and this script was not recorded. {self.advice}")
        return Transcript(f"{nobody}, so this is what {self.recorded.browser} reported:", self.recorded.events)

    def __repr__(self) -> str:
        return repr(self._recorded_transcript())

    def _repr_html_(self) -> str:
        recorded = self._recorded_transcript()._repr_html_()
        if not self.address:
            return recorded
        source, title = escape(self.address), escape(f"Browser console: {self.name}")
        size = f'width="100%" height="{self.height}"'
        box = f'<iframe src="{source}" title="{title}" {size} style="border:1px solid #7d8793"></iframe>'
        # A browser shows an error of its own in the box, or nothing, so that only this can say what to do. A notebook
        # that is not trusted has no box.
        advice = f"<details><summary>{NO_PAGE}</summary>{escape(self.advice)}</details>"
        return f"{advice}{box}<details><summary>Without a browser: what was recorded</summary>{recorded}</details>"

    def _recorded_transcript(self) -> Transcript:
        if self.recorded is None:
            return Transcript(f"{self.name!r} was not recorded: it runs where a browser shows this notebook.")
        return Transcript(f"What {self.recorded.browser} reported when this was recorded:", self.recorded.events)


class BrowserConsole:
    """Runs scripts in the reader's browser, in a box with a page of `server`; see `run`, `wait`, `events` and `wire`.

    The page reports by HTTP to the server's threads, so that `wait` works in any cell. `transcripts` is a file with
    what a real browser reported, for readers without one; captures may stand beside it, as `name.pcapng`. `address` is
    where the browser finds the server, if that cannot be derived: `http://127.0.0.1:8765/`; `origins` are those of the
    page, if a proxy changes the Host header.
    What keeps other web pages out, and what does not, says `wslab.page.console.Desk`. Raises OSError or ValueError if
    the transcripts cannot be read, ValueError for an address that no box can show.
    """

    def __init__(
        self,
        server: EchoServer,
        transcripts: str | os.PathLike[str] | None = None,
        *,
        address: str | None = None,
        origins: Collection[str] = (),
    ) -> None:
        if isinstance(origins, str):
            raise TypeError(f"origins is a list of origins: [{origins!r}], not {origins!r}")
        if address is not None and not re.match(r"https?://[^/]|/(?!/)", address, re.IGNORECASE):
            raise ValueError(f"the browser opens an address that begins with http://, https:// or /, not {address!r}")
        self.server = server
        self.runs: list[BrowserRun] = []
        self._transcripts = None if transcripts is None else Path(transcripts)
        self._recorded = {} if self._transcripts is None else load_transcripts(self._transcripts)
        self._address = address
        self._origins = {*origins, *_origin_of(address or "")}
        self._frontend = find_frontend()
        self._desk = desk_of(server.pages, server.limits.handshake_timeout)

    def run(self, script: str, name: str = "script", height: int | None = None) -> BrowserRun:
        """Let the browser run `script` (JavaScript) once; make this the last line of a cell, which then shows the page.

        The script has `url` (the server's address), a `WebSocket` that reports all that happens to it, `log(...)`,
        `await until(socket, "open")`, and `done()`, which it calls at its end. `height` is that of the page in pixels,
        as much as the recorded events need unless given. Raises RuntimeError if the server does not listen.
        """
        if not isinstance(script, str):
            raise TypeError(f"a script is JavaScript as text, not {type(script).__name__}")
        if not self.server.is_listening:
            raise RuntimeError("the server does not listen: call its start() first")
        is_public = self._frontend is not None and self._frontend.is_public
        run = Run(name, script, self._origins, is_public)
        self._desk.open(run)
        recorded = self._recorded.get(name)
        fits = recorded if recorded is not None and recorded.fits(script) else None
        base = self._find_address()
        advice = _advice(self._frontend, base, is_given=self._address is not None)
        address = f"{base.removesuffix('/')}{PAGE}#{run.ticket}" if base else ""
        height = height or _height(fits, is_proxied=base.startswith("/"))
        self.runs.append(BrowserRun(run, fits, address, advice, height))
        return self.runs[-1]

    @property
    def events(self) -> list[Event]:
        """The events of the last run: plain values, without times, ports or keys. Before `wait` there may be fewer."""
        return self._last_run().events

    @property
    def refused(self) -> int:
        """How many requests to the console were refused: those of other pages, of other programs, and too long ones."""
        return self._desk.refused

    def wait(self, seconds: float = 5.0) -> Transcript:
        """Wait until the last script calls `done()`, at most `seconds`; what the browser reported, or was recorded."""
        return self._last_run().wait(seconds)

    def wire(self) -> Recording:
        """Wait for the last script; what passed between its WebSockets and the server, or did when it was recorded.

        Has the WebSocket connections of the server, numbered from 1, and not those of the console's own page. Is empty
        where no browser answered and nothing was captured. Raises RuntimeError if the server keeps no recording.
        """
        last = self._last_run()
        last.wait()
        if last.run.is_claimed:
            if self.server.recording is None:
                raise RuntimeError("the server keeps no recording: start it with EchoServer(recording=Recording())")
            return _only_websockets(self.server.recording)
        captured = None if self._transcripts is None else self._transcripts.with_name(f"{last.name}.pcapng")
        if last.recorded is None or captured is None or not captured.exists():
            return Recording()
        return Recording.load(captured)

    def __repr__(self) -> str:
        return f"<BrowserConsole of {self.server.url}, {len(self.runs)} runs>"

    def _last_run(self) -> BrowserRun:
        if not self.runs:
            raise RuntimeError("nothing has run yet: call run() first")
        return self.runs[-1]

    def _find_address(self) -> str:
        if self._address is not None:
            return self._address
        scheme = "https" if self.server.url.startswith("wss") else "http"
        return self._frontend.address_of(self.server.port, scheme) if self._frontend is not None else ""


def _height(recorded: Recorded | None, *, is_proxied: bool) -> int:
    """How high a page must be to show the events of a script without scrolling, in pixels."""
    lines, has_table = UNKNOWN, is_proxied
    if recorded is not None:
        names = [event["what"] for event in recorded.events if "socket" in event]
        texts = [" ".join(f"{name} {value}" for name, value in event.items()) for event in recorded.events]
        lines = sum(1 + len(text) // CHARACTERS for text in texts)
        lines += LATE * (names.count("new WebSocket()") - names.count("close"))
        has_table = has_table or "error" in names
    return AROUND + LINE * min(lines, MOST_LINES) + HANDSHAKES * has_table


def _only_websockets(recording: Recording) -> Recording:
    """The recording without the connections that fetched the console's page and carried its reports."""
    heads = {
        number: recording.bytes_sent(number, Direction.CLIENT_TO_SERVER).partition(b"\r\n\r\n")[0].lower()
        for number in recording.connections
    }
    asked = [number for number, head in heads.items() if b"\r\nsec-websocket-key:" in head]
    new = {number: place for place, number in enumerate(asked, 1)}
    kept = Recording()
    kept.chunks = [it._replace(connection=new[it.connection]) for it in recording.chunks if it.connection in new]
    kept.calls = [it._replace(connection=new[it.connection]) for it in recording.calls if it.connection in new]
    kept.addresses = {new[number]: ends for number, ends in recording.addresses.items() if number in new}
    return kept


def _origin_of(address: str) -> list[str]:
    """The origin of a page at this address, if that is a whole one."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


def _advice(frontend: Frontend | None, base: str, *, is_given: bool) -> str:
    """One sentence for whoever sees no page in the box, which shows the server at the address `base`."""
    if not base:
        return "Open this notebook in JupyterLab and run it there."
    if is_given:
        remedy = f"the browser must reach the server at {base}, the address that was given"
    elif base.startswith("/"):
        remedy = "if the box shows a login or an error, log in to JupyterLab again"
    elif base.startswith("https:"):
        remedy = f"on the server's own machine, open {base} in a tab and accept its certificate"
    else:
        way = "forward its port" if frontend == Frontend("VS Code") else "install jupyter-server-proxy"
        remedy = f"if the browser cannot connect, it is on another machine than the server: {way} and start again"
    return f"Trust the notebook, make browser.run(...) the last line of its cell, and run that again; {remedy}."
