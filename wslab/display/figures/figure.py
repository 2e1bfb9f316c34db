"""figure: a matplotlib figure together with the text that says the same."""

import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from wslab.display.html import picture, wrapped
from wslab.display.shown import is_seen

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class DescribedFigure:
    """A figure to look at (PNG), and a text for terminals, screen readers and tests.

    `kind` names it in a few words. `figure` is None if there is nothing to draw; then the text says so.
    """

    figure: "Figure | None"
    text: str
    kind: str = "Figure"

    def __repr__(self) -> str:
        return self.text

    def png(self) -> bytes | None:
        """The bytes of the figure as a PNG file, None if there is no figure."""
        if self.figure is None:
            return None
        image = io.BytesIO()
        self.figure.savefig(image, format="png", bbox_inches="tight")
        return image.getvalue()

    def outputs(self) -> list[dict[str, str]]:
        """What a notebook shows, each output by its media types: the picture, and the text below it.

        There are two, because JupyterLab shows no text of an output that has a PNG, and a screen reader cannot read the
        PNG; and because fewer programs show a picture inside HTML than a PNG. Where somebody sees a picture at once, it
        does stand in HTML: there it has an alternative text, and follows the theme of JupyterLab.
        """
        image = self.png()
        if image is None:
            return [{"text/plain": self.text}]
        encoded = b64encode(image).decode()
        if is_seen():
            return [{"text/plain": self.text, "text/html": picture(encoded, self.kind) + _words(self.text, self.kind)}]
        return [
            {"text/plain": f"<{self.kind}>", "image/png": encoded},
            {"text/plain": self.text, "text/html": _words(self.text, self.kind)},
        ]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for output in self.outputs():
            display(output, raw=True)  # type: ignore[no-untyped-call]


def _words(text: str, kind: str) -> str:
    return f"<details><summary>{escape(kind)}, as text</summary>{wrapped(text)}</details>"


def draw_described(draw: Callable[[], "Figure"], text: str, kind: str) -> DescribedFigure:
    """The figure that `draw` returns, with `text` that says the same; only that where there is no matplotlib."""
    try:
        return DescribedFigure(draw(), text, kind)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("matplotlib", "numpy"):
            raise
        return DescribedFigure(None, text, kind)


def describe(figure: "Figure", text: str) -> DescribedFigure:
    """`figure` as the value of a cell, with `text` for those who cannot see it; pyplot does not show it again."""
    from matplotlib import pyplot

    pyplot.close(figure)
    return DescribedFigure(figure, text)
