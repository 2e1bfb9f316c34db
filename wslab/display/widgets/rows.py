"""rows: a table that changes while a reader looks, with a button in each row that opens it."""

from pathlib import Path

from anywidget import AnyWidget
from traitlets import Int, Unicode


class Rows(AnyWidget):
    """HTML with buttons that have a `data-row`, a number: `chosen` is that of the row that is open."""

    _esm = Path(__file__).with_name("rows.js")
    value = Unicode().tag(sync=True)
    chosen = Int(None, allow_none=True).tag(sync=True)
