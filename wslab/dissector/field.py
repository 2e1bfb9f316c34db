"""field: one field of a head or a frame, with its bytes and what it means."""

from typing import NamedTuple

from wslab.redaction.redact import printable

ILLEGAL = "illegal"


HEADING = ("byte", "hex", "bits", "field", "value", "meaning")


class Field(NamedTuple):
    """A field: the place of its bytes, its name, its value and the sentence that explains it; in `fault` what is wrong.

    `end` is behind its last byte; it is `start` where the bytes belong to the field above. `bits` has a dot for each
    bit of another field; `hex` and `bits` are empty for a line of text.
    """

    start: int
    end: int
    name: str
    value: str = ""
    meaning: str = ""
    hex: str = ""
    bits: str = ""
    fault: str = ""

    def row(self) -> tuple[str, ...]:
        """What a table shows of it, under `HEADING`."""
        meaning = f"{ILLEGAL}: {self.fault}" if self.fault else self.meaning
        return _span(self.start, self.end), self.hex, self.bits, *map(printable, (self.name, self.value, meaning))


def _span(start: int, end: int) -> str:
    return "" if start == end else str(start) if end - start == 1 else f"{start}-{end - 1}"
