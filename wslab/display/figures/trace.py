"""spans: the calls, messages, frames and chunks of a connection in, what lies where between its bytes out."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from wslab.display.figures.canvas import legible
from wslab.dissector.frames import Seen, SeenFrame
from wslab.dissector.messages import JoinedMessage, MessageJoiner
from wslab.dissector.wording import in_bytes, shorten
from wslab.protocol.http import Response
from wslab.protocol.redaction import harmless
from wslab.protocol.states import Direction
from wslab.recording.log import Call, Chunk
from wslab.recording.recorded_frames import dissect_recording
from wslab.recording.recording import Recording

IN_ALL = 80  # messages, and as many frames, are told one by one, shared out among the steps; the rest is summed up
IN_STEP = 3  # at least so many of each step


class Lane(Enum):
    """The four places where a conversation has boundaries, from the program down to the network."""

    CALLS = "calls"
    MESSAGES = "messages"
    FRAMES = "frames"
    TCP = "TCP"


@dataclass(frozen=True, slots=True)
class Step:
    """A call, or a chunk with `start` bytes before it in its direction; steps are counted from 1."""

    number: int
    entry: Call | Chunk
    start: int = 0

    @property
    def end(self) -> int:
        """How many bytes there are up to its end."""
        return self.start + (len(self.entry.data) if isinstance(self.entry, Chunk) else 0)


@dataclass(frozen=True, slots=True)
class Span:
    """What is in one lane from the step `first` to the step `last`, with `start` bytes before it and `end` at its end.

    `says` is legible in a picture, so that text and picture say the same; `brief` is for where there is little room.
    `size` tells how much it is, `illegal` why it must not be. `more` others that follow it are not told one by one.
    """

    lane: Lane
    direction: Direction
    first: Step
    last: Step
    start: int
    end: int
    says: str
    brief: str
    size: str = ""
    illegal: str = ""
    more: int = 0

    @property
    def begins_before(self) -> bool:
        """Whether it began before the steps that are looked at."""
        return self.start < self.first.start

    @property
    def ends_behind(self) -> bool:
        """Whether it ends behind them."""
        return self.end > self.last.end

    def __str__(self) -> str:
        if self.more:
            return f"{self.more + 1:,} more {self.lane.value}"
        illegal = f"illegal: {self.illegal}" if self.illegal else ""
        return ", ".join(filter(None, [shorten(self.says), illegal, self.size]))


def steps_of(recording: Recording, number: int | None) -> Iterator[Step]:
    """The calls and chunks of a connection in the order of their times."""
    sent = dict.fromkeys(Direction, 0)
    for count, entry in enumerate(recording.events(number) if number is not None else (), 1):
        yield Step(count, entry, sent[entry.direction] if isinstance(entry, Chunk) else 0)
        if isinstance(entry, Chunk):
            sent[entry.direction] += len(entry.data)


def spans_of(recording: Recording, number: int, steps: list[Step]) -> list[Span]:
    """What lies in each of the four lanes of a connection, as far as it lies within `steps`."""
    lanes = _Lanes(steps)
    joiners = {direction: MessageJoiner() for direction in Direction}
    for it in dissect_recording(recording):
        if it.connection == number:
            lanes.add(Lane.FRAMES, it.direction, it.seen, in_bytes(it.seen.end - it.seen.start))
            for message in joiners[it.direction].feed(it.seen):
                lanes.add(Lane.MESSAGES, it.direction, message.seen, _size_of(message))
    for direction, joiner in joiners.items():
        for message in joiner.end():
            lanes.add(Lane.MESSAGES, direction, message.seen, _size_of(message))
    return lanes.spans


def _size_of(message: JoinedMessage) -> str:
    size = in_bytes(message.frame.length)
    if message.frames == 1 and message.is_whole:
        return size
    size += f" in {message.frames:,} frame{'s' * (message.frames > 1)}"
    return size if message.is_whole else f"{size}, unfinished"


class _Lanes:
    """Collects spans, those that lie within the steps, and sums up where there are too many."""

    def __init__(self, steps: list[Step]) -> None:
        self.spans = [_span_of(step) for step in steps]
        self._chunks = {direction: list(_chunks(steps, direction)) for direction in Direction}
        self._ends = {direction: [step.end for step in chunks] for direction, chunks in self._chunks.items()}
        self._room = max(IN_STEP, IN_ALL // max(1, len(steps)))
        self._counts: Counter[tuple[Lane, Direction, int]] = Counter()
        self._rests: dict[tuple[Lane, Direction, int], int] = {}  # where in `spans` the summed up ones are

    def add(self, lane: Lane, direction: Direction, seen: Seen, size: str) -> None:
        chunks, ends = self._chunks[direction], self._ends[direction]
        if not chunks or seen.start == seen.end or seen.end <= chunks[0].start or seen.start >= ends[-1]:
            return
        place = bisect_right(ends, seen.start)
        last = chunks[min(bisect_right(ends, seen.end - 1), len(chunks) - 1)]
        says, brief, illegal = map(legible, (str(replace(seen, illegal="")), _brief(seen), harmless(seen.illegal)))
        span = Span(lane, direction, chunks[place], last, seen.start, seen.end, says, brief, size, illegal)
        key = lane, direction, place
        self._counts[key] += 1
        if self._counts[key] <= self._room + 1:
            self._rests[key] = len(self.spans)
            self.spans.append(span)
        else:
            rest = self.spans[self._rests[key]]
            self.spans[self._rests[key]] = replace(rest, last=last, end=seen.end, size="", more=rest.more + 1)


def _span_of(step: Step) -> Span:
    entry = step.entry
    if isinstance(entry, Chunk):
        return Span(Lane.TCP, entry.direction, step, step, step.start, step.end, "", "", in_bytes(len(entry.data)))
    says = legible(f"{entry.name}({harmless(entry.argument)})")
    return Span(Lane.CALLS, entry.direction, step, step, step.start, step.end, says, says)


def _brief(seen: Seen) -> str:
    """What was seen, without the phrase of a response, and without the remarks on a frame that is packed or goes on."""
    what = seen.what
    if isinstance(what, Response):
        what = replace(what, phrase="")
    elif isinstance(what, SeenFrame):
        header = what.header._replace(fin=True, rsv1=what.header.rsv1 and not what.is_inflated)
        what = replace(what, header=header, is_inflated=False)
    return str(replace(seen, what=what, illegal="")).rstrip()


def _chunks(steps: Iterable[Step], direction: Direction) -> Iterator[Step]:
    return (step for step in steps if isinstance(step.entry, Chunk) and step.entry.direction is direction)
