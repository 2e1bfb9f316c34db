"""fields: the fields of a frame, legal or not, with their bytes, bits, values and what they mean (RFC 6455 §5.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

from wslab.dissector.field import Field
from wslab.dissector.payloads import ByteRange, Payload, Verdict, fields_of_payload, told
from wslab.dissector.wording import how_many
from wslab.protocol.errors import Violation
from wslab.protocol.frames import MAX_HEADER, OPCODES, Opcode
from wslab.protocol.masking import Buffer
from wslab.protocol.rules import broken_by_length, broken_by_start

MEANINGS = {
    Opcode.CONTINUATION: "goes on with the message that has begun (§5.4)",
    Opcode.TEXT: "a message of text (§5.6)",
    Opcode.BINARY: "a message of any bytes (§5.6)",
    Opcode.CLOSE: "goodbye: no data may follow, and it is answered (§5.5.1)",
    Opcode.PING: "to be answered by a pong with the same payload (§5.5.2)",
    Opcode.PONG: "the answer to a ping, or a sign of life (§5.5.3)",
}
KEY_MEANING = "4 bytes that nobody can foresee, new for each frame (§5.3)"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of a frame are.

    `header` is what is there of the `size` bytes before the payload, `there` of the `length` bytes of the payload.
    """

    start: int
    header: bytes
    size: int
    length: int
    there: int

    @property
    def payload_start(self) -> int:
        """Where the payload begins."""
        return self.start + len(self.header)

    @property
    def end(self) -> int:
        """Behind the last byte that is there."""
        return self.payload_start + self.there

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there."""
        return len(self.header) == self.size and self.there == self.length

    @property
    def opcode(self) -> Opcode | None:
        """None for one that is reserved."""
        return OPCODES.get(self.header[0] & 0b0000_1111)

    @property
    def is_masked(self) -> bool:
        """Whether the MASK bit is set."""
        return len(self.header) > 1 and bool(self.header[1] & 0b1000_0000)

    @property
    def masking_key(self) -> bytes | None:
        """The key, if it is there."""
        return self.header[-4:] if self.is_masked and len(self.header) == self.size else None

    @property
    def size_of_extended(self) -> int:
        """How many bytes tell a longer length: 0, 2 or 8."""
        return self.size - (6 if self.is_masked else 2)

    @property
    def extended(self) -> bytes:
        """What is there of the bytes that tell a longer length."""
        return self.header[2 : self.size - 4 if self.is_masked else self.size]


def read_layout(data: Buffer, start: int = 0) -> Layout:
    """Find the fields of the frame that begins at `start`; unlike `parse_header`, whatever its bits say."""
    begun = bytes(data[start : start + MAX_HEADER])
    second = begun[1] if len(begun) > 1 else 0
    extended = {126: 2, 127: 8}.get(second & 0b0111_1111, 0)
    size = 2 + extended + (4 if second & 0b1000_0000 else 0)
    length = second & 0b0111_1111
    if extended:
        length = int.from_bytes(begun[2 : 2 + extended], "big") if len(begun) >= 2 + extended else 0
    return Layout(start, begun[:size], size, length, min(length, max(0, len(data) - start - size)))


def judge_header(layout: Layout) -> list[Violation]:
    """The rules that no extension can lift and that the header breaks."""
    second = layout.header[1] if len(layout.header) > 1 else 0
    broken = list(broken_by_start(layout.header[0], second))
    if layout.extended and len(layout.extended) == layout.size_of_extended:
        broken += broken_by_length(layout.size_of_extended, layout.length)
    return broken


def repair_header(layout: Layout) -> bytes | None:
    """The header as it ought to have been, so that its payload can be read; None if nothing can be made of it."""
    opcode, length = layout.opcode, layout.length
    if opcode is None or length >= 2**63 or len(layout.header) < layout.size or (opcode.is_control and length > 125):
        return None
    first = layout.header[0] | (0b1000_0000 if opcode.is_control else 0)
    short = length if length <= 125 else 126 if length <= 0xFFFF else 127
    extended = b"" if length <= 125 else length.to_bytes(2 if length <= 0xFFFF else 8, "big")
    return bytes((first, layout.header[1] & 0b1000_0000 | short)) + extended + (layout.masking_key or b"")


def fields_of_frame(data: Buffer, layout: Layout, judged: Verdict, window: ByteRange) -> Iterator[Field]:
    """A field for each part of the frame; what is not there is told in the last one."""
    faults = judged.faults
    wrong = {fault.field: "; ".join(told(other) for other in faults if other.field == fault.field) for fault in faults}
    for field in _fields_of_header(layout, judged.deflate):
        yield field._replace(fault=wrong.get(field.name, ""))
    if len(layout.header) < layout.size:
        yield Field(
            layout.end,
            layout.end,
            "cut short",
            "",
            f"missing: {how_many(layout.size - len(layout.header))} of the header",
        )
        return
    payload = Payload(data, layout.payload_start, layout.end, layout.length, layout.masking_key, layout.opcode)
    yield from fields_of_payload(payload, judged, window)
    if not layout.is_whole:
        yield Field(
            layout.end, layout.end, "cut short", "", f"missing: {how_many(layout.length - layout.there)} of the payload"
        )


def _fields_of_header(layout: Layout, deflate: bool | None) -> Iterator[Field]:
    header, start, opcode = layout.header, layout.start, layout.opcode
    first, bits = f"{header[0]:02x}", f"{header[0]:08b}"
    yield Field(start, start + 1, "FIN", bits[0], _meaning_of_fin(bits[0], opcode), first, f"{bits[0]}.......")
    yield Field(start, start, "RSV1-3", bits[1:4], _meaning_of_bits(bits[1:4], deflate), "", f".{bits[1:4]}....")
    name, meaning = (opcode.name.lower(), MEANINGS[opcode]) if opcode is not None else ("reserved", "")
    yield Field(start, start, "opcode", f"0x{header[0] & 0b0000_1111:x}: {name}", meaning, "", f"....{bits[4:]}")
    if len(header) == 1:
        return
    second, bits = f"{header[1]:02x}", f"{header[1]:08b}"
    value, meaning = ("1: masked", "from a client") if layout.is_masked else ("0: not masked", "from a server")
    yield Field(start + 1, start + 2, "MASK", value, f"as every frame {meaning} (§5.1)", second, f"{bits[0]}.......")
    short, size = header[1] & 0b0111_1111, {126: 2, 127: 8}.get(header[1] & 0b0111_1111, 0)
    meaning = f"the next {size} bytes tell it (§5.2)" if size else "in bytes (§5.2)"
    yield Field(start, start, "payload length", str(short), meaning, "", f".{bits[1:]}")
    if extended := layout.extended:
        value = str(layout.length) if len(extended) == size else ""
        span = start + 2, start + 2 + len(extended)
        yield Field(*span, "extended length", value, "in bytes, the highest byte first (§5.2)", extended.hex(" "))
    if key := header[2 + size :] if layout.is_masked else b"":
        yield Field(layout.payload_start - len(key), layout.payload_start, "masking key", "", KEY_MEANING, key.hex(" "))


def _meaning_of_fin(bit: str, opcode: Opcode | None) -> str:
    if bit == "0":
        return "more frames of its message follow (§5.4)"
    is_control = opcode is not None and opcode.is_control
    return "a control frame is never cut into pieces (§5.5)" if is_control else "the last frame of its message (§5.4)"


def _meaning_of_bits(bits: str, deflate: bool | None) -> str:
    if bits != "100" or deflate is False:
        return "reserved for extensions (§5.2)"
    if deflate:
        return "RSV1: the message is compressed (RFC 7692 §6)"
    return "RSV1: compressed, if permessage-deflate was agreed on (RFC 7692 §6)"
