"""cut_json: JSON that was cut short, or that breaks a rule of JSON, in; JSON that can be read out (RFC 8259)."""

import re

MOST_DEEP = 100  # lists and objects in one another; Python reads fewer than a thousand
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"|[\[\]{}"]', re.DOTALL)
# A string, a list or object that begins or ends, a comma behind its last element, any other value; a string without end
_PART = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*")|([\[{])|([\]}])|(,)(?=\s*[\]}])|([^\s\[\]{}",:]++)|"', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9A-Fa-f]{4})|.)', re.DOTALL)
_VALUE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|NaN|-?Infinity")
_ENDS = {"{": "}", "[": "]"}


def end_cut_json(text: str) -> str:
    """The text up to the last list or object in it that is whole, and behind that the ends of those around it.

    >>> end_cut_json('{"a": [{"b": 1}, {"c"')
    '{"a": [{"b": 1}]}'
    """
    open_ends: list[str] = []
    whole = depth = 0  # where the last one ends, and how many are around it; these stay open until another one ends
    for token in _TOKEN.finditer(text):
        if token[0] in _ENDS:
            open_ends.append(_ENDS[token[0]])
        elif token[0] in ("}", "]"):
            if not open_ends or open_ends.pop() != token[0]:
                break
            whole, depth = token.end(), len(open_ends)
        elif token[0] == '"':  # a string without an end
            break
    return text[:whole] + "".join(reversed(open_ends[:depth]))


def mend_json(text: str) -> str:
    r"""The text as JSON wants it, where it can be told what is meant; where not, with null in the place of a value.

    >>> mend_json(r'{"a": [1, ",]",], "b": "C:\x", "c": undefined}')
    '{"a": [1, ",]"], "b": "C:\\\\x", "c": null}'
    """
    pieces, end, depth = [], 0, 0  # what is mended, of the text up to `end`
    for part in _PART.finditer(text):
        if not part.lastindex:
            break
        depth += bool(part[2]) - bool(part[3])
        if part[2] and depth == MOST_DEEP + 1:
            pieces += [text[end : part.start()], "null"]
        if depth > MOST_DEEP or (part[3] and depth == MOST_DEEP):
            end = part.end()
        elif depth and (mended := _mended(part)) != part[0]:
            pieces += [text[end : part.start()], mended]
            end = part.end()
    return "".join(pieces) + text[end:]


def _mended(part: re.Match[str]) -> str:
    string, _, _, comma, value = part.groups()
    if string:
        return _ESCAPE.sub(lambda found: found[0] if found[1] else "\\" + found[0], string)
    return "" if comma else "null" if value and not _VALUE.fullmatch(value) else part[0]
