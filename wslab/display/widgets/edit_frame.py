"""edit_frame: every bit of a frame to be turned, its bytes to be typed, and a server to send it to (RFC 6455 §5.2)."""

from typing import TYPE_CHECKING

from wslab.display.inspector.inspect import inspect
from wslab.display.table import Table
from wslab.display.widgets.draft import FrameDraft
from wslab.display.widgets.exchange import PATIENCE, Answer
from wslab.display.widgets.shown import paragraph
from wslab.display.widgets.widget import NotebookWidget
from wslab.protocol.states import Direction
from wslab.sockets.server import EchoServer
from wslab.tap.tap import HasUrl

if TYPE_CHECKING:
    from wslab.display.widgets.editor_controls import EditorControls

HELLO = FrameDraft(payload=b"Hello", masking_key=bytes.fromhex("37fa213d"))  # RFC 6455 §5.7; the same in every run
MOST_SHOWN = 32  # bytes


class FrameEditor(NotebookWidget["EditorControls"]):
    """A frame to be edited, the `draft`, and the `answer` of the last server that it was sent to.

    As the value of a cell it is shown with its `controls` where they can be used, and for all others (GitHub, tests, an
    untrusted notebook) as text and as a table.
    """

    def __init__(self, server: str | HasUrl | None, draft: FrameDraft, patience: float) -> None:
        super().__init__()
        self.draft = draft
        self.answer: Answer | None = None
        self._server = server
        self._patience = patience

    def _make_controls(self) -> "EditorControls":
        from wslab.display.widgets.editor_controls import EditorControls

        return EditorControls(self)

    def send(self) -> Answer:
        """Send the frame over a new connection, and show what comes back, within a few seconds."""
        if self._server is None:
            with EchoServer() as server:
                answer = self.draft.send(server.url, patience=self._patience)
        else:
            url = self._server if isinstance(self._server, str) else self._server.url
            answer = self.draft.send(url, patience=self._patience)
        self.answer = answer
        if self._controls is not None:
            self._controls.show_answer()
        return answer

    def html_of_frame(self) -> str:
        """The frame in a line, and its fields in a table."""
        return paragraph(str(self.draft)) + self._inspected()._repr_html_()

    def _inspected(self) -> Table:
        return inspect(self.draft.to_bytes(), deflate=False, direction=Direction.CLIENT_TO_SERVER)

    def html_of_answer(self) -> str:
        """What came back, if the frame has been sent."""
        if self.answer is None:
            return ""
        came = Table(("what", "hex"), tuple(self.answer.rows), "What came back")
        return (came._repr_html_() if came.rows else "") + paragraph(self.answer.ending)

    def __repr__(self) -> str:
        data = self.draft.to_bytes()
        more = f" … ({len(data)} bytes)" if len(data) > MOST_SHOWN else ""
        said = [f"Bytes: {data[:MOST_SHOWN].hex(' ')}{more}", f"{self.draft}", "", repr(self._inspected())]
        return "\n".join(said if self.answer is None else [*said, "", str(self.answer)])

    def _repr_html_(self) -> str:
        return self.html_of_frame() + self.html_of_answer()


def edit_frame(
    server: str | HasUrl | None = None, *, frame: bytes | FrameDraft = HELLO, patience: float = PATIENCE
) -> FrameEditor:
    """A frame to be taken apart and put together, bit by bit, and sent over a new connection.

    `server` is what to send it to: an address, a running server, or None for an echo server that lives as long as the
    answer takes. `frame` is what to begin with, `patience` in seconds bounds the wait for its close frame. Raises
    ValueError for a `frame` whose header is cut short.
    """
    draft = FrameDraft.from_bytes(frame) if isinstance(frame, bytes) else frame
    draft.to_bytes()
    return FrameEditor(server, draft, patience)
