"""tally: what flows over one connection, counted while it passes: messages, bytes, what was said last, round trips."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wslab.protocol.events import Close, Event, Message, Ping, Pong
from wslab.protocol.states import Direction
from wslab.recording.recording import Recording

MOST_SHOWN = 24  # characters of a text


@dataclass(frozen=True, slots=True)
class Flow:
    """What has gone one way: whole messages, bytes of TCP (heads and frames, as they travel), and what came last."""

    messages: int = 0
    size: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What has flowed over a connection, seen from one end of it.

    `round_trip` is the time in seconds from the last ping of this end that was answered to its pong, None if there was
    none. `is_whole` says that all was counted from the handshake on, and not only what came later.
    """

    received: Flow
    sent: Flow
    round_trip: float | None
    is_whole: bool


class Tally(Recording):
    """Counts where a recording would keep everything; hands all of it on to another recording, if there is one.

    A connection that has a recording is counted from its start. Any other one gets its tally when somebody watches it
    for the first time, and pays nothing for it before: it calls what `counting` returns in the place of the function
    that is counted, so that there is no question to be asked for each message.
    """

    def __init__(
        self,
        inward: Direction,
        recording: Recording | None = None,
        *,
        is_whole: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock=clock)
        self._inward = inward
        self._recording = recording
        self._is_whole = is_whole
        self._lock = threading.Lock()
        self._received = self._sent = Flow()
        self._pinged: float | None = None  # when the last ping was sent, until its pong is there
        self._round_trip: float | None = None

    @property
    def traffic(self) -> Traffic:
        """What has been counted up to now."""
        with self._lock:
            return Traffic(self._received, self._sent, self._round_trip, self._is_whole)

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Count the bytes of one read or write."""
        with self._lock:
            if direction is self._inward:
                self._received = replace(self._received, size=self._received.size + len(data))
            else:
                self._sent = replace(self._sent, size=self._sent.size + len(data))
        if self._recording is not None:
            self._recording.add(connection, direction, data)

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Count what this end says when its API is called."""
        with self._lock:
            if name == "ping":
                self._pinged = self.clock()
            if name == "send":
                self._sent = Flow(self._sent.messages + 1, self._sent.size, _cut(argument))
            elif direction is not self._inward:
                said = name if name in ("ping", "pong") else f"{name.removeprefix('send_')} {argument}"
                self._sent = replace(self._sent, last=_cut(said))
        if self._recording is not None:
            self._recording.mark(connection, direction, name, argument)

    def end_fragments(self) -> None:
        """Count a message that was sent in fragments, with the last of them."""
        with self._lock:
            self._sent = replace(self._sent, messages=self._sent.messages + 1)

    def counting(self, receive: Callable[[bytes], list[Message | Event]]) -> Callable[[bytes], list[Message | Event]]:
        """`receive`, but what it returns is counted."""

        def receive_and_count(data: bytes) -> list[Message | Event]:
            received = receive(data)
            self._count(received)
            return received

        return receive_and_count

    def _count(self, received: Sequence[Message | Event]) -> None:
        with self._lock:
            for it in received:
                if isinstance(it, str | bytes):
                    self._received = Flow(self._received.messages + 1, self._received.size, _cut(short(it)))
                elif isinstance(it, Ping):
                    self._received = replace(self._received, last="ping")
                    self._sent = replace(self._sent, last="pong")
                elif isinstance(it, Pong):
                    self._received = replace(self._received, last="pong")
                    if self._pinged is not None:
                        self._round_trip, self._pinged = self.clock() - self._pinged, None
                elif isinstance(it, Close):
                    self._received = replace(self._received, last=f"close {it.code}")
                    if not self._sent.last.startswith("close "):  # §5.5.1: it has been answered with the same code
                        self._sent = replace(self._sent, last=f"close {it.code}")


def short(data: str | bytes | int | None, most: int = 40) -> str:
    """What was said, in a few characters: text in quotes, the length of bytes."""
    if isinstance(data, str):
        return repr(data if len(data) <= most else data[:most] + "…")
    return str(data) if data is None or isinstance(data, int) else f"{len(data)} bytes"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
