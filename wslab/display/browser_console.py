"""browser_console: a notebook's JavaScript, run by the reader's browser against a live server; its events as values."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from wslab.display.frontend import Frontend, find_frontend
from wslab.display.transcript import Recorded, Transcript, load_transcripts
from wslab.page.console import PAGE, desk_of
from wslab.page.run import Event, Run
from wslab.server import EchoServer

HEIGHT = 660  # pixels of the frame
_NOTE = "margin:0.5em 0;padding:0.5em;color:#1b2027;background-color:#f3f5f8;border:1px solid #7d8793"


@dataclass(frozen=True, repr=False)
class BrowserRun:
    """A script in the browser, as the value of a cell: a frame that runs it, or what was recorded where there is none.

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
        frame = f'<iframe src="{source}" title="{title}" {size} style="border:1px solid #7d8793"></iframe>'
        # What a reader of an untrusted or saved notebook sees instead of the frame, and what is below it else.
        note = f'<p style="{_NOTE}">{escape(self.advice)}</p>'
        return f"{frame}{note}<details><summary>Without a browser: what was recorded</summary>{recorded}</details>"

    def _recorded_transcript(self) -> Transcript:
        if self.recorded is None:
            return Transcript(f"{self.name!r} was not recorded: it runs where a browser shows this notebook.")
        return Transcript(f"What {self.recorded.browser} reported when this was recorded:", self.recorded.events)


class BrowserConsole:
    """Runs scripts in the reader's browser, in a frame with a page of `server`; see `run`, `wait` and `events`.

    The page reports by HTTP to the server's threads, so that `wait` works in any cell. `transcripts` is a file with
    what a real browser reported, for readers without one. `address` is where the browser finds the server, if that
    cannot be derived: `http://127.0.0.1:8765/`; `origins` are those of the page, if a proxy changes the Host header.
    What keeps other web pages out, and what does not, says `wslab.page.console.Desk`. Raises OSError or ValueError if
    the transcripts cannot be read.
    """

    def __init__(
        self,
        server: EchoServer,
        transcripts: str | os.PathLike[str] | None = None,
        *,
        address: str | None = None,
        origins: Collection[str] = (),
    ) -> None:
        self.server = server
        self.runs: list[BrowserRun] = []
        self._recorded = {} if transcripts is None else load_transcripts(Path(transcripts))
        self._address = address
        self._origins = {*origins, *_origin_of(address or "")}
        self._frontend = find_frontend()
        self._desk = desk_of(server.pages, server.limits.handshake_timeout)

    def run(self, script: str, name: str = "script", height: int = HEIGHT) -> BrowserRun:
        """Let the browser run `script` (JavaScript) once; make this the last line of a cell, which then shows the page.

        The script has `url` (the server's address), a `WebSocket` that reports all that happens to it, `log(...)`,
        `await until(socket, "open")`, and `done()`, which it calls at its end. Raises RuntimeError if the server does
        not listen.
        """
        if not self.server.is_listening:
            raise RuntimeError("the server does not listen: call its start() first")
        is_public = self._frontend is not None and self._frontend.is_public
        run = Run(name, script, self._origins, is_public)
        self._desk.open(run)
        recorded = self._recorded.get(name)
        fits = recorded if recorded is not None and recorded.fits(script) else None
        base, advice = self._find_address(), _advice(self._frontend, self._address)
        address = f"{base.removesuffix('/')}{PAGE}#{run.ticket}" if base else ""
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


def _origin_of(address: str) -> list[str]:
    """The origin of a page at this address, if that is a whole one."""
    parts = urlsplit(address)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


def _advice(frontend: Frontend | None, address: str | None) -> str:
    """One sentence for whoever sees no page in the frame."""
    if frontend is None and address is None:
        return "Open this notebook in JupyterLab and run it there."
    show = "trust the notebook, make browser.run(...) the last line of its cell, and run that again"
    if address is not None:
        remedy = "the browser must reach the server at the address that was given"
    elif frontend is not None and frontend.proxy:
        remedy = f"if the frame shows an error, log in to {frontend.name} again"
    else:
        way = (
            "forward its port"
            if frontend is not None and frontend.name == "VS Code"
            else "install jupyter-server-proxy"
        )
        remedy = f"if the browser cannot connect, it is on another machine than the server: {way} and start again"
    return f"If no page appears: {show}; {remedy}."
