"""shown: rows and texts as HTML, and a widget together with what stands in its place where no widget runs."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from wslab.display.live import is_seen

if TYPE_CHECKING:
    from ipywidgets import Widget

# Text and background are always given together: a notebook may be light or dark.
BODY = "color:#000000;background-color:#ffffff"
HEADING = "color:#000000;background-color:#dfe6ee"
CELL = "border:1px solid #8a8a8a;padding:2px 8px;text-align:left;vertical-align:top"
MONOSPACE = "font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere"


def aligned(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as text, column under column.

    >>> print(aligned(["direction", "what"], [["up", "ping"]]))
    direction  what
    up         ping
    """
    lines = [heading, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def table(caption: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table; everything is escaped.

    >>> table("Frames", ["what"], [['text "<b>"']]).count("<b>")
    0
    """
    heads = "".join(
        f'<th scope="col" bgcolor="#dfe6ee" style="{HEADING};{CELL}">{escape(name)}</th>' for name in heading
    )
    lines = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return (
        f'<table bgcolor="#ffffff" style="border-collapse:collapse;{BODY}">'
        f'<caption style="text-align:left;padding:2px 8px;{BODY}">{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    )


def _cell(value: str) -> str:
    return f'<td bgcolor="#ffffff" style="{BODY};{CELL};{MONOSPACE}">{escape(value)}</td>'


def paragraph(text: str) -> str:
    """A sentence as HTML."""
    return f'<p style="{BODY};padding:2px 8px;margin:4px 0">{escape(text)}</p>'


def html_of(view: object) -> str:
    """The HTML of a view that has some, else its text."""
    make = getattr(view, "_repr_html_", None)
    if make is not None and (made := make()) is not None:
        return str(made)
    return f'<pre style="{BODY};padding:4px 8px;line-height:1.3">{escape(repr(view))}</pre>'


def announced(html: str) -> str:
    """HTML that a screen reader reads aloud when it appears."""
    return f'<div role="status">{html}</div>'


def bundle(widget: "Callable[[], Widget]", text: str, html: str) -> dict[str, object]:
    """What a notebook needs to show `widget`, with a text and an HTML for where widgets are not shown.

    Where nobody looks, the widget is not even made: its state would be stored in the notebook.
    """
    shown: dict[str, object] = dict(widget()._repr_mimebundle_() or {}) if is_seen() else {}
    return {**shown, "text/plain": text, "text/html": html}
