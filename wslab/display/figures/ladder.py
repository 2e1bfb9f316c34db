"""draw_ladder: the heads and frames of a connection as arrows between two lifelines, client and server."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from wslab.display.figures.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILLION,
    WIDTH,
    Canvas,
    Line,
    Point,
    fit,
    legible,
    width_of,
)
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.display.figures.selection import (
    MOST_READ,
    Reading,
    choose_connection,
    nothing_to_draw,
    select,
    title_of,
)
from wslab.dissector.frames import DissectedFrame
from wslab.dissector.opaque import Opaque
from wslab.dissector.wording import shorten, since
from wslab.protocol.states import SENDERS, Role
from wslab.recording.log import Call, Chunk
from wslab.recording.recorded_frames import RecordedFrame, RecordingDissector
from wslab.recording.recording import Recording
from wslab.redaction.redact import harmless

TIMES, MARGIN = 66.0, 40.0  # points to the left of the client's lifeline: with times, and without
TOP, ROW, REASON, FOOT = 44.0, 25.0, 13.0, 46.0  # points of height; REASON: a second line that says what is illegal
SLANT = 7.0
MOST_TAIL = 30  # characters of a remark at the end that is kept when a line is cut short
ENDS = {"end": "end of TCP", "reset": "reset", "unreachable": "the server cannot be reached"}


@dataclass(frozen=True)
class _Style:
    """How an arrow is drawn, as a line with a marker at its end, and in a text."""

    name: str
    stroke: str
    color: str
    line: Line = "-"
    width: float = 1.4
    is_open: bool = False


class _Kind(Enum):
    HEAD = _Style("head", "══", BLUE, width=3)
    DATA = _Style("data frame", "──", INK)
    CONTROL = _Style("control frame", "╌╌", GREEN, (0, (5, 2)), is_open=True)
    UNREAD = _Style("not read", "··", GREY, (0, (1, 2)), is_open=True)
    TCP = _Style("TCP", "┄┄", GREY, (0, (6, 2, 1, 2)), 2)


@dataclass(frozen=True, slots=True)
class _Arrow:
    """What one side sent, and which rule it breaks, if any."""

    time: float
    sender: Role
    kind: _Kind
    says: str
    illegal: str = ""
    is_in_pieces: bool = False

    def __str__(self) -> str:
        says = " - illegal: ".join(filter(None, [shorten(self.says), self.illegal]))
        says, stroke = says + " (in pieces)" * self.is_in_pieces, self.kind.value.stroke
        if self.sender is Role.CLIENT:
            return f"client {stroke} {says} {stroke}▶ server"
        return f"client ◀{stroke} {says} {stroke} server"

    @property
    def height(self) -> float:
        return ROW + (REASON if self.illegal else 0)


def draw_ladder(
    recording: Recording, connection: int | None = None, *, start: int = 0, most: int = 40, times: bool = True
) -> DescribedFigure:
    """What client and server of one connection sent to each other: an arrow for each head and frame.

    Draws the first connection unless told which; at most `most` arrows (1 to 200), after the first `start`. A slanted
    arrow came in pieces: its first byte was in an earlier chunk than its last. `times` are those of the last bytes,
    counted from the first chunk. Raises ValueError for a connection that is not there, and for numbers out of range.
    """
    number = choose_connection(recording, connection)
    reading = Reading(_entries(recording, number), MOST_READ + max(0, start))
    entries, total = select(reading, start, most)
    if number is None or not entries:
        return DescribedFigure(None, nothing_to_draw("arrow", start, total))
    arrows = [_arrow_of_frame(entry) if isinstance(entry, RecordedFrame) else _arrow_of_end(entry) for entry in entries]
    began = next((chunk.time for chunk in recording.chunks if chunk.connection == number), arrows[0].time)
    steps = [since(arrow.time - began) if times else "" for arrow in arrows]
    heading = title_of(recording, number, "arrows", start, len(arrows), total)
    longest = max(map(len, steps))
    lines = [f"{step:>{longest}}  {arrow}" if times else str(arrow) for step, arrow in zip(steps, arrows, strict=True)]
    text = "\n".join(filter(None, [heading, *lines, reading.told]))
    return draw_described(lambda: _picture(arrows, steps, heading).figure, text, "Ladder of a conversation")


def _entries(recording: Recording, number: int | None) -> Iterator[RecordedFrame | Call]:
    """Everything on a connection that gets an arrow, in the order of the times."""
    dissector = RecordingDissector()
    events = [] if number is None else list(recording.events(number))
    missing = sum(isinstance(event, Chunk) for event in events)
    for event in events:
        if isinstance(event, Chunk):
            yield from dissector.feed(event)
            missing -= 1
            if not missing:  # what was cut short stands before the end of TCP
                yield from dissector.end()
        elif event.name in ENDS:
            yield event


def _arrow_of_frame(it: RecordedFrame) -> _Arrow:
    what = it.seen.what
    if isinstance(what, DissectedFrame):
        kind = _Kind.CONTROL if what.header.opcode.is_control else _Kind.DATA
    else:
        kind = _Kind.UNREAD if isinstance(what, Opaque) else _Kind.HEAD
    says, illegal = str(replace(it.seen, illegal="")), harmless(it.seen.illegal)
    return _Arrow(it.time, it.seen.sender, kind, legible(says), legible(illegal), it.began != it.time)


def _arrow_of_end(call: Call) -> _Arrow:
    says = ": ".join(filter(None, [ENDS[call.name], harmless(call.argument)]))
    return _Arrow(call.time, SENDERS[call.direction], _Kind.TCP, legible(says))


def _picture(arrows: list[_Arrow], steps: list[str], heading: str) -> Canvas:
    client, server = (TIMES if any(steps) else MARGIN), WIDTH - MARGIN
    bottom = TOP + sum(arrow.height for arrow in arrows)
    canvas = Canvas(bottom + FOOT)
    canvas.write((client + server) / 2, 18, heading, align="center")
    for x, name in ((client, "client"), (server, "server")):
        canvas.line((x, 24), (x, bottom + 8), color=GREY)
        for y in (6.0, bottom + 8):
            canvas.box(x - 26, y, (52, 18))
            canvas.write(x, y + 13, name, align="center", weight="bold")
    y = TOP
    for arrow, step in zip(arrows, steps, strict=True):
        y += arrow.height
        _draw_arrow(canvas, arrow, y, client, server)
        canvas.write(client - 8, y - 9, step, align="right", color=GREY)
    _draw_legend(canvas, arrows, bottom + FOOT - 6)
    return canvas


def _draw_arrow(canvas: Canvas, arrow: _Arrow, y: float, client: float, server: float) -> None:
    """Draw an arrow above `y`, and above the arrow what it says."""
    middle, room = (client + server) / 2, server - client - 24
    y -= 12
    words, bracket, tail = arrow.says.rpartition(" (")
    if not arrow.says.endswith(")") or len(tail) > MOST_TAIL:
        words, bracket, tail = arrow.says, "", ""
    canvas.write(middle, y - 6 - arrow.height + ROW, fit(words, room, bracket + tail), align="center")
    if arrow.illegal:
        canvas.write(middle, y - 6, fit(f"✗ illegal: {arrow.illegal}", room), align="center")
    ends = [(client, y), (server, y)] if arrow.sender is Role.CLIENT else [(server, y), (client, y)]
    _draw_line(canvas, arrow.kind, *ends, slant=SLANT if arrow.is_in_pieces else 0, is_illegal=bool(arrow.illegal))


def _draw_line(
    canvas: Canvas, kind: _Kind, start: Point, end: Point, *, slant: float = 0, is_illegal: bool = False
) -> None:
    style, is_rightward = kind.value, start[0] < end[0]
    canvas.line(
        start,
        (end[0] - (4 if is_rightward else -4), end[1] + slant),
        color=VERMILLION if is_illegal else style.color,
        width=style.width,
        line=style.line,
        marker="|" if kind is _Kind.TCP else ">" if is_rightward else "<",
        is_open=style.is_open,
    )


def _draw_legend(canvas: Canvas, arrows: list[_Arrow], y: float) -> None:
    """Say what each kind of line in the picture means."""
    kinds = [(kind, kind.value.name, 0.0) for kind in _Kind if any(arrow.kind is kind for arrow in arrows)]
    slanted = [(arrow.kind, "in pieces", SLANT) for arrow in arrows if arrow.is_in_pieces]
    x = 14.0
    for kind, name, slant in kinds + slanted[:1]:
        _draw_line(canvas, kind, (x, y - 3 - slant / 2), (x + 26, y - 3 - slant / 2), slant=slant)
        canvas.write(x + 32, y, name, color=GREY)
        x += 32 + width_of(name) + 16
