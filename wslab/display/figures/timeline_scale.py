"""timeline_scale: a timeline that is true to scale: what took long is long."""

from itertools import groupby

from wslab.display.figures.canvas import GREY, PALE, Align, Canvas, fit, width_of
from wslab.display.figures.timeline_lanes import GAP, LEFT, RIGHT, draw_bar, label_of, lanes_for, titled_canvas
from wslab.display.figures.trace import Span, TimelineEntry
from wslab.dissector.wording import since

THINNEST = 3.0  # points
TICKS = 4


def draw_to_scale(entries: list[TimelineEntry], spans: list[Span], title: str, began: float) -> Canvas:
    """Draw the steps where their times lie, with a scale in seconds since `began`."""
    lanes = lanes_for(spans)
    canvas, top = titled_canvas(title, lanes.height)
    times = [entry.event.time for entry in entries]
    first, length = min(times), max(times) - min(times)
    ticks = TICKS if length else 0
    canvas.write(LEFT - 8, top + 10, "time", align="right", color=GREY)
    for tick in range(ticks + 1):
        time = first + length * tick / max(1, ticks)
        x = _x(time, first, length)
        canvas.line((x, top + 12), (x, top + lanes.height - GAP), color=PALE, width=0.8)
        align: Align = "left" if tick == 0 else "center" if tick < ticks else "right"
        canvas.write(x, top + 10, since(time - began), align=align, color=GREY)
    lanes.draw(canvas, top)
    for place, y in lanes.tops.items():
        chosen = [span for span in spans if (span.direction, span.lane) == place]
        _draw_lane(canvas, top + y, chosen, first, length)
    return canvas


def _draw_lane(canvas: Canvas, y: float, spans: list[Span], first: float, length: float) -> None:
    """Draw the bars of a lane. Those that begin at the same point are counted; what has no room is not written."""
    starts = [_x(span.first.event.time, first, length) for span in spans]
    groups = groupby(zip(starts, spans, strict=True), key=lambda pair: round(pair[0] / THINNEST))
    bars = [list(group) for _, group in groups]
    for place, bar in enumerate(bars):
        x, span = bar[0]
        end = max(x + THINNEST, *(_x(span.last.event.time, first, length) for _, span in bar))
        beyond = (bars[place + 1][0][0] if place + 1 < len(bars) else RIGHT) - end - 6
        inside = end - x - 6
        is_inside = inside >= min(beyond, width_of(label_of(span)))
        room = inside if is_inside else beyond
        words = label_of(span, room) if len(bar) == 1 else fit("", room, f"{len(bar)} at once")
        draw_bar(canvas, span, x, y, end - x)
        canvas.write(x + 3 if is_inside else end + 3, y + 11, words)


def _x(time: float, first: float, length: float) -> float:
    return LEFT + ((time - first) / length * (RIGHT - LEFT - THINNEST) if length else 0)
