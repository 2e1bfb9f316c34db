"""trace: what lies where between the bytes of a connection: its calls, messages, frames and chunks."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from wslab.display.figures.canvas import legible
from wslab.dissector.frames import Dissected, DissectedFrame
from wslab.dissector.messages import JoinedMessage, MessageJoiner
from wslab.dissector.wording import how_many, shorten
from wslab.protocol.http import Response
from wslab.protocol.states import Direction
from wslab.recording.log import Call, Chunk
from wslab.recording.recorded_frames import dissect_chunks
from wslab.recording.recording import Recording
from wslab.redaction.redact import harmless

IN_ALL = 80  # messages, and as many frames, get a span of their own, shared out among the entries
IN_ENTRY = 3  # at least so many of each entry; the others are summed up


class Lane(Enum):
    """The four places where a conversation has boundaries, from the program down to the network."""

    CALLS = "calls"
    MESSAGES = "messages"
    FRAMES = "frames"
    TCP = "TCP"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A call, or a chunk with `start` bytes before it in its direction; `number` counts from 1."""

    number: int
    event: Call | Chunk
    start: int = 0

    @property
    def end(self) -> int:
        """How many bytes there are before it and in it."""
        return self.start + (len(self.event.data) if isinstance(self.event, Chunk) else 0)


@dataclass(frozen=True, slots=True)
class Span:
    """Something in one lane, from the entry `first` to the entry `last`: the bytes from `start` to `end`.

    `says` is legible in a picture, so that picture and text say the same; `brief` says it in less room. `size` is how
    much it is, in words, and `illegal` which rule it breaks. It also stands for the `more` spans that follow it.
    """

    lane: Lane
    direction: Direction
    first: TimelineEntry
    last: TimelineEntry
    start: int
    end: int
    says: str
    brief: str
    size: str = ""
    illegal: str = ""
    more: int = 0

    @property
    def begins_before(self) -> bool:
        """Return True if it began before the selected entries."""
        return self.start < self.first.start

    @property
    def ends_after(self) -> bool:
        """Return True if it ends after the selected entries."""
        return self.end > self.last.end

    def __str__(self) -> str:
        if self.more:
            return f"{self.more + 1:,} more {self.lane.value}"
        illegal = f"illegal: {self.illegal}" if self.illegal else ""
        return ", ".join(filter(None, [shorten(self.says), illegal, self.size]))


def entries_of(recording: Recording, number: int | None) -> Iterator[TimelineEntry]:
    """The calls and chunks of a connection in the order of their times."""
    sent = dict.fromkeys(Direction, 0)
    for count, event in enumerate(recording.events(number) if number is not None else (), 1):
        yield TimelineEntry(count, event, sent[event.direction] if isinstance(event, Chunk) else 0)
        if isinstance(event, Chunk):
            sent[event.direction] += len(event.data)


def spans_of(recording: Recording, number: int, entries: list[TimelineEntry]) -> list[Span]:
    """What lies in each of the four lanes of a connection, as far as it reaches into `entries`."""
    spans = _Spans(entries)
    joiners = {direction: MessageJoiner() for direction in Direction}
    for it in dissect_chunks(chunk for chunk in recording.chunks if chunk.connection == number):
        joiner = joiners[it.direction]
        spans.add(Lane.FRAMES, it.direction, it.seen)
        for message in joiner.feed(it.seen):
            spans.add(Lane.MESSAGES, it.direction, message.seen, message)
        if spans.is_beyond(it.direction, it.seen) and joiner.is_empty:
            spans.finish(it.direction)
        if spans.is_complete:  # what comes after the entries is not read
            return spans.found
    for direction, joiner in joiners.items():
        for message in joiner.end():
            spans.add(Lane.MESSAGES, direction, message.seen, message)
    return spans.found


def _size_of(message: JoinedMessage) -> str:
    size = how_many(message.frame.length)
    if message.frames == 1 and message.is_whole:
        return size
    size += f" in {how_many(message.frames, 'frame')}"
    return size if message.is_whole else f"{size}, unfinished"


class _Spans:
    """Collects the spans that reach into some entries, and sums up those that are too many for one entry."""

    def __init__(self, entries: list[TimelineEntry]) -> None:
        self.found = [_span_of(entry) for entry in entries]
        self._chunks = {direction: list(_chunks(entries, direction)) for direction in Direction}
        self._ends = {direction: [entry.end for entry in chunks] for direction, chunks in self._chunks.items()}
        self._awaited = {direction for direction, chunks in self._chunks.items() if chunks}
        self._most = max(IN_ENTRY, IN_ALL // max(1, len(entries)))
        self._counts: Counter[tuple[Lane, Direction, int]] = Counter()
        self._summaries: dict[tuple[Lane, Direction, int], int] = {}  # the place in `found` of what stands for others

    @property
    def is_complete(self) -> bool:
        """Whether nothing that is still to come reaches into the entries."""
        return not self._awaited

    def is_beyond(self, direction: Direction, seen: Dissected) -> bool:
        """Return True if the next thing in this direction comes after the entries."""
        ends = self._ends[direction]
        return not ends or seen.end >= ends[-1]

    def finish(self, direction: Direction) -> None:
        """Wait for nothing more in this direction."""
        self._awaited.discard(direction)

    def add(self, lane: Lane, direction: Direction, seen: Dissected, message: JoinedMessage | None = None) -> None:
        """Take in a frame or a message, if it reaches into the entries."""
        chunks, ends = self._chunks[direction], self._ends[direction]
        if not chunks or seen.start == seen.end or seen.end <= chunks[0].start or seen.start >= ends[-1]:
            return
        place = bisect_right(ends, seen.start)
        last = chunks[min(bisect_right(ends, seen.end - 1), len(chunks) - 1)]
        key = lane, direction, place
        self._counts[key] += 1
        if self._counts[key] > self._most + 1:
            summary = self.found[self._summaries[key]]
            summary = replace(summary, last=last, end=seen.end, size="", more=summary.more + 1)
            self.found[self._summaries[key]] = summary
            return
        size = how_many(seen.end - seen.start) if message is None else _size_of(message)
        says, brief, illegal = map(legible, (str(replace(seen, illegal="")), _brief(seen), harmless(seen.illegal)))
        self._summaries[key] = len(self.found)
        self.found.append(Span(lane, direction, chunks[place], last, seen.start, seen.end, says, brief, size, illegal))


def _span_of(entry: TimelineEntry) -> Span:
    event = entry.event
    if isinstance(event, Chunk):
        return Span(Lane.TCP, event.direction, entry, entry, entry.start, entry.end, "", "", how_many(len(event.data)))
    says = legible(f"{event.name}({harmless(event.argument)})")
    return Span(Lane.CALLS, event.direction, entry, entry, entry.start, entry.end, says, says)


def _brief(seen: Dissected) -> str:
    """One line without the phrase of a response, and without a note on compression or on what is to come."""
    what = seen.what
    if isinstance(what, Response):
        what = replace(what, phrase="")
    elif isinstance(what, DissectedFrame):
        header = what.header._replace(fin=True, rsv1=what.header.rsv1 and not what.is_inflated)
        what = replace(what, header=header, is_inflated=False)
    return str(replace(seen, what=what, illegal="")).rstrip()


def _chunks(entries: Iterable[TimelineEntry], direction: Direction) -> Iterator[TimelineEntry]:
    return (entry for entry in entries if isinstance(entry.event, Chunk) and entry.event.direction is direction)
