"""recorded: a recording in, a row for each of its heads and frames out, and behind each row its bytes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from wslab.display.inspector.bits import draw_bits
from wslab.display.inspector.dissect import MOST_ROWS, dissect
from wslab.display.table import Table, table_of
from wslab.dissector.conversation import agreed_extensions
from wslab.dissector.dissection import Dissection, field_of_body
from wslab.dissector.fields import fields_of_frame, read_layout
from wslab.dissector.frames import KEPT, Body, SeenFrame, Unread
from wslab.dissector.handshake_lines import read_head
from wslab.dissector.payloads import Judged, Window
from wslab.protocol.deflate import NAME as DEFLATE
from wslab.protocol.http import Request, Response
from wslab.protocol.states import Direction, Role
from wslab.recording.recorded_frames import RecordedFrame, dissect_recording
from wslab.recording.recording import Recording

HEADING = ("row", "connection", "direction", "bytes", "what")


@dataclass(frozen=True)
class Entry:
    """What a row shows, and what is known there of its connection: the request and the answer to it."""

    number: int
    passed: RecordedFrame
    asked: Request | None
    answer: Response | None

    @property
    def deflate(self) -> bool | None:
        """Whether permessage-deflate was agreed on, None if nobody knows."""
        return None if self.answer is None else DEFLATE in agreed_extensions(self.answer)

    @property
    def is_body(self) -> bool:
        """Whether it is what follows the head of an answer that does not switch the protocol."""
        is_unread = isinstance(self.passed.seen.what, Unread) and self.passed.seen.sender is Role.SERVER
        return is_unread and self.answer is not None and self.answer.status != HTTPStatus.SWITCHING_PROTOCOLS

    def row(self) -> tuple[str, ...]:
        """What a table shows of it, under `HEADING`."""
        seen = self.passed.seen
        size = str(seen.end - seen.start)
        return str(self.number), str(self.passed.connection), str(self.passed.direction), size, str(seen)


@dataclass(frozen=True, repr=False)
class RecordingTable(Table):
    """A row for every head and frame; `row(n)` looks into one of them."""

    recording: Recording | None = None
    entries: tuple[Entry, ...] = ()
    most_bytes: int = 32
    count: int = 0  # of all rows, also of those that are not shown

    def row(self, number: int) -> Table:
        """Every byte of the head or frame of a row; what the conversation tells of it is known. Raises IndexError."""
        entry = next((entry for entry in self.entries if entry.number == number), None)
        if entry is None or self.recording is None:
            numbers = f"{self.entries[0].number} to {self.entries[-1].number}" if self.entries else "none"
            hint = f"; inspect(recording, start={number}) shows it" if 0 <= number < self.count else ""
            raise IndexError(f"there is no row {number} here: the rows are {numbers}{hint}")
        return _look_behind(self.recording, entry, self.most_bytes)


def inspect_recording(recording: Recording, start: int, most: int, most_bytes: int) -> RecordingTable:
    """The rows from `start` on, at most `most` of them; the others are counted and not kept."""
    entries, count = [], 0
    for entry in _entries(recording, max(KEPT, most_bytes)):
        count += 1
        if start <= entry.number < start + most:
            entries.append(entry)
    rows = tuple(entry.row() for entry in entries)
    faulty = frozenset(number for number, entry in enumerate(entries) if entry.passed.seen.illegal)
    left = count - start - len(entries)
    more = f"… {left} more rows: start={start + len(entries)} shows them" if left > 0 else ""
    if not entries:
        more = f"Nothing to show from row {start} on: there are {count} rows." if count else "Nothing was recorded."
    caption = f"{count} heads and frames; row(n) of this table shows the bytes of one"
    return RecordingTable(HEADING, rows, caption, faulty, more, "", recording, tuple(entries), most_bytes, count)


def _entries(recording: Recording, kept: int) -> Iterator[Entry]:
    asked: dict[int, Request] = {}
    answers: dict[int, Response] = {}
    sizes: Counter[tuple[int, Direction]] = Counter()
    for chunk in recording.chunks:
        sizes[chunk.connection, chunk.direction] += len(chunk.data)
    for number, one in enumerate(it for it in dissect_recording(recording, kept) if not _is_empty_body(it, sizes)):
        what, connection = one.seen.what, one.connection
        if isinstance(what, Request):
            asked[connection] = what
        elif isinstance(what, Response):
            answers[connection] = what
        yield Entry(number, one, asked.get(connection), answers.get(connection))


def _is_empty_body(it: RecordedFrame, sizes: Counter[tuple[int, Direction]]) -> bool:
    """Whether nothing stands where nothing is read any more: `sizes` tells how many bytes went each way."""
    return isinstance(it.seen.what, Unread) and it.seen.start >= sizes[it.connection, it.direction]


def _look_behind(recording: Recording, entry: Entry, most_bytes: int) -> Table:
    seen, window = entry.passed.seen, Window(0, most_bytes)
    if entry.is_body:
        end = seen.end if isinstance(seen.what, Body) else None
        return table_of([field_of_body(_bytes_of(recording, entry.passed, end))], f"row {entry.number}")
    if isinstance(seen.what, Unread):
        # Here everything that follows is read, as far as it can be: without the messages before, none is decompressed.
        data, deflate = _bytes_of(recording, entry.passed, None), None if entry.deflate else entry.deflate
        return dissect(Dissection(data, window, seen.sender, deflate), 0, MOST_ROWS)
    data = _bytes_of(recording, entry.passed, seen.end)
    if not isinstance(seen.what, SeenFrame):
        return table_of(read_head(data, 0, entry.asked).fields, f"row {entry.number}, line by line")
    fields = list(fields_of_frame(data, read_layout(data), Judged(seen.what, seen.faults, entry.deflate), window))
    return table_of(fields, f"row {entry.number}, field by field", above=draw_bits(fields))


def _bytes_of(recording: Recording, one: RecordedFrame, end: int | None) -> bytes:
    """The bytes of one direction from where it was seen to `end`; only the chunks that they are in are joined."""
    start, position, pieces = one.seen.start, 0, []
    for chunk in recording.chunks:
        if (chunk.connection, chunk.direction) != (one.connection, one.direction):
            continue
        last = None if end is None else max(0, end - position)
        pieces.append(chunk.data[max(0, start - position) : last])
        position += len(chunk.data)
        if end is not None and position >= end:
            break
    return b"".join(pieces)
