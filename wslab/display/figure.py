"""figure: a matplotlib figure together with the text that says the same."""

import io
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class DescribedFigure:
    """A figure for the eyes (PNG), and a text for terminals, screen readers and tests.

    `kind` names it in a few words. `figure` is None where there is nothing to draw; then the text says so.
    """

    figure: "Figure | None"
    text: str
    kind: str = "Figure"

    def __repr__(self) -> str:
        return self.text

    def png(self) -> bytes | None:
        """The figure as a file."""
        if self.figure is None:
            return None
        image = io.BytesIO()
        self.figure.savefig(image, format="png", bbox_inches="tight")
        return image.getvalue()

    def _repr_html_(self) -> str | None:
        """The picture with its text: of an output that is nothing but PNG, JupyterLab shows no text at all."""
        image = self.png()
        if image is None:
            return None
        alt = f"{self.kind}. The text below it says the same."
        return (
            f'<img alt="{escape(alt)}" src="data:image/png;base64,{b64encode(image).decode()}">\n'
            f'<details><summary>The same as text</summary><pre style="white-space:pre-wrap">{escape(self.text)}</pre>'
            "</details>"
        )


def describe(figure: "Figure", text: str) -> DescribedFigure:
    """`figure` as the value of a cell, with `text` for whoever cannot see it; pyplot does not show it a second time."""
    from matplotlib import pyplot

    pyplot.close(figure)
    return DescribedFigure(figure, text)
