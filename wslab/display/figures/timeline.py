"""draw_timeline: calls, messages, frames and TCP reads or writes in four lanes, each with its own boundaries."""

from typing import Literal

from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.display.figures.selection import choose_connection, nothing_to_draw, select, title_of
from wslab.display.figures.timeline_columns import draw_in_order
from wslab.display.figures.timeline_scale import Scale, draw_to_scale, scale_of_bytes, scale_of_time
from wslab.display.figures.trace import Lane, Span, entries_of, spans_of
from wslab.protocol.states import Direction
from wslab.recording.log import Chunk
from wslab.recording.recording import Recording

KIND = "Timeline of a conversation"
AXES = ("order", "time", "bytes")
MOST_STEPS = 60


def draw_timeline(
    recording: Recording,
    connection: int | None = None,
    *,
    start: int = 0,
    most: int = 24,
    axis: Literal["order", "time", "bytes"] = "order",
) -> DescribedFigure:
    """What an API call, a message, a frame and a TCP read or write have to do with each other: next to nothing.

    Each step is one call or one chunk of bytes. Draws the first connection unless told which; at most `most` steps
    (1 to 60), after the first `start`. `axis="order"` puts one step after the other, and is the same in every run.
    `axis="time"` and `axis="bytes"` are true to scale; among bytes, a call has no place. Raises ValueError for a
    connection that is not there, for another axis, and for numbers out of range.
    """
    if axis not in AXES:
        raise ValueError(f"axis is {', '.join(AXES[:-1])} or {AXES[-1]}, not {axis!r}")
    number = choose_connection(recording, connection)
    entries, total = select(entries_of(recording, number), start, most, MOST_STEPS)
    title = title_of(recording, number, "steps", start, len(entries), total) if number is not None else ""
    if axis == "bytes":
        entries = [entry for entry in entries if isinstance(entry.event, Chunk)]
    if number is None or not entries:
        return DescribedFigure(None, nothing_to_draw("step", start, total))
    spans = sorted(spans_of(recording, number, entries), key=lambda span: (span.first.number, span.start))
    if axis == "order":
        return draw_described(lambda: draw_in_order(entries, spans, title).figure, _text(spans, title), KIND)
    began = min(next(entries_of(recording, number)).event.time, entries[0].event.time)
    scale = scale_of_bytes(entries) if axis == "bytes" else scale_of_time(entries, began)
    return draw_described(lambda: draw_to_scale(spans, title, scale).figure, _text(spans, title, scale), KIND)


def _text(spans: list[Span], title: str, scale: Scale | None = None) -> str:
    lines = [title] if title else []
    for direction in Direction:
        if any(span.direction is direction for span in spans):
            lines.append(direction)
        for lane in Lane:
            chosen = [span for span in spans if (span.direction, span.lane) == (direction, lane)]
            places = [_place(span, scale) for span in chosen]
            lines += [f"  {lane.value}"] if chosen else []
            longest = max(map(len, places), default=0)
            lines += [f"    {place:{longest}}  {span}" for place, span in zip(places, chosen, strict=True)]
    return "\n".join(lines)


def _place(span: Span, scale: Scale | None) -> str:
    """The step, or the first and the last step, or where it begins and ends on the scale."""
    if scale is None:
        first, last = str(span.first.number), str(span.last.number)
    else:
        first, last = map(scale.write, scale.place(span))
    first, last = "…" if span.begins_before else first, "…" if span.ends_after else last
    return first if first == last else f"{first} to {last}"
