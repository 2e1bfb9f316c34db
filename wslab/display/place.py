"""place: where a notebook shows controls while their kernel lives, and else what was saved of them.

ipywidgets alone cannot: it stores a reference to a widget, and where that has gone, JupyterLab shows an error instead
of what is stored beside it. Nor can it keep a key that is pressed on a button or a list from being a command of
JupyterLab, which restarts kernels and deletes cells. So the output of a cell is HTML with an element in it, and a
script, which anywidget brings to the browser, puts the controls there.
"""

from html import escape
from pathlib import Path
from uuid import uuid4

from anywidget import AnyWidget
from ipywidgets import Widget, widget_serialization
from traitlets import Instance, Unicode

AGAIN = "This is what was saved. To use the controls, run this cell."


class Place(AnyWidget):
    """The place of a `box` of controls in the output of a cell, or of several."""

    _esm = Path(__file__).with_name("place.js")
    name = Unicode().tag(sync=True)
    box = Instance(Widget).tag(sync=True, **widget_serialization)

    def __init__(self, box: Widget) -> None:
        super().__init__(name=uuid4().hex, box=box)

    def html(self, saved: str) -> str:
        """What a cell shows: the controls, or where they cannot be, the HTML `saved` and how to get them."""
        kept = f"<div>{saved}<p><em>{escape(AGAIN)}</em></p></div>"
        return f'<wslab-place name="{self.name}" style="display:block">{kept}</wslab-place>'
