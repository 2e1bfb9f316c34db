"""edit_frame: every bit of a frame to be turned, its bytes to be typed, and a server to send it to (RFC 6455 §5.2)."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Protocol as Interface

from ipywidgets import HTML, Button, Layout, Text, VBox

from wslab.display.inspect import inspect
from wslab.display.widgets.draft import FrameDraft
from wslab.display.widgets.exchange import PATIENCE, Answer
from wslab.display.widgets.fields import AS_WIDE_AS_ITS_LABEL, FieldControls, from_hex
from wslab.display.widgets.shown import announced, bundle, html_of, paragraph, table
from wslab.server import EchoServer

MASKING_KEY = bytes.fromhex("37fa213d")  # that of the examples in RFC 6455 §5.7: the same in every run
HELLO = FrameDraft(payload=b"Hello", masking_key=MASKING_KEY)
MOST_BYTES = 100_000


class HasUrl(Interface):
    """An `EchoServer`, a `Tap`, or what else listens at an address."""

    @property
    def url(self) -> str:
        """The address."""


class FrameEditor:
    """The frame that the controls say, its bytes, and the answer of the last server that it was sent to.

    The controls are `fields`, `data` (the bytes in hex) and `send_button`. Callbacks may come in any thread.
    """

    def __init__(self, server: str | HasUrl | None, draft: FrameDraft, patience: float) -> None:
        self.draft = draft
        self.answer: Answer | None = None
        self._server = server
        self._patience = patience
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
        self._problem, self._answered, self._inspected = HTML(), HTML(), HTML()
        self.box = VBox([self.fields.box, self.data, self._problem, self.send_button, self._answered, self._inspected])
        self.fields.masking_key.value = MASKING_KEY.hex(" ")
        with self._filling():
            self.fields.show(draft)
            self.data.value = draft.to_bytes().hex(" ")
        self._show()
        self.fields.observe(self._on_fields)
        self.fields.payload_as.observe(self._on_payload_as, "value")
        self.data.observe(self._on_data, "value")
        self.send_button.on_click(self._on_send)

    # From the controls to the draft

    def _on_fields(self, _change: object) -> None:
        self._update(self.fields.read)

    def _on_data(self, _change: object) -> None:
        self._update(self._read_data, is_typing=True)

    def _on_payload_as(self, _change: object) -> None:
        with self._lock:
            if not self._is_filling:
                with self._filling():
                    self.fields.retype_payload(self.draft)
                self._update(self.fields.read)

    def _read_data(self) -> FrameDraft:
        return FrameDraft.from_bytes(from_hex(self.data.value, "a frame"))

    def _update(self, read: Callable[[], FrameDraft], is_typing: bool = False) -> None:
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
            self.draft = draft
            self._fill(draft, is_typing)
            self._show()

    def _fill(self, draft: FrameDraft, is_typing: bool = False) -> None:
        with self._filling():
            if is_typing:
                self.fields.show(draft)
            else:
                self.data.value = draft.to_bytes().hex(" ")

    @contextlib.contextmanager
    def _filling(self) -> Iterator[None]:
        """What the controls report meanwhile is our own doing."""
        self._is_filling = True
        try:
            yield
        finally:
            self._is_filling = False

    def _show(self) -> None:
        self._why_not = self._problem.value = ""
        self._inspected.value = self._html_of_frame()

    # From the draft to a server and back

    def _on_send(self, _button: object) -> None:
        # The button is not disabled meanwhile: that would take the focus from whoever pressed it with a key.
        if self._why_not:
            self._answered.value = announced(paragraph(f"Nothing was sent. {self._why_not}"))
        elif self._sending.acquire(blocking=False):
            try:
                self._answered.value = announced(paragraph("Sending …"))
                self.send()
            finally:
                self._sending.release()

    def send(self) -> Answer:
        """Send the frame over a new connection, and show what comes back, within a few seconds."""
        draft = self.draft
        if self._server is None:
            with EchoServer() as server:
                answer = draft.send(server.url, patience=self._patience)
        else:
            url = self._server if isinstance(self._server, str) else self._server.url
            answer = draft.send(url, patience=self._patience)
        with self._lock:
            self.answer = answer
            self._answered.value = announced(self._html_of_answer())
        return answer

    # For the eyes

    def _html_of_frame(self) -> str:
        data = self.draft.to_bytes()
        return paragraph(str(self.draft)) + html_of(inspect(data))

    def _html_of_answer(self) -> str:
        if self.answer is None:
            return ""
        rows = self.answer.rows
        came = table("What came back", ["what", "bytes"], rows) if rows else ""
        return came + paragraph(self.answer.ending)

    def __repr__(self) -> str:
        data = self.draft.to_bytes()
        shown = data.hex(" ") if len(data) <= 32 else f"{data[:32].hex(' ')} … ({len(data)} bytes)"
        said = [f"Bytes: {shown}", f"{self.draft}", "", repr(inspect(data))]
        return "\n".join(said if self.answer is None else [*said, "", str(self.answer)])

    def _repr_html_(self) -> str:
        return self._html_of_frame() + self._html_of_answer()

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        return bundle(self.box, repr(self), self._repr_html_())


def edit_frame(
    server: str | HasUrl | None = None, *, frame: bytes | FrameDraft = HELLO, patience: float = PATIENCE
) -> FrameEditor:
    """A frame to be taken apart and put together, bit by bit, and sent over a new connection.

    `server` is what to send it to: an address, a running server, or None for an echo server that lives as long as the
    answer takes. `frame` is what to begin with, `patience` in seconds bounds each wait for the server. Raises
    ValueError for a `frame` whose header is cut short.
    """
    draft = FrameDraft.from_bytes(frame) if isinstance(frame, bytes) else frame
    draft.to_bytes()
    return FrameEditor(server, draft, patience)
