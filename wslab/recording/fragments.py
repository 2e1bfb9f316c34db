"""Fragments: IP packets that were cut on their way, joined again (RFC 791 §3.2, RFC 8200 §4.5)."""

import heapq
from dataclasses import dataclass, field

from wslab.recording.packets import IpPacket

LIFETIME = 60.0  # seconds, after which a receiver gives up (RFC 8200 §4.5), and identifications are used again
COST = 200  # bytes of memory that a fragment takes besides its own, about
_Key = tuple[bytes, bytes, int, int]


@dataclass(slots=True)
class _Joined:
    """What has come of one packet: the bytes from its start, and a heap of those that came before their turn."""

    begun: float  # seconds
    data: bytearray = field(default_factory=bytearray)
    early: list[tuple[int, bytes]] = field(default_factory=list)
    size: int | None = None  # known when the last fragment has come
    held: int = 0  # bytes, those that came twice among them

    @property
    def is_whole(self) -> bool:
        return self.size is not None and len(self.data) >= self.size

    def add(self, start: int, data: bytes, is_last: bool) -> None:
        if is_last:
            self.size = start + len(data)
        heapq.heappush(self.early, (start, data))
        while self.early and self.early[0][0] <= len(self.data):
            first, piece = heapq.heappop(self.early)
            self.data += piece[len(self.data) - first :]


class Fragments:
    """Joins fragments, in whatever order they come; `missing` is how many packets lack some of theirs so far.

    `held` is how many bytes of memory these take, about.
    """

    def __init__(self) -> None:
        self.held = 0
        self._joined: dict[_Key, _Joined] = {}
        self._given_up = 0

    @property
    def missing(self) -> int:
        """How many IP packets were begun and are not whole."""
        return self._given_up + len(self._joined)

    def add(self, time: float, packet: IpPacket) -> IpPacket | None:
        """Take in a fragment that was captured at `time` (seconds), and return the packet that it completes."""
        if packet.fragment is None:
            return packet
        identification, start, is_last = packet.fragment
        key = packet.source, packet.destination, packet.protocol, identification
        joined = self._joined.get(key)
        if joined is None or abs(time - joined.begun) > LIFETIME:
            self._given_up += joined is not None
            self.held -= joined.held if joined is not None else 0
            joined = self._joined[key] = _Joined(time)
        joined.add(start, packet.data, is_last)
        joined.held += COST + len(packet.data)
        self.held += COST + len(packet.data)
        if not joined.is_whole:
            return None
        del self._joined[key]
        self.held -= joined.held
        return packet._replace(data=bytes(joined.data[: joined.size]), fragment=None)
