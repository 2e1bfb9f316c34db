"""Two moments are kept: when something was heard, and when the ping that is not answered yet was sent.

The second decides about giving up, so a program that was asleep for an hour sends a ping first. Anything that is heard
answers the ping, not only a pong: a peer that talks is there.
"""

from typing import Literal


class KeepAlive:
    """When to ping a silent peer, and when to give it up."""

    def __init__(self, interval: float, timeout: float, now: float) -> None:
        self.interval, self.timeout = interval, timeout
        self.last = now
        self.pinged: float | None = None

    def heard(self, now: float) -> None:
        """Take note that something has arrived."""
        self.last, self.pinged = now, None

    def next_action(self, now: float) -> Literal["ping", "give up"] | None:
        """What to do now."""
        if self.pinged is not None:
            return "give up" if now - self.pinged >= self.timeout else None
        if now - self.last >= self.interval:
            self.pinged = now
            return "ping"
        return None
