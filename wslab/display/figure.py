"""figure: a matplotlib figure together with the text that says the same."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class DescribedFigure:
    """A figure for the eyes (PNG), and a text for terminals, screen readers and tests.

    `figure` is None where there is nothing to draw; then the text says so.
    """

    figure: "Figure | None"
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_png_(self) -> bytes | None:
        if self.figure is None:
            return None
        image = io.BytesIO()
        self.figure.savefig(image, format="png", bbox_inches="tight")
        return image.getvalue()


def describe(figure: "Figure", text: str) -> DescribedFigure:
    """`figure` as the value of a cell, with `text` for whoever cannot see it; pyplot does not show it a second time."""
    from matplotlib import pyplot

    pyplot.close(figure)
    return DescribedFigure(figure, text)
