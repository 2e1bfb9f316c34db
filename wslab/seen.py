"""Seen: the bytes that one side sends after the handshake in, its frames out; it never raises (RFC 6455 §5)."""

from dataclasses import dataclass, field

from wslab.deflate import Decompressor, inflate
from wslab.errors import CloseCode, ProtocolError
from wslab.frames import Frame, FrameHeader, Opcode, apply_mask, parse_close, parse_header, printable
from wslab.http import Request, Response, redact_target
from wslab.messages import TextDecoder
from wslab.states import Role

KEPT = 4096  # bytes of each payload; what a view shows of it is much less
MAX_INFLATED = 16 * 1024 * 1024  # bytes of a message: no more is decompressed
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
class Seen:
    """What was found in the bytes of one side, those from `start` to `end`; `illegal` says which rule it breaks.

    `str` is one readable line without secrets, and without anything that would move the cursor of a terminal.
    """

    sender: Role
    start: int
    end: int
    what: Request | Response | SeenFrame | Unread
    illegal: str = ""

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
    illegal: str
    payload: bytearray = field(default_factory=bytearray)
    length: int = 0
    is_compressed: bool = False
    is_deflated: bool = False


class FrameReader:
    """Finds the frames of one side as their bytes arrive, judges them, and keeps at most `kept` bytes of each.

    `deflate` says that permessage-deflate was agreed on, `knows_bits` that no extension uses the reserved bits
    otherwise. Behind a frame whose end cannot be told, everything is unread.

    >>> [str(seen) for seen in FrameReader(Role.SERVER).read(bytes.fromhex("8900 810248"))]
    ['ping']
    """

    def __init__(
        self, sender: Role, *, deflate: bool = False, knows_bits: bool = True, position: int = 0, kept: int = KEPT
    ) -> None:
        self._sender = sender
        self._inflater = Decompressor(room=MAX_INFLATED) if deflate else None
        self._has_deflate = deflate
        self._knows_bits = knows_bits
        self._position = position  # how many bytes of this side have been used
        self._kept = kept
        self._begun = b""  # a header that is not all there
        self._frame: _Arriving | None = None
        self._message: Opcode | None = None  # the kind of the message that is not finished
        self._is_compressed = False  # that message
        self._decoder = TextDecoder()
        self._has_closed = False
        self._is_lost = False  # no frame can be found any more

    def read(self, data: bytes) -> list[Seen]:
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
            return [Seen(self._sender, frame.start, self._position, Unread(why), frame.illegal)]
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
        illegal, opcode = self._judge(header), header.opcode
        kind = self._message or opcode if opcode is Opcode.CONTINUATION else opcode
        frame = _Arriving(header, self._position, header.payload_length, header.masking_key, kind, illegal)
        if opcode.is_control:
            return frame
        if opcode is not Opcode.CONTINUATION:
            self._message, self._is_compressed = opcode, header.rsv1 and self._has_deflate
            self._decoder = TextDecoder()
            if self._inflater is not None:
                self._inflater.room, self._inflater.final_blocks = MAX_INFLATED, 0
        frame.is_compressed = self._is_compressed
        return frame

    def _judge(self, header: FrameHeader) -> str:
        """Which rule the header breaks, if it breaks one: the words are those of `Protocol`."""
        opcode, is_masked = header.opcode, header.masking_key is not None
        if is_masked is (self._sender is Role.SERVER):
            return f"a {'masked frame from a server' if is_masked else 'frame from a client without a mask'}"
        if self._knows_bits and (header.rsv2 or header.rsv3 or (header.rsv1 and opcode.is_control)):
            return "a reserved bit is set that no extension uses"
        if opcode.is_control:
            return ""
        if self._has_closed:  # §5.5.1: "MUST NOT send any more data frames after sending a Close frame"
            return f"a {opcode.name.lower()} frame after a close frame"
        if opcode is Opcode.CONTINUATION:
            if self._message is None:
                return "a continuation frame, but no message has begun"
            return "RSV1 is set on a continuation frame" if header.rsv1 and self._knows_bits else ""
        if self._message is not None:
            return f"a {opcode.name.lower()} frame inside a fragmented message"
        if header.rsv1 and self._knows_bits and not self._has_deflate:
            return "RSV1 is set, but no extension that uses it was agreed on"
        return ""

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
        if frame.kind is Opcode.TEXT and self._knows_bits:
            self._check_text(frame, data, is_last)
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
                    frame.illegal = frame.illegal or error.reason
                self._inflater = None
        frame.is_deflated, frame.length = True, frame.header.payload_length
        frame.payload.clear()
        return b""

    def _check_text(self, frame: _Arriving, data: bytes, is_last: bool) -> None:
        try:
            self._decoder.decode(data, is_last)
        except ProtocolError as error:
            frame.illegal = frame.illegal or error.reason
            self._decoder = TextDecoder()

    def _finish(self, frame: _Arriving) -> Seen:
        header, illegal = frame.header, frame.illegal
        if header.opcode is Opcode.CLOSE:
            self._has_closed = True
            try:
                parse_close(bytes(frame.payload))
            except ProtocolError as error:
                illegal = illegal or error.reason
        elif not header.opcode.is_control and header.fin:
            self._message, self._is_compressed = None, False
        self._frame = None
        is_inflated = frame.is_compressed and not frame.is_deflated
        payload = bytes(frame.payload)
        what = SeenFrame(header, frame.kind, payload, frame.length, is_inflated, frame.is_deflated)
        return Seen(self._sender, frame.start, self._position, what, illegal)
