"""find: where the secrets are in a text; `secrets` has the list of what is one.

Strategy: the text is read with its escapes decoded (`reading`), so that `%74oken%3D` is found where `token=` is. An
encoded delimiter may begin a value and never ends one: it may belong to it. Places are those in the text as it was.
No character is looked at more often than a fixed number of times, whatever the text.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator

from wslab.redaction.names import is_mangled, is_public, is_secret, lists_subprotocols
from wslab.redaction.reading import Reading, Span, is_in_chunks
from wslab.redaction.secrets import SECRET_SHAPES, SUBPROTOCOL, Place

_FLAGS = re.IGNORECASE | re.ASCII
_HINT = re.compile(
    r"[=:/%&\\@_-]|[\"'],|eyJ|eyAi|ewo|W3si|basic|bearer|negotiate|ntlm|key |token |pass |auth"
    r"|(?-i:AC|SK)[0-9a-f]{9}|AIza|SG\.|ATATT|ATCTT|ATBB|dapi|dp\.|hv[bs]\.|ya29|\.local\.|machine ",
    _FLAGS,
)
_SHAPES = [re.compile(pattern, _FLAGS) for pattern, _ in SECRET_SHAPES]
_SUBPROTOCOL = re.compile(SUBPROTOCOL, _FLAGS)

_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|\Z)")
_HEADER_NAME = re.compile(r"[ \t]*[!#$%&'*+.^`|~\w-]+[ \t]*", re.ASCII)
_LETTERS = re.compile(r"[ \t]*[a-z-]*", _FLAGS)
_NOT_A_HEADER = re.compile(r"[ \t]*[\"'{<[]|HTTP/\d|[A-Z]+ +(?:[/*]|https?://)")
_PART_NAME = re.compile(r'form-data\b.{0,200}?\bname="?([^";]*)', _FLAGS)
_PAIR = re.compile(
    r"(?<![\w.$~\[\]-])([\w.$~\[\]-]++)(\\*+[\"'\ue022\ue027])?\]?[\s+\ue020\ue00a]{0,8}+([=:,\ue03d\ue03a])"
    r"(?:>?[\s+\ue020\ue00a]{0,8}+(?:[bruf]?(\\*+)([\"'`\ue022\ue027])|([\[{])|(-?\d[\d.e+-]*+)))?",
    _FLAGS,
)
_SEPARATORS = "?&#;\ue03f\ue026\ue023\ue03b"
_COLONS = ":\ue03a"
_ENDS_OF_STRINGS = {quote: re.compile(rf"(?<!\\)(\\*+){quote}|[\r\n]") for quote in ('"', "'", "`", "\ue022", "\ue027")}
_BRACKET = re.compile(r'(?<!\\)"(?:[^"\\\r\n]|\\.)*"|([\[{])|[\]}]')
_TUPLE = re.compile(r"[\[(]\s{0,8}[bru]?\\*+[\"'\ue022\ue027]\Z", _FLAGS)  # before a name: ["token", "…"]
# Python before 3.11.5 errs in possessive groups with a choice or a look ahead: there are none, only single characters.
# What ends a parameter: a quotation mark only where no more of a word follows.
_END_OF_PARAMETER = re.compile(r"[&#\s]|[\"'<>`](?![^\s,;:.)\]}>/&#\"'<])|\Z", _FLAGS)
_WORD = re.compile(r"[\w.$~\[\]-]{1,60}", re.ASCII)
_FAR = 200  # characters between a name="…" and its value="…", whichever comes first
_NAMES, _VALUES = ("name", "key", "header"), ("value", "content")
_ELEMENT = re.compile(
    r"[<\ue03c](?:\w+:)?([\w.-]{1,60})(?:\s[^<>\ue03c\ue03e]{0,200})?[>\ue03e]([^<>\ue03c\ue03e]+)[<\ue03c]", _FLAGS
)
# What programs are given on a command line: --token …, and curl -H "Cookie: …"
_OPTION = re.compile(r"(?<![\w-])--(\w[\w.-]{1,60})[ \t]{1,8}([^\s\"'-][^\s\"']*)", _FLAGS)
_HEADER_OPTION = re.compile(r"(?<![\w-])(?:-H|--header)[ \t=]{0,3}[\"']([\w-]{1,60}):([^\"'\r\n]+)", _FLAGS)
# Base64 with JSON in it, which begins with {" { " {\n or [{".
_BASE64 = re.compile(r"(?:(?<![\w+/-])|(?<=\bheader-))(?:eyJ|eyAi|ewo|W3si)[\w+/-]{8,}", re.ASCII)
_SEGMENT = re.compile(r"(?<=[/\ue02f])(?<![/\ue02f]{2})([\w.~-]++)(?=[/\ue02f]([^/?#\s\"'<>;\ue02f\ue03f]+))", _FLAGS)

_COMPRESSED = re.compile(
    rb"\ncontent-encoding[ \t]*:[ \t]*(?!identity)\w|(?:\A|\n\r?\n(?:[0-9A-F]{1,8}\r\n)?)(\x1f\x8b)", re.IGNORECASE
)
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_NEXT_HEAD = re.compile(rb"HTTP/1\.\d [1-9]\d\d|[A-Z]{3,10} [!-~]+ HTTP/1\.\d")

_NAMED = (
    (_ELEMENT, Place.JSON),
    (_OPTION, Place.TEXT),
    (_HEADER_OPTION, Place.HEADER),
    (_SEGMENT, Place.PATH),
)

_URLSAFE = str.maketrans("+/", "-_")


# All of them


def find_secrets(text: str, *, is_head: bool = False, is_body: bool = False) -> Iterator[Span]:
    """Where the secrets are, in no order; they may overlap. In a head, its lines are read leniently, legal or not."""
    if is_head or _HINT.search(text):  # most messages have none
        yield from _find(Reading(text), is_head, is_body)
    if is_body and is_in_chunks(text):
        yield from _find(Reading(text, in_chunks=True), is_head, is_body)


def _find(reading: Reading, is_head: bool, is_body: bool) -> Iterator[Span]:
    plain = reading.plain
    for spans in _in_lines(plain, is_head), _in_pairs(plain, is_body), _named(plain):
        yield from reading.spans((start, end) for start, end in spans if not is_public(plain[start:end]))
    yield from reading.spans(_in_base64(plain))
    for shape in _SHAPES:
        yield from reading.spans(found.span(1) for found in shape.finditer(plain))


# By the names of headers and of the parts of a form


def _in_lines(plain: str, is_head: bool) -> Iterator[Span]:
    is_hidden, is_part, is_value = False, False, False
    for line in _LINE.finditer(plain):
        text, start, end = line[1], *line.span(1)
        if text.startswith("--"):
            is_part = is_value = False
        elif is_value:
            yield start, end
            continue
        elif is_part:
            is_value = not text  # the empty line after the headers of a part
        elif part := _PART_NAME.search(text):
            is_part = is_secret(part[1], Place.ADDRESS)
        if not (is_hidden and text.startswith((" ", "\t"))):  # else it is folded, and belongs to the line above
            skipped = _skip_name(text, is_head)
            is_hidden, start = skipped is not None, start + (skipped or 0)
        name, _, value = text.partition(":")
        if is_hidden:
            yield start, end
        elif lists_subprotocols(name):
            yield from ((end - len(value) + a, end - len(value) + b) for a, b in find_in_subprotocols(value))


def _skip_name(line: str, is_head: bool) -> int | None:
    """Where the secret of a header line begins; None if it has none."""
    name, colon, _ = line.partition(":")
    if _NOT_A_HEADER.match(line):
        return None
    is_legal = bool(colon and _HEADER_NAME.fullmatch(name))
    if is_legal and is_secret(name, Place.HEADER if is_head else Place.TEXT):
        return len(name) + 1
    if is_legal or not is_head:
        return None
    begun = _LETTERS.match(line)
    return begun.end() if begun and is_mangled(line) else None


def find_in_subprotocols(value: str) -> Iterator[Span]:
    """Where the tokens are in the value of Sec-WebSocket-Protocol: behind such a word, or all of the next name."""
    is_next = False
    for name in re.finditer(r"[^\s,]+", value):
        if is_next and is_public(name[0]):  # Authorization, Bearer, …
            continue
        found = _SUBPROTOCOL.search(name[0])
        if is_next:
            yield name.span()
        elif found and not is_public(found[1]):
            yield name.start() + found.start(1), name.end()
        is_next = not is_next and found is not None and not found[1]


# By the names of parameters and members


def _in_pairs(plain: str, is_form: bool) -> Iterator[Span]:
    position, named, valued = 0, -_FAR, (-_FAR, -_FAR)
    while pair := _PAIR.search(plain, position):
        position, name = pair.end(), pair[1].lower()
        word = _WORD.match(plain, position) if name in _NAMES and pair[5] else None
        if word and is_secret(word[0], Place.JSON):  # <input name="token" value="…">, or the other way round
            named = position = word.end()
            if named - valued[1] < _FAR:
                yield valued
        elif (name in _VALUES and position - named < _FAR) or _is_secret(plain, pair, is_form):
            start, end = _value(plain, pair)
            if start < end:
                yield start, end
                position = end
        elif name in _VALUES and pair[5]:
            valued = _value(plain, pair)


def _is_secret(plain: str, pair: re.Match[str], is_form: bool) -> bool:
    if pair[3] in _COLONS:
        is_letter = pair[1] == "key" and plain[pair.end() + 1 : pair.end() + 2] == pair[5]  # of a keyboard
        return not is_letter and is_secret(pair[1], Place.JSON)
    if pair[3] == ",":
        is_tuple = pair[2] and pair[5] and _TUPLE.search(plain, max(0, pair.start() - 20), pair.start())
        return bool(is_tuple) and is_secret(pair[1], Place.TEXT)
    before = plain[pair.start() - 1] if pair.start() else "\n"
    is_in_address = before in _SEPARATORS or (is_form and before in "\r\n")
    return is_secret(pair[1], Place.ADDRESS if is_in_address else Place.TEXT)


def _value(plain: str, pair: re.Match[str]) -> Span:
    """What stands behind the name: a string, a number, a list, or up to the end of a parameter."""
    start = pair.end()
    if quote := pair[5]:
        depth = len(pair[4])  # of JSON in a string of JSON, a quotation mark has one backslash before it, then three
        for end in _ENDS_OF_STRINGS[quote].finditer(plain, start):
            if end[1] is None or len(end[1]) % (2 * depth + 2) == depth:
                return start, end.end(1) - depth if end[1] is not None else end.start()
        return start, len(plain)
    if pair[3] not in _COLONS:
        return _parameter(plain, pair.end(3))
    if pair[6]:
        return start, _end_of_list(plain, start)
    return pair.span(7) if pair[2] and pair[7] else (start, start)


def _parameter(plain: str, start: int) -> Span:
    """What stands from here on, or behind a few blanks, as in a file of settings."""
    begun = plain[start : start + 8]
    for begin in (start, start + len(begun) - len(begun.lstrip(" \t"))):
        end = _END_OF_PARAMETER.search(plain, begin)
        if end is not None and end.start() > begin:
            return begin, end.start()
    return start, start


def _end_of_list(plain: str, start: int) -> int:
    depth = 1
    for bracket in _BRACKET.finditer(plain, start):
        depth += 1 if bracket[1] else -1 if bracket[0] in "]}" else 0
        if not depth:
            return bracket.start()
    return len(plain)


# By the names of elements, of options and of folders, and in what is encoded


def _named(plain: str) -> Iterator[Span]:
    for pattern, place in _NAMED:
        yield from (found.span(2) for found in pattern.finditer(plain) if is_secret(found[1], place))


def _in_base64(plain: str) -> Iterator[Span]:
    """Where JSON with a secret in it stands in base64, at most a fourth of which is looked at again."""
    for found in _BASE64.finditer(plain):
        text = urlsafe_b64decode(found[0][: len(found[0]) // 4 * 4].translate(_URLSAFE)).decode("latin-1")
        if any(True for _ in find_secrets(text)):
            yield found.span()


# By what is compressed


def find_compressed(data: bytes) -> Iterator[Span]:
    """Where compressed bodies are: what they say cannot be crossed out in them, so all of them is."""
    position = 0
    while found := _COMPRESSED.search(data, position):
        if found[1]:
            start = found.start(1)
        elif head := _END_OF_HEAD.search(data, found.end()):
            start = head.end()
        else:
            return
        following = _NEXT_HEAD.search(data, start)
        position = following.start() if following else len(data)
        yield start, position
