"""recording_table: a recording as a table, with a row for each head and frame, each of which leads to its bytes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from wslab.display.figures.selection import MOST_READ, Reading
from wslab.display.inspector.bits import draw_bits
from wslab.display.inspector.dissect import MOST_ROWS, dissect
from wslab.display.table import Table, table_of
from wslab.dissector.conversation import agreed_extensions
from wslab.dissector.dissection import Dissection, field_of_body
from wslab.dissector.field import Field
from wslab.dissector.fields import fields_of_frame, read_layout
from wslab.dissector.frames import KEPT, DissectedFrame
from wslab.dissector.handshake_lines import dissect_head
from wslab.dissector.opaque import Body, Missing, Opaque
from wslab.dissector.payloads import LEFT_OUT, ByteRange, Verdict
from wslab.protocol.deflate import NAME as DEFLATE
from wslab.protocol.http import Request, Response
from wslab.protocol.states import Direction, Role
from wslab.recording.log import Gap
from wslab.recording.recorded_frames import RecordedFrame, dissect_recording
from wslab.recording.recording import Recording

HEADING = ("row", "connection", "direction", "bytes", "what")


@dataclass(frozen=True)
class Entry:
    """What a row shows, with the last request and response of its connection before it, or in it."""

    number: int
    recorded: RecordedFrame
    request: Request | None
    response: Response | None

    @property
    def deflate(self) -> bool | None:
        """Return True if permessage-deflate was agreed on, None if that is not known."""
        return None if self.response is None else DEFLATE in agreed_extensions(self.response)

    @property
    def is_body(self) -> bool:
        """Return True if it is what follows a response that does not switch the protocol."""
        is_unread = isinstance(self.recorded.seen.what, Opaque) and self.recorded.seen.sender is Role.SERVER
        return is_unread and self.response is not None and self.response.status != HTTPStatus.SWITCHING_PROTOCOLS

    def row(self) -> tuple[str, ...]:
        """The cells of its row, under `HEADING`."""
        seen = self.recorded.seen
        size = str(seen.end - seen.start)
        return str(self.number), str(self.recorded.connection), str(self.recorded.direction), size, str(seen)


@dataclass(frozen=True, repr=False)
class RecordingTable(Table):
    """A row for every head and frame; `row(n)` looks into one."""

    recording: Recording | None = None
    entries: tuple[Entry, ...] = ()
    most_bytes: int = 32
    count: int = 0  # of all rows, including those that are not shown

    def row(self, number: int) -> Table:
        """Every byte of a row's head or frame, read as the conversation before it demands. Raises IndexError."""
        entry = next((entry for entry in self.entries if entry.number == number), None)
        if entry is None or self.recording is None:
            numbers = f"{self.entries[0].number} to {self.entries[-1].number}" if self.entries else "none"
            hint = f"; inspect(recording, start={number}) shows it" if 0 <= number < self.count else ""
            raise IndexError(f"there is no row {number} here: the rows are {numbers}{hint}")
        return look_into(self.recording, entry, self.most_bytes)


def inspect_recording(recording: Recording, start: int, most: int, most_bytes: int) -> RecordingTable:
    """The rows from `start` on, at most `most` of them; the others are counted but not kept."""
    entries, count = [], 0
    reading = Reading(_entries(recording, max(KEPT, most_bytes)), MOST_READ + start)
    for entry in reading:
        count += 1
        if start <= entry.number < start + most:
            entries.append(entry)
    rows = tuple(entry.row() for entry in entries)
    faulty = frozenset(number for number, entry in enumerate(entries) if entry.recorded.seen.illegal)
    left = count - start - len(entries)
    more = f"… {left} more rows: start={start + len(entries)} shows them" if left > 0 else ""
    if not entries:
        more = f"Nothing to show from row {start} on: there are {count} rows." if count else "Nothing was recorded."
    more = " ".join(filter(None, [more, reading.told, recording.left_out]))
    caption = f"{count} heads and frames; row(n) of this table shows the bytes of one"
    return RecordingTable(HEADING, rows, caption, faulty, more, "", recording, tuple(entries), most_bytes, count)


def _entries(recording: Recording, kept: int) -> Iterator[Entry]:
    requests: dict[int, Request] = {}
    responses: dict[int, Response] = {}
    sizes: Counter[tuple[int, Direction]] = Counter()
    for chunk in recording.chunks:
        sizes[chunk.connection, chunk.direction] += len(chunk.data)
    for number, one in enumerate(it for it in dissect_recording(recording, kept) if not _is_empty_body(it, sizes)):
        what, connection = one.seen.what, one.connection
        if isinstance(what, Request):
            requests[connection] = what
        elif isinstance(what, Response):
            responses[connection] = what
        yield Entry(number, one, requests.get(connection), responses.get(connection))


def _is_empty_body(it: RecordedFrame, sizes: Counter[tuple[int, Direction]]) -> bool:
    """Return True if it stands for no bytes, as `sizes`, the number of bytes sent each way, tells."""
    what = it.seen.what
    is_opaque = isinstance(what, Opaque) and not isinstance(what, Missing)
    return is_opaque and it.seen.start >= sizes[it.connection, it.direction]


def look_into(recording: Recording, entry: Entry, most_bytes: int) -> Table:
    """Every byte of an entry's head or frame, with at most `most_bytes` of its payload."""
    seen, window = entry.recorded.seen, ByteRange(0, most_bytes)
    if isinstance(seen.what, Missing):
        size = seen.end - seen.start
        return table_of(
            [Field(0, size, "missing", "", str(seen.what), LEFT_OUT if size else "")], f"row {entry.number}"
        )
    if entry.is_body:
        end = seen.end if isinstance(seen.what, Body) else None
        return table_of([field_of_body(_bytes_of(recording, entry.recorded, end))], f"row {entry.number}")
    if isinstance(seen.what, Opaque):
        # Read all that follows, as far as possible; without the messages before, nothing can be decompressed.
        data, deflate = _bytes_of(recording, entry.recorded, None), None if entry.deflate else entry.deflate
        return dissect(Dissection(data, window, seen.sender, deflate), 0, MOST_ROWS)
    data = _bytes_of(recording, entry.recorded, seen.end)
    if not isinstance(seen.what, DissectedFrame):
        return table_of(dissect_head(data, 0, entry.request).fields, f"row {entry.number}, line by line")
    fields = list(fields_of_frame(data, read_layout(data), Verdict(seen.what, seen.faults, entry.deflate), window))
    return table_of(fields, f"row {entry.number}, field by field", above=draw_bits(fields))


def _bytes_of(recording: Recording, one: RecordedFrame, end: int | None) -> bytes:
    """The bytes from where `one` begins to `end`, in its direction; only the chunks that hold them are joined."""
    start, position, pieces = one.seen.start, 0, []
    for chunk in recording.chunks:
        if (chunk.connection, chunk.direction) != (one.connection, one.direction):
            continue
        last = None if end is None else max(0, end - position)
        if isinstance(chunk.data, Gap) and position > start:
            break  # what comes behind it does not follow
        pieces.append(chunk.data[max(0, start - position) : last])
        position += len(chunk.data)
        if end is not None and position >= end:
            break
    return b"".join(pieces)
