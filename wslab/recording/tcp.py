"""TCP: byte streams to segments, from SYN to FIN or RST, and back to byte streams (RFC 9293 §3.4, §3.5, §3.6)."""

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wslab.recording.errors import CaptureError
from wslab.recording.packets import (
    ACK,
    FIN,
    MSS,
    PSH,
    RST,
    STRIP_LINK_HEADER,
    SYN,
    WINDOW,
    Endpoint,
    Segment,
    parse_segment,
)
from wslab.recording.pcapng import Packet

CLIENT, SERVER = 0, 1


class Writer:
    """Makes the segments of one TCP connection; a side acknowledges with what it sends, else in time for the window."""

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self._ends = (client, server)
        self._sent = [0, 0]  # the sequence number of what comes next, for client and server
        self._acknowledged = [0, 0]  # how far the other side has acknowledged it

    def open(self) -> Iterator[Segment]:
        """SYN, SYN with ACK, ACK."""
        yield self._segment(CLIENT, SYN)
        yield self._segment(SERVER, SYN | ACK)
        yield self._segment(CLIENT, ACK)

    def send(self, side: int, data: bytes) -> Iterator[Segment]:
        """Segments of at most MSS bytes; the last one has PSH."""
        for start in range(0, len(data), MSS):
            piece = data[start : start + MSS]
            yield self._segment(side, ACK if start + MSS < len(data) else PSH | ACK, piece)
            if self._sent[side] - self._acknowledged[side] > WINDOW // 2:
                yield self._segment(1 - side, ACK)

    def end(self, side: int) -> Iterator[Segment]:
        """FIN of one side, acknowledged."""
        yield self._segment(side, FIN | ACK)
        yield self._segment(1 - side, ACK)

    def close(self) -> Iterator[Segment]:
        """FIN of the server, which ends TCP first (RFC 6455 §7.1.1), and FIN of the client."""
        yield from self.end(SERVER)
        yield from self.end(CLIENT)

    def reset(self, side: int) -> Iterator[Segment]:
        """RST of one side."""
        yield self._segment(side, RST | ACK)

    def _segment(self, side: int, flags: int, data: bytes = b"") -> Segment:
        sequence, received = self._sent[side], self._sent[1 - side] if flags & ACK else 0
        self._sent[side] += len(data) + bool(flags & (SYN | FIN))
        self._acknowledged[1 - side] = received
        return Segment(self._ends[side], self._ends[1 - side], sequence, received, flags, data)


class Piece(NamedTuple):
    """Bytes that have arrived in order: with which packet of the file, when, and from which side."""

    number: int
    time: float
    side: int
    data: bytes


class Stream:
    """What one side sends: segments in any order, cut and sent again in any way, to bytes in order."""

    def __init__(self) -> None:
        self.first: int | None = None  # the sequence number of SYN
        self._next = 0  # the sequence number of the next byte, counted on beyond 2^32
        self.seen = self._begun = False
        self._early: list[tuple[int, bytes]] = []  # a heap of what came before its turn
        self._end: int | None = None  # the sequence number of FIN

    def add(self, segment: Segment) -> list[bytes]:
        """Take in a segment; the bytes that are in order now."""
        if not self.seen:
            self.seen, self._next = True, segment.sequence
        # The number of 32 bits, counted on: whatever is nearest to the next byte.
        start = self._next + (segment.sequence - self._next + 2**31) % 2**32 - 2**31
        if segment.flags & SYN:
            start += 1
            if not self._begun:
                self._begun, self._next, self.first = True, start, segment.sequence
        if segment.data:
            heapq.heappush(self._early, (start, segment.data))
        if segment.flags & FIN:
            self._end = start + len(segment.data)
        return self._take() if self._begun else []

    def begin(self) -> list[bytes]:
        """Begin with the first of the bytes seen, where SYN was not captured; the bytes that are in order then."""
        if self._begun or not self._early:
            return []
        self._begun, self._next = True, self._early[0][0]
        return self._take()

    def _take(self) -> list[bytes]:
        pieces = []
        while self._early and self._early[0][0] <= self._next:
            start, data = heapq.heappop(self._early)
            if fresh := data[self._next - start :]:  # what is before it has come already
                pieces.append(fresh)
                self._next += len(fresh)
        return pieces

    @property
    def missing(self) -> int:
        """How many bytes did not arrive before others that did."""
        end = self._early[0][0] if self._early else self._end
        return 0 if end is None or not self._begun else max(0, end - self._next)


class Conversation:
    """One TCP connection as it was captured; its sides are numbered in the order in which they were seen."""

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        self.ends = (source, destination)
        self.streams = (Stream(), Stream())
        self.pieces: list[Piece] = []
        self.client: int | None = None  # the side that sent SYN, if that was captured

    def is_over_with(self, segment: Segment) -> bool:
        """Whether `segment` opens another connection between the same endpoints."""
        stream = self.streams[self._side(segment)]
        return segment.flags & (SYN | ACK) == SYN and stream.seen and stream.first != segment.sequence

    def add(self, number: int, time: float, segment: Segment) -> None:
        """Take in the segment in a packet of the file."""
        side = self._side(segment)
        if segment.flags & SYN:
            self.client = 1 - side if segment.flags & ACK else side
        if segment.flags & ACK:  # so the other side has sent what it sent first
            self._add_pieces(number, time, 1 - side, self.streams[1 - side].begin())
        self._add_pieces(number, time, side, self.streams[side].add(segment))

    def end(self, number: int, time: float) -> None:
        """Take in that the file has ended."""
        for side, stream in enumerate(self.streams):
            self._add_pieces(number, time, side, stream.begin())

    def _side(self, segment: Segment) -> int:
        return 0 if segment.source == self.ends[0] else 1

    def _add_pieces(self, number: int, time: float, side: int, pieces: list[bytes]) -> None:
        self.pieces += [Piece(number, time, side, data) for data in pieces]


def read_conversations(packets: Iterable[Packet]) -> list[Conversation]:
    """The TCP connections in captured packets, in the order in which they appear; what is not TCP is left out."""
    conversations: list[Conversation] = []
    current: dict[tuple[Endpoint, Endpoint], Conversation] = {}
    number, time = 0, 0.0
    for number, (time, link_type, data) in enumerate(packets):
        if link_type not in STRIP_LINK_HEADER:
            raise CaptureError(f"has packets of link type {link_type}, which wslab cannot read")
        segment = parse_segment(STRIP_LINK_HEADER[link_type](data))
        if segment is None:
            continue
        ends = segment.source, segment.destination
        conversation = current.get(ends)
        if conversation is None or conversation.is_over_with(segment):
            conversation = Conversation(*ends)
            conversations.append(conversation)
            current[ends] = current[ends[::-1]] = conversation
        conversation.add(number, time, segment)
    for conversation in conversations:
        conversation.end(number, time)
    return conversations
