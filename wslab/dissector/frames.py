"""Seen: the bytes that one side sends after the handshake in, its frames out; it never raises (RFC 6455 §5)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from wslab.protocol.deflate import Decompressor, inflate
from wslab.protocol.errors import CloseCode, Fault, ProtocolError
from wslab.protocol.frames import Frame, FrameHeader, Opcode, parse_close, parse_header
from wslab.protocol.http import Request, Response
from wslab.protocol.masking import Buffer, apply_mask
from wslab.protocol.messages import TextDecoder, wrong_byte
from wslab.protocol.redaction import printable, redact_target
from wslab.protocol.states import Role

KEPT = 4096  # bytes of each payload; what a view shows of it is much less
MAX_INFLATED = 16 * 1024 * 1024  # bytes of a message: no more is decompressed, unless it is to be kept
MOST_HEADER = 14
MOST_SHOWN = 60  # characters of a text


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame that has passed: `payload` is the beginning of its payload, unmasked and decompressed.

    `length` in bytes is that of the whole payload, decompressed. `kind` tells how to read it: a continuation is of the
    kind of its message. `is_inflated` says that it was compressed; `is_deflated`, that it could not be decompressed:
    then nothing of it is kept.
    """

    header: FrameHeader
    kind: Opcode
    payload: bytes
    length: int
    is_inflated: bool = False
    is_deflated: bool = False

    def __str__(self) -> str:
        header, shown, notes = self.header, self._payload_text(), []
        if self.is_inflated:
            notes.append(f"compressed to {header.payload_length} bytes")
        if self.is_deflated:
            notes.append(f"{self.length} bytes, compressed, and not to be decompressed")
        compressed = self.is_inflated or self.is_deflated
        bits = {"rsv1": header.rsv1 and not compressed, "rsv2": header.rsv2, "rsv3": header.rsv3}
        notes += [name for name, is_set in bits.items() if is_set]
        notes += [] if header.fin else ["more to come"]
        said = " ".join(filter(None, [header.opcode.name.lower(), shown]))
        return f"{said} ({', '.join(notes)})" if notes else said

    def _payload_text(self) -> str:
        payload, is_whole = self.payload, len(self.payload) == self.length
        if self.kind is Opcode.CLOSE:
            return Frame(self.kind, payload).payload_text()
        if self.is_deflated:
            return ""
        if self.kind is Opcode.TEXT:
            text = payload.decode(errors="backslashreplace")
            if is_whole and len(text) <= MOST_SHOWN:
                return f'"{text}"'
            return f'"{text[:MOST_SHOWN]}…" ({self.length} bytes)'
        if is_whole and len(payload) <= MOST_SHOWN // 3:
            return payload.hex(" ")
        return f"{payload[: MOST_SHOWN // 3].hex(' ')} … ({self.length} bytes)"


@dataclass(frozen=True, slots=True)
class Unread:
    """Bytes in which there is nothing to be seen, or that did not come to their end; `why` in words."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Body(Unread):
    """The body of an HTTP response behind which another head may follow."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in the bytes of one side, those from `start` to `end`; `illegal` says which rule it breaks.

    `faults` are all the rules that a frame breaks; of one whose end cannot be told there are none. `str` is one
    readable line without secrets, and without anything that would move the cursor of a terminal.
    """

    sender: Role
    start: int
    end: int
    what: Request | Response | SeenFrame | Unread
    illegal: str = ""
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        line = str(self.what).partition("\n")[0] if isinstance(self.what, Request | Response) else str(self.what)
        line = redact_target(f"{line} - illegal: {self.illegal}" if self.illegal else line)
        return printable(line)


@dataclass(slots=True)
class _Arriving:
    """A frame whose payload is still arriving: `missing` bytes of it; the key is turned to the next of them."""

    header: FrameHeader
    start: int
    missing: int
    masking_key: bytes | None
    kind: Opcode
    faults: list[Fault]
    payload: bytearray = field(default_factory=bytearray)
    length: int = 0
    is_compressed: bool = False
    is_deflated: bool = False

    def seen(self, sender: Role, end: int, what: SeenFrame | Unread) -> Seen:
        """What is told of it; of its faults, a peer would hear of the first."""
        illegal = self.faults[0].reason if self.faults else ""
        return Seen(sender, self.start, end, what, illegal, tuple(self.faults))


class FrameReader:
    """Finds the frames of one side as their bytes arrive, judges them, and keeps at most `kept` bytes of each.

    `deflate` says whether permessage-deflate was agreed on, None if that is not known; `knows_bits`, that no extension
    uses the reserved bits otherwise; `from_start`, that no frame came before these. Behind a frame whose end cannot be
    told, everything is unread.

    >>> [str(seen) for seen in FrameReader(Role.SERVER).read(bytes.fromhex("8900 810248"))]
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
        self._sender = sender
        self._most_inflated = max(MAX_INFLATED, kept)
        self._inflater = Decompressor(room=self._most_inflated) if deflate else None
        self._has_deflate = deflate is not False
        self._knows_bits = knows_bits
        self._is_late = not from_start  # a message may have begun before
        self._position = position  # how many bytes of this side have been used
        self._kept = kept
        self._begun = b""  # a header that is not all there
        self._frame: _Arriving | None = None
        self._message: Opcode | None = None  # the kind of the message that is not finished
        self._is_compressed = False  # that message
        self._decoder: TextDecoder | None = None  # None, too, for what is left of a message that is no text
        self._has_closed = False
        self._is_lost = False  # no frame can be found any more

    def read(self, data: Buffer) -> list[Seen]:
        """Take in `data`; the frames that it completes."""
        seen: list[Seen] = []
        rest = memoryview(data)
        while not self._is_lost:
            if self._frame is None:
                rest = rest[self._take_header(rest, seen) :]
            if self._frame is None:
                break
            rest = rest[self._take_payload(self._frame, rest) :]
            if self._frame.missing:
                break
            seen.append(self._finish(self._frame))
        return seen

    def end(self) -> list[Seen]:
        """Take in the end of TCP: what is there of a frame that is not all there."""
        frame, begun = self._frame, self._begun
        self._is_lost, self._frame, self._begun = True, None, b""
        if frame is not None:
            there, length = frame.header.payload_length - frame.missing, frame.header.payload_length
            why = f"cut short: {there} of {length} bytes of a {frame.header.opcode.name.lower()} frame"
            return [frame.seen(self._sender, self._position, Unread(why))]
        if begun:
            why = f"cut short: {len(begun)} bytes of the header of a frame"
            return [Seen(self._sender, self._position, self._position + len(begun), Unread(why))]
        return []

    def _take_header(self, rest: memoryview, seen: list[Seen]) -> int:
        """Read a header, if it is all there; how many bytes of `rest` have been used."""
        begun = self._begun + rest[:MOST_HEADER]
        try:
            parsed = parse_header(begun)
        except ProtocolError as error:
            self._is_lost, self._begun = True, b""
            why = Unread("what follows is not read")
            seen.append(Seen(self._sender, self._position, self._position + len(begun), why, error.reason))
            return len(rest)
        if parsed is None:
            self._begun = begun
            return len(rest)
        header, size = parsed
        used = size - len(self._begun)
        self._begun = b""
        self._frame = self._begin(header)
        self._position += size
        return used

    def _begin(self, header: FrameHeader) -> _Arriving:
        opcode, faults = header.opcode, list(self._judge(header))
        kind = self._message or opcode if opcode is Opcode.CONTINUATION else opcode
        frame = _Arriving(header, self._position, header.payload_length, header.masking_key, kind, faults)
        if opcode.is_control:
            return frame
        if opcode is not Opcode.CONTINUATION:
            self._message, self._is_compressed = opcode, header.rsv1 and self._has_deflate
            self._decoder = TextDecoder()
            if self._inflater is not None:
                self._inflater.room, self._inflater.final_blocks = self._most_inflated, 0
        if opcode is not Opcode.CONTINUATION or header.fin:
            self._is_late = False
        frame.is_compressed = self._is_compressed
        return frame

    def _judge(self, header: FrameHeader) -> Iterator[Fault]:
        """The rules that the header breaks, in the order of `Protocol`, and in its words."""
        opcode, is_masked = header.opcode, header.masking_key is not None
        name = opcode.name.lower()
        if is_masked is (self._sender is Role.SERVER):
            why = "a masked frame from a server" if is_masked else "a frame from a client without a mask"
            yield Fault("MASK", why, "§5.1")
        if self._knows_bits and (header.rsv2 or header.rsv3 or (header.rsv1 and opcode.is_control)):
            yield Fault("RSV1-3", "a reserved bit is set that no extension uses", "§5.2")
        if opcode.is_control:
            return
        if self._has_closed:  # §5.5.1: "MUST NOT send any more data frames after sending a Close frame"
            yield Fault("opcode", f"a {name} frame after a close frame", "§5.5.1")
        if opcode is Opcode.CONTINUATION:
            if self._message is None and not self._is_late:
                yield Fault("opcode", "a continuation frame, but no message has begun", "§5.4")
            if header.rsv1 and self._knows_bits:
                yield Fault("RSV1-3", "RSV1 is set on a continuation frame", "RFC 7692 §6.1")
        elif self._message is not None:
            yield Fault("opcode", f"a {name} frame inside a fragmented message", "§5.4")
        elif header.rsv1 and self._knows_bits and not self._has_deflate:
            yield Fault("RSV1-3", "RSV1 is set, but no extension that uses it was agreed on", "§5.2")

    def _take_payload(self, frame: _Arriving, rest: memoryview) -> int:
        """Take in what has arrived of a payload; how many bytes of `rest` that is."""
        piece = rest[: frame.missing]
        frame.missing -= len(piece)
        self._position += len(piece)
        key, turn = frame.masking_key, len(piece) % 4
        data = apply_mask(piece, key) if key else bytes(piece)
        frame.masking_key = key[turn:] + key[:turn] if key else None
        is_last = frame.header.fin and not frame.missing
        if frame.is_compressed:
            data = self._inflate(frame, data, is_last)
        if frame.is_deflated:
            return len(piece)
        if frame.kind is Opcode.TEXT and self._knows_bits and self._decoder is not None:
            self._check_text(frame, self._decoder, data, is_last)
        frame.length += len(data)
        frame.payload += data[: max(0, self._kept - len(frame.payload))]
        return len(piece)

    def _inflate(self, frame: _Arriving, data: bytes, is_last: bool) -> bytes:
        """Decompress; once that cannot be done, it cannot be done for what follows either."""
        if self._inflater is not None:
            try:
                return inflate(data, self._inflater, is_last)
            except ProtocolError as error:
                if error.code != CloseCode.MESSAGE_TOO_BIG:
                    frame.faults.append(Fault("payload", error.reason, "RFC 7692 §7.2.2", error.code))
                self._inflater = None
        frame.is_deflated, frame.length = True, frame.header.payload_length
        frame.payload.clear()
        return b""

    def _check_text(self, frame: _Arriving, decoder: TextDecoder, data: bytes, is_last: bool) -> None:
        try:
            decoder.decode(data, is_last)
        except ProtocolError as error:
            wrong = frame.length + decoder.wrong
            frame.faults.append(Fault("payload", "the text is not UTF-8", "§8.1", error.code, wrong))
            self._decoder = None

    def _finish(self, frame: _Arriving) -> Seen:
        header = frame.header
        if header.opcode is Opcode.CLOSE:
            self._has_closed = True
            frame.faults += _judge_close(bytes(frame.payload))
        elif not header.opcode.is_control and header.fin:
            self._message, self._is_compressed = None, False
        self._frame = None
        is_inflated = frame.is_compressed and not frame.is_deflated
        payload = bytes(frame.payload)
        what = SeenFrame(header, frame.kind, payload, frame.length, is_inflated, frame.is_deflated)
        return frame.seen(self._sender, self._position, what)


def _judge_close(payload: bytes) -> Iterator[Fault]:
    try:
        parse_close(payload)
    except ProtocolError as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            yield Fault("close reason", error.reason, "§5.5.1", error.code, 2 + wrong_byte(error.__cause__))
        else:
            yield Fault("close code", error.reason, "§7.4" if len(payload) > 1 else "§5.5.1")
