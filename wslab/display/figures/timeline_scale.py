"""timeline_scale: a timeline that is true to scale: what took long, or has many bytes, is long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from wslab.display.figures.canvas import GREY, PALE, Align, Canvas, fit, width_of
from wslab.display.figures.timeline_lanes import GAP, LEFT, RIGHT, draw_bar, label_of, lanes_for, titled_canvas
from wslab.display.figures.trace import Span, TimelineEntry
from wslab.dissector.wording import since
from wslab.protocol.states import Direction

THINNEST = 3.0  # points
TICKS = 4


@dataclass(frozen=True)
class Scale:
    """What is measured from 0 to `length`, where a span lies on it, and the points that are written above it."""

    name: str
    length: float
    place: Callable[[Span], tuple[float, float]]
    ticks: Callable[[], Sequence[float]]
    write: Callable[[float], str]

    def x(self, point: float) -> float:
        """How far to the right a point is drawn."""
        return LEFT + (point / self.length * (RIGHT - LEFT - THINNEST) if self.length else 0)


def scale_of_time(entries: list[TimelineEntry], began: float) -> Scale:
    """From the first to the last entry, in seconds since `began`."""
    times = [entry.event.time for entry in entries]
    first = min(times)

    def place(span: Span) -> tuple[float, float]:
        return span.first.event.time - first, span.last.event.time - first

    length = max(times) - first

    def ticks() -> list[float]:
        return [length * tick / TICKS for tick in range(TICKS + 1)] if length else [0.0]

    return Scale("time", length, place, ticks, lambda point: since(first + point - began))


def scale_of_bytes(entries: list[TimelineEntry]) -> Scale:
    """From the first to the last byte of the entries in each direction; only what has bytes has a place on it."""
    parts = {way: [entry for entry in entries if entry.event.direction is way and entry.end] for way in Direction}
    first = {way: part[0].start for way, part in parts.items() if part}
    length = {way: part[-1].end - part[0].start for way, part in parts.items() if part}

    def place(span: Span) -> tuple[float, float]:
        way = span.direction
        return max(0, span.start - first[way]), min(length[way], span.end - first[way])

    longest = max(length.values())

    def ticks() -> list[float]:
        from matplotlib.ticker import MaxNLocator

        locator = MaxNLocator(6, integer=True, steps=[1, 2, 5, 10])
        return [tick for tick in locator.tick_values(0, longest) if tick <= longest]

    return Scale("byte", longest, place, ticks, lambda point: f"{point:,.0f}")


def draw_to_scale(spans: list[Span], title: str, scale: Scale) -> Canvas:
    """Draw each span where it lies on the scale."""
    lanes = lanes_for(spans)
    canvas, top = titled_canvas(title, lanes.height)
    canvas.write(LEFT - 8, top + 10, scale.name, align="right", color=GREY)
    for tick in scale.ticks():
        x, words = scale.x(tick), scale.write(tick)
        canvas.line((x, top + 12), (x, top + lanes.height - GAP), color=PALE, width=0.8)
        align: Align = "left" if tick == 0 else "center" if x + width_of(words) / 2 <= RIGHT - THINNEST else "right"
        canvas.write(x, top + 10, words, align=align, color=GREY)
    lanes.draw(canvas, top)
    for place, y in lanes.tops.items():
        chosen = [span for span in spans if (span.direction, span.lane) == place]
        _draw_lane(canvas, top + y, chosen, scale)
    return canvas


def _draw_lane(canvas: Canvas, y: float, spans: list[Span], scale: Scale) -> None:
    """Draw the bars of a lane. Those that begin at the same point are counted; what has no room is not written."""
    places = [tuple(map(scale.x, scale.place(span))) for span in spans]
    groups = groupby(zip(places, spans, strict=True), key=lambda pair: round(pair[0][0] / THINNEST))
    bars = [list(group) for _, group in groups]
    for number, bar in enumerate(bars):
        (x, _), span = bar[0]
        end = max(x + THINNEST, *(end for (_, end), _ in bar))
        beyond = (bars[number + 1][0][0][0] if number + 1 < len(bars) else RIGHT) - end - 6
        inside = end - x - 6
        is_inside = inside >= min(beyond, width_of(label_of(span)))
        room = inside if is_inside else beyond
        words = label_of(span, room) if len(bar) == 1 else fit("", room, f"{len(bar)} at once")
        draw_bar(canvas, span, x, y, end - x)
        canvas.write(x + 3 if is_inside else end + 3, y + 11, words)
