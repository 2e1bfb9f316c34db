"""server_view: what a server saw of one connection, frame by frame, for the page that opened it.

A page knows what a browser tells it, which is neither masks nor fragments nor pings. The Echo test page can ask for
more: it makes up a token, opens its WebSocket with that in the query, and sends the token in a header when it asks what
has come. Without a token nothing is kept; with one, a little. Nobody else knows the token, and a page from elsewhere
cannot send that header: a browser would have to be permitted to (CORS), and is not.
"""

import re
import threading

from wslab.dissector.wording import in_hex
from wslab.page.answer import answer_json
from wslab.protocol.http import Request, Response
from wslab.protocol.states import Direction
from wslab.recording.log import Log
from wslab.recording.recorded_frames import RecordedFrame, RecordingDissector
from wslab.sockets.connection import Connection

HEADER, FROM = "Wslab-View", "Wslab-From"
PARAMETER = re.compile(r"[?&]wslab-view=([0-9a-f]{32})(?:&|$)")
MOST_VIEWS = 20  # the oldest are forgotten
MOST_KEPT = 256 * 1024  # bytes of memory for what has passed, about
MOST_FRAMES = 4000  # each takes about a kilobyte once it is read
MOST_HEX = 64  # bytes of a frame
PIECE = 4096  # bytes
FULL = "The server shows the beginning of this connection: it keeps no more of it."


class _Bytes(Log):
    """A log of the bytes alone: calls would take their place. Of a write that is too long it keeps the beginning."""

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Record the bytes of one read or write, in pieces."""
        for start in range(0, len(data), PIECE):
            super().add(connection, direction, data[start : start + PIECE])

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Record nothing of a call."""


class _View:
    """What passed over one connection since its request."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._log = _Bytes(limit=MOST_KEPT)
        self._number = connection.number
        self._log.add(self._number, Direction.CLIENT_TO_SERVER, request.serialize())
        connection.observe(self._log)
        self._dissector = RecordingDissector()
        self._read = 0  # chunks
        self._frames: list[RecordedFrame] = []

    def frames(self, start: int) -> dict[str, object]:
        """The frames from `start` on, as a page shows them."""
        fresh = self._log.chunks[self._read :]
        self._read += len(fresh)
        for chunk in fresh:
            if len(self._frames) <= MOST_FRAMES:
                self._frames += self._dissector.feed(chunk)
        is_full = self._log.left_out or len(self._frames) > MOST_FRAMES
        wanted = self._frames[start:MOST_FRAMES]
        sent = {direction: self._log.bytes_sent(self._number, direction) for direction in Direction} if wanted else {}
        rows = [_row(one, sent[one.direction][one.seen.start : one.seen.end]) for one in wanted]
        return {"frames": rows, "left_out": FULL if is_full else ""}


class ServerView:
    """Keeps a view for each token, and gives it to the page that has the token. Threads may call it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[str, _View] = {}

    def __call__(self, connection: Connection) -> Response | None:
        """Answer a page that asks with its token; watch a connection that begins with one; None for all others."""
        request = connection.request
        if request is None:
            return None
        if "Upgrade" not in request.headers:
            return self._answer(request) if HEADER in request.headers else None
        if (found := PARAMETER.search(request.resource_name)) is not None:
            with self._lock:
                self._views.pop(found[1], None)
                self._views[found[1]] = _View(connection, request)
                while len(self._views) > MOST_VIEWS:
                    del self._views[next(iter(self._views))]
        return None

    def _answer(self, request: Request) -> Response:
        start = request.headers.get(FROM, "0")
        with self._lock:
            view = self._views.get(request.headers.get(HEADER))
            if view is None or not re.fullmatch(r"[0-9]{1,9}", start):
                return answer_json({"frames": [], "left_out": ""})
            return answer_json(view.frames(int(start)))


def _row(one: RecordedFrame, data: bytes) -> dict[str, object]:
    """A frame with its bytes; a head of the handshake without, as it may hold cookies."""
    from_client = one.direction is Direction.CLIENT_TO_SERVER
    is_head = data[:4] in (b"GET ", b"HTTP")
    shown = "" if is_head else in_hex(data, MOST_HEX)
    return {"from": "client" if from_client else "server", "bytes": len(data), "hex": shown, "what": str(one.seen)}
