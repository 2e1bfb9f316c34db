"""table: rows with a heading, as aligned text and as an HTML table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from wslab.dissector.field import HEADING, ILLEGAL, Field

INK, PAPER, SHADE, WARNING = "#000000", "#ffffff", "#e6e6e6", "#ffe3d1"
CELL = "text-align:left;padding:1px 8px"
DIGITS, WHOLE = ";font-family:monospace;white-space:pre", ";white-space:pre"
STYLES = {"byte": DIGITS, "hex": DIGITS, "bits": DIGITS, "field": WHOLE, "direction": WHOLE}


@dataclass(frozen=True, repr=False)
class Table:
    """Rows with a heading; `repr` aligns them as plain text, and a notebook shows them as HTML.

    `faulty` holds the numbers of the rows that show something illegal; `more` is a sentence below the rows, `above` is
    HTML that stands over them.
    """

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    faulty: frozenset[int] = frozenset()
    more: str = ""
    above: str = ""

    def __repr__(self) -> str:
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join([*text, *([self.more] if self.more else [])])

    def _repr_html_(self) -> str:
        caption = f'<caption style="{_colours(PAPER)};text-align:left">{escape(self.caption)}</caption>'
        heading = "".join(f'<th scope="col" style="{CELL}">{escape(name)}</th>' for name in self.heading)
        rows = [self._html_of_row(number, row) for number, row in enumerate(self.rows)]
        if self.more:
            cell = f'<td colspan="{len(self.heading)}" style="{CELL}">{escape(self.more)}</td>'
            rows.append(f"{_row(PAPER)}{cell}</tr>")
        body = "\n".join([f"<thead>{_row(SHADE)}{heading}</tr></thead>", "<tbody>", *rows, "</tbody>"])
        return f'{self.above}<table style="border-collapse:collapse;{_colours(PAPER)}">\n{caption}\n{body}\n</table>'

    def _html_of_row(self, number: int, row: Sequence[str]) -> str:
        is_faulty = number in self.faulty
        styles = [CELL + STYLES.get(name, "") for name in self.heading]
        cells = "".join(f'<td style="{style}">{_html(cell)}</td>' for style, cell in zip(styles, row, strict=True))
        return f"{_row(WARNING if is_faulty else PAPER)}{cells}</tr>"


def table_of(fields: Sequence[Field], caption: str, more: str = "", above: str = "") -> Table:
    """A table of fields, without the columns that none of the fields uses."""
    rows = [field.row() for field in fields]
    used = [c for c, name in enumerate(HEADING) if name not in ("hex", "bits") or not rows or any(r[c] for r in rows)]
    faulty = frozenset(number for number, field in enumerate(fields) if field.fault)
    cut = tuple(tuple(row[column] for column in used) for row in rows)
    return Table(tuple(HEADING[column] for column in used), cut, caption, faulty, more, above)


def _row(background: str) -> str:
    return f'<tr bgcolor="{background}" style="{_colours(background)}">'


def _colours(background: str) -> str:
    return f"color:{INK};background-color:{background}"


def _html(text: str) -> str:
    """The text, escaped, and bold if it says that something is illegal: a colour alone is no sign for all readers."""
    escaped = escape(text)
    return f"<b>{escaped}</b>" if text.startswith(f"{ILLEGAL}:") or f" - {ILLEGAL}: " in text else escaped
