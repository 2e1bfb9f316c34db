"""RecordedFrame: a log in, the heads and frames in it out, each with its times: what every view of one shows."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from wslab.dissector.conversation import Conversation
from wslab.dissector.frames import KEPT, Dissected
from wslab.protocol.states import DIRECTIONS, SENDERS, Direction, Role
from wslab.recording.log import Chunk, Gap, Log


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """A frame, or a head of the handshake before the frames, and when it passed.

    `seen` is what was found in the bytes. The first of them came in a chunk of the time `began`, the last in one of
    the time `time` (seconds).
    """

    connection: int
    direction: Direction
    began: float
    time: float
    seen: Dissected


@dataclass(slots=True)
class _Side:
    """One direction of a connection: how many bytes have passed, and the times of those that are not dissected yet."""

    size: int = 0
    chunks: deque[tuple[int, float]] = field(default_factory=deque)  # where each ends, and its time

    def add(self, data: bytes, time: float) -> None:
        self.size += len(data)
        self.chunks.append((self.size, time))

    def time_of(self, position: int) -> float:
        """The time of the byte at `position`. The chunks before it are forgotten."""
        while len(self.chunks) > 1 and self.chunks[0][0] <= position:
            self.chunks.popleft()
        return self.chunks[0][1]


class RecordingDissector:
    """Finds the heads and frames of all connections while their chunks come.

    At most `kept` bytes of each payload are kept.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._conversations: dict[int, Conversation | None] = {}  # None for a forgotten one
        self._sides: defaultdict[tuple[int, Direction], _Side] = defaultdict(_Side)

    def feed(self, chunk: Chunk) -> list[RecordedFrame]:
        """Take in the next chunk, and return what it completes."""
        number = chunk.connection
        if number not in self._conversations:
            self._conversations[number] = Conversation(self._kept)
        conversation = self._conversations[number]
        if conversation is None:
            return []
        self._sides[number, chunk.direction].add(chunk.data, chunk.time)
        sender, data = SENDERS[chunk.direction], chunk.data
        if isinstance(data, Gap):
            seen = conversation.lose(sender, data.size, data.skipped)
        else:
            seen = conversation.receive(sender, data)
        return [self._recorded(number, one, chunk.time) for one in seen]

    def end(self) -> Iterator[RecordedFrame]:
        """Take in the end of the log, and return what there is of heads and frames that were cut short."""
        for number, conversation in self._conversations.items():
            if conversation is not None:
                for sender in Role:
                    yield from (self._recorded(number, seen) for seen in conversation.end(sender))

    def forget(self, connection: int) -> None:
        """Read nothing more of this connection, and keep nothing of it."""
        self._conversations[connection] = None
        for direction in Direction:
            self._sides.pop((connection, direction), None)

    def _recorded(self, number: int, seen: Dissected, time: float | None = None) -> RecordedFrame:
        direction = DIRECTIONS[seen.sender]
        side = self._sides[number, direction]
        began = side.time_of(seen.start)
        return RecordedFrame(number, direction, began, side.chunks[-1][1] if time is None else time, seen)


def dissect_recording(log: Log, kept: int = KEPT) -> Iterator[RecordedFrame]:
    r"""The heads and frames of all connections of a log, in the order in which they were complete.

    What was cut short comes last. At most `kept` bytes of each payload are kept.

    >>> log = Log(clock=iter(range(9)).__next__)
    >>> for data in b"GET / HTT", b"P/1.1\r\n\r\n":
    ...     log.add(1, Direction.CLIENT_TO_SERVER, data)
    >>> [(it.began, it.time, str(it.seen)) for it in dissect_recording(log)]
    [(0, 1, 'GET / HTTP/1.1')]
    """
    return dissect_chunks(log.chunks, kept)


def dissect_chunks(chunks: Iterable[Chunk], kept: int = KEPT) -> Iterator[RecordedFrame]:
    """The heads and frames in these chunks, as `dissect_recording` returns them."""
    dissector = RecordingDissector(kept)
    for chunk in chunks:
        yield from dissector.feed(chunk)
    yield from dissector.end()
