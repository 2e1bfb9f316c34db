"""draw_timeline: calls, messages, frames and TCP reads or writes in four lanes, each with its own boundaries."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

from wslab.display.figures.canvas import (
    GREY,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILLION,
    WIDTH,
    Align,
    Sheet,
    fit,
    legible,
    width_of,
)
from wslab.display.figures.figure import DescribedFigure
from wslab.display.figures.selection import choose, nothing, title, window
from wslab.display.figures.trace import Lane, Span, Step, spans_of, steps_of
from wslab.dissector.wording import since
from wslab.protocol.states import Direction
from wslab.recording.log import Chunk
from wslab.recording.recording import Recording

KIND = "Timeline of a conversation"
MOST_STEPS = 60
LEFT, RIGHT = 76.0, WIDTH - 8  # points: between them, the lanes
ROW, HEADING, NUMBERS, GAP = 17.0, 15.0, 14.0, 10.0  # points of height
NARROWEST, WIDEST = 26.0, 145.0
THINNEST = 3.0
COLORS = {Direction.CLIENT_TO_SERVER: SKY, Direction.SERVER_TO_CLIENT: ORANGE}


def draw_timeline(
    recording: Recording,
    connection: int | None = None,
    *,
    start: int = 0,
    most: int = 24,
    axis: Literal["order", "time"] = "order",
) -> DescribedFigure:
    """What an API call, a message, a frame and a TCP read or write have to do with each other: next to nothing.

    Each step is one call or one chunk of bytes. Draws the first connection unless told which; at most `most` steps
    (1 to 60), from the one on that has `start` before it. `axis="order"` puts one step behind the other, and is the
    same in every run; `axis="time"` is true to scale. Raises ValueError for a connection that is not there, for
    another axis, and for numbers that make no window.
    """
    if axis not in ("order", "time"):
        raise ValueError(f'axis is "order" or "time", not {axis!r}')
    number = choose(recording, connection)
    steps, total = window(steps_of(recording, number), start, most, MOST_STEPS)
    if number is None or not steps:
        return DescribedFigure(None, nothing("step", start, total))
    spans = sorted(spans_of(recording, number, steps), key=lambda span: (span.first.number, span.start))
    heading = title(recording, number, "steps", start, len(steps), total)
    if axis == "time":
        began = min(next(steps_of(recording, number)).entry.time, steps[0].entry.time)
        return DescribedFigure(_to_scale(steps, spans, heading, began).figure, _text(spans, heading, began), KIND)
    return DescribedFigure(_in_order(steps, spans, heading).figure, _text(spans, heading), KIND)


# As a text


def _text(spans: list[Span], heading: str, began: float | None = None) -> str:
    lines = [heading] if heading else []
    for direction in Direction:
        if any(span.direction is direction for span in spans):
            lines.append(direction)
        for lane in Lane:
            chosen = [span for span in spans if (span.direction, span.lane) == (direction, lane)]
            places = [_place(span, began) for span in chosen]
            lines += [f"  {lane.value}"] if chosen else []
            longest = max(map(len, places), default=0)
            lines += [f"    {place:{longest}}  {span}" for place, span in zip(places, chosen, strict=True)]
    return "\n".join(lines)


def _place(span: Span, began: float | None) -> str:
    """The step, or the first and the last one, or the times of them."""
    first, last = (
        str(step.number) if began is None else since(step.entry.time - began) for step in (span.first, span.last)
    )
    first, last = "…" if span.begins_before else first, "…" if span.ends_behind else last
    return first if first == last else f"{first} to {last}"


# In order: what has boundaries is cut at all of them, and each piece gets a column


@dataclass(frozen=True)
class _Column:
    """A call, or the bytes of a chunk from `start` to `end`, which no boundary divides any further."""

    step: Step
    start: int
    end: int


def _columns(steps: list[Step], spans: list[Span]) -> Iterator[_Column]:
    bounds = {direction: sorted(_bounds(spans, direction)) for direction in Direction}
    for step in steps:
        if not isinstance(step.entry, Chunk):
            yield _Column(step, 0, 0)
            continue
        start = step.start
        for bound in bounds[step.entry.direction]:
            if start < bound < step.end:
                yield _Column(step, start, bound)
                start = bound
        yield _Column(step, start, step.end)


def _bounds(spans: list[Span], direction: Direction) -> set[int]:
    return {bound for span in spans if span.direction is direction for bound in (span.start, span.end)}


def _columns_of(span: Span, columns: list[_Column]) -> tuple[int, int]:
    """The first and the last column that `span` is in."""
    if span.lane in (Lane.CALLS, Lane.TCP):
        places = [place for place, column in enumerate(columns) if column.step is span.first]
    else:
        places = [
            place
            for place, column in enumerate(columns)
            if column.step.entry.direction is span.direction and column.start < span.end and column.end > span.start
        ]
    return places[0], places[-1]


def _widths(columns: list[_Column], bars: list[tuple[Span, int, int]]) -> list[float]:
    """The columns are so wide that what each bar says has room in it, within reason."""
    widths = [max(NARROWEST, width_of(str(column.step.number)) + 8) for column in columns]
    for span, first, last in sorted(bars, key=lambda bar: bar[2] - bar[1]):
        missing = min(WIDEST, width_of(_label(span)) + 10) - sum(widths[first : last + 1])
        for place in range(first, last + 1):
            widths[place] += max(0.0, missing) / (last + 1 - first)
    return widths


def _systems(widths: list[float], bars: list[tuple[Span, int, int]]) -> Iterator[range]:
    """The columns that stand beside each other. No bar is cut that would be whole in the next system."""
    cut = {place for _, first, last in bars for place in range(first + 1, last + 1)}
    whole = [place for place in range(len(widths) + 1) if place not in cut]
    start = 0
    for place in range(len(widths)):
        while LEFT + sum(widths[start : place + 1]) > RIGHT:
            good, following = max(at for at in whole if at <= place), min(at for at in whole if at > place)
            fits = good > start and LEFT + sum(widths[good:following]) <= RIGHT
            end = good if fits else place
            yield range(start, end)
            start = end
    yield range(start, len(widths))


def _in_order(steps: list[Step], spans: list[Span], heading: str) -> Sheet:
    columns = list(_columns(steps, spans))
    bars = [(span, *_columns_of(span, columns)) for span in spans]
    widths = _widths(columns, bars)
    systems, rows = list(_systems(widths, bars)), _rows(spans)
    sheet, top = _sheet(heading, len(systems) * rows.height)
    for system in systems:
        edges = list(accumulate((widths[place] for place in system), initial=LEFT))
        _draw_steps(sheet, top, top + rows.height - GAP, [columns[place] for place in system], edges)
        _draw_lanes(sheet, top, rows)
        for span, first, last in bars:
            if first in system or last in system or first < system.start < last:
                left, right = max(first, system.start), min(last, system.stop - 1)
                before = span.begins_before if first == left else True
                behind = span.ends_behind if last == right else True
                x, width = edges[left - system.start], edges[right + 1 - system.start] - edges[left - system.start]
                words = _label(span, width - 6, before=before, behind=behind)
                _draw_bar(sheet, span, x + 1, top + rows.lanes[span.direction, span.lane], width - 2)
                sheet.write(x + width / 2, top + rows.lanes[span.direction, span.lane] + 11, words, align="center")
        top += rows.height
    return sheet


def _draw_steps(sheet: Sheet, top: float, bottom: float, columns: list[_Column], edges: list[float]) -> None:
    """Number the steps, and draw a line wherever one begins."""
    sheet.write(LEFT - 8, top + 10, "step", align="right", color=GREY)
    for step in dict.fromkeys(column.step for column in columns):
        places = [place for place, column in enumerate(columns) if column.step is step]
        left, right = edges[places[0]], edges[places[-1] + 1]
        sheet.write((left + right) / 2, top + 10, str(step.number), align="center", color=GREY)
        for x in (left, right):
            sheet.line((x, top + 2), (x, bottom), color=PALE, width=0.8)


# True to scale


def _to_scale(steps: list[Step], spans: list[Span], heading: str, began: float) -> Sheet:
    rows = _rows(spans)
    sheet, top = _sheet(heading, rows.height)
    times = [step.entry.time for step in steps]
    first, length = min(times), max(times) - min(times)
    ticks = 4 if length else 0
    sheet.write(LEFT - 8, top + 10, "time", align="right", color=GREY)
    for tick in range(ticks + 1):
        time = first + length * tick / max(1, ticks)
        x = _x(time, first, length)
        sheet.line((x, top + 12), (x, top + rows.height - GAP), color=PALE, width=0.8)
        align: Align = "left" if tick == 0 else "center" if tick < ticks else "right"
        sheet.write(x, top + 10, since(time - began), align=align, color=GREY)
    _draw_lanes(sheet, top, rows)
    for place, y in rows.lanes.items():
        chosen = [span for span in spans if (span.direction, span.lane) == place]
        _draw_lane_to_scale(sheet, top + y, chosen, first, length)
    return sheet


def _draw_lane_to_scale(sheet: Sheet, y: float, spans: list[Span], first: float, length: float) -> None:
    """Draw the bars of a lane; those that begin at the same point are counted, and what has no room is not written."""
    starts = [_x(span.first.entry.time, first, length) for span in spans]
    groups = groupby(zip(starts, spans, strict=True), key=lambda pair: round(pair[0] / THINNEST))
    bars = [list(group) for _, group in groups]
    for place, bar in enumerate(bars):
        x, span = bar[0]
        end = max(x + THINNEST, *(_x(span.last.entry.time, first, length) for _, span in bar))
        behind = (bars[place + 1][0][0] if place + 1 < len(bars) else RIGHT) - end - 6
        inside = end - x - 6
        is_inside = inside >= min(behind, width_of(_label(span)))
        room = inside if is_inside else behind
        words = _label(span, room) if len(bar) == 1 else fit("", room, f"{len(bar)} at once")
        _draw_bar(sheet, span, x, y, end - x)
        sheet.write(x + 3 if is_inside else end + 3, y + 11, words)


def _x(time: float, first: float, length: float) -> float:
    return LEFT + ((time - first) / length * (RIGHT - LEFT - THINNEST) if length else 0)


# What both have


@dataclass(frozen=True)
class _Rows:
    """Where each lane is below the top of a system: those in which something is; `headings` say in which direction."""

    headings: dict[Direction, float]
    lanes: dict[tuple[Direction, Lane], float]
    height: float


def _rows(spans: list[Span]) -> _Rows:
    used = {(span.direction, span.lane) for span in spans}
    y, headings, lanes = NUMBERS, {}, {}
    for direction in Direction:
        there = [lane for lane in Lane if (direction, lane) in used]
        if there:
            y += HEADING
            headings[direction] = y
        for lane in there:
            lanes[direction, lane] = y
            y += ROW
    return _Rows(headings, lanes, y + GAP)


def _sheet(heading: str, height: float) -> tuple[Sheet, float]:
    top = 26.0 if heading else 8.0
    sheet = Sheet(top + height)
    sheet.write(LEFT, 16, heading)
    return sheet, top


def _draw_lanes(sheet: Sheet, top: float, rows: _Rows) -> None:
    for direction, y in rows.headings.items():
        sheet.write(LEFT, top + y - 4, direction, weight="bold")
    for (_, lane), y in rows.lanes.items():
        sheet.write(LEFT - 8, top + y + 11, lane.value, align="right", color=GREY)


def _draw_bar(sheet: Sheet, span: Span, x: float, y: float, width: float) -> None:
    edge, thickness = (VERMILLION, 2.0) if span.illegal else (INK, 0.8)
    sheet.box(x, y + 1, (width, ROW - 3), fill=COLORS[span.direction], edge=edge, width=thickness)


def _label(span: Span, room: float | None = None, *, before: bool = False, behind: bool = False) -> str:
    """What a bar says in `room` points; in few words where they are too few, or none are given.

    An ellipsis stands on each side on which it goes on.
    """
    begun = ("… " if before else "") + (f"✗ {span.illegal}: " if span.illegal else "")
    whole, brief = (begun + (f"{span.more + 1:,} more" if span.more else says) for says in (span.says, span.brief))
    size = span.size.replace(" bytes", " B").replace(" byte", " B") + (" …" if behind else "")
    tail = f" {size}" if whole and size else size
    has_room = room is not None and width_of(legible(whole + tail)) <= room
    return fit(whole if has_room else brief, math.inf if room is None else room, tail).replace("… …", "…")
