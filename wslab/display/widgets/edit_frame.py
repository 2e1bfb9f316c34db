"""edit_frame: turn every bit of a frame, type its bytes, and send it to a server (RFC 6455 §5.2)."""

from typing import TYPE_CHECKING

from wslab.display.html import paragraph
from wslab.display.inspector.inspect import inspect
from wslab.display.table import Table
from wslab.display.widgets.probe import PATIENCE, ProbeResult
from wslab.display.widgets.raw_frame import RawFrame
from wslab.display.widgets.widget import NotebookWidget
from wslab.dissector.wording import in_hex
from wslab.protocol.states import Direction
from wslab.sockets.server import EchoServer
from wslab.tap.tap import HasUrl

if TYPE_CHECKING:
    from wslab.display.widgets.editor_controls import EditorControls

HELLO = RawFrame(payload=b"Hello", masking_key=bytes.fromhex("37fa213d"))  # RFC 6455 §5.7; the same in every run
MOST_SHOWN = 32  # bytes


class FrameEditor(NotebookWidget["EditorControls"]):
    """A `frame` to edit, and the `answer` of the last server that it was sent to.

    As the value of a cell it appears with its `controls` where they can be used, and everywhere else (GitHub, tests, an
    untrusted notebook) as text and as a table.
    """

    def __init__(self, server: str | HasUrl | None, frame: RawFrame, patience: float) -> None:
        super().__init__()
        self.frame = frame
        self.answer: ProbeResult | None = None
        self._server = server
        self._patience = patience

    def _make_controls(self) -> "EditorControls":
        from wslab.display.widgets.editor_controls import EditorControls

        return EditorControls(self)

    def send(self) -> ProbeResult:
        """Send the frame over a new connection, and show what comes back within a few seconds."""
        if self._server is None:
            with EchoServer() as server:
                answer = self.frame.send(server.url, patience=self._patience)
        else:
            url = self._server if isinstance(self._server, str) else self._server.url
            answer = self.frame.send(url, patience=self._patience)
        self.answer = answer
        if self._controls is not None:
            self._controls.show_answer()
        return answer

    def html_of_frame(self) -> str:
        """The frame in one line, and its fields as a table."""
        return paragraph(str(self.frame)) + self._inspected()._repr_html_()

    def _inspected(self) -> Table:
        return inspect(self.frame.to_bytes(), deflate=False, direction=Direction.CLIENT_TO_SERVER)

    def html_of_answer(self) -> str:
        """What came back; empty if the frame has not been sent."""
        if self.answer is None:
            return ""
        came = Table(("what", "hex"), tuple(self.answer.rows), "What came back")
        return (came._repr_html_() if came.rows else "") + paragraph(self.answer.ending)

    def __repr__(self) -> str:
        data = in_hex(self.frame.to_bytes(), MOST_SHOWN)
        lines = [f"Bytes: {data}", f"{self.frame}", "", repr(self._inspected())]
        return "\n".join(lines if self.answer is None else [*lines, "", str(self.answer)])

    def _repr_html_(self) -> str:
        return self.html_of_frame() + self.html_of_answer()


def edit_frame(
    server: str | HasUrl | None = None, *, frame: bytes | RawFrame = HELLO, patience: float = PATIENCE
) -> FrameEditor:
    """A frame to take apart and put together, bit by bit, and to send over a new connection.

    `server` is where to send it: an address, a running server, or None for an echo server that lives only until it has
    answered. `frame` is what to begin with, `patience` in seconds bounds the wait for the server's close frame. Raises
    ValueError for a `frame` whose header is cut short.
    """
    raw = RawFrame.from_bytes(frame) if isinstance(frame, bytes) else frame
    raw.to_bytes()
    return FrameEditor(server, raw, patience)
