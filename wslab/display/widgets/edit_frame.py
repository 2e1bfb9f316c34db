"""edit_frame: turn every bit of a frame, type its bytes, and send it to a server (RFC 6455 §5.2)."""

from typing import TYPE_CHECKING

from wslab.display.html import faded, paragraph
from wslab.display.inspector.inspect import inspect
from wslab.display.table import Table
from wslab.display.widgets.presets import HELLO
from wslab.display.widgets.probe import PATIENCE, KeptConnection, ProbeResult, probe
from wslab.display.widgets.raw_frame import RawFrame
from wslab.display.widgets.widget import NotebookWidget
from wslab.dissector.wording import in_hex
from wslab.protocol.states import Direction
from wslab.sockets.server import EchoServer
from wslab.tap.tap import HasUrl

if TYPE_CHECKING:
    from wslab.display.widgets.editor_controls import EditorControls

MOST_SHOWN = 32  # bytes
HINT = "edit_frame(frame=...) takes the bytes of a frame"
EARLIER = "This was the answer to the frame before, as it was when you sent it:"


class FrameEditor(NotebookWidget["EditorControls"]):
    """A `frame` to edit, and the `answer` of the server to the last one that was sent.

    Each frame has a connection of its own, or with `keep` they share one, as fragments must; with `deflate`, it offers
    compression. A change of either ends a connection that was kept.

    As the value of a cell it appears with its `controls` where they can be used, and everywhere else (GitHub, tests, an
    untrusted notebook) as text and as a table.
    """

    def __init__(self, server: str | HasUrl | None, frame: RawFrame, patience: float) -> None:
        super().__init__()
        self.frame = frame
        self.answer: ProbeResult | None = None
        self.answered: RawFrame | None = None  # the frame that `answer` is about
        self._server = server
        self._patience = patience
        self._keep = self._deflate = False
        self._own_server: EchoServer | None = None  # that lives as long as a kept connection
        self._kept: KeptConnection | None = None

    def _make_controls(self) -> "EditorControls":
        from wslab.display.widgets.editor_controls import EditorControls

        return EditorControls(self)

    @property
    def keep(self) -> bool:
        """Whether the connection is kept from one frame to the next."""
        return self._keep

    @keep.setter
    def keep(self, keep: bool) -> None:
        self.close()
        self._keep = keep

    @property
    def deflate(self) -> bool:
        """Whether a connection offers compression (permessage-deflate)."""
        return self._deflate

    @deflate.setter
    def deflate(self, deflate: bool) -> None:
        self.close()
        self._deflate = deflate

    def close(self) -> None:
        """End the connection that was kept, if there is one."""
        kept, server = self._kept, self._own_server
        self._kept = self._own_server = None
        if kept is not None:
            kept.close()
        if server is not None:
            server.close()

    def send(self) -> ProbeResult:
        """Send the frame, and show what comes back within a few seconds."""
        frame = self.frame
        answer = self._send_and_keep(frame) if self.keep else self._send_alone(frame)
        self.answer, self.answered = answer, frame
        if self._controls is not None:
            self._controls.show_answer()
        return answer

    def _send_alone(self, frame: RawFrame) -> ProbeResult:
        if self._server is None:
            with EchoServer() as server:
                return self._probe(frame, server.url)
        return self._probe(frame, _url_of(self._server))

    def _probe(self, frame: RawFrame, url: str) -> ProbeResult:
        return probe(url, frame.to_bytes(), patience=self._patience, deflate=self.deflate)

    def _send_and_keep(self, frame: RawFrame) -> ProbeResult:
        if self._kept is None:
            server = self._server
            if server is None:
                server = self._own_server = EchoServer().start()
            self._kept = KeptConnection(_url_of(server), patience=self._patience, deflate=self.deflate)
        return self._kept.send(frame.to_bytes())

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
        html = (came._repr_html_() if came.rows else "") + paragraph(self.answer.ending)
        return html if self.answered == self.frame else f"{paragraph(EARLIER)}{faded(html)}"

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
    ValueError for a `frame` whose header is cut short, TypeError for a `server` that is none.
    """
    if server is not None and not isinstance(server, str) and not hasattr(server, "url"):
        raise TypeError(f"a server to send to is an address or a running server, not {type(server).__name__}: {HINT}")
    raw = RawFrame.from_bytes(frame) if isinstance(frame, bytes) else frame
    raw.to_bytes()
    return FrameEditor(server, raw, patience)


def _url_of(server: str | HasUrl) -> str:
    return server if isinstance(server, str) else server.url
