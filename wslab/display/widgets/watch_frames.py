"""watch_frames: the frames that pass a server or a tap, row by row as they arrive."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from wslab.display.html import paragraph
from wslab.display.inspector.recording_table import look_into
from wslab.display.shown import thread_of_cell
from wslab.display.table import Table
from wslab.display.widgets.frame_log import HEADING, MOST_PENDING, MOST_ROWS, FrameLog, Kinds, Row
from wslab.display.widgets.widget import NotebookWidget
from wslab.recording.recording import Recording
from wslab.sockets.server import EchoServer
from wslab.tap.tap import Tap

if TYPE_CHECKING:
    from wslab.display.widgets.log_controls import LogControls

TICK = 0.1  # seconds
REST = 4  # times as long as reading took: meanwhile the processor is free for those who talk
IDLE = 600.0  # seconds
JOIN_TIMEOUT = 5.0  # seconds

MOST_BYTES = 32  # of the payload of the row that is open

NOTHING = "Nothing has passed yet."


class FrameWatch(NotebookWidget["LogControls"]):
    """A `log` that a thread keeps up to date until the server stops, nothing passes for a while, or `close`.

    `pause` ends the thread, and `resume` starts another. Reading takes at most a fifth of one processor's time, and
    recording never waits for it. `_lock` is held while the log is read or shown.
    """

    def __init__(self, recording: Recording, is_over: Callable[[], bool], most: int, idle: float) -> None:
        super().__init__()
        self.log = FrameLog(recording, most)
        self.kinds = Kinds.ALL
        self.status = ""
        self._recording = recording
        self._open: Row | None = None
        self._is_over = is_over
        self._idle = idle
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def _make_controls(self) -> "LogControls":
        from wslab.display.widgets.log_controls import LogControls

        return LogControls(self)

    @property
    def is_running(self) -> bool:
        """Return True if a thread keeps the log up to date."""
        return self._thread is not None and self._thread.is_alive() and not self._stop.is_set()

    def resume(self) -> "FrameWatch":
        """Keep the log up to date, if no thread does so yet."""
        with self._lock:
            if not self.is_running:
                self._stop = threading.Event()
                self._thread = thread_of_cell(self._keep_reading, self._stop, name="wslab-watch-frames")
                self.status = "Watching."
                self._thread.start()
            self._show_status()
        return self

    def pause(self, status: str = "Paused.") -> None:
        """Leave the log as it is, and show `status`."""
        with self._lock:
            self._stop.set()
            self.status = status
            self._show_status()

    def clear(self) -> None:
        """Forget the rows."""
        with self._lock:
            self.log.clear()
            self._show_rows()
            self.open_row(None)

    def show_only(self, kinds: Kinds) -> None:
        """Show the frames of these kinds."""
        with self._lock:
            self.kinds = kinds
            self._show_rows()

    def open_row(self, number: int | None) -> None:
        """Show, below the rows, the bytes of the one with this number, or of none."""
        with self._lock:
            if number is None or self._open is None or self._open.number != number:
                self._open = next((row for row in self.log.rows(self.kinds) if row.number == number), None)
                if self._controls is not None:
                    self._controls.show_open_row(self._open and self._open.number)

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        self.pause("Closed.")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_TIMEOUT)

    def __enter__(self) -> "FrameWatch":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # The thread

    def _keep_reading(self, stop: threading.Event) -> None:
        idle_since, took = time.monotonic(), 0.0
        while not stop.wait(max(TICK, REST * took)):
            began, is_over = time.monotonic(), self._is_over()
            with self._lock:
                if stop.is_set():
                    return
                if self.log.read():
                    self._show_rows()
                    idle_since = began
                elif is_over:
                    self.pause("The server has stopped.")
                elif began - idle_since >= self._idle:
                    self.pause(f"Paused: nothing has passed for {self._idle:g} s.")
            took = time.monotonic() - began

    # What is shown

    def _show_rows(self) -> None:
        if self._controls is not None:
            self._controls.show_rows()

    def _show_status(self) -> None:
        if self._controls is not None:
            self._controls.show_status()

    def _catch_up(self) -> None:
        """Take in everything that has passed so far, unless the log is paused."""
        with self._lock:
            if self.is_running:
                self.log.read(MOST_PENDING)

    @property
    def table(self) -> Table:
        """The rows as they are now."""
        with self._lock:
            rows = tuple(row.cells for row in self.log.rows(self.kinds))
            return Table(HEADING, rows, "What has passed, the newest last", more=self.log.left_out(self.kinds))

    def __repr__(self) -> str:
        self._catch_up()
        return repr(self.table) if self.table.rows else NOTHING

    def html_to_open(self) -> str:
        """The rows as they are now, as HTML, each with a button that opens it."""
        with self._lock:
            rows = self.log.rows(self.kinds)
            numbers = [None if row.entry is None else row.number for row in rows]
            return self.table.html(numbers) if rows else paragraph(NOTHING)

    def html_of_open_row(self) -> str:
        """The bytes of the row that is open, as HTML."""
        if self._open is None or self._open.entry is None:
            return ""
        return look_into(self._recording, self._open.entry, MOST_BYTES)._repr_html_()

    def _repr_html_(self) -> str:
        self._catch_up()
        table = self.table
        return table._repr_html_() if table.rows else paragraph(NOTHING)


def watch_frames(source: EchoServer | Tap | Recording, *, most: int = MOST_ROWS, idle: float = IDLE) -> FrameWatch:
    """The heads and frames that pass a server or a tap, live: the last `most` rows, without times and addresses.

    A server must have been given a recording; the recording itself will do as well. The watch pauses when nothing has
    passed for `idle` seconds. Raises ValueError for a server that records nothing.
    """
    if isinstance(source, Recording):
        return FrameWatch(source, lambda: False, most, idle).resume()
    if source.recording is None:
        raise ValueError("this server records nothing: make it with EchoServer(recording=wslab.Recording())")
    return FrameWatch(source.recording, lambda: not (source.is_listening or source.connections), most, idle).resume()
