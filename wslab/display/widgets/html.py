"""html: sentences and tables as HTML that is readable on any background, by a screen reader and with the keyboard."""

from html import escape

LINES = "line-height:1.4"  # widgets have lines as high as a button


def paragraph(text: str) -> str:
    """A sentence with its own text colour and background: a notebook may be light or dark."""
    return f'<p style="color:#000000;background-color:#ffffff;padding:2px 8px;margin:4px 0">{escape(text)}</p>'


def announced(html: str) -> str:
    """HTML that a screen reader reads aloud when it appears."""
    return f'<div role="status" style="{LINES}">{html}</div>'


def scrolled(html: str, name: str) -> str:
    """HTML that may be wider than its place: a reader without a mouse scrolls it with the arrow keys."""
    style = f"width:0;min-width:100%;overflow-x:auto;{LINES}"  # else the widget would grow with it and be cut
    return f'<div role="region" tabindex="0" aria-label="{escape(name)}" style="{style}">{html}</div>'


def marked_up(text: str) -> str:
    """Text with `code` in backticks as HTML."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
