"""payloads: the payload of a frame as rows of a few bytes, as they travelled beside what they are (RFC 6455 §5.3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from wslab.dissector.field import Field
from wslab.dissector.frames import DissectedFrame
from wslab.dissector.wording import how_many
from wslab.protocol.errors import ProtocolError, Violation, describe_close
from wslab.protocol.frames import Opcode, parse_close
from wslab.protocol.masking import Buffer, apply_mask
from wslab.redaction.redact import redact_part_of_payload

BYTES_A_ROW = 8  # two turns of the masking key
MOST_SHOWN = 60  # characters of a text, at least
LOOKED_AROUND = 512  # bytes before and behind what is shown: a secret that reaches into it is not shown
MASKED = "XOR with the masking key, over and over, gives the value (§5.3)"

LEFT_OUT = "…"
RESERVED = "what it is, only the one who has sent it knows (§5.2)"
UNKNOWN_BITS = "how to read it, only an extension could tell that uses these bits (§5.2)"

MEANINGS = {
    Opcode.TEXT: "text in UTF-8 (§5.6)",
    Opcode.BINARY: "whatever the application means by it (§5.6)",
    Opcode.PING: "comes back in the pong (§5.5.2)",
    Opcode.PONG: "as it stood in the ping (§5.5.3)",
    Opcode.CONTINUATION: "of a message whose beginning is not here (§5.4)",
}


@dataclass(frozen=True, slots=True)
class ByteRange:
    """What is shown of a payload: at most `most` bytes of it, none before the place `start`."""

    start: int
    most: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `FrameDissector` says of a frame: None for one that it cannot read; the rules that are broken.

    `deflate` says whether permessage-deflate was agreed on, None if nobody knows.
    """

    frame: DissectedFrame | None
    faults: tuple[Violation, ...] = ()
    deflate: bool | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of `data` from `start` to `end`; of so many as `length`, if they are all there."""

    data: Buffer
    start: int
    end: int
    length: int
    masking_key: bytes | None
    opcode: Opcode | None

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there."""
        return self.end - self.start == self.length

    def wire(self, start: int, end: int) -> bytes:
        """The bytes between two places as they travelled."""
        return bytes(self.data[start:end])

    def plain(self, start: int, end: int) -> bytes:
        """The bytes between two places without the mask."""
        if self.masking_key is None:
            return self.wire(start, end)
        turn = (start - self.start) % 4
        return apply_mask(self.wire(start, end), self.masking_key[turn:] + self.masking_key[:turn])


def told(fault: Violation, where: str = "") -> str:
    """A fault as a sentence, with where the wrong byte is."""
    return f"{fault.reason}{where} ({fault.section}): close with {int(fault.code)}"


def fields_of_payload(payload: Payload, judged: Verdict, window: ByteRange) -> Iterator[Field]:
    """The rows of its bytes, then what they say: a text, a close code and its reason, what it is decompressed."""
    said = list(_what_it_says(payload, judged, window))
    rows = list(_rows_of_bytes(payload, judged, window))
    if payload.masking_key is None:
        # Nothing was done to the bytes: what they say stands beside them.
        for one in tuple(said):
            at = next((at for at, row in enumerate(rows) if row.name == one.name and row.hex != LEFT_OUT), None)
            if at is not None:
                rows[at] = rows[at]._replace(value=one.value, meaning=one.meaning, fault=one.fault)
                said.remove(one)
    for fault in judged.faults:
        if fault.field == "payload":
            _mark(rows, said, payload, judged, fault)
    yield from rows
    yield from said


def _rows_of_bytes(payload: Payload, judged: Verdict, window: ByteRange) -> Iterator[Field]:
    first = min(max(window.start, payload.start), payload.end)
    last = min(first + window.most, payload.end)
    is_masked = payload.masking_key is not None
    if first > payload.start:
        meaning = f"{how_many(first - payload.start)} before: start={payload.start} shows them"
        yield Field(payload.start, first, _name_at(payload.start, payload, judged), "", meaning, LEFT_OUT)
    wire, plain = payload.wire(first, last), payload.plain(first, last)
    crossed_out = _crossed_out(payload, judged, first, last)
    secret = {at for at, octet in enumerate(plain) if octet != crossed_out[at]}
    code_end = min(max(first, payload.start + 2), last) if payload.opcode is Opcode.CLOSE and not is_masked else first
    places = [*range(first, code_end, BYTES_A_ROW), *range(code_end, last, BYTES_A_ROW), last]
    for place, end in pairwise(places):
        there = range(place - first, end - first)
        travelled, is_hidden = (
            " ".join("xx" if at in secret else f"{b[at]:02x}" for at in there) for b in (wire, plain)
        )
        meaning = MASKED if is_masked and place == first else ""
        name = _name_at(place, payload, judged)
        yield Field(place, end, name, is_hidden if is_masked else "", meaning, travelled)
    if last < payload.end:
        meaning = f"{payload.end - last} more bytes: start={last} shows them"
        yield Field(last, payload.end, _name_at(last, payload, judged), "", meaning, LEFT_OUT)


def _name_at(place: int, payload: Payload, judged: Verdict) -> str:
    """What the byte at `place` is a part of."""
    if payload.masking_key is not None:
        return "masked payload"
    if payload.opcode is Opcode.CLOSE:
        return "close code" if place < payload.start + 2 else "close reason"
    frame = judged.frame
    return "compressed payload" if frame is not None and (frame.is_inflated or _is_compressed(frame)) else "payload"


def _is_compressed(frame: DissectedFrame) -> bool:
    """Whether it is one that decompressing might help: not one whose other bits are set, which have no meaning."""
    return frame.is_deflated and not (frame.header.rsv2 or frame.header.rsv3)


def _crossed_out(payload: Payload, judged: Verdict, first: int, last: int) -> bytes:
    """The bytes from `first` to `last`, with an x for each that belongs to a cookie, to credentials or to a token."""
    begin, end = max(payload.start, first - LOOKED_AROUND), min(payload.end, last + LOOKED_AROUND)
    frame = judged.frame
    before = frame.before if frame is not None and begin == payload.start else b""
    is_part = not payload.is_whole or (frame is not None and not frame.header.fin)
    has_more = is_part and end == payload.end
    around = redact_part_of_payload(payload.plain(begin, end), before, has_more)
    return around[first - begin : last - begin]


def _what_it_says(payload: Payload, judged: Verdict, window: ByteRange) -> Iterator[Field]:
    place, frame = payload.end, judged.frame
    if payload.opcode is Opcode.CLOSE:
        yield from _fields_of_close(payload, judged)
    elif frame is not None and _is_compressed(frame):
        why = "cannot be decompressed" if judged.deflate else "compressed, it seems: deflate=True decompresses it"
        yield Field(place, place, "payload", "", f"{why} (RFC 7692 §7.2.2)")
    elif frame is not None and frame.is_deflated:
        yield Field(place, place, "payload", "", UNKNOWN_BITS)
    elif frame is not None and frame.is_inflated:
        value = _value(
            frame.kind,
            redact_part_of_payload(frame.payload, frame.before, not frame.header.fin),
            frame.length,
            window.most,
        )
        yield Field(place, place, "payload", value, f"decompressed: {how_many(frame.length)} (RFC 7692 §7.2.2)")
    elif payload.end > payload.start:
        kind = frame.kind if frame is not None else payload.opcode
        first = min(max(window.start, payload.start), payload.end)
        last = min(payload.end, first + 4 * max(window.most, MOST_SHOWN))
        shown = _crossed_out(payload, judged, first, last)
        value = _value(kind, shown, payload.end - first, window.most) if kind is Opcode.TEXT else ""
        if value or payload.masking_key is None:
            yield Field(place, place, "payload", value, RESERVED if kind is None else MEANINGS.get(kind, ""))


def _value(kind: Opcode, payload: bytes, length: int, most: int) -> str:
    """The beginning of a payload of `length` bytes, for the eyes."""
    if kind is not Opcode.TEXT:
        return payload[:most].hex(" ") + (" …" if length > most else "")
    text, most = payload.decode(errors="backslashreplace"), max(most, MOST_SHOWN)
    return f'"{text}"' if len(payload) == length and len(text) <= most else f'"{text[:most]}…"'


def _fields_of_close(payload: Payload, judged: Verdict) -> Iterator[Field]:
    place, plain = payload.end, payload.plain(payload.start, payload.end)[:125]
    places = {fault.field: "" if fault.place is None else _where(payload, fault.place) for fault in judged.faults}
    wrong = {fault.field: told(fault, places[fault.field]) for fault in judged.faults}
    if len(plain) > 1:
        wrong.setdefault("close code", _refusal(plain[:2]))  # also where the rest is not there
    if not payload.length:
        yield Field(place, place, "close code", "none", "the API of a receiver calls that 1005 (§7.1.5)")
    elif len(plain) > 1:
        value = describe_close(int.from_bytes(plain[:2], "big"))
        meaning = "why the connection ends, in 2 bytes (§7.4)"
        yield Field(place, place, "close code", value, meaning, fault=wrong.get("close code", ""))
    elif "close code" in wrong:
        yield Field(place, place, "close code", "", "", fault=wrong["close code"])
    if len(plain) > 2:
        reason = redact_part_of_payload(plain[2:], b"", not payload.is_whole).decode(errors="backslashreplace")
        fault = wrong.get("close reason", "")
        yield Field(place, place, "close reason", f'"{reason}"', "meant for logs, not for users (§5.5.1)", fault=fault)


def _refusal(code: bytes) -> str:
    """Why a close code must not stand in a close frame."""
    try:
        parse_close(code)
    except ProtocolError as error:
        return told(error.violation) if error.violation is not None else ""
    return ""


def _mark(rows: list[Field], said: list[Field], payload: Payload, judged: Verdict, fault: Violation) -> None:
    """Say at the row of the wrong byte what is wrong with it; where no row has it, at what stands for the payload."""
    sentence, at = told(fault), None
    if fault.place is not None:
        is_inflated = judged.frame is not None and judged.frame.is_inflated
        sentence = told(fault, _where(payload, fault.place, is_inflated))
        at = None if is_inflated else payload.start + min(fault.place, payload.length - 1)
    if not rows and not said:
        said.append(Field(payload.end, payload.end, "payload"))
    marked = next((row for row in rows if at is not None and row.start <= at < row.end), (said or rows)[-1])
    of = said if marked in said else rows
    of[of.index(marked)] = marked._replace(fault=sentence)


def _where(payload: Payload, place: int, is_inflated: bool = False) -> str:
    """Where the wrong byte is, in words."""
    if is_inflated:
        return f": byte {place} of the decompressed text is wrong"
    if place >= payload.length:
        return ": it ends within a character"
    at = payload.start + place
    return f": {payload.plain(at, at + 1).hex()} in byte {at} is wrong"
