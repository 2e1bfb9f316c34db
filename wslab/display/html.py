"""html: sentences and tables as HTML that is readable on any background, by a screen reader and with the keyboard."""

from html import escape

LINES = "line-height:1.4"  # widgets have lines as high as a button
# Text has the colour of the page that it stands on, which may be light or dark. What stands out has a tint: a colour
# that lets the page shine through. It is written so, and not as a variable of JupyterLab's themes, because a notebook
# that is not trusted keeps no variables.
TINT = "rgba(213,94,0,0.25)"  # vermilion, for what is illegal
SHADE = "rgba(128,128,128,0.2)"
LINE = "1px solid #808080"
# In its own size, so that small letters stay legible: where it is too wide, it is scrolled. The difference between the
# picture and the colour of JupyterLab's text is the picture itself where that is black, and its negative on a dark
# page, where it is white.
PICTURE = "display:block;max-width:820px;margin:0;mix-blend-mode:difference"
PAPER = "display:inline-block;isolation:isolate;background-color:var(--jp-ui-font-color0,#000000)"


def paragraph(text: str) -> str:
    """A sentence with little space around it."""
    return f'<p style="margin:4px 0">{escape(text)}</p>'


def warning(text: str) -> str:
    """A sentence that says what is wrong: its tint is not its only sign."""
    return f'<p style="margin:4px 0;padding:2px 8px;background-color:{TINT}">\u26a0 {escape(text)}</p>'


def wrapped(text: str) -> str:
    """Lines in letters of one width, broken between words where they are too long, as JupyterLab does not by itself."""
    return f'<pre style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere">{escape(text)}</pre>'


def faded(html: str) -> str:
    """HTML that is out of date."""
    return f'<div style="opacity:0.7">{html}</div>'


def close_lines(html: str) -> str:
    """HTML with lines as close in a widget as elsewhere."""
    return f'<div style="{LINES}">{html}</div>'


def announced(html: str) -> str:
    """HTML that a screen reader reads aloud when it appears."""
    return f'<div role="status" style="{LINES}">{html}</div>'


def scrolled(html: str, name: str) -> str:
    """HTML that may be wider than its place: a reader without a mouse scrolls it with the arrow keys."""
    style = "width:0;min-width:100%;overflow-x:auto"  # else a widget would grow with it and be cut
    return f'<div role="group" tabindex="0" aria-label="{escape(name)}" style="{style}">{html}</div>'


def marked_up(text: str) -> str:
    """Text with `code` in backticks as HTML."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def picture(png: str, kind: str) -> str:
    """HTML of a PNG, in base64, with an alternative text that says where the words are."""
    source, name = f"data:image/png;base64,{png}", escape(kind)
    image = f'<img src="{source}" alt="{name}; as text below" style="{PICTURE}">'
    return scrolled(f'<div style="{PAPER}">{image}</div>', kind)
