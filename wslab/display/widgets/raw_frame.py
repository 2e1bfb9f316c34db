"""raw_frame: the fields of a frame, legal or not, to its bytes and back (RFC 6455 §5.2)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from wslab.display.widgets.probe import PATIENCE, ProbeResult, probe
from wslab.protocol.frames import OPCODES
from wslab.protocol.masking import apply_mask


class LengthForm(StrEnum):
    """How the length of the payload is written; the RFC allows only the shortest form."""

    SHORTEST = "the shortest"
    BITS_7 = "7 bits"
    BITS_16 = "16 bits"
    BITS_64 = "64 bits"


LONGEST = {LengthForm.BITS_7: 125, LengthForm.BITS_16: 0xFFFF, LengthForm.BITS_64: 2**64 - 1}  # bytes of payload
EXTENDED = {LengthForm.BITS_7: 0, LengthForm.BITS_16: 2, LengthForm.BITS_64: 8}  # bytes of the extended payload length
MARKS = {LengthForm.BITS_16: 126, LengthForm.BITS_64: 127}  # what the 7 bits hold instead of the length


def shortest_form(length: int) -> LengthForm:
    """The form in which a length must be written. Raises ValueError if it fits into none."""
    for form, longest in LONGEST.items():
        if 0 <= length <= longest:
            return form
    raise ValueError(f"no frame can tell a length of {length}")


def name_of_opcode(opcode: int) -> str:
    """The name of a four-bit opcode, or `reserved` if it has no meaning yet (RFC 6455 §5.2, §11.8)."""
    known = OPCODES.get(opcode)
    return "reserved" if known is None else known.name.lower()


@dataclass(frozen=True)
class RawFrame:
    """Any frame that bytes can express, with nothing forbidden.

    `payload` is not masked yet. `declared_length` is the length that the header declares, None for the length that the
    payload has. `trailing` are bytes that follow the frame.

    >>> frame = RawFrame(opcode=0x3, payload=b"Hi", masking_key=bytes.fromhex("37fa213d"))
    >>> frame.to_bytes().hex(" ")
    '83 82 37 fa 21 3d 7f 93'
    >>> print(RawFrame.from_bytes(frame.to_bytes()))
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
    declared_length: int | None = None
    trailing: bytes = b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the first frame in `data`; `to_bytes` gives all of `data` back. Raises ValueError if a header is cut."""
        if len(data) < 2:
            raise ValueError(f"a header has at least 2 bytes, and here {_are(len(data))}")
        first, second = data[0], data[1]
        form = {126: LengthForm.BITS_16, 127: LengthForm.BITS_64}.get(second & 0b0111_1111, LengthForm.BITS_7)
        key_at = 2 + EXTENDED[form]
        start = key_at + (4 if second & 0b1000_0000 else 0)
        if len(data) < start:
            raise ValueError(f"this header has {start} bytes, and here {_are(len(data))}")
        length = int.from_bytes(data[2:key_at], "big") if key_at > 2 else second & 0b0111_1111
        key = data[key_at:start] or None
        payload, trailing = data[start : start + length], data[start + length :]
        return cls(
            opcode=first & 0b0000_1111,
            payload=apply_mask(payload, key) if key else payload,
            fin=bool(first & 0b1000_0000),
            rsv1=bool(first & 0b0100_0000),
            rsv2=bool(first & 0b0010_0000),
            rsv3=bool(first & 0b0001_0000),
            masking_key=key,
            length_form=LengthForm.SHORTEST if form is shortest_form(length) else form,
            declared_length=None if length == len(payload) else length,
            trailing=trailing,
        )

    @property
    def length(self) -> int:
        """The length that the header declares, in bytes."""
        return len(self.payload) if self.declared_length is None else self.declared_length

    @property
    def form(self) -> LengthForm:
        """The form in which the length is written. Raises ValueError if it fits into none."""
        return shortest_form(self.length) if self.length_form is LengthForm.SHORTEST else self.length_form

    def to_bytes(self) -> bytes:
        """The bytes to send. Raises ValueError for what no bytes can express, such as a length of 200 in 7 bits."""
        form, length, key = self.form, self.length, self.masking_key
        if not 0 <= length <= LONGEST[form]:
            raise ValueError(f"{form} tell a length of 0 to {LONGEST[form]}, not {length}")
        if not 0 <= self.opcode <= 0xF:
            raise ValueError(f"an opcode has 4 bits: {self.opcode} is no opcode")
        if key is not None and len(key) != 4:
            raise ValueError(f"a masking key has 4 bytes, not {len(key)}")
        first = self.fin << 7 | self.rsv1 << 6 | self.rsv2 << 5 | self.rsv3 << 4 | self.opcode
        second = (key is not None) << 7 | MARKS.get(form, length)
        header = bytes((first, second)) + (length.to_bytes(EXTENDED[form], "big") if EXTENDED[form] else b"")
        payload = self.payload if key is None else key + apply_mask(self.payload, key)
        return header + payload + self.trailing

    def send(self, url: str, *, patience: float = PATIENCE) -> ProbeResult:
        """Send the bytes to `url` over a new connection and report what comes back, as `probe` does.

        `patience` in seconds bounds the wait for the server's close frame. Raises ValueError as `to_bytes` does.
        """
        return probe(url, self.to_bytes(), patience=patience)

    def __str__(self) -> str:
        rsv = "".join("1" if bit else "0" for bit in (self.rsv1, self.rsv2, self.rsv3))
        key = "not masked" if self.masking_key is None else f"masked with {self.masking_key.hex(' ')}"
        line = (
            f"FIN {int(self.fin)}, RSV {rsv}, opcode 0x{self.opcode:x} ({name_of_opcode(self.opcode)}), {key}, "
            f"length {self.length} in {self.form}"
        )
        if self.declared_length is not None:
            line += f", but {_are(len(self.payload))} there"
        return f"{line}, and {len(self.trailing)} more behind it" if self.trailing else line


def _are(count: int) -> str:
    return f"{count} is" if count == 1 else f"{count} are"
