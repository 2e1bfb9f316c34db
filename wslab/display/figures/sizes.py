"""draw_sizes: how large the frames of a recording are, and how many of the bytes are headers (RFC 6455 §5.2)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from wslab.display.figures.canvas import GREY, INK, ORANGE, SKY, WIDTH, Canvas, width_of
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.display.figures.selection import Reading, choose_connection
from wslab.dissector.frames import DissectedFrame
from wslab.dissector.wording import how_many
from wslab.protocol.states import Direction
from wslab.recording.recorded_frames import RecordedFrame, dissect_recording
from wslab.recording.recording import Recording

# Up to 125 bytes the length has 7 bits in the header, up to 65,535 it has 16 more, then 64.
BOUNDS = (0, 15, 125, 1023, 65_535)
NAMES = ("no payload", "1 to 15 bytes", "16 to 125", "126 to 1,023", "1,024 to 65,535", "65,536 or more")
LOOKS = {Direction.CLIENT_TO_SERVER: (SKY, ""), Direction.SERVER_TO_CLIENT: (ORANGE, "////")}
LEFT, RIGHT = 118.0, WIDTH - 60  # points: between them, the bars
BAR, ROW, TOP = 13.0, 34.0, 34.0


@dataclass
class _Sizes:
    """The frames of one direction: how many there are of each size, and their bytes on the wire."""

    frames: Counter[str] = field(default_factory=Counter)
    payload: int = 0
    headers: int = 0

    def add(self, payload: int, header: int) -> None:
        self.frames[NAMES[sum(payload > bound for bound in BOUNDS)]] += 1
        self.payload += payload
        self.headers += header

    @property
    def overhead(self) -> float:
        """The share of the headers in all bytes, in percent."""
        return 100 * self.headers / (self.headers + self.payload)

    def __str__(self) -> str:
        if not self.frames:
            return "no frames"
        said = how_many(self.frames.total(), "frame")
        return (
            f"{said}, {how_many(self.payload)} of payload, {how_many(self.headers)} of headers ({self.overhead:.1f} %)"
        )


def draw_sizes(recording: Recording, connection: int | None = None) -> DescribedFigure:
    """How many frames of which size each side sent, and what part of their bytes are headers.

    Counts whole frames as they were on the wire, compressed or not, on all connections unless told which; the heads of
    the handshake are not counted. Raises ValueError for a connection that is not there.
    """
    choose_connection(recording, connection)
    reading = Reading(dissect_recording(recording, kept=0))
    sizes = _sizes(it for it in reading if connection in (None, it.connection))
    if not any(each.frames for each in sizes.values()):
        return DescribedFigure(None, "Nothing to draw: no whole frame has been recorded.")
    lines = [f"{'payload of a frame':18}  {'  '.join(sizes)}"]
    for name in NAMES:
        lines.append("  ".join([f"{name:18}", *(f"{each.frames[name]:>{len(way)},}" for way, each in sizes.items())]))
    lines += [f"{direction}: {each}" for direction, each in sizes.items()]
    lines += filter(None, [reading.told, recording.left_out])
    return draw_described(lambda: _picture(sizes).figure, "\n".join(lines), "Sizes of frames")


def _sizes(frames: Iterable[RecordedFrame]) -> dict[Direction, _Sizes]:
    sizes = {direction: _Sizes() for direction in Direction}
    for it in frames:
        if isinstance(it.seen.what, DissectedFrame):
            payload = it.seen.what.header.payload_length
            sizes[it.direction].add(payload, it.seen.end - it.seen.start - payload)
    return sizes


def _picture(sizes: dict[Direction, _Sizes]) -> Canvas:
    bottom = TOP + ROW * len(NAMES)
    canvas = Canvas(bottom + 44 * len(sizes) + 18)
    canvas.write(LEFT - 8, 16, "payload", align="right", color=GREY)
    x = LEFT
    for name, (color, hatch) in [*LOOKS.items(), ("headers", (INK, ""))]:
        canvas.box(x, 7, (22, 11), fill=color, hatch=hatch)
        canvas.write(x + 28, 16, name)
        x += 60 + width_of(name)
    most = max(max(each.frames.values(), default=0) for each in sizes.values())
    for row, name in enumerate(NAMES):
        y = TOP + ROW * row
        canvas.write(LEFT - 8, y + 16, name, align="right")
        for direction, each in sizes.items():
            color, hatch = LOOKS[direction]
            length = (RIGHT - LEFT) * each.frames[name] / most
            canvas.box(LEFT, y, (length, BAR - 2), fill=color, hatch=hatch)
            canvas.write(LEFT + length + 5, y + 9, f"{each.frames[name]:,}")
            y += BAR
    _draw_bytes(canvas, sizes, bottom + 14)
    return canvas


def _draw_bytes(canvas: Canvas, sizes: dict[Direction, _Sizes], y: float) -> None:
    """Draw all bytes of a direction as one bar, with a dark part at its end for the headers."""
    for direction, each in sizes.items():
        canvas.write(14, y + 9, f"{direction}: {each}")
        if each.frames:
            whole = WIDTH - 28
            headers = whole * each.overhead / 100
            color, hatch = LOOKS[direction]
            canvas.box(14, y + 15, (whole - headers, BAR), fill=color, hatch=hatch)
            canvas.box(14 + whole - headers, y + 15, (headers, BAR), fill=INK)
        y += 44
