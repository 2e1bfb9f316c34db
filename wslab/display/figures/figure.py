"""figure: a matplotlib figure together with the text that says the same."""

import io
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from wslab.display.html import scrolled
from wslab.display.shown import is_seen

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In its own size, so that small letters stay legible: where it is too wide, it is scrolled. The difference between the
# picture and the colour of JupyterLab's text is the picture itself where that is black, and its negative on a dark
# page, where it is white.
PICTURE = "display:block;max-width:820px;margin:0;mix-blend-mode:difference"
PAPER = "display:inline-block;isolation:isolate;background-color:var(--jp-ui-font-color0,#000000)"


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


def picture(png: str, kind: str) -> str:
    """HTML of a PNG, in base64, with an alternative text that says where the words are."""
    source, name = f"data:image/png;base64,{png}", escape(kind)
    image = f'<img src="{source}" alt="{name}; as text below" style="{PICTURE}">'
    return scrolled(f'<div style="{PAPER}">{image}</div>', kind)


def _words(text: str, kind: str) -> str:
    words = f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'
    return f"<details><summary>{escape(kind)}, as text</summary>{words}</details>"


def describe(figure: "Figure", text: str) -> DescribedFigure:
    """`figure` as the value of a cell, with `text` for those who cannot see it; pyplot does not show it again."""
    from matplotlib import pyplot

    pyplot.close(figure)
    return DescribedFigure(figure, text)
