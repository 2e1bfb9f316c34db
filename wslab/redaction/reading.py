"""reading: a text with its escapes decoded (percent, JSON, HTML, at any depth), and where each character stood."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cache
from html import unescape

_FLAGS = re.IGNORECASE | re.ASCII
_ENCODED = 0xE000  # an encoded delimiter is told from a plain one by its place in Unicode's private area
_ESCAPE = r"%(?:25)*([0-9A-F]{2})|(?<!\\)\\++(?:u00|x)([0-9A-F]{2})|(&(?:#x?[0-9A-F]{2,7}|[a-z]{2,8});)|(?<!\\)\\++(/)"
_BOUNDARY = re.compile(r"\r\n[0-9A-F]{1,8}(?:;[^\r\n]{0,80})?\r\n", _FLAGS)  # between chunks of a body (RFC 9112 §7.1)
_ESCAPES, _ESCAPES_IN_CHUNKS = re.compile(_ESCAPE, _FLAGS), re.compile(f"{_ESCAPE}|{_BOUNDARY.pattern}", _FLAGS)

Span = tuple[int, int]


def is_in_chunks(text: str) -> bool:
    """Whether a text may be a body in chunks, whose boundaries cut words."""
    return bool(_BOUNDARY.search(text))


class Reading:
    """`text` with its escapes decoded, `plain`, and where each character of that stood."""

    def __init__(self, text: str, *, in_chunks: bool = False) -> None:
        pieces, end, size = [], 0, 0
        self._places, self._origins = array("q", [0]), array("q", [0])  # an escape may have three characters only
        for escape in (_ESCAPES_IN_CHUNKS if in_chunks else _ESCAPES).finditer(text):
            decoded = _decode(escape)
            pieces += [text[end : escape.start()], decoded]
            size += escape.start() - end
            self._places.extend((size, size + len(decoded)))
            self._origins.extend(escape.span())
            end, size = escape.end(), size + len(decoded)
        self.plain = "".join([*pieces, text[end:]])

    def spans(self, spans: Iterator[Span]) -> Iterator[Span]:
        """Where these spans of `plain` are in the text."""
        for start, end in spans:
            first, last = bisect_right(self._places, start) - 1, bisect_left(self._places, end)
            if last == len(self._places) or self._places[last] != end:
                last -= 1
            if start < end:
                yield self._origins[first] + start - self._places[first], self._origins[last] + end - self._places[last]


def _decode(escape: re.Match[str]) -> str:
    if escape.lastindex is None:
        return ""  # the boundary of a chunk
    digits = escape[1] or escape[2]
    character = chr(int(digits, 16)) if digits else unescape(escape[3]) if escape[3] else "/"
    if len(character) != 1 or ord(character) > 0xFF:
        return escape[0]  # no delimiter
    is_plain = character.isascii() and (character.isalnum() or character in "_.-[]~$\\")
    return character if is_plain else _encoded(character)


@cache
def _encoded(character: str) -> str:
    return chr(_ENCODED + ord(character))
