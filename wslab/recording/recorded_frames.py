"""passed: a recording in, the heads and frames in it out, each with its times: what every view of a recording shows."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from wslab.dissector.conversation import Conversation
from wslab.dissector.frames import KEPT, Seen
from wslab.protocol.states import DIRECTIONS, SENDERS, Direction, Role
from wslab.recording.log import Chunk, Log


@dataclass(frozen=True, slots=True)
class Passed:
    """What was `seen`: its first byte was in the chunk of the time `began`, its last in that of `time` (seconds)."""

    connection: int
    direction: Direction
    began: float
    time: float
    seen: Seen


@dataclass(slots=True)
class _Side:
    """One direction of a connection: how many bytes have passed, and the chunks of those that nothing was made of."""

    size: int = 0
    chunks: deque[tuple[int, float]] = field(default_factory=deque)  # where each ends, and its time

    def add(self, data: bytes, time: float) -> None:
        self.size += len(data)
        self.chunks.append((self.size, time))

    def time_of(self, position: int) -> float:
        """The time of the byte at `position`; what comes before it is forgotten."""
        while len(self.chunks) > 1 and self.chunks[0][0] <= position:
            self.chunks.popleft()
        return self.chunks[0][1]


class Passing:
    """The heads and frames of all connections, as their chunks come; at most `kept` bytes of each payload are kept."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._conversations: dict[int, Conversation | None] = {}  # None for one that is not read any more
        self._sides: defaultdict[tuple[int, Direction], _Side] = defaultdict(_Side)

    def of(self, chunk: Chunk) -> list[Passed]:
        """What this chunk completes."""
        number = chunk.connection
        conversation = self._conversations.setdefault(number, Conversation(self._kept))
        if conversation is None:
            return []
        self._sides[number, chunk.direction].add(chunk.data, chunk.time)
        seen = conversation.receive(SENDERS[chunk.direction], chunk.data)
        return [self._passed(number, one, chunk.time) for one in seen]

    def end(self) -> Iterator[Passed]:
        """What is there of heads and frames that were cut short."""
        for number, conversation in self._conversations.items():
            if conversation is not None:
                for sender in Role:
                    yield from (self._passed(number, seen) for seen in conversation.end(sender))

    def forget(self, connection: int) -> None:
        """Read nothing more of this connection."""
        self._conversations[connection] = None
        for direction in Direction:
            self._sides.pop((connection, direction), None)

    def _passed(self, number: int, seen: Seen, time: float | None = None) -> Passed:
        direction = DIRECTIONS[seen.sender]
        side = self._sides[number, direction]
        began = side.time_of(seen.start)
        return Passed(number, direction, began, side.chunks[-1][1] if time is None else time, seen)


def passed(recording: Log, kept: int = KEPT) -> Iterator[Passed]:
    r"""The heads and frames of all connections of `recording`, in the order in which they were complete.

    What was cut short comes last. At most `kept` bytes of each payload are kept.

    >>> recording = Log(clock=iter(range(9)).__next__)
    >>> for data in b"GET / HTT", b"P/1.1\r\n\r\n":
    ...     recording.add(1, Direction.CLIENT_TO_SERVER, data)
    >>> [(it.began, it.time, str(it.seen)) for it in passed(recording)]
    [(0, 1, 'GET / HTTP/1.1')]
    """
    passing = Passing(kept)
    for chunk in recording.chunks:
        yield from passing.of(chunk)
    yield from passing.end()
