"""BrowserConsole: a notebook's JavaScript, run by the reader's browser against a live server; its events as values."""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wslab.browser.console_endpoint import PAGE, endpoint_among
from wslab.browser.frontend import Frontend, find_frontend
from wslab.browser.report import BrowserEvent
from wslab.browser.run import Run
from wslab.browser.transcript import RecordedRun, Transcript, load_transcripts
from wslab.display.fold import SUMMARY
from wslab.display.shown import JUPYTER
from wslab.protocol.states import Direction
from wslab.recording.recording import Recording
from wslab.sockets.server import EchoServer

# Pixels of the box: what surrounds its events, one line of them, and the table of who talks to whom, if that is open.
FRAME_HEIGHT, LINE_HEIGHT, HANDSHAKES_HEIGHT = 165, 27, 270
CHARACTERS_PER_LINE = 80
LINES_AT_SERVER_STOP = 2  # for each socket that is still open then
LINES_OF_UNRECORDED = 8
MAX_LINES = 18
CLASS, BORDER = "wslab-console", "border:1px solid #7d8793"

NO_PAGE = "No page below?"
STOPPED = "The server or the kernel may have stopped: run the cells again. If that does not help:"


@dataclass(frozen=True, repr=False)
class BrowserRun:
    """A script in the browser, as the value of a cell: a box that runs it, or what was recorded if there is no browser.

    `repr` is the recorded transcript in both cases.
    """

    run: Run
    recorded: RecordedRun | None
    address: str  # of the page, with its ticket; empty if there is no browser
    advice: str
    height: int

    @property
    def name(self) -> str:
        """The name of the script."""
        return self.run.name

    @property
    def events(self) -> list[BrowserEvent]:
        """What the browser has reported so far; what was recorded, until one has fetched the script."""
        if self.run.is_claimed or self.recorded is None:
            return self.run.events
        return [dict(event) for event in self.recorded.events]

    def wait(self, seconds: float = 5.0) -> Transcript:
        """Wait until the script calls `done()`. If no browser answers in time, return the recorded transcript."""
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
            return recorded if self.recorded is None else f"<details><summary>{SUMMARY}</summary>{recorded}</details>"
        # If the page cannot be loaded, the box holds the browser's own error or nothing, and a notebook that is not
        # trusted has no box: only a sentence outside can say what to do.
        advice = f"<details><summary>{NO_PAGE}</summary>{STOPPED} {escape(self.advice)}</details>"
        twin = f"<details><summary>Without a browser: what was recorded</summary>{recorded}</details>"
        return advice + self._box() + twin

    def _box(self) -> str:
        """The page in a box, in Jupyter only while the kernel lives: the port may be another program's later."""
        source, title = escape(self.address), escape(f"Browser console: {self.name}")
        size = f'width="100%" height="{self.height}"'
        box = f'<iframe src="{source}" title="{title}" class="{CLASS}" {size} style="{BORDER}"></iframe>'
        if JUPYTER not in os.environ:
            return box
        from ipywidgets import HTML, Layout

        from wslab.browser.box_heights import follow_heights
        from wslab.display.place import Place

        follow_heights()
        return Place(HTML(box, layout=Layout(width="100%"))).html("")

    def _recorded_transcript(self) -> Transcript:
        if self.recorded is None:
            return Transcript(f"{self.name!r} was not recorded: it runs where a browser shows this notebook.")
        return Transcript(f"What {self.recorded.browser} reported when this was recorded:", self.recorded.events)


class BrowserConsole:
    """Runs scripts in the reader's browser, in a box with a page of `server`; see `run`, `wait`, `events` and `wire`.

    The page reports by HTTP to the server's threads, so `wait` works in any cell (the messages of a widget would not
    arrive before the cell is over). `transcripts` is a file with what a real browser reported, for readers without one;
    captures may lie beside it as `name.pcapng`. `address` is where the browser finds the server, if that cannot be
    derived: `http://127.0.0.1:8765/`; `origins` are those of the page, if a proxy changes the Host header.
    The docstring of `ConsoleEndpoint` says what keeps other web pages out, and what does not.
    Raises OSError or ValueError if the transcripts cannot be read, ValueError for an address that no box can show.
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
        self._endpoint = endpoint_among(server.pages, server.limits.handshake_timeout)

    def run(self, script: str, name: str = "script", height: int | None = None) -> BrowserRun:
        """Let the browser run `script` (JavaScript) once; make this the last line of a cell, which then shows the page.

        The script has `url` (the server's address), a `WebSocket` that reports everything that happens to it,
        `log(...)`, `await until(socket, "open")`, and `done()`, which it calls at its end. `height` is the height of
        the page in pixels, by default what the recorded events need. Raises RuntimeError if the server does not listen.
        """
        if not isinstance(script, str):
            raise TypeError(f"a script is JavaScript as text, not {type(script).__name__}")
        if not self.server.is_listening:
            raise RuntimeError("the server does not listen: call its start() first")
        is_public = self._frontend is not None and self._frontend.is_public
        run = Run(name, script, self._origins, is_public)
        self._endpoint.add(run)
        recorded = self._recorded.get(name)
        fits = recorded if recorded is not None and recorded.fits(script) else None
        base = self._find_address()
        advice = _advice(self._frontend, base, is_given=self._address is not None)
        address = f"{base.removesuffix('/')}{PAGE}#{run.ticket}" if base else ""
        height = height or _height(fits, is_proxied=base.startswith("/"))
        self.runs.append(BrowserRun(run, fits, address, advice, height))
        return self.runs[-1]

    @property
    def events(self) -> list[BrowserEvent]:
        """The events of the last run: plain values without times, ports or keys. Some come only while `wait` runs."""
        return self._last_run().events

    @property
    def refused(self) -> int:
        """How many requests to the console were refused: from other pages or other programs, or too long."""
        return self._endpoint.refused

    def wait(self, seconds: float = 5.0) -> Transcript:
        """Wait at most `seconds` until the last script calls `done()`; return what was reported, or recorded."""
        return self._last_run().wait(seconds)

    def wire(self) -> Recording:
        """Wait for the last script; return what passed between its WebSockets and the server, now or when recorded.

        It holds the WebSocket connections of the server, numbered from 1, without those of the console's own page. It
        is empty if no browser answered and nothing was captured. Raises RuntimeError if the server keeps no recording.
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


def _height(recorded: RecordedRun | None, *, is_proxied: bool) -> int:
    """Return how many pixels high a page must be to show the events of a script without scrolling."""
    lines, has_table = LINES_OF_UNRECORDED, is_proxied
    if recorded is not None:
        names = [event["what"] for event in recorded.events if "socket" in event]
        texts = [" ".join(f"{name} {value}" for name, value in event.items()) for event in recorded.events]
        lines = sum(1 + len(text) // CHARACTERS_PER_LINE for text in texts)
        lines += LINES_AT_SERVER_STOP * (names.count("new WebSocket()") - names.count("close"))
        has_table = has_table or "error" in names
    return FRAME_HEIGHT + LINE_HEIGHT * min(lines, MAX_LINES) + HANDSHAKES_HEIGHT * has_table


def _only_websockets(recording: Recording) -> Recording:
    """Return the recording without the connections that fetched the console's page and carried its reports."""
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
    """Return the origin of a page at this address, or no origin if the address is only a path."""
    found = re.match(r"(https?://)([^/?#]+)", address, re.IGNORECASE)
    return [found[1].lower() + found[2]] if found else []


def _advice(frontend: Frontend | None, base: str, *, is_given: bool) -> str:
    """Return what a reader should do who sees no page in the box, which loads it from the address `base`."""
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
