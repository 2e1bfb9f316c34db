"""table: rows with a heading, as aligned text and as an HTML table that says the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from textwrap import wrap

from wslab.display.html import SHADE, TINT, scrolled
from wslab.dissector.field import HEADING, ILLEGAL, Field

NARROWEST, FEWEST = 30, 12  # characters of a column that is wrapped, and of the one before it
CELL = "text-align:left;vertical-align:top;padding:1px 6px"
DIGITS = ";font-family:monospace"
BREAKS = ";overflow-wrap:anywhere"  # also inside a word: a key or an address has no blanks
WHOLE = ";white-space:nowrap"
STYLES = {
    "byte": DIGITS + WHOLE,
    "hex": f"{DIGITS};min-width:6em",
    "bits": DIGITS,
    **dict.fromkeys(("field", "direction"), WHOLE),
    "value": f"{BREAKS};min-width:6em",
    **dict.fromkeys(("last in", "last out"), f"{BREAKS};min-width:5em"),
    **dict.fromkeys(("meaning", "what", "with"), f"{BREAKS};min-width:9em"),
}
ADDRESSES = ("local", "remote")  # a line may end before the port
# The look of a cell that is a button: it is text, and shows by its line that there is more.
BUTTON = "background:none;border:0;padding:0;font:inherit;color:inherit;text-align:left;cursor:pointer"
MORE = ";text-decoration:underline dotted;overflow-wrap:anywhere"
MANY = 8  # columns; more are written smaller, to fit into a notebook beside its file browser


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

    def fitted(self, width: int) -> str:
        """The same text in lines of at most `width` characters, if the columns but the last one or two fit at all.

        The last column is wrapped; where it would be too narrow, it stands in lines of its own below its row.
        """
        lines = [self.heading, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heading))]
        starts = [sum(widths[:column]) + 2 * column for column in range(len(widths))]
        if starts[-1] + widths[-1] <= width:
            text = repr(self)
            return text if len(self.more) <= width else "\n".join([*text.split("\n")[:-1], *wrap(self.more, width)])
        is_beside = width - starts[-1] >= NARROWEST
        place = starts[-1] if is_beside else max([it for it in starts[:-1] if width - it >= NARROWEST], default=0)
        fit = [_fitted(line, widths, starts, width, place, is_beside) for line in lines]
        return "\n".join([*chain(*fit), *wrap(self.more, width)])

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, numbers: Sequence[int | None] = ()) -> str:
        """The table; with `numbers` of its rows, the last cell of a row that has one is a button with its number."""
        caption = f'<caption style="text-align:left">{escape(self.caption)}</caption>'
        heading = "".join(f'<th scope="col" style="{CELL}">{escape(name)}</th>' for name in self.heading)
        opens = numbers or [None] * len(self.rows)
        rows = [self._html_of_row(at, row, opens[at]) for at, row in enumerate(self.rows)]
        if self.more:
            rows.append(f'<tr><td colspan="{len(self.heading)}" style="{CELL}">{escape(self.more)}</td></tr>')
        head = f'<thead><tr style="background-color:{SHADE}">{heading}</tr></thead>'
        body = "\n".join([caption, head, "<tbody>", *rows, "</tbody>"])
        size = ";font-size:80%" if len(self.heading) > MANY else ""
        table = f'<table style="border-collapse:collapse;margin:0{size}">\n{body}\n</table>'
        return self.above + scrolled(table, self.caption or "table")

    def _html_of_row(self, at: int, row: Sequence[str], number: int | None) -> str:
        styles = [CELL + STYLES.get(name, "") for name in self.heading]
        named = zip(self.heading, row, strict=True)
        shown = [_html(cell).replace(":", ":<wbr>") if name in ADDRESSES else _html(cell) for name, cell in named]
        if number is not None:
            shown[-1] = f'<button type="button" data-row="{number}" style="{BUTTON}{MORE}">{shown[-1]}</button>'
        cells = "".join(f'<td style="{style}">{cell}</td>' for style, cell in zip(styles, shown, strict=True))
        tint = f' style="background-color:{TINT}"' if at in self.faulty else ""
        return f"<tr{tint}>{cells}</tr>"


def _fitted(
    row: Sequence[str], widths: Sequence[int], starts: Sequence[int], width: int, place: int, is_beside: bool
) -> Iterator[str]:
    """The lines of a row: its cells, and the last of them, wrapped, from the column `place` on."""
    *cells, last = row
    rest = wrap(last, width - place) or [""]
    if is_beside:
        first = "  ".join([*map(str.ljust, cells, widths), rest.pop(0)])
    else:
        # The last cell but one may be long as well.
        pieces = wrap(cells[-1], max(FEWEST, width - starts[-2])) or [""]
        first = "  ".join([*map(str.ljust, cells[:-1], widths), pieces.pop(0)])
        yield first.rstrip()
        yield from (" " * starts[-2] + piece for piece in pieces)
        first = " " * place + rest.pop(0)
    if first.strip():
        yield first.rstrip()
    yield from (" " * place + piece for piece in rest)


def table_of(fields: Sequence[Field], caption: str, more: str = "", above: str = "") -> Table:
    """A table of fields, without the columns that none of the fields uses."""
    rows = [field.row() for field in fields]
    used = [c for c, name in enumerate(HEADING) if name not in ("hex", "bits") or not rows or any(r[c] for r in rows)]
    faulty = frozenset(number for number, field in enumerate(fields) if field.fault)
    cut = tuple(tuple(row[column] for column in used) for row in rows)
    return Table(tuple(HEADING[column] for column in used), cut, caption, faulty, more, above)


def _html(text: str) -> str:
    """The text, escaped, and bold if it says that something is illegal: a colour alone is no sign for all readers."""
    escaped = escape(text)
    return f"<b>{escaped}</b>" if text.startswith(f"{ILLEGAL}:") or f" - {ILLEGAL}: " in text else escaped
