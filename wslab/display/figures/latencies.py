"""draw_latencies: how long messages wait for their echo and pings for their pong (RFC 6455 §5.5.3)."""

import math
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from wslab.display.figures.canvas import GREY, ORANGE, PALE, SKY, VERMILLION, WIDTH, Align, Canvas, width_of
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.display.figures.selection import Reading, choose_connection
from wslab.dissector.frames import DissectedFrame
from wslab.dissector.messages import MessageJoiner
from wslab.protocol.frames import Opcode
from wslab.protocol.states import Direction, Role
from wslab.recording.recorded_frames import RecordedFrame, dissect_recording
from wslab.recording.recording import Recording

FEWEST = 5  # fewer are listed one by one
COMPARED = 256  # bytes of a payload; what has the same length and begins with the same bytes is an echo
SHORTEST = 1e-7  # seconds: no clock is finer
LEFT, RIGHT = 20.0, WIDTH - 20  # points
PANEL, BARS, TOP = 150.0, 70.0, 8.0  # points of height
LOOKS = {"messages": (SKY, ""), "pings": (ORANGE, "////")}

Question = tuple[int, Role, Opcode, int, bytes]


@dataclass
class _Waits:
    """How many seconds each question waited for its answer, and the questions that are still waiting."""

    seconds: list[float] = field(default_factory=list)
    asked: defaultdict[Question, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def ask(self, question: Question, time: float) -> None:
        self.asked[question].append(time)

    def answer(self, question: Question, time: float) -> None:
        if question in self.asked:
            self.seconds.append(time - self.asked[question].popleft())
            if not self.asked[question]:
                del self.asked[question]

    @property
    def unanswered(self) -> int:
        return sum(map(len, self.asked.values()))

    def __str__(self) -> str:
        waits, unanswered = sorted(self.seconds), f"{self.unanswered:,} without an answer"
        if not waits:
            return f"none answered, {unanswered}"
        if len(waits) < FEWEST:
            told = f"after {', '.join(map(_long, waits))}, too few to draw"
        else:
            nine_tenths = waits[math.ceil(0.9 * len(waits)) - 1]
            told = f"fastest {_long(waits[0])}, median {_long(median(waits))}, 90 % within {_long(nine_tenths)}"
            told += f", worst {_long(waits[-1])}"
        return f"{len(waits):,} answered, {told}; {unanswered}"


def draw_latencies(recording: Recording, connection: int | None = None) -> DescribedFigure:
    """How long the client's messages waited for an equal message of the server, and pings for the pong to them.

    The time is that from the last byte of the one to the last byte of the other, where they were recorded: a client
    also waits for the network. Takes all connections unless told which. Raises ValueError for a connection that is not
    there.
    """
    choose_connection(recording, connection)
    reading = Reading(dissect_recording(recording, COMPARED))
    waits = _waits(it for it in reading if connection in (None, it.connection))
    lines = [f"{name}: {each}" for name, each in waits.items()]
    text = "\n".join([*lines, *filter(None, [reading.told, recording.left_out])])
    drawn = {name: each for name, each in waits.items() if len(each.seconds) >= FEWEST}
    if not drawn:
        why = "nothing has been answered" if not any(each.seconds for each in waits.values()) else "too few answers"
        return DescribedFigure(None, f"Nothing to draw: {why}.\n{text}")
    return draw_described(lambda: _picture(drawn).figure, text, "How long answers took")


def _long(seconds: float) -> str:
    """A time with three digits.

    >>> _long(0.00034), _long(2.0), _long(0.0000051), _long(999.7)
    ('0.34 ms', '2 s', '5.1 µs', '1,000 s')
    """
    if seconds >= 100:
        return f"{seconds:,.0f} s"
    for unit, name in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= unit / 10:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds * 1e6:.3g} µs"


def _waits(everything: Iterator[RecordedFrame]) -> dict[str, _Waits]:
    messages, pings = _Waits(), _Waits()
    joined: defaultdict[tuple[int, Direction], MessageJoiner] = defaultdict(lambda: MessageJoiner(COMPARED))
    for it in everything:
        number, sender, frame = it.connection, it.seen.sender, it.seen.what
        if not isinstance(frame, DissectedFrame):
            continue
        if frame.kind is Opcode.PING:
            pings.ask((number, sender, Opcode.PING, frame.length, frame.payload), it.time)
        elif frame.kind is Opcode.PONG:
            other = Role.SERVER if sender is Role.CLIENT else Role.CLIENT
            pings.answer((number, other, Opcode.PING, frame.length, frame.payload), it.time)
        for message in joined[number, it.direction].feed(it.seen):
            whole = message.frame
            question = number, Role.CLIENT, whole.kind, whole.length, whole.payload
            (messages.ask if sender is Role.CLIENT else messages.answer)(question, it.time)
    return {"messages": messages, "pings": pings}


# The picture: a panel for each, with the times on a logarithmic scale


def _picture(waits: dict[str, _Waits]) -> Canvas:
    canvas = Canvas(TOP + PANEL * len(waits))
    for place, (name, each) in enumerate(waits.items()):
        _draw_panel(canvas, TOP + PANEL * place, name, sorted(max(SHORTEST, second) for second in each.seconds))
    return canvas


def _draw_panel(canvas: Canvas, top: float, name: str, waits: list[float]) -> None:
    first, last = math.floor(math.log10(waits[0])), math.floor(math.log10(waits[-1])) + 1
    bins = max(1, 24 // (last - first)) * (last - first)
    color, hatch = LOOKS[name]
    counts = [0] * bins
    for wait in waits:
        counts[min(bins - 1, int(bins * _place(wait, first, last)))] += 1
    canvas.write(LEFT, top + 12, f"{name}: {len(waits):,} answered, at most {max(counts):,} in a bar", weight="bold")
    width, bottom = (RIGHT - LEFT) / bins, top + 48 + BARS
    _draw_scale(canvas, top + 44, bottom, range(first, last + 1))
    for place, count in enumerate(counts):
        if count:
            height = max(1.5, BARS * count / max(counts))
            canvas.box(LEFT + place * width, bottom - height, (width, height), fill=color, hatch=hatch)
    xs = [LEFT + (RIGHT - LEFT) * _place(wait, first, last) for wait in (waits[-1], median(waits))]
    canvas.line((xs[0], bottom), (xs[0], top + 22), color=VERMILLION, width=1.6)
    canvas.line((xs[1], bottom), (xs[1], top + 35), color=VERMILLION, width=1.6, line=(0, (4, 2)))
    _draw_mark(canvas, xs[0], top + 28, f"worst {_long(waits[-1])}")
    _draw_mark(canvas, xs[1], top + 41, f"median {_long(median(waits))}")


def _draw_mark(canvas: Canvas, x: float, y: float, words: str) -> None:
    """Write beside a line, on the side that has room, and on top of any other line."""
    width = width_of(words)
    x = x + 5 if x + 8 + width < RIGHT else x - 5 - width
    canvas.box(x - 1, y - 9, (width + 2, 12), edge="white")
    canvas.write(x, y, words)


def _draw_scale(canvas: Canvas, top: float, bottom: float, powers: range) -> None:
    canvas.line((LEFT, bottom), (RIGHT, bottom))
    step = max(1, math.ceil(len(powers) / 8))
    for place, power in enumerate(powers):
        x = LEFT + (RIGHT - LEFT) * place / (len(powers) - 1)
        canvas.line((x, top), (x, bottom), color=PALE)
        if place % step == 0:
            align: Align = "center" if 0 < place < len(powers) - 1 else "right" if place else "left"
            canvas.write(x, bottom + 13, _long(10.0**power), align=align, color=GREY)


def _place(wait: float, first: int, last: int) -> float:
    """The place of a time on the scale, from 0 to 1."""
    return (math.log10(wait) - first) / (last - first)
