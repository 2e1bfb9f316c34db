"""bits: a frame as RFC 6455 §5.2 draws it, 32 bits in each line, as an HTML table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from wslab.display.html import LINE, SHADE, TINT, scrolled
from wslab.dissector.field import Field

WIDTH = 32  # bits
MOST_WIDTH = 820  # pixels: as wide as a cell of a notebook beside its file browser
# Tints of the colours of Okabe and Ito; each cell has its name as well.
COLOURS = {
    "FIN": "rgba(230,159,0,0.3)",
    "RSV1-3": SHADE,
    "opcode": "rgba(86,180,233,0.3)",
    "MASK": "rgba(204,121,167,0.3)",
    "payload length": "rgba(0,158,115,0.25)",
    "extended length": "rgba(0,158,115,0.25)",
    "masking key": "rgba(204,121,167,0.3)",
}
PLAIN = "transparent"
CAPTION = "32 bits in each line"
NUMBER = "padding:2px 0;font-size:75%;width:3%"
WRONG_EDGE = "3px dashed #d55e00"


@dataclass(frozen=True)
class _Cell:
    """The part of a field that stands in one line: how many bits it has, and what to write into it."""

    bits: int
    name: str
    value: str
    background: str
    is_wrong: bool


def draw_bits(fields: Sequence[Field]) -> str:
    """A frame as an HTML table, from its fields; the end of a long payload is left out."""
    lines: list[list[_Cell]] = [[]]
    for cell in _cells(fields):
        if sum(other.bits for other in lines[-1]) == WIDTH:
            lines.append([])
        lines[-1].append(cell)
    heading = "".join(f'<th scope="col" style="{_style(SHADE)};{NUMBER}">{bit}</th>' for bit in range(WIDTH))
    corner = f'<th scope="col" style="{_style(SHADE)};{NUMBER}">byte</th>'
    body = "\n".join(_row(number, cells) for number, cells in enumerate(lines))
    caption = f'<caption style="text-align:left">{CAPTION}</caption>'
    head = f"<thead><tr>{corner}{heading}</tr></thead>"
    style = f"border-collapse:collapse;table-layout:auto;width:100%;max-width:{MOST_WIDTH}px;margin:0 0 1em"
    table = f'<table style="{style}">\n{caption}\n{head}\n<tbody>\n{body}\n</tbody>\n</table>\n'
    return scrolled(table, CAPTION)


def _cells(fields: Sequence[Field]) -> Iterator[_Cell]:
    """The fields, each cut where a line ends."""
    place, previous = 0, ""
    for field in fields:
        bits = len(field.bits.replace(".", "")) or 8 * (field.end - field.start)
        background = COLOURS.get(field.name, PLAIN)
        if field.hex == "…":
            more = f"… {field.end - field.start} more bytes"
            yield _Cell(WIDTH - place % WIDTH, field.name, more, background, bool(field.fault))
            return
        drawn = 0
        while drawn < bits:
            part = min(bits - drawn, WIDTH - place % WIDTH)
            name = f"{field.name} (continued)" if field.name == previous else field.name
            yield _Cell(part, name, _value(field, drawn, part), background, bool(field.fault))
            place, drawn, previous = place + part, drawn + part, field.name


def _value(field: Field, drawn: int, part: int) -> str:
    """What to write for a part of a field: its bits, or its bytes and the characters that they stand for."""
    if field.bits:
        name = field.value.partition(": ")[2] if field.name == "opcode" else ""
        return f"{field.bits.replace('.', '')} {name}".rstrip()
    parts = slice(drawn // 8, (drawn + part) // 8)
    octets = field.hex.split(" ")[parts]
    if field.name not in ("payload", "masked payload", "close reason"):
        return " ".join(octets)
    plain = field.value.split(" ")[parts] if field.name == "masked payload" else octets
    return f"{' '.join(octets)}  {''.join(map(_character, plain))}"


def _character(octet: str) -> str:
    character = "·" if octet == "xx" else chr(int(octet, 16))
    return character if " " <= character <= "~" else "·"


def _row(number: int, cells: Sequence[_Cell]) -> str:
    left = WIDTH - sum(cell.bits for cell in cells)
    rest = f'<td colspan="{left}"></td>' if left else ""
    offset = f'<th scope="row" style="{_style(SHADE)}">{4 * number}</th>'
    return f"<tr>{offset}{''.join(map(_html, cells))}{rest}</tr>"


def _html(cell: _Cell) -> str:
    background, border = (TINT, WRONG_EDGE) if cell.is_wrong else (cell.background, LINE)
    name = f"<b>illegal:</b> {escape(cell.name)}" if cell.is_wrong else escape(cell.name)
    return f'<td colspan="{cell.bits}" style="{_style(background, border)}">{name}<br>{escape(cell.value)}</td>'


def _style(background: str, border: str = LINE) -> str:
    return f"background-color:{background};border:{border};text-align:center;padding:2px"
