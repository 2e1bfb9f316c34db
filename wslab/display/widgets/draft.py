"""draft: the fields of a frame, legal or not, in; its bytes out; and back (RFC 6455 §5.2)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from wslab.display.widgets.exchange import PATIENCE, Answer, exchange
from wslab.protocol.frames import OPCODES
from wslab.protocol.masking import apply_mask

MOST_IN_7_BITS = 125
MOST_IN_16_BITS = 0xFFFF
MOST_IN_64_BITS = 2**64 - 1


class LengthForm(StrEnum):
    """How the length of the payload is written; the RFC allows the shortest form only."""

    SHORTEST = "the shortest"
    BITS_7 = "7 bits"
    BITS_16 = "16 bits"
    BITS_64 = "64 bits"


MOST_IN_FORM = {
    LengthForm.BITS_7: MOST_IN_7_BITS,
    LengthForm.BITS_16: MOST_IN_16_BITS,
    LengthForm.BITS_64: MOST_IN_64_BITS,
}
SIZE_OF_FORM = {LengthForm.BITS_7: 0, LengthForm.BITS_16: 2, LengthForm.BITS_64: 8}  # bytes behind the first two
MARK_OF_FORM = {LengthForm.BITS_16: 126, LengthForm.BITS_64: 127}


def shortest_form(length: int) -> LengthForm:
    """The form that a length must be written in. Raises ValueError for one that fits into none."""
    for form, most in MOST_IN_FORM.items():
        if 0 <= length <= most:
            return form
    raise ValueError(f"no frame can tell a length of {length}")


def name_of_opcode(opcode: int) -> str:
    """The name of a four-bit opcode, `reserved` for those that mean nothing yet (RFC 6455 §5.2, §11.8)."""
    known = OPCODES.get(opcode)
    return "reserved" if known is None else known.name.lower()


@dataclass(frozen=True)
class FrameDraft:
    """A frame as somebody wants it, with nothing forbidden.

    `payload` is unmasked, and so is what the header tells: `told_length` may be another length than it has (None: its
    own). `rest` are bytes that come behind the frame.

    >>> draft = FrameDraft(opcode=0x3, payload=b"Hi", masking_key=bytes.fromhex("37fa213d"))
    >>> draft.to_bytes().hex(" ")
    '83 82 37 fa 21 3d 7f 93'
    >>> print(FrameDraft.from_bytes(draft.to_bytes()))
    FIN 1, RSV 000, opcode 0x3 (reserved), masked with 37 fa 21 3d, length 2 in 7 bits
    """

    opcode: int = 0x1
    payload: bytes = b""
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False
    masking_key: bytes | None = None
    length_form: LengthForm = LengthForm.SHORTEST
    told_length: int | None = None
    rest: bytes = b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the first frame in `data`; `to_bytes` gives all of `data` back. Raises ValueError if a header is cut."""
        if len(data) < 2:
            raise ValueError(f"a header has at least 2 bytes, and here {_are(len(data))}")
        first, second = data[0], data[1]
        form = {126: LengthForm.BITS_16, 127: LengthForm.BITS_64}.get(second & 0b0111_1111, LengthForm.BITS_7)
        is_masked = bool(second & 0b1000_0000)
        key_at = 2 + SIZE_OF_FORM[form]
        start = key_at + (4 if is_masked else 0)
        if len(data) < start:
            raise ValueError(f"this header has {start} bytes, and here {_are(len(data))}")
        length = int.from_bytes(data[2:key_at], "big") if key_at > 2 else second & 0b0111_1111
        key = data[key_at:start] if is_masked else None
        payload, rest = data[start : start + length], data[start + length :]
        return cls(
            opcode=first & 0b0000_1111,
            payload=apply_mask(payload, key) if key else payload,
            fin=bool(first & 0b1000_0000),
            rsv1=bool(first & 0b0100_0000),
            rsv2=bool(first & 0b0010_0000),
            rsv3=bool(first & 0b0001_0000),
            masking_key=key,
            length_form=LengthForm.SHORTEST if form is shortest_form(length) else form,
            told_length=None if length == len(payload) else length,
            rest=rest,
        )

    @property
    def length(self) -> int:
        """The length that the header tells."""
        return len(self.payload) if self.told_length is None else self.told_length

    @property
    def form(self) -> LengthForm:
        """The form in which it tells it. Raises ValueError for a length that fits into none."""
        return shortest_form(self.length) if self.length_form is LengthForm.SHORTEST else self.length_form

    def to_bytes(self) -> bytes:
        """The bytes to send. Raises ValueError for what no bytes can say, such as a length of 200 in 7 bits."""
        form, length, key = self.form, self.length, self.masking_key
        if not 0 <= length <= MOST_IN_FORM[form]:
            raise ValueError(f"{form} tell a length of 0 to {MOST_IN_FORM[form]}, not {length}")
        if not 0 <= self.opcode <= 0xF:
            raise ValueError(f"an opcode has 4 bits: {self.opcode} is no opcode")
        if key is not None and len(key) != 4:
            raise ValueError(f"a masking key has 4 bytes, not {len(key)}")
        first = self.fin << 7 | self.rsv1 << 6 | self.rsv2 << 5 | self.rsv3 << 4 | self.opcode
        second = (key is not None) << 7 | MARK_OF_FORM.get(form, length)
        size = SIZE_OF_FORM[form]
        header = bytes((first, second)) + (length.to_bytes(size, "big") if size else b"")
        payload = self.payload if key is None else key + apply_mask(self.payload, key)
        return header + payload + self.rest

    def send(self, url: str, *, patience: float = PATIENCE) -> Answer:
        """Open a connection to `url`, send the bytes, and tell what comes back; never raises for what a server does.

        `patience` in seconds bounds the wait for the server's close frame. Raises ValueError as `to_bytes`.
        """
        return exchange(url, self.to_bytes(), patience=patience)

    def __str__(self) -> str:
        rsv = "".join("1" if bit else "0" for bit in (self.rsv1, self.rsv2, self.rsv3))
        key = "not masked" if self.masking_key is None else f"masked with {self.masking_key.hex(' ')}"
        said = (
            f"FIN {int(self.fin)}, RSV {rsv}, opcode 0x{self.opcode:x} ({name_of_opcode(self.opcode)}), {key}, "
            f"length {self.length} in {self.form}"
        )
        if self.told_length is not None:
            said += f", but {_are(len(self.payload))} there"
        return f"{said}, and {len(self.rest)} more behind it" if self.rest else said


def _are(count: int) -> str:
    return f"{count} is" if count == 1 else f"{count} are"
