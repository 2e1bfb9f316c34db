"""editor_controls: the widgets of a frame editor, which follow each other and the frame, whoever turns them."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Protocol as Interface

from ipywidgets import HTML, Button, Layout, Text, VBox

from wslab.display.widgets.draft import FrameDraft
from wslab.display.widgets.field_controls import AS_WIDE_AS_ITS_LABEL, FieldControls, from_hex
from wslab.display.widgets.shown import announced, paragraph, scrolled

MOST_BYTES = 100_000


class Editor(Interface):
    """What the controls need of the frame editor that they belong to."""

    draft: FrameDraft

    def send(self) -> object:
        """Send the frame, and have the answer shown."""

    def html_of_frame(self) -> str:
        """The frame as it is now."""

    def html_of_answer(self) -> str:
        """What the last server answered."""


class EditorControls:
    """A control for each field (`fields`), for the bytes in hex (`data`), and to send; `box` holds them all.

    Callbacks may come in any thread, and several at once.
    """

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._lock = threading.RLock()  # held while controls are read or set, never while a server is waited for
        self._is_filling = False
        self._why_not = ""  # what is wrong with what has been typed
        self._sending = threading.Lock()
        self.fields = FieldControls()
        self.data = Text(
            description="Bytes",
            tooltip="The bytes of the frame in hex: type others, and the fields follow",
            style=AS_WIDE_AS_ITS_LABEL,
            layout=Layout(width="60em", max_width="95%"),
        )
        self.send_button = Button(
            description="Send", tooltip="Send these bytes over a new connection", button_style="primary"
        )
        self._problem, self._answer, self._frame = HTML(), HTML(), HTML()
        self.box = VBox([self.fields.box, self.data, self._problem, self.send_button, self._answer, self._frame])
        with self._filling():
            self.fields.show(editor.draft)
            self.data.value = editor.draft.to_bytes().hex(" ")
        self._show_frame()
        self.show_answer()
        self.fields.observe(self._on_fields)
        self.fields.payload_as.observe(self._on_payload_as, "value")
        self.data.observe(self._on_data, "value")
        self.send_button.on_click(self._on_send)

    def _on_fields(self, _change: object) -> None:
        self._update(self.fields.read, self._fill_data)

    def _on_data(self, _change: object) -> None:
        self._update(self._read_data, self.fields.show)

    def _on_payload_as(self, _change: object) -> None:
        with self._lock:
            if not self._is_filling:
                with self._filling():
                    self.fields.retype_payload(self._editor.draft)
                self._on_fields(None)

    def _read_data(self) -> FrameDraft:
        return FrameDraft.from_bytes(from_hex(self.data.value, "a frame"))

    def _fill_data(self, draft: FrameDraft) -> None:
        self.data.value = draft.to_bytes().hex(" ")

    def _update(self, read: Callable[[], FrameDraft], fill: Callable[[FrameDraft], None]) -> None:
        """Let the other controls follow; what is being typed stays as it is."""
        with self._lock:
            if self._is_filling:
                return
            try:
                draft = read()
                if len(draft.to_bytes()) > MOST_BYTES:
                    raise ValueError(f"this is for frames of at most {MOST_BYTES} bytes")
            except ValueError as error:
                self._why_not = f"Not yet a frame: {error}."
                self._problem.value = announced(paragraph(self._why_not))
                return
            self._why_not = self._problem.value = ""
            self._editor.draft = draft
            with self._filling():
                fill(draft)
            self._show_frame()

    @contextlib.contextmanager
    def _filling(self) -> Iterator[None]:
        """What the controls report meanwhile is our own doing."""
        self._is_filling = True
        try:
            yield
        finally:
            self._is_filling = False

    def _on_send(self, _button: object) -> None:
        # The button is not disabled meanwhile: that would take the focus from whoever pressed it with a key.
        if self._why_not:
            self._answer.value = announced(paragraph(f"Nothing was sent. {self._why_not}"))
        elif self._sending.acquire(blocking=False):
            try:
                self._answer.value = announced(paragraph("Sending …"))
                self._editor.send()
            finally:
                self._sending.release()

    def _show_frame(self) -> None:
        self._frame.value = scrolled(self._editor.html_of_frame(), "The frame, field by field")

    def show_answer(self) -> None:
        """Show what the last server has answered."""
        self._answer.value = announced(self._editor.html_of_answer())
