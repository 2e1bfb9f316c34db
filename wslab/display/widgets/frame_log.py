"""frame_log: a recording in, while it grows; its last heads and frames out, and never much work at once."""

from collections import deque
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from wslab.dissector.frames import SeenFrame
from wslab.protocol.frames import Opcode
from wslab.protocol.states import Direction
from wslab.recording.recorded_frames import RecordedFrame, RecordingDissector
from wslab.recording.recording import Recording

HEADING = ("connection", "direction", "bytes", "what")
MOST_ROWS = 30
MOST_AT_ONCE = 100  # reads
MOST_BEHIND = 10_000  # reads; what comes faster than it can be shown is skipped
KEPT = 300  # bytes of a payload: a line shows 60 characters


class Kinds(StrEnum):
    """Which frames are shown."""

    ALL = "everything"
    NO_CONTROL = "no control frames"
    ONLY_CONTROL = "control frames only"


class Row(NamedTuple):
    """A head or a frame that has passed, for the eyes, and when it came among all rows."""

    number: int
    is_control: bool
    cells: tuple[str, str, str, str]


class FrameLog:
    """The last heads and frames of `recording`, control frames and others; at most `most` rows of each are kept.

    `read` takes in what has been recorded since the last time.
    """

    def __init__(self, recording: Recording, most: int = MOST_ROWS) -> None:
        self._recording = recording
        self._dissector = RecordingDissector(kept=KEPT)
        self._next = 0  # the first chunk that has not been read
        self._count = 0
        self._goodbyes: dict[int, set[Direction]] = {}  # who has sent a close frame
        self._most = most
        self._rows: dict[bool, deque[Row]] = {is_control: deque(maxlen=most) for is_control in (False, True)}

    def read(self, most: int = MOST_AT_ONCE) -> bool:
        """Take in at most `most` further reads; whether there were any."""
        chunks = self._recording.chunks
        if len(chunks) - self._next > MOST_BEHIND:
            self._skip(len(chunks) - most)
        news = list(islice(chunks, self._next, self._next + most))
        self._next += len(news)
        for chunk in news:
            for passed in self._dissector.feed(chunk):
                self._add(passed)
        return bool(news)

    def rows(self, kinds: Kinds = Kinds.ALL) -> list[tuple[str, str, str, str]]:
        """The last rows of these kinds, the newest last."""
        wanted = {Kinds.ALL: (False, True), Kinds.NO_CONTROL: (False,), Kinds.ONLY_CONTROL: (True,)}[kinds]
        rows = sorted(row for is_control in wanted for row in self._rows[is_control])
        return [row.cells for row in rows[-self._most :]]

    def clear(self) -> None:
        """Forget the rows; what comes next is read as before."""
        for rows in self._rows.values():
            rows.clear()

    def _add(self, passed: RecordedFrame) -> None:
        seen, number = passed.seen, passed.connection
        is_control = isinstance(seen.what, SeenFrame) and seen.what.header.opcode.is_control
        self._append(is_control, (str(number), str(passed.direction), str(seen.end - seen.start), str(seen)))
        if isinstance(seen.what, SeenFrame) and seen.what.header.opcode is Opcode.CLOSE:
            goodbyes = self._goodbyes.setdefault(number, set())
            goodbyes.add(passed.direction)
            if len(goodbyes) == len(Direction):  # §7.1.1: nothing may follow
                self._forget(number)

    def _skip(self, to: int) -> None:
        """Leave out what has come too fast; a connection with a gap cannot be read any further."""
        skipped = {chunk.connection for chunk in islice(self._recording.chunks, self._next, to)}
        self._append(False, ("", "", "", f"{to - self._next} reads came too fast to be shown"))
        for number in skipped:
            self._forget(number)
            self._append(False, (str(number), "", "", "not read any further"))
        self._next = to

    def _forget(self, number: int) -> None:
        self._dissector.forget(number)
        self._goodbyes.pop(number, None)

    def _append(self, is_control: bool, cells: tuple[str, str, str, str]) -> None:
        self._count += 1
        self._rows[is_control].append(Row(self._count, is_control, cells))
