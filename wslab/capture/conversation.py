"""Conversations: the chunks of a recording to TCP segments, and segments in any order back to chunks (RFC 9293)."""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wslab.capture.packets import ACK, FIN, PSH, SYN, Address, Segment
from wslab.http import redact_head
from wslab.recording import Chunk, Direction

if TYPE_CHECKING:
    from wslab.recording import Recording

LARGEST_SEGMENT = 16 * 1024  # bytes; loopback has segments of 64 KiB, other networks of 1,460 bytes
MOST_HEAD = 64 * 1024  # bytes in which secrets are looked for
TICK = 1e-6  # seconds between two segments of one chunk
HANDSHAKE_TIME = 3 * TICK
ASKS_FOR_WEBSOCKET = re.compile(rb"\AGET .*^upgrade:[^\r\n]*websocket", re.IGNORECASE | re.MULTILINE | re.DOTALL)
TO_SERVER, TO_CLIENT = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
OTHER = {TO_SERVER: TO_CLIENT, TO_CLIENT: TO_SERVER}


# A recording as segments


def segments_of(recording: "Recording", number: int, secrets: bool) -> Iterator[Segment]:
    """One connection as a TCP conversation: opened, its chunks in segments, closed by both sides, the server first."""
    chunks = [chunk for chunk in recording.chunks if chunk.connection == number]
    client, server = recording.address(number)
    ends = {TO_SERVER: (client, server), TO_CLIENT: (server, client)}
    sent = {TO_SERVER: number << 16, TO_CLIENT: number << 20}  # sequence numbers

    def segment(time: float, way: Direction, flags: int, payload: bytes = b"") -> Segment:
        acknowledged = sent[OTHER[way]] if flags & ACK else 0
        made = Segment(time, *ends[way], sent[way], acknowledged, flags, payload)
        sent[way] += len(payload) + bool(flags & (SYN | FIN))
        return made

    time = chunks[0].time - HANDSHAKE_TIME
    for way, flags in ((TO_SERVER, SYN), (TO_CLIENT, SYN | ACK), (TO_SERVER, ACK)):
        yield segment(time, way, flags)
        time += TICK
    for chunk in chunks if secrets else _without_secrets(chunks):
        time = max(time, chunk.time)
        for start in range(0, len(chunk.data), LARGEST_SEGMENT):
            yield segment(time, chunk.direction, PSH | ACK, chunk.data[start : start + LARGEST_SEGMENT])
            time += TICK
    for way, flags in ((TO_CLIENT, FIN | ACK), (TO_SERVER, FIN | ACK), (TO_CLIENT, ACK)):
        yield segment(time, way, flags)
        time += TICK


def _without_secrets(chunks: list[Chunk]) -> list[Chunk]:
    """The chunks with the secrets in both heads overwritten, however the heads were cut."""
    heads = {way: redact_head(b"".join(c.data for c in chunks if c.direction is way)[:MOST_HEAD]) for way in OTHER}
    clean, position = [], dict.fromkeys(OTHER, 0)
    for chunk in chunks:
        start, way = position[chunk.direction], chunk.direction
        head = heads[way][start : start + len(chunk.data)]
        clean.append(chunk._replace(data=head + chunk.data[len(head) :]))
        position[way] += len(chunk.data)
    return clean


# Segments as a recording


@dataclass
class Stream:
    """One direction of a conversation: the segments that carry bytes, and where they begin, if that was seen."""

    first: int | None = None
    segments: list[Segment] = field(default_factory=list)

    @functools.cached_property
    def pieces(self) -> list[tuple[float, bytes]]:
        """The bytes in order, each piece with the time at which it could be read; up to the first that is missing."""
        if not self.segments:
            return []
        first = self.segments[0].sequence if self.first is None else self.first
        # Sequence numbers count modulo 2^32, so what matters is how far each is from the first one seen.
        placed = sorted(((s.sequence - first + 2**31) % 2**32 - 2**31, s.time, s.payload) for s in self.segments)
        pieces, end, now = [], placed[0][0] if self.first is None else 0, 0.0
        for offset, time, payload in placed:
            if offset > end:
                break
            now = max(now, time)
            if new := payload[end - offset :]:
                pieces.append((now, new))
                end += len(new)
        return pieces


@dataclass
class Conversation:
    """A TCP connection between two ends, as it was captured."""

    client: Address
    server: Address
    streams: dict[Direction, Stream] = field(default_factory=lambda: {way: Stream() for way in OTHER})

    @property
    def is_websocket(self) -> bool:
        """Whether the client asked for WebSocket."""
        said = b"".join(data for _, data in self.streams[TO_SERVER].pieces[:MOST_HEAD])[:MOST_HEAD]
        return ASKS_FOR_WEBSOCKET.search(said.partition(b"\r\n\r\n")[0]) is not None

    def swapped(self) -> "Conversation":
        """The same with client and server exchanged."""
        return Conversation(self.server, self.client, {OTHER[way]: stream for way, stream in self.streams.items()})

    def add_to(self, recording: "Recording", number: int) -> None:
        """Add what was said as chunks of a connection with this number."""
        for way, stream in self.streams.items():
            recording.chunks += [Chunk(time, number, way, data) for time, data in stream.pieces]


def conversations(segments: Iterable[Segment]) -> list[Conversation]:
    """The WebSocket conversations among the segments, in the order in which they began."""
    open_ones: dict[frozenset[Address], Conversation] = {}
    all_of_them: list[Conversation] = []
    for segment in segments:
        ends = frozenset((segment.source, segment.destination))
        opens = segment.flags & (SYN | ACK) == SYN
        known = open_ones.get(ends)
        if known is None or (opens and known.streams[TO_SERVER].segments):
            known = open_ones[ends] = Conversation(segment.source, segment.destination)
            all_of_them.append(known)
        stream = known.streams[TO_SERVER if segment.source == known.client else TO_CLIENT]
        if segment.flags & SYN:
            stream.first = segment.sequence + 1
        if segment.payload:
            stream.segments.append(segment)
    either = ((one, one.swapped()) for one in all_of_them)
    return [next(one for one in pair if one.is_websocket) for pair in either if any(one.is_websocket for one in pair)]
