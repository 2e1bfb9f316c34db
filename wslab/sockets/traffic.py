"""Traffic: what flows over a connection, counted while it passes: messages, bytes, what was said last, round trips.

A round trip is timed by `perf_counter`: on Windows, `monotonic` goes in steps of 16 ms before Python 3.13.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from wslab.protocol.events import Close, Event, Message, Ping, Pong

MOST_SHOWN = 24  # characters of what was said last
MOST_KEPT = 40  # characters or bytes of a message
KEPT_TYPES = frozenset((str, bytes))  # what else is sent as bytes may change, or have no length


@dataclass(slots=True)
class DirectionCounters:
    """What has gone one way: whole messages, bytes of TCP (heads and frames, as they travel), and what was said last.

    That is kept in words, or as a short message in a tuple: it is put into words only when somebody asks for them.
    """

    messages: int = 0
    size: int = 0
    said: str | tuple[Message] = ""

    @property
    def last(self) -> str:
        """What was said last, in a few characters."""
        words = self.said if isinstance(self.said, str) else short(self.said[0])
        return words if len(words) <= MOST_SHOWN else f"{words[: MOST_SHOWN - 1]}…"

    def count(self, messages: Sequence[Message]) -> None:
        """Count messages, of which the last one was said last."""
        if messages:
            self.messages += len(messages)
            last = messages[-1]
            self.said = (last,) if type(last) in KEPT_TYPES and len(last) <= MOST_KEPT else short(last)

    def snapshot(self) -> "DirectionCounters":
        """Return the counts as they are now."""
        return DirectionCounters(self.messages, self.size, self.last)


@dataclass(slots=True)
class Traffic:
    """What has flowed over a connection, seen from one end of it.

    `round_trip` is the time in seconds from the last ping of this end that was answered to its pong, None if there was
    none. `is_whole` says that all was counted from the handshake on, and not only what came later.
    """

    received: DirectionCounters = field(default_factory=DirectionCounters)
    sent: DirectionCounters = field(default_factory=DirectionCounters)
    round_trip: float | None = None
    is_whole: bool = True
    pinged: float | None = field(default=None, compare=False)  # when the last ping was sent, until its pong arrives

    def snapshot(self) -> "Traffic":
        """Return what has been counted up to now, which counts no further."""
        return replace(self, received=self.received.snapshot(), sent=self.sent.snapshot())

    def since(self, earlier: "Traffic") -> "Traffic":
        """Return what has been counted since an earlier snapshot."""
        later = self.snapshot()
        later.is_whole = False
        for mine, before in ((later.received, earlier.received), (later.sent, earlier.sent)):
            mine.messages -= before.messages
            mine.size -= before.size
        return later

    def receive(self, received: Sequence[Message | Event]) -> None:
        """Count what has arrived, in a batch that is not messages only."""
        for it in received:
            if isinstance(it, str | bytes):
                self.received.count((it,))
            elif isinstance(it, Ping):
                self.received.said = "ping"
                self.sent.said = "pong"
            elif isinstance(it, Pong):
                self.received.said = "pong"
                if self.pinged is not None:
                    self.round_trip, self.pinged = time.perf_counter() - self.pinged, None
            elif isinstance(it, Close):
                self.received.said = f"close {it.code}"
                if not self.sent.last.startswith("close "):  # §5.5.1: it has been answered with the same code
                    self.sent.said = f"close {it.code}"


def short(data: str | bytes | int | None) -> str:
    """What was said, in a few characters: text in quotes, the length of bytes."""
    if isinstance(data, str):
        return repr(data if len(data) <= MOST_KEPT else data[:MOST_KEPT] + "…")
    if data is None or isinstance(data, int):
        return str(data)
    size = memoryview(data).nbytes
    return "1 byte" if size == 1 else f"{size} bytes"  # how_many would take a microsecond of each long message
