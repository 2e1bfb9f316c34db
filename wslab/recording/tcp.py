"""TCP: byte streams to segments, from SYN to FIN or RST, and back to byte streams (RFC 9293 §3.4, §3.5, §3.6).

Strategy of reading: what each side sends is one `ReassembledStream`. The sequence numbers of 32 bits are counted on
without wrapping around; a segment that comes too early waits in a heap until the gap before it is filled; bytes that
come again are dropped. At the end of the file, what is still missing is delivered as a `Gap`, and after it what came
too early. A capture may begin in mid-connection: without SYN, a stream begins with the lowest sequence number that was
seen when the other side first acknowledged something, or at the end of the file.
"""

import heapq
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from wslab.recording.decapsulation import Decapsulator
from wslab.recording.log import Gap
from wslab.recording.packets import (
    ACK,
    FIN,
    MSS,
    PSH,
    RST,
    SYN,
    WINDOW,
    Endpoint,
    Segment,
)
from wslab.recording.pcapng import Packet

CLIENT, SERVER = 0, 1
MAX_HELD = 1024 * 1024 * 1024  # bytes of memory, about, for what is read of a capture
SEGMENT_COST, CONVERSATION_COST = 200, 2000  # bytes of memory, about, beside the bytes that were sent


class TcpWriter:
    """Makes the segments of one TCP connection.

    Each segment acknowledges what the other side has sent. Where one side sends more than half a window, the other
    one acknowledges it with a segment without data.
    """

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self._ends = (client, server)
        self._next = [0, 0]  # the sequence number of what comes next, for client and server
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
            if self._next[side] - self._acknowledged[side] > WINDOW // 2:
                yield self._segment(1 - side, ACK)

    def end(self, side: int) -> Iterator[Segment]:
        """FIN of one side, acknowledged."""
        yield self._segment(side, FIN | ACK)
        yield self._segment(1 - side, ACK)

    def skip(self, side: int, size: int) -> None:
        """Leave out so many bytes, which are not there to be sent."""
        self._next[side] += size

    def reset(self, side: int) -> Iterator[Segment]:
        """RST of one side."""
        yield self._segment(side, RST | ACK)

    def _segment(self, side: int, flags: int, data: bytes = b"") -> Segment:
        sequence, received = self._next[side], self._next[1 - side] if flags & ACK else 0
        self._next[side] += len(data) + bool(flags & (SYN | FIN))
        self._acknowledged[1 - side] = received
        return Segment(self._ends[side], self._ends[1 - side], sequence, received, flags, data)


class Piece(NamedTuple):
    """Bytes in order, with the number and the time of the packet that completed them, and the side that sent them."""

    number: int
    time: float
    side: int
    data: bytes


class ReassembledStream:
    """What one side sends: segments in any order, cut and sent again in any way, to bytes in order."""

    def __init__(self) -> None:
        self.is_seen = False  # a segment of this side has come
        self.syn: int | None = None  # the sequence number of SYN
        self._has_begun = False  # it is known which byte is the first
        self._next = 0  # the sequence number of the next byte, counted on beyond 2^32
        self._first = 0  # the lowest one that was seen before it was known which is the first
        self._early: list[tuple[int, int, float, bytes]] = []  # a heap of what came before its turn, and with what
        self._fin: int | None = None  # the sequence number of FIN
        self.missing = 0  # bytes that did not come, though later ones did, or FIN

    def add(self, number: int, time: float, segment: Segment) -> list[bytes]:
        """Take in the segment of a packet, and return the bytes that are in order now."""
        if not self.is_seen:
            self.is_seen, self._next, self._first = True, segment.sequence, segment.sequence
        # The number of 32 bits, counted on: the one that is nearest to the next byte.
        start = self._next + (segment.sequence - self._next + 2**31) % 2**32 - 2**31
        if segment.flags & SYN:
            start += 1
            if not self._has_begun:
                self._has_begun, self._next, self.syn = True, start, segment.sequence
        if not self._has_begun:
            self._first = min(self._first, start)
        if segment.data:
            heapq.heappush(self._early, (start, number, time, segment.data))
        if segment.flags & FIN:
            self._fin = start + len(segment.data)
        return self._take() if self._has_begun else []

    def is_opened_by(self, segment: Segment) -> bool:
        """Return True if `segment`, a SYN, belongs to what has been seen: it is its first, or comes late or again."""
        if self.syn is not None or not self.is_seen:
            return self.syn in (None, segment.sequence)
        return (segment.sequence + 1 - self._first) % 2**32 == 0

    def begin(self) -> list[bytes]:
        """Begin with the first byte seen, where SYN was not captured, and return the bytes that are in order then."""
        if self._has_begun or not self._early:
            return []
        self._has_begun, self._next = True, self._early[0][0]
        return self._take()

    def _take(self) -> list[bytes]:
        pieces = []
        while self._early and self._early[0][0] <= self._next:
            start, _, _, data = heapq.heappop(self._early)
            if fresh := data[self._next - start :]:  # the bytes before it have come already
                pieces.append(fresh)
                self._next += len(fresh)
        return pieces

    def end(self) -> Iterator[tuple[int | None, float, bytes]]:
        """The gaps and what came after them, with the number (None for the end) and the time of the packet."""
        while self._early:
            start, number, time, data = heapq.heappop(self._early)
            if start > self._next:
                yield number, time, self._lose(start)
            if fresh := data[self._next - start :]:
                self._next += len(fresh)
                yield number, time, fresh
        if self._has_begun and self._fin is not None and self._fin > self._next:
            yield None, 0.0, self._lose(self._fin)

    def _lose(self, end: int) -> Gap:
        size, self._next = end - self._next, end
        self.missing += size
        return Gap(size)


class TcpConversation:
    """One TCP connection as it was captured; its sides are numbered in the order in which they were seen."""

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        self.ends = (source, destination)
        self.streams = (ReassembledStream(), ReassembledStream())
        self.pieces: list[Piece] = []
        self.client: int | None = None  # the side that sent SYN, if that was captured

    def is_followed_by(self, segment: Segment) -> bool:
        """Return True if `segment` opens another connection between the same endpoints, or answers what did."""
        return bool(segment.flags & SYN) and not self.streams[self._side(segment)].is_opened_by(segment)

    def add(self, number: int, time: float, segment: Segment) -> None:
        """Take in the segment of a packet."""
        side = self._side(segment)
        if segment.flags & SYN:
            self.client = 1 - side if segment.flags & ACK else side
        if segment.flags & ACK:  # what it acknowledges has come, and with it the first bytes of the other side
            self._add_pieces(number, time, 1 - side, self.streams[1 - side].begin())
        self._add_pieces(number, time, side, self.streams[side].add(number, time, segment))

    def end(self, number: int, time: float) -> None:
        """Take in the end of the file, with the number and the time of its last packet."""
        for side, stream in enumerate(self.streams):
            self._add_pieces(number, time, side, stream.begin())
            latest = max(((piece.number, piece.time) for piece in self.pieces if piece.side == side), default=(0, 0.0))
            for came, when, data in stream.end():
                latest = (number, time) if came is None else max(latest, (came, when))
                self.pieces.append(Piece(*latest, side, data))
        self.pieces.sort(key=attrgetter("number"))

    def _side(self, segment: Segment) -> int:
        return 0 if segment.source == self.ends[0] else 1

    def _add_pieces(self, number: int, time: float, side: int, pieces: list[bytes]) -> None:
        self.pieces += [Piece(number, time, side, data) for data in pieces]


def read_conversations(packets: Iterable[Packet], decapsulator: Decapsulator | None = None) -> list[TcpConversation]:
    """The TCP connections in captured packets, in the order in which they appear. What is not TCP is left out.

    The decapsulator, if one is given, can tell afterwards what could not be read, among it what comes after so much as
    MAX_HELD.
    """
    strip = decapsulator or Decapsulator()
    conversations: list[TcpConversation] = []
    current: dict[tuple[Endpoint, Endpoint], TcpConversation] = {}
    number, time, room = 0, 0.0, MAX_HELD
    for number, packet in enumerate(packets):
        if room < strip.held:
            strip.tell_full(number, MAX_HELD)
            break
        time = packet.time
        for segment in strip.segments(packet):
            room -= SEGMENT_COST + len(segment.data)
            ends = segment.source, segment.destination
            conversation = current.get(ends)
            if conversation is None or conversation.is_followed_by(segment):
                conversation = TcpConversation(*ends)
                conversations.append(conversation)
                room -= CONVERSATION_COST
                current[ends] = current[ends[::-1]] = conversation
            conversation.add(number, time, segment)
    for conversation in conversations:
        conversation.end(number, time)
    return conversations
