"""wording: times, sizes, bytes and lines as a reader wants them, in words and in short."""

import re

LINE = 100  # characters of a line
VALUE = 60  # characters of a value
REMARKS = re.compile(r"(?: \([^()]*\))*\Z")


def since(seconds: float) -> str:
    """A time as a step from the beginning.

    >>> since(0.00034), since(2)
    ('+0.3 ms', '+2.00 s')
    """
    return f"{seconds:+.2f} s" if abs(seconds) >= 1 else f"{seconds * 1e3:+.1f} ms"


def how_many(count: int, noun: str = "byte") -> str:
    """A number of things in words.

    >>> how_many(1), how_many(65536), how_many(0, "frame")
    ('1 byte', '65,536 bytes', '0 frames')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def in_hex(data: bytes | bytearray, most: int, *, counted: bool = True) -> str:
    """Bytes in hex: at most `most` of them, with a sign if there are more, and with how many there are if `counted`.

    >>> in_hex(b"Hello", 5), in_hex(b"Hello", 2), in_hex(b"Hello", 2, counted=False)
    ('48 65 6c 6c 6f', '48 65 … (5 bytes)', '48 65 …')
    """
    if len(data) <= most:
        return data.hex(" ")
    return f"{data[:most].hex(' ')} …" + (f" ({len(data)} bytes)" if counted else "")


def cut(words: str, most: int = VALUE) -> str:
    """At most `most` characters, with a sign if there are more.

    >>> cut("Hello", 5), cut("Hello", 4)
    ('Hello', 'Hell…')
    """
    return words if len(words) <= most else f"{words[:most]}…"


def shorten(words: str, most: int = LINE) -> str:
    """About `most` characters, with a sign if there are more; remarks in parentheses at the end are kept whole.

    >>> shorten('text "what is much longer" (more to come)', 36)
    'text "what is much lo… (more to come)'
    """
    remarks = REMARKS.search(words)
    tail = remarks[0] if remarks and len(remarks[0]) <= most // 2 else ""
    return words if len(words) <= most else f"{words[: most - len(tail)]}…{tail}"
