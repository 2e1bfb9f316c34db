"""log_controls: the controls of a frame watch."""

from typing import Protocol as Interface

from ipywidgets import HTML, Button, Dropdown, HBox, Layout, VBox

from wslab.display.html import announced, paragraph
from wslab.display.widgets.field_controls import AS_WIDE_AS_ITS_LABEL
from wslab.display.widgets.frame_log import Kinds
from wslab.display.widgets.rows import Rows

PAUSE, RESUME = "Pause", "Resume"


class WatchedLog(Interface):
    """What the controls need of the frame watch that they belong to."""

    kinds: Kinds
    status: str

    @property
    def is_running(self) -> bool:
        """Return True if the rows are kept up to date."""

    def resume(self) -> object:
        """Keep the rows up to date."""

    def pause(self) -> None:
        """Leave the rows as they are."""

    def clear(self) -> None:
        """Forget the rows."""

    def show_only(self, kinds: Kinds) -> None:
        """Show the frames of these kinds."""

    def open_row(self, number: int | None) -> None:
        """Show the bytes of this row, or of none."""

    def html_to_open(self) -> str:
        """The rows as they are now, each with a button that opens it."""

    def html_of_open_row(self) -> str:
        """The bytes of the row that is open."""


class LogControls:
    """A button to pause and resume, one to clear, a list of what to show, the `rows`, and the bytes of the open one.

    `box` holds them all.
    """

    def __init__(self, watch: WatchedLog) -> None:
        self._watch = watch
        self.pause = Button(description=PAUSE, tooltip="Let the rows stand still, or go on")
        self.clear = Button(description="Clear", tooltip="Forget the rows that are there")
        self.kinds = Dropdown(
            options=[(str(kinds), kinds) for kinds in Kinds],
            value=watch.kinds,
            description="Show",
            tooltip="Which frames are shown",
            style=AS_WIDE_AS_ITS_LABEL,
        )
        self.rows = Rows()
        self._status, self._open = HTML(), HTML()
        controls = HBox([self.pause, self.clear, self.kinds], layout=Layout(flex_flow="row wrap"))
        self.box = VBox([controls, self._status, self.rows, self._open])
        self.show_status()
        self.show_rows()
        self.pause.on_click(self._on_pause)
        self.clear.on_click(lambda _button: watch.clear())
        self.rows.observe(lambda change: watch.open_row(change.new), "chosen")
        self.kinds.observe(lambda change: watch.show_only(change.new), "value")

    def _on_pause(self, _button: object) -> None:
        if self._watch.is_running:
            self._watch.pause()
        else:
            self._watch.resume()

    def show_status(self) -> None:
        """Show whether the rows are kept up to date."""
        self.pause.description = PAUSE if self._watch.is_running else RESUME
        self._status.value = announced(paragraph(self._watch.status))

    def show_rows(self) -> None:
        """Show the rows as they are now."""
        self.rows.value = self._watch.html_to_open()

    def show_open_row(self, number: int | None) -> None:
        """Show the bytes of the row with this number."""
        self.rows.chosen = number
        self._open.value = announced(self._watch.html_of_open_row())
