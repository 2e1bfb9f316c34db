"""frame_log: the last heads and frames of a recording that is still growing, read a little at a time."""

from collections import deque
from enum import StrEnum
from typing import NamedTuple

from wslab.display.inspector.recording_table import Entry
from wslab.dissector.frames import DissectedFrame
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Request, Response
from wslab.protocol.states import Direction
from wslab.recording.recorded_frames import RecordedFrame, RecordingDissector
from wslab.recording.recording import Recording

HEADING = ("connection", "direction", "bytes", "what")
MOST_ROWS = 30
MOST_AT_ONCE = 100  # reads
MOST_PENDING = 10_000  # reads; what comes faster than it can be shown is skipped
KEPT = 300  # bytes of a payload: a line shows 60 characters

Cells = tuple[str, str, str, str]


class Kinds(StrEnum):
    """Which frames are shown."""

    ALL = "everything"
    NO_CONTROL = "no control frames"
    ONLY_CONTROL = "control frames only"


WANTED = {Kinds.ALL: (False, True), Kinds.NO_CONTROL: (False,), Kinds.ONLY_CONTROL: (True,)}  # is it a control frame?


class Row(NamedTuple):
    """What the table shows of a head or a frame, its number among all rows, and itself, where there is one."""

    number: int
    cells: Cells
    entry: Entry | None


class FrameLog:
    """The last heads and frames of `recording`: at most `most` rows of control frames, and as many of all others.

    `read` takes in what was recorded since the last time.
    """

    def __init__(self, recording: Recording, most: int = MOST_ROWS) -> None:
        self._recording = recording
        self._dissector = RecordingDissector(kept=KEPT)
        self._next = 0  # the first chunk that has not been read
        self._count = 0
        self._counts = {False: 0, True: 0}  # since the last `clear`
        self._closed: dict[int, set[Direction]] = {}  # the directions in which a close frame was sent
        self._most = most
        self._requests: dict[int, Request] = {}
        self._responses: dict[int, Response] = {}
        self._rows: dict[bool, deque[Row]] = {is_control: deque(maxlen=most) for is_control in (False, True)}

    def read(self, most: int = MOST_AT_ONCE) -> bool:
        """Take in at most `most` more reads, and return True if there were any."""
        chunks = self._recording.chunks
        if len(chunks) - self._next > MOST_PENDING:
            self._skip(len(chunks) - most)
        fresh = chunks[self._next : self._next + most]
        self._next += len(fresh)
        for chunk in fresh:
            for recorded in self._dissector.feed(chunk):
                self._add(recorded)
        return bool(fresh)

    def rows(self, kinds: Kinds = Kinds.ALL) -> list[Row]:
        """The last rows of these kinds, the newest last."""
        rows = [row for is_control in WANTED[kinds] for row in self._rows[is_control]]
        return sorted(rows, key=lambda row: row.number)[-self._most :]

    def left_out(self, kinds: Kinds = Kinds.ALL) -> str:
        """The sentences that say what is not shown of these kinds, and what the recording has not kept."""
        dropped = sum(self._counts[is_control] for is_control in WANTED[kinds]) - len(self.rows(kinds))
        rows = f"{dropped} earlier row{'s are' if dropped > 1 else ' is'} not shown." if dropped else ""
        return " ".join(filter(None, [rows, self._recording.left_out]))

    def clear(self) -> None:
        """Forget the rows; whatever comes next is read as before."""
        for is_control, rows in self._rows.items():
            rows.clear()
            self._counts[is_control] = 0

    def _add(self, recorded: RecordedFrame) -> None:
        seen, number = recorded.seen, recorded.connection
        if isinstance(seen.what, Request):
            self._requests[number] = seen.what
        elif isinstance(seen.what, Response):
            self._responses[number] = seen.what
        is_control = isinstance(seen.what, DissectedFrame) and seen.what.header.opcode.is_control
        entry = Entry(self._count + 1, recorded, self._requests.get(number), self._responses.get(number))
        cells = (str(number), str(recorded.direction), str(seen.end - seen.start), str(seen))
        self._append(is_control, cells, entry)
        if isinstance(seen.what, DissectedFrame) and seen.what.header.opcode is Opcode.CLOSE:
            closed = self._closed.setdefault(number, set())
            closed.add(recorded.direction)
            if len(closed) == len(Direction):  # §5.5.1: no data frame may follow
                self._forget(number)

    def _skip(self, to: int) -> None:
        """Skip what came too fast; a connection with a gap cannot be read any further."""
        skipped = {chunk.connection for chunk in self._recording.chunks[self._next : to]}
        self._append(False, ("", "", "", f"{to - self._next} reads came too fast to be shown"))
        for number in skipped:
            self._forget(number)
            self._append(False, (str(number), "", "", "not read any further"))
        self._next = to

    def _forget(self, number: int) -> None:
        self._dissector.forget(number)
        self._closed.pop(number, None)
        self._requests.pop(number, None)
        self._responses.pop(number, None)

    def _append(self, is_control: bool, cells: Cells, entry: Entry | None = None) -> None:
        self._count += 1
        self._counts[is_control] += 1
        self._rows[is_control].append(Row(self._count, cells, entry))
