"""canvas: a white page, measured in points, for pictures in which no text runs over another."""

import sys
import unicodedata
from collections.abc import Container
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

WIDTH = 576.0  # points: 8 inches, as wide as a notebook
DPI = 100.0
FONT = "DejaVu Sans"  # comes with matplotlib: a picture is the same on every machine
SIZE = 9.5
# The colours of Okabe and Ito, which nearly everybody can tell apart.
BLUE, SKY, GREEN, ORANGE, VERMILLION = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"
INK, GREY, PALE = "#111111", "#595959", "#D9D9D9"

Point = tuple[float, float]
Align = Literal["left", "center", "right"]
Line = str | tuple[float, tuple[float, ...]]  # of matplotlib: "-", or an offset with the lengths of dashes and gaps

LEFT_TO_RIGHT = "\u200e"


@cache
def _font(weight: str) -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONT, weight=weight, size=SIZE)


@cache
def _glyphs() -> Container[int]:
    try:
        from matplotlib.font_manager import findfont, get_font
    except ModuleNotFoundError:  # nothing is drawn then, and the text of a picture may have any character
        return range(sys.maxunicode + 1)
    return frozenset(get_font(findfont(_font("normal"))).get_charmap())


@cache
def _renderer() -> Any:
    from matplotlib.backends import backend_agg

    agg: Any = backend_agg  # it has no types
    return agg.RendererAgg(1, 1, DPI)


def legible(words: str) -> str:
    r"""`words` with an escape for each character that the font lacks, or that would be drawn on top of another.

    >>> legible("é, 中, e\u0301")
    'é, \\u4e2d, e\\u0301'
    """
    return "".join(c if _is_legible(c) else c.encode("unicode_escape").decode() for c in words)


def _is_legible(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")  # marks can be piled up without an end
    return character.isprintable() and ord(character) in _glyphs() and not is_mark


@lru_cache(4096)  # what is written twice is measured once
def width_of(words: str) -> float:
    """The width of `words` in points, written in one line."""
    pixels: float = _renderer().get_text_width_height_descent(words, _font("normal"), False)[0]
    return pixels * 72 / DPI


def fit(words: str, room: float, tail: str = "") -> str:
    """As much of `words` as fits in `room` points, with all of `tail` after it; nothing if even `tail` does not fit."""
    words = legible(words)
    # After words that are written from right to left, a number would be carried to their other side.
    tail = LEFT_TO_RIGHT + legible(tail) if tail else ""
    if width_of(words + tail) <= room:
        return words + tail
    shortest, longest = -1, len(words)  # by bisection: what is a thousand characters too long takes no longer
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if width_of(words[:middle] + "…" + tail) <= room:
            shortest = middle
        else:
            longest = middle - 1
    return words[:shortest] + "…" + tail if shortest >= 0 else ""


class Canvas:
    """A page, `height` points high and 8 inches wide; y counts downwards, and what is drawn later lies on top."""

    def __init__(self, height: float) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        # Without pyplot, the figure is not shown a second time; white, it can be read on a dark page, too.
        self.figure = Figure((WIDTH / 72, height / 72), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, WIDTH), ylim=(height, 0))
        self._axes.set_axis_off()

    def write(
        self,
        x: float,
        y: float,
        words: str,
        *,
        align: Align = "left",
        weight: str = "normal",
        color: str = INK,
    ) -> None:
        """Write a line that stands on `y`. What a peer sent must have gone through `fit` or `legible`."""
        font = _font(weight)
        self._axes.text(
            x, y, words, ha=align, va="baseline", color=color, font=font, parse_math=False, usetex=False, zorder=1
        )

    def line(
        self,
        start: Point,
        end: Point,
        *,
        color: str = INK,
        width: float = 1.0,
        line: Line = "-",
        marker: str = "",
        is_open: bool = False,
    ) -> None:
        """Draw a line with a `marker` at its end, if any; `is_open` leaves the inside of the marker white."""
        options: dict[str, Any] = {"markerfacecolor": "white" if is_open else color, "markevery": [1], "zorder": 1}
        xs, ys = zip(start, end, strict=True)
        self._axes.plot(xs, ys, color=color, linewidth=width, linestyle=line, marker=marker, markersize=6, **options)

    def box(
        self,
        x: float,
        y: float,
        size: Point,
        *,
        fill: str = "white",
        edge: str = INK,
        width: float = 0.8,
        hatch: str = "",
    ) -> None:
        """Draw a rectangle whose upper left corner is at `x`, `y`."""
        from matplotlib.patches import Rectangle

        box = Rectangle((x, y), *size, facecolor=fill, edgecolor=edge, linewidth=width, hatch=hatch or None, zorder=1)
        self._axes.add_patch(box)
