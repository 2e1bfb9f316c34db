"""timeline_columns: a timeline in which one step follows the other, whatever time passed between them.

Whatever has boundaries is cut at all of them, in every lane, and each piece gets a column of its own. The columns fill
one system after another, as the bars of music fill the lines of a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from wslab.display.figures.canvas import GREY, PALE, Canvas, width_of
from wslab.display.figures.timeline_lanes import (
    GAP,
    LEFT,
    RIGHT,
    Lanes,
    draw_bar,
    label_of,
    lanes_for,
    titled_canvas,
)
from wslab.display.figures.trace import Lane, Span, TimelineEntry
from wslab.protocol.states import Direction
from wslab.recording.log import Chunk

NARROWEST, WIDEST = 26.0, 145.0  # points


@dataclass(frozen=True)
class _Column:
    """A call, or the bytes of a chunk from `start` to `end`, with no boundary between them."""

    entry: TimelineEntry
    start: int
    end: int


@dataclass(frozen=True)
class _Bar:
    """A span, and the first and the last column that it is in."""

    span: Span
    first: int
    last: int


def draw_in_order(entries: list[TimelineEntry], spans: list[Span], title: str) -> Canvas:
    """Draw the steps side by side, in as many systems as they need."""
    columns = list(_columns(entries, spans))
    bars = [_bar(span, columns) for span in spans]
    widths = _widths(columns, bars)
    systems, lanes = list(_systems(widths, bars)), lanes_for(spans)
    canvas, top = titled_canvas(title, len(systems) * lanes.height)
    for system in systems:
        edges = list(accumulate((widths[place] for place in system), initial=LEFT))
        _draw_steps(canvas, top, top + lanes.height - GAP, [columns[place] for place in system], edges)
        lanes.draw(canvas, top)
        for bar in bars:
            _draw_bar(canvas, bar, system, edges, top, lanes)
        top += lanes.height
    return canvas


def _columns(entries: list[TimelineEntry], spans: list[Span]) -> Iterator[_Column]:
    bounds = {direction: sorted(_bounds(spans, direction)) for direction in Direction}
    for entry in entries:
        if not isinstance(entry.event, Chunk):
            yield _Column(entry, 0, 0)
            continue
        start = entry.start
        for bound in bounds[entry.event.direction]:
            if start < bound < entry.end:
                yield _Column(entry, start, bound)
                start = bound
        yield _Column(entry, start, entry.end)


def _bounds(spans: list[Span], direction: Direction) -> set[int]:
    return {bound for span in spans if span.direction is direction for bound in (span.start, span.end)}


def _bar(span: Span, columns: list[_Column]) -> _Bar:
    if span.lane in (Lane.CALLS, Lane.TCP):
        places = [place for place, column in enumerate(columns) if column.entry is span.first]
    else:
        places = [
            place
            for place, column in enumerate(columns)
            if column.entry.event.direction is span.direction and column.start < span.end and column.end > span.start
        ]
    return _Bar(span, places[0], places[-1])


def _widths(columns: list[_Column], bars: list[_Bar]) -> list[float]:
    """How wide each column is: wide enough for what the bars in it say, within reason."""
    widths = [max(NARROWEST, width_of(str(column.entry.number)) + 8) for column in columns]
    for bar in sorted(bars, key=lambda bar: bar.last - bar.first):
        missing = min(WIDEST, width_of(label_of(bar.span)) + 10) - sum(widths[bar.first : bar.last + 1])
        for place in range(bar.first, bar.last + 1):
            widths[place] += max(0.0, missing) / (bar.last + 1 - bar.first)
    return widths


def _systems(widths: list[float], bars: list[_Bar]) -> Iterator[range]:
    """The columns that stand in each system. No bar is cut that would be whole in the next system."""
    cut = {place for bar in bars for place in range(bar.first + 1, bar.last + 1)}
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


def _draw_steps(canvas: Canvas, top: float, bottom: float, columns: list[_Column], edges: list[float]) -> None:
    """Number the steps, and draw a line wherever one begins."""
    canvas.write(LEFT - 8, top + 10, "step", align="right", color=GREY)
    for entry in dict.fromkeys(column.entry for column in columns):
        places = [place for place, column in enumerate(columns) if column.entry is entry]
        left, right = edges[places[0]], edges[places[-1] + 1]
        canvas.write((left + right) / 2, top + 10, str(entry.number), align="center", color=GREY)
        for x in (left, right):
            canvas.line((x, top + 2), (x, bottom), color=PALE, width=0.8)


def _draw_bar(canvas: Canvas, bar: _Bar, system: range, edges: list[float], top: float, lanes: Lanes) -> None:
    """Draw the part of a bar that stands in `system`, if there is one."""
    first, last, span = max(bar.first, system.start), min(bar.last, system.stop - 1), bar.span
    if first > last:
        return
    before = span.begins_before if first == bar.first else True
    after = span.ends_after if last == bar.last else True
    x, y = edges[first - system.start], top + lanes.tops[span.direction, span.lane]
    width = edges[last + 1 - system.start] - x
    draw_bar(canvas, span, x + 1, y, width - 2)
    words = label_of(span, width - 6, before=before, after=after)
    canvas.write(x + width / 2, y + 11, words, align="center")
