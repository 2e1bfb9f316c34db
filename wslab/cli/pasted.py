r"""pasted: bytes as people paste them: hex with or without blanks, literals, lists of numbers, and hex dumps.

>>> read_pasted("81 05 48"), read_pasted(r"b'\x81\x05H'"), read_pasted("[129, 5, 72]"), read_pasted("0000  81 05  ..")
(b'\x81\x05H', b'\x81\x05H', b'\x81\x05H', b'\x81\x05')
"""

import re

# What stands before and behind the value in a program: unsigned char x[] = {…}; (as Wireshark and xxd -i write it).
_DECLARED = re.compile(r"[A-Za-z_$][\w\s.:*&<>$]*+(?:\[\w*\][\w\s$]*+)?=\s*+(?=\S)")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,2}|0[bB][01_]{1,9}|0|[1-9][0-9]{0,2}")
_SIGNED = re.compile(r"0|-?(?:12[0-7]|1[01][0-9]|[1-9][0-9]?)|-128")
_REMARK = re.compile(r"/\*.*?(?:\*/|\Z)|\(byte\)", re.DOTALL)
_LENGTH = re.compile(r"(?<=;)\s*+unsigned int \w+ = \d+;\Z")
_FROM_HEX = re.compile(r"""[\w.]*(?:fromhex|unhexlify|Buffer\.from|DecodeString)\(\s*b?["']([^"']*+)["'][^()]*\)\Z""")
# What programs write around a list: new Uint8Array([…]), Uint8Array(7) […], []byte{…}, <Buffer …>.
_BRACKETS = re.compile(r"(?:[\w.& ]++|\(\d*\)|\[\])*[\[{(<]+\s*+(?:Buffer\b)?([^\[\]{}()<>]*+)[\]})>]+;?\Z")
_LITERAL = re.compile(
    r"""(?:bytearray\()?((?:[bB]?(?:"[^"\\]*+(?:\\.[^"\\]*+)*"|'[^'\\]*+(?:\\.[^'\\]*+)*')\s*+)+)\)?\Z""", re.DOTALL
)
_QUOTED = re.compile(r"""[bB]?(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|'([^'\\]*+(?:\\.[^'\\]*+)*)')""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u00([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
# An offset, then groups of hex with a blank or two between them; then come the same bytes as characters.
_DUMP_LINE = re.compile(
    r"\s*(?:0x)?([0-9a-fA-F]{4,16})(:?)(?:( +|\t)((?:[0-9a-fA-F]{2})+(?: {1,2}(?:[0-9a-fA-F]{2})+)*)?.*)?\Z"
)
# What `hexdump` prints by default: words of two bytes, of which it shows the second one first (hexdump(1)).
_WORDS = re.compile(r"[0-9a-f]{7}(?: [0-9a-f]{4})* *|\*")
_ROW = 16  # bytes in a line of a dump, where no other line tells
_REPEATED = "*"  # a line that stands for any number of lines like the one before
MOST_REPEATED = 16 * 1024 * 1024  # bytes of a dump in which lines are left out


class NotBytes(ValueError):
    """What is wrong with a form of bytes that is known."""


def read_pasted(text: str) -> bytes:
    """Return the bytes that are written in `text`. Raises ValueError if there are none in it."""
    text = _value(text.strip())
    for read in (_read_words, _read_dump, _read_literal, _read_list):
        if (data := read(text)) is not None:
            return data
    return bytes.fromhex(re.sub(r"0[xX]|(?<=[0-9a-fA-F]{2})[:,;-](?=\s*[0-9a-fA-F])", " ", text.rstrip(",;")))


def begins_a_dump(text: str) -> bool:
    """Whether it begins as the lines of `xxd` do, which look like lines of a header otherwise."""
    line = _DUMP_LINE.match(text.lstrip().partition("\n")[0])
    return bool(line and line[2] and line[4])


def _value(text: str) -> str:
    """What is written in a program, without the name that it is given there."""
    if declared := _DECLARED.match(text):
        text = _LENGTH.sub("", _REMARK.sub("", text[declared.end() :]))
    text = text.rstrip(" \t\r\n;") if text.endswith(";") else text
    hexadecimal = _FROM_HEX.match(text)
    return hexadecimal[1] if hexadecimal else text


def _read_literal(text: str) -> bytes | None:
    r"""Read b'\x81\x05', "\x81\x05", or the same without quotes."""
    if literal := _LITERAL.match(text):
        text = "".join(double or single for double, single in _QUOTED.findall(literal[1]))
    elif not re.search(r"\\(?:x|[0-7]{3})", text):
        return None
    return _ESCAPE.sub(_unescape, text).encode("latin-1")


def _unescape(escape: re.Match[str]) -> str:
    hexadecimal, octal, letter = escape[1] or escape[2], escape[3], escape[4]
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    if letter and letter in "xuUN":
        raise NotBytes(f"a literal with an escape that is no byte: {escape[0]}")
    return chr(int(octal, 8)) if octal else _LETTERS.get(letter, letter)


def _read_list(text: str) -> bytes | None:
    """Read numbers: [129, 5], {0x81, 0x05}, 0x81, 0x05, 0b10000001, or signed ones as in Java."""
    brackets = _BRACKETS.match(text)
    words = re.split(r"[\s,;]+", (brackets[1] if brackets else text).strip(" \t\r\n,;"))
    is_prefixed = all(word[:2].lower() in ("0x", "0b") for word in words)
    is_sure = brackets or is_prefixed or _cannot_be_hex(words, has_commas="," in text)
    if is_sure and all(map(_NUMBER.fullmatch, words)):
        return bytes(int(word, 0) for word in words)
    if brackets and all(map(_SIGNED.fullmatch, words)):
        return bytes(int(word) % 256 for word in words)
    return bytes.fromhex(" ".join(words)) if brackets else None


def _cannot_be_hex(words: list[str], *, has_commas: bool) -> bool:
    if has_commas:
        return any(len(word) != 2 for word in words)
    return len(words) > 1 and any(len(word) == 3 for word in words)


def _read_words(text: str) -> bytes | None:
    """Read the lines of `hexdump` without options; the last one is the number of all bytes."""
    lines = text.split("\n")
    if not all(map(_WORDS.fullmatch, lines)) or " " not in text:
        return None
    end = int(lines.pop(), 16) if re.fullmatch(r"[0-9a-f]{7}", lines[-1]) else None
    if end is not None:
        lines.append(f"{end + end % 2:07x}")
    swapped = [re.sub(r" (..)(..)", r" \2\1", line).replace(" ", ": ", 1) for line in lines]
    data = _read_dump("\n".join(swapped))
    return data and data[:end]


def _read_dump(text: str) -> bytes | None:
    """Read the lines of Wireshark, xxd, hexdump -C, od or tcpdump: each begins with the offset of its first byte."""
    written = [line for line in text.split("\n") if line.strip()]
    repeats = _repeats(written)
    lines = [_DUMP_LINE.match(line) for line in written if line.strip() != _REPEATED]
    if not lines or None in lines:
        return None
    found = [line for line in lines if line is not None]
    offsets = [int(line[1], 16) - int(found[0][1], 16) for line in found]
    is_spaced = bool(found[0][2]) or len(found[0][3] or "") > 1  # else it may be hex in groups
    if len(found) == 1 and not (is_spaced and int(found[0][1], 16) == 0):
        return None
    row = offsets[1] if len(offsets) > 1 and 1 not in repeats else _ROW
    data = bytearray()
    for number, (line, offset) in enumerate(zip(found, offsets, strict=True)):
        if number in repeats:
            _repeat(data, row, offset)
        if offset != len(data):
            if is_spaced:
                raise NotBytes("a hex dump with a gap in it")
            return None
        data += bytes.fromhex(line[4] or "")[:row]
    return bytes(data)


def _repeats(lines: list[str]) -> set[int]:
    """Before which lines repeated ones are left out, counted without the lines that say so."""
    found, count = set(), 0
    for line in lines:
        if line.strip() == _REPEATED:
            found.add(count)
        else:
            count += 1
    return found


def _repeat(data: bytearray, row: int, end: int) -> None:
    """Repeat the last row up to the offset `end`."""
    last, missing = bytes(data[-row:]), end - len(data)
    if not last or missing < 0 or missing % len(last):
        raise NotBytes("a hex dump whose repeated lines do not fit")
    if end > MOST_REPEATED:
        raise NotBytes(f"a hex dump of more than {MOST_REPEATED:,} bytes, in which lines are repeated")
    data += last * (missing // len(last))
