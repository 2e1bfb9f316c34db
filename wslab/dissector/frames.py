"""frames: the bytes that one side sends after the handshake in, its frames out; it never raises (RFC 6455 §5)."""

from dataclasses import dataclass, field

from wslab.dissector.inflating import MessageInflater
from wslab.dissector.opaque import LOST, Missing, Opaque
from wslab.dissector.wording import how_many
from wslab.protocol.errors import ProtocolError, Violation
from wslab.protocol.frames import MAX_HEADER, Frame, FrameHeader, Opcode, parse_close
from wslab.protocol.http import Request, Response
from wslab.protocol.masking import Buffer
from wslab.protocol.messages import TextDecoder
from wslab.protocol.reader import FrameReader, IncomingFrame
from wslab.protocol.states import Role
from wslab.redaction.redact import printable, redact_part, redact_part_of_payload, redact_target

KEPT = 4096  # bytes of each payload; what a view shows of it is much less
MAX_INFLATED = 16 * 1024 * 1024  # bytes of a message: no more is decompressed, unless it is to be kept
HTTP = b"HT"  # as much of "HTTP/1.1" as a header of a frame has at least
MOST_SHOWN = 60  # characters of a text
LOOKED_BEHIND = 512  # bytes of the fragments before: a secret that begins in them is not shown
LOOKED_AHEAD = 160  # bytes: so far, what ends behind that which is shown is found to be a secret


@dataclass(frozen=True, slots=True)
class DissectedFrame:
    """A frame that has passed: `payload` is the beginning of its payload, unmasked and decompressed.

    `length` in bytes is that of the whole payload, decompressed. `kind` tells how to read it: a continuation is of the
    kind of its message. `is_inflated` says that it was compressed; `is_deflated`, that it could not be decompressed:
    then nothing of it is kept. `before` is what the frames before it say of the same message, the end of that.
    """

    header: FrameHeader
    kind: Opcode
    payload: bytes
    length: int
    is_inflated: bool = False
    is_deflated: bool = False
    before: bytes = b""

    def told(self, most: int) -> str:
        """One readable line, with at most so many characters of a text."""
        header, shown, notes = self.header, self._payload_text(most), []
        if self.is_inflated:
            notes.append(f"compressed to {how_many(header.payload_length)}")
        if self.is_deflated:
            notes.append(f"{how_many(self.length)}, compressed, and not to be decompressed")
        compressed = self.is_inflated or self.is_deflated
        bits = {"rsv1": header.rsv1 and not compressed, "rsv2": header.rsv2, "rsv3": header.rsv3}
        notes += [name for name, is_set in bits.items() if is_set]
        notes += [] if header.fin else ["more to come"]
        said = " ".join(filter(None, [header.opcode.name.lower(), shown]))
        return f"{said} ({', '.join(notes)})" if notes else said

    def _payload_text(self, most: int) -> str:
        payload, is_whole = self.payload, len(self.payload) == self.length
        if self.kind is Opcode.CLOSE:
            return Frame(self.kind, payload).payload_text()
        if self.is_deflated:
            return ""
        looked_at = payload[: 4 * most + LOOKED_AHEAD]  # a character has up to four bytes
        has_more = not self.header.fin or len(payload) > len(looked_at)
        if self.kind is Opcode.TEXT:
            before = self.before.decode(errors="replace")
            text = redact_part(looked_at.decode(errors="backslashreplace"), before, has_more)
            if is_whole and len(looked_at) == len(payload) and len(text) <= most:
                return f'"{text}"'
            return f'"{text[:most]}…" ({self.length} bytes)'
        clean = redact_part_of_payload(looked_at, self.before, has_more)
        first = [f"{a:02x}" if a == b else "xx" for a, b in zip(looked_at, clean, strict=True)][: MOST_SHOWN // 3]
        return " ".join(first) + ("" if is_whole and len(payload) == len(first) else f" … ({self.length} bytes)")


@dataclass(frozen=True, slots=True)
class Dissected:
    """What was found in the bytes of one side, those from `start` to `end`; `illegal` says which rule it breaks.

    `faults` are all the rules that a frame breaks; of one whose end cannot be told there are none. `str` is one
    readable line without secrets, and without anything that would move the cursor of a terminal.
    """

    sender: Role
    start: int
    end: int
    what: Request | Response | DissectedFrame | Opaque
    illegal: str = ""
    faults: tuple[Violation, ...] = ()

    def __str__(self) -> str:
        return self.told(MOST_SHOWN)

    def told(self, most: int) -> str:
        """The same line, with at most so many characters of a text."""
        what = self.what
        line = what.told(most) if isinstance(what, DissectedFrame) else str(what).partition("\n")[0]
        return printable(f"{line} - illegal: {redact_target(self.illegal)}" if self.illegal else line)


@dataclass(slots=True)
class _Arriving:
    """A frame that is arriving: where it starts, what is known of its payload, the rules that it breaks."""

    frame: IncomingFrame
    start: int
    violations: list[Violation]
    before: bytes = b""
    payload: bytearray = field(default_factory=bytearray)
    length: int = 0
    is_deflated: bool = False
    missing: int = 0  # bytes of its payload that a capture has lost

    def seen(self, sender: Role, end: int, what: DissectedFrame | Opaque) -> Dissected:
        """What is told of it; of the rules that it breaks, a peer would hear of the first."""
        illegal = self.violations[0].reason if self.violations else ""
        return Dissected(sender, self.start, end, what, illegal, tuple(self.violations))


class FrameDissector:
    """Finds the frames of one side as their bytes arrive, judges them, and keeps at most `kept` bytes of each.

    `deflate` says whether permessage-deflate was agreed on, None if that is not known; `knows_bits`, that no extension
    uses the reserved bits otherwise; `from_start`, that no frame came before these. After a frame whose end cannot be
    told, everything is unread.

    >>> [str(seen) for seen in FrameDissector(Role.SERVER).read(bytes.fromhex("8900 810248"))]
    ['ping']
    """

    def __init__(
        self,
        sender: Role,
        *,
        deflate: bool | None = False,
        knows_bits: bool = True,
        from_start: bool = True,
        position: int = 0,
        kept: int = KEPT,
    ) -> None:
        self.sender = sender
        self._has_deflate = deflate is not False
        self._inflater = MessageInflater(deflate, max(MAX_INFLATED, kept))
        self._knows_bits = knows_bits
        self._reader = self._new_reader(is_late=not from_start)
        self.position = position  # how many bytes of this side have been used
        self._kept = kept
        self._arriving: _Arriving | None = None
        self._decoder: TextDecoder | None = None  # None, too, for what is left of a message that is no text
        self._before = b""  # the end of what the message that is arriving says
        self._is_closed = False  # a close frame has passed
        self._is_torn = False  # of the message that is arriving, a capture has lost bytes
        self.is_lost = False  # no frame can be found any more

    def _new_reader(self, is_late: bool) -> FrameReader:
        return FrameReader(self.sender, has_deflate=self._has_deflate, knows_bits=self._knows_bits, is_late=is_late)

    def read(self, data: Buffer) -> list[Dissected]:
        """Take in `data`; the frames that it completes."""
        seen: list[Dissected] = []
        if self.is_lost:
            return seen
        buffer = self._reader.buffer
        buffer.open(bytes(data))
        try:
            while buffer.has_more:
                start = buffer.position
                if (frame := self._reader.read()) is None:
                    break
                seen += self._take(frame, buffer.position - start)
        except ProtocolError as error:
            self.is_lost = True
            begun = buffer.data[buffer.position : buffer.position + MAX_HEADER]
            why = self._why_lost(begun, error)
            seen.append(Dissected(self.sender, self.position, self.position + len(begun), LOST, why))
            buffer.clear()
        else:
            buffer.close()
        return seen

    def _why_lost(self, begun: bytes, error: ProtocolError) -> str:
        """Why there is no frame: what some servers write is an answer of their web framework, perhaps after the end."""
        if begun.startswith(HTTP):
            return "HTTP where a frame was expected"
        return f"bytes after a close frame: {error.reason}" if self._is_closed else error.reason

    def skip(self, size: int) -> bool:
        """Go on behind `size` bytes that are missing, if the frame that is arriving has as many left: else False."""
        arriving = self._arriving
        if arriving is None or arriving.frame.missing < size:
            return False
        arriving.frame.missing -= size
        arriving.missing += size
        if not arriving.frame.header.opcode.is_control:
            self._is_torn = True
            self._inflater.lose()
        return True

    def begin_again(self) -> None:
        """Take what comes next for the beginning of a frame, before which others are missing."""
        self._reader, self.is_lost = self._new_reader(is_late=True), False
        self._is_torn = True
        self._inflater.lose()

    def give_up(self) -> None:
        """Read nothing more."""
        self.is_lost = True
        self._arriving = None
        self._reader.buffer.clear()

    def end(self) -> list[Dissected]:
        """Take in the end of TCP: what is there of a frame that is not all there."""
        arriving, begun = self._arriving, len(self._reader.buffer)
        self.give_up()
        if arriving is not None:
            header, missing = arriving.frame.header, arriving.frame.missing
            there = f"{header.payload_length - missing - arriving.missing} of {header.payload_length} bytes"
            why = f"cut short: {there} of a {header.opcode.name.lower()} frame"
            return [arriving.seen(self.sender, self.position, Opaque(why))]
        if begun:
            why = f"cut short: {how_many(begun)} of the header of a frame"
            self.position += begun
            return [Dissected(self.sender, self.position - begun, self.position, Opaque(why))]
        return []

    def _take(self, frame: IncomingFrame, used: int) -> list[Dissected]:
        """Take in a piece of a frame, for which `used` bytes were read; the frame if it ends with it."""
        arriving = self._arriving
        if arriving is None:
            arriving = self._arriving = _Arriving(frame, self.position, list(frame.violations))
            self._prepare(frame)
            arriving.before = b"" if frame.header.opcode.is_control else self._before
        self.position += used
        if not self._is_hidden(arriving):
            self._take_payload(arriving)
        return [] if frame.missing else [self._finish(arriving)]

    def _prepare(self, frame: IncomingFrame) -> None:
        """Expect the payload of another message, if one begins."""
        if frame.header.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._before, self._is_torn = b"", False
            self._decoder = TextDecoder()
            self._inflater.begin()

    def _is_hidden(self, arriving: _Arriving) -> bool:
        is_torn = self._is_torn and arriving.frame.header.opcode is Opcode.CONTINUATION
        return is_torn or arriving.missing > 0

    def _take_payload(self, arriving: _Arriving) -> None:
        frame = arriving.frame
        data, is_last = frame.piece, frame.header.fin and not frame.missing
        if frame.is_compressed:
            data = self._inflate(arriving, data, is_last)
        if arriving.is_deflated:
            return
        if frame.kind is Opcode.TEXT and self._knows_bits and self._decoder is not None:
            self._check_text(arriving, self._decoder, data, is_last)
        arriving.length += len(data)
        arriving.payload += data[: max(0, self._kept - len(arriving.payload))]
        if not frame.header.opcode.is_control:
            self._before = (self._before + data[-LOOKED_BEHIND:])[-LOOKED_BEHIND:]

    def _inflate(self, arriving: _Arriving, data: bytes, is_last: bool) -> bytes:
        said, fault = self._inflater.inflate(data, is_last)
        arriving.violations += filter(None, [fault])
        if said is not None:
            return said
        arriving.is_deflated, arriving.length = True, arriving.frame.header.payload_length
        arriving.payload.clear()
        return b""

    def _check_text(self, arriving: _Arriving, decoder: TextDecoder, data: bytes, is_last: bool) -> None:
        try:
            decoder.decode(data, is_last)
        except ProtocolError as error:
            for broken in filter(None, [error.violation]):
                arriving.violations.append(broken._replace(place=arriving.length + (broken.place or 0)))
            self._decoder = None

    def _finish(self, arriving: _Arriving) -> Dissected:
        frame, header, payload = arriving.frame, arriving.frame.header, bytes(arriving.payload)
        self._arriving = None
        self._is_closed |= header.opcode is Opcode.CLOSE
        if self._is_hidden(arriving):
            lost = f"{arriving.missing:,} of them" if arriving.missing else "what comes before them"
            why = f"{header.opcode.name.lower()}: {how_many(header.payload_length)}, {lost} missing"
            return arriving.seen(self.sender, self.position, Missing(why))
        if header.opcode is Opcode.CLOSE:
            try:
                parse_close(payload)
            except ProtocolError as error:
                arriving.violations += filter(None, [error.violation])
        if header.fin and not header.opcode.is_control:
            self._before = b""
        is_inflated = frame.is_compressed and not arriving.is_deflated
        what = DissectedFrame(
            header, frame.kind, payload, arriving.length, is_inflated, arriving.is_deflated, arriving.before
        )
        return arriving.seen(self.sender, self.position, what)
