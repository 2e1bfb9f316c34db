"""dissection: bytes in, the fields of the heads and frames in them out, whatever they are (RFC 6455 §4, §5)."""

from collections.abc import Iterator

from wslab.dissector.conversation import agreed_extensions
from wslab.dissector.field import Field
from wslab.dissector.fields import Layout, fields_of_frame, judge_header, read_layout, repair_header
from wslab.dissector.frames import KEPT, DissectedFrame, FrameDissector
from wslab.dissector.handshake_lines import DissectedHead, begins_a_head, dissect_head
from wslab.dissector.payloads import ByteRange, Verdict
from wslab.dissector.wording import cut
from wslab.protocol.body import PIECE, BodyReader
from wslab.protocol.deflate import NAME as DEFLATE
from wslab.protocol.errors import Violation
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Request
from wslab.protocol.rules import Situation, broken_by_frame
from wslab.protocol.states import Role
from wslab.redaction.redact import redact_body

MASKING = {True: Role.CLIENT, False: Role.SERVER}  # §5.1: who masks its frames


class Dissection:
    """The heads and frames in `data`, one after the other, each as a list of fields.

    `sender` is who sent them, None for one that the masks tell. `deflate` says whether permessage-deflate was agreed
    on; None if only a handshake in `data` can tell.
    """

    def __init__(self, data: bytes, window: ByteRange, sender: Role | None = None, deflate: bool | None = None) -> None:
        self._data = data
        self._window = window
        self._sender = sender
        self._deflate = deflate
        self._knows_bits = True
        self._from_start = False
        self._request: Request | None = None
        self._position = 0
        self._readers: dict[bool, FrameDissector] = {}
        self.size = len(data)
        self.heads = self.frames = 0  # that have been read

    def __iter__(self) -> Iterator[list[Field]]:
        """Read on to the end."""
        head = None
        while self._position < len(self._data) and begins_a_head(self._data, self._position):
            head = self._read_head()
            yield head.fields
            if head.agrees:
                break
            if not head.asks:
                yield from self._read_body(head)
        readers = {role: self._new_reader(role) for role in Role}
        self._readers = {is_masked: readers[self._sender or role] for is_masked, role in MASKING.items()}
        while self._position < len(self._data):
            yield list(self._read_frame())

    def _read_head(self) -> DissectedHead:
        self.heads += 1
        head = dissect_head(self._data, self._position, self._request)
        self._position = head.end
        self._request = head.request or self._request
        if head.response is not None and head.agrees:
            agreed = agreed_extensions(head.response)
            self._from_start, self._knows_bits = True, agreed <= {DEFLATE}
            if self._deflate is None:
                self._deflate = DEFLATE in agreed
        return head

    def _read_body(self, head: DissectedHead) -> Iterator[list[Field]]:
        """The body behind a head, which is all that follows unless another head does."""
        start, self._position = self._position, self._end_of_body(head)
        if not begins_a_head(self._data, self._position) and not head.is_interim:
            self._position = len(self._data)
        if start == self._position:
            return
        if head.response is None:
            yield [Field(start, self._position, "body", "", "not shown: no handshake has one (§4.2.1)")]
        else:
            yield [field_of_body(self._data, start, self._position)]

    def _end_of_body(self, head: DissectedHead) -> int:
        what, end = head.response or head.request, self._position
        if what is not None:
            reader = BodyReader(what, self._request.method if self._request else "GET")
            while end < len(self._data) and not (reader.is_whole or reader.is_broken):
                end += reader.read(self._data[end : end + PIECE])
        return end

    def _new_reader(self, role: Role) -> FrameDissector:
        return FrameDissector(
            role,
            deflate=self._deflate,
            knows_bits=self._knows_bits,
            from_start=self._from_start,
            kept=max(KEPT, self._window.most),
        )

    def _read_frame(self) -> Iterator[Field]:
        layout = read_layout(self._data, self._position)
        self._position = layout.end
        self.frames += 1
        return fields_of_frame(self._data, layout, self._judge(layout), self._window)

    def _judge(self, layout: Layout) -> Verdict:
        """What is wrong with a frame, and what is in it: `FrameDissector` is handed a header that it can read."""
        faults, header = judge_header(layout), repair_header(layout)
        if header is None:
            return Verdict(None, (*faults, *self._judge_bits(layout)), self._deflate)
        reader = self._readers[layout.is_masked]
        seen = reader.read(header) + reader.read(memoryview(self._data)[layout.payload_start : layout.end])
        if not layout.is_whole:
            seen += reader.end()
        for one in seen:
            faults += one.faults
        frame = next((one.what for one in seen if isinstance(one.what, DissectedFrame)), None)
        return Verdict(frame, tuple(faults), self._deflate)

    def _judge_bits(self, layout: Layout) -> list[Violation]:
        """What is wrong with the bits of a frame that cannot be read: they are judged as those of a binary frame."""
        rsv1, rsv2, rsv3 = (bool(layout.header[0] & bit) for bit in (0b0100_0000, 0b0010_0000, 0b0001_0000))
        sender = self._sender or MASKING[layout.is_masked]
        alone = Situation(sender, has_deflate=self._deflate is not False, knows_bits=self._knows_bits)
        told = ("MASK", "RSV1-3")[len(layout.header) < 2 :]
        broken = broken_by_frame(Opcode.BINARY, rsv1, rsv2, rsv3, layout.is_masked, alone)
        return [violation for violation in broken if violation.field in told]


def field_of_body(data: bytes, start: int = 0, end: int | None = None) -> Field:
    """What stands from `start` to `end` behind the head of an answer: HTTP, and no frames."""
    end = len(data) if end is None else end
    text = redact_body(data[start : min(end, start + KEPT)]).decode(errors="backslashreplace")
    return Field(start, end, "body", cut(text), "what the server says to it")
