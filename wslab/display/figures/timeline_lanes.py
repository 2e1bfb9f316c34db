"""timeline_lanes: the lanes of a timeline, one below the other, and the bars in them."""

import math
from dataclasses import dataclass

from wslab.display.figures.canvas import (
    GREY,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    WIDTH,
    Canvas,
    fit,
    legible,
    width_of,
)
from wslab.display.figures.trace import Lane, Span
from wslab.protocol.states import Direction

LEFT, RIGHT = 76.0, WIDTH - 8  # points: between them, the lanes
HEIGHT, HEADING, NUMBERS, GAP = 17.0, 15.0, 14.0, 10.0  # points: of a lane, of what stands above and between lanes
COLORS = {Direction.CLIENT_TO_SERVER: SKY, Direction.SERVER_TO_CLIENT: ORANGE}


@dataclass(frozen=True)
class Lanes:
    """How far below the top each lane begins that has something in it; a heading for each direction stands above."""

    headings: dict[Direction, float]
    tops: dict[tuple[Direction, Lane], float]
    height: float

    def draw(self, canvas: Canvas, top: float) -> None:
        """Write the names of directions and lanes."""
        for direction, y in self.headings.items():
            canvas.write(LEFT, top + y - 4, direction, weight="bold")
        for (_, lane), y in self.tops.items():
            canvas.write(LEFT - 8, top + y + 11, lane.value, align="right", color=GREY)


def lanes_for(spans: list[Span]) -> Lanes:
    """Find a place for each lane that `spans` need."""
    used = {(span.direction, span.lane) for span in spans}
    y, headings, tops = NUMBERS, {}, {}
    for direction in Direction:
        there = [lane for lane in Lane if (direction, lane) in used]
        if there:
            y += HEADING
            headings[direction] = y
        for lane in there:
            tops[direction, lane] = y
            y += HEIGHT
    return Lanes(headings, tops, y + GAP)


def titled_canvas(title: str, height: float) -> tuple[Canvas, float]:
    """A page with a title, and where what has this `height` begins below it."""
    top = 26.0 if title else 8.0
    canvas = Canvas(top + height)
    canvas.write(LEFT, 16, title)
    return canvas, top


def draw_bar(canvas: Canvas, span: Span, x: float, y: float, width: float) -> None:
    """Draw a bar in the lane that begins at `y`."""
    edge, thickness = (VERMILLION, 2.0) if span.illegal else (INK, 0.8)
    canvas.box(x, y + 1, (width, HEIGHT - 3), fill=COLORS[span.direction], edge=edge, width=thickness)


def label_of(span: Span, room: float | None = None, *, before: bool = False, after: bool = False) -> str:
    """What a bar says in `room` points: in few words if they are too few, or if None are given.

    An ellipsis marks each side on which it goes on.
    """
    begun = ("… " if before else "") + (f"✗ {span.illegal}: " if span.illegal else "")
    whole, brief = (begun + (f"{span.more + 1:,} more" if span.more else says) for says in (span.says, span.brief))
    size = span.size.replace(" bytes", " B").replace(" byte", " B") + (" …" if after else "")
    tail = f" {size}" if whole and size else size
    has_room = room is not None and width_of(legible(whole + tail)) <= room
    return fit(whole if has_room else brief, math.inf if room is None else room, tail).replace("… …", "…")
