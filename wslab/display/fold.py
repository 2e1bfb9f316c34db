"""fold: what a block prints and displays, below a fold, so that a reader predicts before looking."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from wslab.display.html import picture

if TYPE_CHECKING:
    from IPython.utils.capture import RichOutput

SUMMARY = "Your prediction first; then open this."
SCROLLS = "font-family:monospace;margin:0;overflow-x:auto"  # a long line scrolls by itself, not the whole page


@dataclass(frozen=True, repr=False)
class Folded:
    """What a block printed and displayed; `repr` is its text, and a notebook shows it as HTML below a closed fold."""

    summary: str
    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<details><summary>{escape(self.summary)}</summary>\n{self.html}\n</details>"


@contextlib.contextmanager
def fold(summary: str = SUMMARY) -> Iterator[None]:
    """Show what the `with` block prints and displays below a closed fold, with `summary` on it.

    Only a notebook folds: a program, like a reader of plain text, sees everything. What was printed comes before what
    was displayed. A block that raises still shows what it had printed. Needs IPython, which Jupyter brings.
    """
    from IPython.display import display
    from IPython.utils.capture import capture_output

    try:
        with capture_output() as captured:
            yield
    finally:
        display(_folded(summary, captured.stdout + captured.stderr, captured.outputs))  # type: ignore[no-untyped-call]


def _folded(summary: str, printed: str, displayed: Sequence["RichOutput"]) -> Folded:
    texts, parts = [], []
    if printed := printed.rstrip("\n"):
        texts.append(printed)
        parts.append(_preformatted(printed))
    for output in displayed:
        texts.append(output.data.get("text/plain", ""))
        parts.append(_html(output.data))
    return Folded(summary, "\n".join(texts), "\n".join(parts))


def _preformatted(text: str) -> str:
    return f'<pre style="{SCROLLS}">{escape(text)}</pre>'


def _html(data: dict[str, str]) -> str:
    """The richest form of an output that is shown without scripts."""
    text = data.get("text/plain", "")
    if html := data.get("text/html"):
        return html
    if png := data.get("image/png"):
        return picture("".join(png.split()), text.strip("<>") or "Picture")
    return _preformatted(text)
