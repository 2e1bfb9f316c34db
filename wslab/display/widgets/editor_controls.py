"""editor_controls: the controls of a frame editor: the fields follow the bytes, and the bytes follow the fields."""

import contextlib
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol as Interface

from ipywidgets import HTML, Button, HBox, Layout, Text, VBox
from traitlets import Bunch

from wslab.display.html import announced, close_lines, paragraph, scrolled, warning
from wslab.display.shown import is_lite
from wslab.display.widgets.field_controls import AS_WIDE_AS_ITS_LABEL, FieldControls, check, choice, from_hex
from wslab.display.widgets.late_button import LateButton
from wslab.display.widgets.presets import NONE, PRESETS
from wslab.display.widgets.raw_frame import RawFrame

MOST_BYTES = 100_000


class Editor(Interface):
    """What the controls need of the frame editor that they belong to."""

    frame: RawFrame
    keep: bool
    deflate: bool

    def send(self) -> object:
        """Send the frame, and call `show_answer`."""

    def html_of_frame(self) -> str:
        """The frame as it is now."""

    def html_of_answer(self) -> str:
        """What the last server answered."""


class EditorControls:
    """A control for each field (`fields`), one for the bytes in hex (`data`), and what to send them over.

    `preset` is a list of frames to begin with, and `box` holds all. Callbacks may come in any thread, and several at
    once.
    """

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._lock = threading.RLock()  # held while controls are read or set, never while waiting for a server
        self._is_filling = False
        self._problem_typed = ""  # what is wrong with what was typed
        self._sending = threading.Lock()
        self.preset = choice(
            "Begin with",
            "A frame to begin with: a legal one, or one that breaks a rule",
            list(PRESETS.items()),
            width="24em",
        )
        self.new_key = Button(description="New key", tooltip="Mask with another key, which nobody could foresee")
        self.new_key.layout.width = "auto"
        self.keep = check("keep the connection", "Whether frames share a connection, as fragments must")
        self.deflate = check("offer compression", "Whether connections offer permessage-deflate to the server")
        self.fields = FieldControls()
        self.data = Text(
            description="Bytes",
            tooltip="The bytes of the frame in hex: type others, and the fields follow",
            style=AS_WIDE_AS_ITS_LABEL,
            layout=Layout(width="60em", max_width="95%"),
        )
        self.send_button = LateButton(description="Send", tooltip="Send these bytes", button_style="primary")
        self._problem, self._answer, self._table = HTML(), HTML(), HTML()
        self.box = self._arranged()
        with self._filling():
            self._fill_all(editor.frame)
        self._show_frame()
        self.show_answer()
        self._listen()

    def _arranged(self) -> VBox:
        wraps = Layout(flex_flow="row wrap")
        first = HBox([self.preset, self.new_key], layout=wraps)
        last = HBox([self.send_button, self.keep, self.deflate], layout=wraps)
        return VBox([first, self.fields.box, self.data, self._problem, last, self._answer, self._table])

    def _listen(self) -> None:
        self.fields.observe(self._on_fields)
        self.fields.payload_as.observe(self._on_payload_as, "value")
        self.data.observe(self._on_data, "value")
        self.send_button.on_click(self._on_send)
        self.preset.observe(self._on_preset, "value")
        self.new_key.on_click(self._on_new_key)
        self.keep.observe(self._on_connection, "value")
        self.deflate.observe(self._on_connection, "value")

    def _on_preset(self, change: Bunch) -> None:
        if isinstance(change.new, RawFrame):
            self._update(lambda: change.new, self._fill_all)

    def _on_new_key(self, _button: object) -> None:
        with self._lock:
            frame = replace(self._editor.frame, masking_key=secrets.token_bytes(4))
            self._update(lambda: frame, self._fill_all)

    def _on_connection(self, _change: object) -> None:
        _call_where_it_may_wait(self._set_connection)

    def _set_connection(self) -> None:
        with self._lock:
            self._editor.keep, self._editor.deflate = self.keep.value, self.deflate.value

    def _fill_all(self, frame: RawFrame) -> None:
        self.fields.show(frame)
        self._fill_data(frame)

    def _on_fields(self, _change: object) -> None:
        self._update(self.fields.read, self._fill_data)

    def _on_data(self, _change: object) -> None:
        self._update(self._read_data, self.fields.show)

    def _on_payload_as(self, _change: object) -> None:
        with self._lock:
            if not self._is_filling:
                with self._filling():
                    self.fields.show_payload(self._editor.frame.payload)
                self._on_fields(None)

    def _read_data(self) -> RawFrame:
        return RawFrame.from_bytes(from_hex(self.data.value, "a frame"))

    def _fill_data(self, frame: RawFrame) -> None:
        self.data.value = frame.to_bytes().hex(" ")

    def _update(self, read: Callable[[], RawFrame], fill: Callable[[RawFrame], None]) -> None:
        """Make the other controls follow; leave alone what is being typed."""
        with self._lock:
            if self._is_filling:
                return
            try:
                frame = read()
                if len(frame.to_bytes()) > MOST_BYTES:
                    raise ValueError(f"this is for frames of at most {MOST_BYTES} bytes")
            except ValueError as error:
                self._problem_typed = f"Not yet a frame: {error}."
                self._problem.value = announced(warning(self._problem_typed))
                return
            self._problem_typed = self._problem.value = ""
            self._editor.frame = frame
            with self._filling():
                fill(frame)
                if self.preset.value != frame:
                    self.preset.value = PRESETS[NONE]
            self._show_frame()
            self.show_answer()

    @contextlib.contextmanager
    def _filling(self) -> Iterator[None]:
        """Ignore the changes that the controls report meanwhile: they are our own."""
        self._is_filling = True
        try:
            yield
        finally:
            self._is_filling = False

    def _on_send(self, _button: object) -> None:
        _call_where_it_may_wait(self._send)

    def _send(self) -> None:
        # The button is not disabled meanwhile: that would take the focus from a reader who pressed it with a key.
        if self._problem_typed:
            self._answer.value = announced(warning(f"Nothing was sent. {self._problem_typed}"))
        elif self._sending.acquire(blocking=False):
            try:
                self._answer.value = announced(paragraph("Sending …"))
                self._editor.send()
            finally:
                if (error := sys.exc_info()[1]) is not None:  # it goes on to the log, which few readers see
                    words = f"Nothing came back, as something went wrong here: {type(error).__name__}: {error}."
                    self._answer.value = announced(warning(words))
                self._sending.release()

    def _show_frame(self) -> None:
        self._table.value = scrolled(close_lines(self._editor.html_of_frame()), "The frame, field by field")

    def show_answer(self) -> None:
        """Show what the last server answered."""
        self._answer.value = announced(self._editor.html_of_answer())


def _call_where_it_may_wait(act: Callable[[], None]) -> None:
    """Call what waits for a server: at once, or in a browser in a thread, as a callback cannot wait there."""
    if is_lite():
        threading.Thread(target=act, name="wslab-send").start()
    else:
        act()
