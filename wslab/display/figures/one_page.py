"""draw_one_page: handshake, frame, opcodes, close codes and the end of a connection on one sheet of A4."""

from collections.abc import Iterable, Sequence
from typing import Any

from wslab.display.figures import one_page_facts as facts
from wslab.display.figures.canvas import BLUE, FONT, GREY, INK, VERMILLION
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.dissector.wording import how_many

A4 = (595.276, 841.890)  # points
MARGIN = 36.0
SMALL, NORMAL, HEADING, TITLE = 7.2, 8.0, 10.0, 17.0  # points: 7 is the smallest that is legible in print
LINE, ROW = 10.6, 10.0  # from one line of text, or row of a table, to the next
MONO = "DejaVu Sans Mono"  # comes with matplotlib, too
MIDDLE = A4[0] / 2
RIGHT = A4[0] - MARGIN
BYTE = 20.0  # the width of a byte
KEY_TINT, LENGTH_TINT, PAYLOAD_TINT = "#F9E2CF", "#D6E9F5", "#EFEFEF"


def draw_one_page() -> DescribedFigure:
    """The protocol on one sheet of A4. Its text says the same; every value in it is one that wslab works with."""
    return draw_described(_draw, "\n".join(_text()), "WebSocket on one page")


def _draw() -> Any:
    sheet = _Sheet()
    sheet.write(MARGIN, 50, "WebSocket on one page", size=TITLE, weight="bold")
    sheet.write(RIGHT, 50, "RFC 6455, RFC 7692", size=NORMAL, align="right", color=GREY)
    _draw_handshake(sheet, 76)
    _draw_frame(sheet, 258)
    _draw_codes(sheet, 530)
    _draw_end(sheet, 642)
    return sheet.figure


def _text() -> Iterable[str]:
    yield from ("WebSocket on one page (RFC 6455, RFC 7692)", "", "The opening handshake (§4)", "")
    yield from facts.request_lines()
    yield from ("", *facts.SERVER_CHECKS, "", *facts.response_lines(), "", *facts.CLIENT_CHECKS, facts.ACCEPT)
    yield from ("", "The frame (§5)", "")
    yield "; ".join(f"{name}: {how_many(bits, 'bit')}" for name, bits in facts.BITS)
    yield from (f"{form}; {form.sizes}" for form in facts.length_forms())
    yield from ("", *facts.FRAME_RULES, "", "Opcodes (§5.2)", "")
    yield from (f"{number:4} {name:13} {purpose}" for number, name, purpose in facts.opcode_rows())
    yield from ("", "Close codes (§7.4) and who may send them", "")
    yield from (f"{code:10} {meaning:32} {who}" for code, meaning, who in facts.close_code_rows())
    yield from ("", "States (readyState)", "")
    yield from (f"{start} to {end}: {steps}" for start, end, steps in facts.state_rows())
    yield from ("", "The end (§7)", "", *(f"{who}: {what}" for who, what in _END), *facts.END_RULES)


_END = (
    ("client", "close 1000"),
    ("server", "close 1000"),
    ("server", "end of TCP"),
    ("client", "end of TCP"),
)


class _Sheet:
    """A sheet of A4, measured in points; y counts downwards."""

    def __init__(self) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure((A4[0] / 72, A4[1] / 72), dpi=100, facecolor="white")
        FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, A4[0]), ylim=(A4[1], 0))
        self._axes.set_axis_off()

    def write(self, x: float, y: float, words: str, *, size: float = NORMAL, font: str = FONT, **options: Any) -> None:
        """Write a line that stands on `y`; `align`, `weight` and `color` are among the options."""
        look = {"ha": options.pop("align", "left"), "va": "baseline", "color": INK} | options
        self._axes.text(x, y, words, fontsize=size, fontfamily=font, parse_math=False, **look)

    def write_lines(self, x: float, y: float, lines: Iterable[str], *, step: float = LINE, **options: Any) -> float:
        """Write lines below one another; return where the next one would stand."""
        for line in lines:
            self.write(x, y, line, **options)
            y += step
        return y

    def head(self, y: float, words: str, x: float = MARGIN, right: float = RIGHT) -> None:
        """Write the heading of a part, with a line below it."""
        self.write(x, y, words, size=HEADING, weight="bold", color=BLUE)
        self._axes.plot([x, right], [y + 4, y + 4], color=BLUE, linewidth=0.8)

    def box(self, x: float, y: float, width: float, height: float, words: str = "", fill: str = "white") -> None:
        """Draw a box with words in its middle."""
        from matplotlib.patches import Rectangle

        self._axes.add_patch(Rectangle((x, y), width, height, facecolor=fill, edgecolor=INK, linewidth=0.6))
        self.write(x + width / 2, y + height / 2 + 2.7, words, size=SMALL, align="center")

    def arrow(self, start: float, end: float, y: float) -> None:
        """Draw an arrow from left to right, or from right to left."""
        look = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}
        self._axes.annotate("", (end, y), (start, y), arrowprops=look)

    def marks(self, places: Iterable[float], top: float, bottom: float) -> None:
        """Draw vertical lines."""
        for x in places:
            self._axes.plot([x, x], [top, bottom], color=INK, linewidth=0.6)

    def table(self, columns: Sequence[float], y: float, rows: Iterable[Sequence[str]]) -> None:
        """Write rows whose cells begin at `columns`; what nobody sends stands out."""
        for row in rows:
            for x, cell in zip(columns, row, strict=True):
                self.write(x, y, cell, size=SMALL, color=VERMILLION if cell.startswith("nobody") else INK)
            y += ROW


def _draw_handshake(sheet: _Sheet, top: float) -> None:
    sheet.head(top, "The opening handshake (§4)")
    half = MIDDLE - MARGIN - 6
    parts = (facts.request_lines(), facts.SERVER_CHECKS), (facts.response_lines(), facts.CLIENT_CHECKS)
    for x, title, (lines, checks) in zip((MARGIN, MIDDLE + 6), ("client", "server"), parts, strict=True):
        sheet.box(x, top + 12, half, 98, fill="#F7F7F7")
        sheet.write(x + half - 6, top + 23, f"from the {title}", size=SMALL, align="right", color=GREY)
        sheet.write_lines(x + 6, top + 23, lines, size=SMALL, font=MONO, step=ROW)
        sheet.write_lines(x, top + 123, checks, size=SMALL, step=ROW)
    sheet.write(MARGIN, top + 160, facts.ACCEPT, size=SMALL, weight="bold")


def _draw_frame(sheet: _Sheet, top: float) -> None:
    sheet.head(top, "The frame (§5)")
    width, x = (RIGHT - MARGIN) / 16, MARGIN
    for bit in range(16):
        sheet.write(MARGIN + (bit + 0.5) * width, top + 16, str(bit % 8), size=SMALL, align="center", color=GREY)
    for name, bits in facts.BITS:
        fill = {"MASK": KEY_TINT, "length": LENGTH_TINT}.get(name, "white")
        sheet.box(x, top + 20, bits * width, 18, name, fill)
        x += bits * width
    y = top + 53
    for form in facts.length_forms():
        sheet.write(MARGIN, y, str(form), weight="bold")
        sheet.write(RIGHT, y, form.sizes, align="right")
        _draw_bytes(sheet, y + 5, form.extended_size)
        y += 42
    sheet.write_lines(MARGIN, y + 4, facts.FRAME_RULES, size=NORMAL)


def _draw_bytes(sheet: _Sheet, y: float, extended: int) -> None:
    """Draw a frame, its header with a mark between any two bytes."""
    parts = [(2, "white", "first two"), (extended, LENGTH_TINT, "length"), (facts.KEY_SIZE, KEY_TINT, "masking key")]
    x = MARGIN
    for count, fill, words in parts:
        if count:
            sheet.box(x, y, count * BYTE, 18, words, fill)
            sheet.marks([x + BYTE * number for number in range(1, count)], y + 15, y + 18)
        x += count * BYTE
    sheet.box(x, y, RIGHT - x, 18, "payload", PAYLOAD_TINT)


def _draw_codes(sheet: _Sheet, top: float) -> None:
    sheet.head(top, "Opcodes (§5.2)", right=MIDDLE - 46)
    sheet.table((MARGIN, MARGIN + 24, MARGIN + 92), top + 17, facts.opcode_rows())
    left = MIDDLE - 30
    sheet.head(top, "Close codes (§7.4), and who may send them", x=left)
    sheet.table((left, left + 46, left + 150), top + 17, facts.close_code_rows())
    below = top + 208
    sheet.head(below, "States (readyState)", x=left)
    sheet.table((left, left + 78, left + 138), below + 17, facts.state_rows())


def _draw_end(sheet: _Sheet, top: float) -> None:
    sheet.head(top, "The end (§7)", right=MIDDLE - 46)
    places = {"client": MARGIN + 22, "server": MARGIN + 194}
    for who, x in places.items():
        sheet.write(x, top + 16, who, align="center", weight="bold")
    sheet.marks(places.values(), top + 20, top + 90)
    y = top + 34
    for who, what in _END:
        other = next(x for name, x in places.items() if name != who)
        sheet.write((places[who] + other) / 2, y - 3, what, size=SMALL, align="center")
        sheet.arrow(places[who], other, y)
        y += 16.5
    sheet.write_lines(MARGIN, top + 102, facts.END_RULES, size=SMALL, step=9.8)
