"""scripts: a learner's JavaScript in, what a browser reports of it out: the reader's own, or one of this machine."""

import time
from dataclasses import dataclass
from typing import Any

from wslab.browser.console import BrowserConsole, BrowserRun
from wslab.browser.frontend import find_frontend
from wslab.browser.headless import CHROMIUM, find_chromium, open_without_window
from wslab.browser.report import BrowserEvent
from wslab.exercises.checks.exercise import CannotJudge
from wslab.exercises.judges.browser import find_recording
from wslab.protocol.codec import Codec
from wslab.protocol.handshake import build_response
from wslab.protocol.http import Response
from wslab.sockets.server import EchoServer

STARTING = 20.0  # seconds in which a browser has opened the page
DELAY = 0.7  # of the handshake
SECONDS = 3.0  # in which the script has called done()
MOST_NAMES = 12
MISSING = (
    "not tried: no browser is here to run the script. Open this notebook in JupyterLab, or install Chromium, Chrome or "
    f"Edge; where it is not on PATH, the variable {CHROMIUM} says where it is"
)
UNCLAIMED = "not tried: no browser has opened the box of this check. Trust the notebook, and run the cell again"


@dataclass(frozen=True)
class Ran:
    """What a browser has reported of a script, and whether that is all."""

    events: tuple[BrowserEvent, ...]
    is_done: bool

    @property
    def told(self) -> str:
        """The events in a sentence."""
        names = [str(event["what"]) for event in self.events[:MOST_NAMES]]
        listed = ", ".join(names + ["…"] * (len(self.events) > MOST_NAMES)) or "nothing"
        thrown = next((f" The script threw: {it['message']}" for it in self.events if "message" in it), "")
        late = "" if self.is_done else f" It had not called done() within {SECONDS:g} s."
        return f"The browser reported: {listed}.{thrown}{late}"


_ran: dict[str, Ran] = {}


def forget_late() -> None:
    """Let a script that was not done be run again: the browser may have been slow."""
    for script in [script for script, ran in _ran.items() if not ran.is_done]:
        del _ran[script]


def run_in_browser(script: str, name: str) -> Ran:
    """Let a browser run a script against an echo server, once. Raises CannotJudge where there is none.

    Where no browser shows the notebook, a script that was recorded by this `name` is not run again.
    """
    if script not in _ran:
        with EchoServer(codec=Codec(build_response=_answer_slowly), deflate=False, page=False) as server:
            _ran[script] = _run(server, script, name)
    return _ran[script]


def _answer_slowly(*arguments: Any, **options: Any) -> Response:
    """Agree so late that a script which waits for a time and not for an event has gone on meanwhile."""
    time.sleep(DELAY)
    return build_response(*arguments, **options)


def _run(server: EchoServer, script: str, name: str) -> Ran:
    if find_frontend() is not None:
        run = BrowserConsole(server).run(script, name)
        _show(run)
        return _await(run, UNCLAIMED)
    console = BrowserConsole(server, find_recording("browser.json"), address=f"http://127.0.0.1:{server.port}/")
    run = console.run(script, name)
    if run.recorded is not None:
        return Ran(run.recorded.events, is_done=True)
    executable = find_chromium()
    if executable is None:
        raise CannotJudge(MISSING)
    with open_without_window(executable, run.address):
        return _await(run, f"not tried: {executable} has not opened the page of the check within {STARTING:g} s")


def _await(run: BrowserRun, unclaimed: str) -> Ran:
    """What has been reported when the script is done, or its time is over."""
    if not run.run.wait_for_claim(STARTING):
        raise CannotJudge(unclaimed)
    run.run.wait(SECONDS)
    return Ran(tuple(run.events), run.run.is_done)


def _show(run: BrowserRun) -> None:
    from IPython.display import display

    display(run)  # type: ignore[no-untyped-call]
