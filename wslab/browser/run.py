"""Run: one script for one page of a browser, and what that page reports, shared by threads."""

import re
import secrets
import threading
from collections.abc import Collection

from wslab.browser.report import BrowserEvent
from wslab.dissector.wording import how_many
from wslab.sockets.connection import Connection

MAX_EVENTS = 1000
MAX_HANDSHAKES = 20


class Run:
    """A script that waits for its page, whose origin is that of the server's own address or one of `origins`.

    `is_public` says that a proxy with a name of its own is in between, which cannot be known here.
    """

    def __init__(self, name: str, script: str, origins: Collection[str] = (), is_public: bool = False) -> None:
        self.name = name
        self.script = script
        self.origins = {origin.lower() for origin in origins}
        self.is_public = is_public
        self.ticket = secrets.token_urlsafe(32)
        self.token = ""  # the page brings it
        self.origin = ""  # of the page
        self.is_done = False  # the page has reported everything
        self._has_ended = False  # and it knows that this has arrived
        self._events: list[BrowserEvent] = []
        self._handshakes: list[Connection] = []
        self._changed = threading.Condition()

    @property
    def events(self) -> list[BrowserEvent]:
        """What the page has reported so far."""
        with self._changed:
            return [dict(event) for event in self._events]

    @property
    def is_claimed(self) -> bool:
        """Whether a page has fetched the script."""
        return bool(self.token)

    def __repr__(self) -> str:
        return f"<Run {self.name!r}, {how_many(len(self._events), 'event')}>"

    def claim(self, token: str, origin: str) -> bool:
        """Give the script to the page that brings this token; return False if another was first, or it is no token."""
        with self._changed:
            if self.token or not re.fullmatch(r"[0-9a-f]{64}", token):
                return False
            self.token, self.origin = token, origin
            self._changed.notify_all()
            return True

    def wait_for_claim(self, seconds: float) -> bool:
        """Wait until a page has fetched the script; return False if none has after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.is_claimed, seconds)

    def add(self, events: list[BrowserEvent], is_done: bool) -> bool:
        """Add what the page reports; return False if the run is over or would have too many events."""
        with self._changed:
            if self.is_done or len(self._events) + len(events) > MAX_EVENTS:
                return False
            self._events += events
            self.is_done = is_done
            return True

    def end(self) -> None:
        """Wake all who wait: the page has the answer to its last report, so the server may be closed."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until the page has the answer to its last report; return False if it has not after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._has_ended, seconds)

    def note_handshake(self, connection: Connection) -> None:
        """Keep a handshake that comes from the page's origin, to show it there."""
        with self._changed:
            if len(self._handshakes) < MAX_HANDSHAKES:
                self._handshakes.append(connection)

    def take_handshakes(self) -> list[dict[str, str]]:
        """Return the handshakes that have been answered and not been shown yet, as text without secrets."""
        with self._changed:
            answered = [connection for connection in self._handshakes if connection.response is not None]
            self._handshakes = [connection for connection in self._handshakes if connection not in answered]
        return [{"request": str(found.request), "response": str(found.response)} for found in answered]
