"""Table: the same rows as aligned text and as HTML."""

import re

import pytest
from support.figures import contrast
from support.markup import assert_is_well_formed

from wslab.display.html import SHADE, TINT
from wslab.display.inspector.bits import COLOURS
from wslab.display.table import Table, table_of
from wslab.dissector.field import Field

TABLE = Table(("byte", "value"), (("0-10", "a"), ("", "<b> & \u20ac")), "a caption", frozenset({1}), "… 2 more", "<br>")


def test_text_is_aligned_and_ends_with_the_sentence_below_it():
    assert repr(TABLE) == "byte  value\n0-10  a\n      <b> & €\n… 2 more"


def test_html_says_the_same_and_is_escaped():
    source = TABLE._repr_html_()
    assert_is_well_formed(source)
    assert source.startswith('<br><div role="group" tabindex="0" aria-label="a caption"')
    for words in ("a caption", '<th scope="col"', "&lt;b&gt; &amp; €", "… 2 more"):
        assert words in source


def test_what_is_illegal_has_a_tint_and_says_so():
    legal, illegal = Field(1, 2, "MASK", "1"), Field(0, 1, "opcode", "3", fault="it is reserved")
    source = table_of([illegal, legal], "a frame")._repr_html_()
    assert source.count(TINT) == 1
    assert "<b>illegal: it is reserved</b>" in source
    assert TINT not in table_of([legal], "a frame")._repr_html_()


# The inks and papers of JupyterLab's light and dark themes, as they are in a cell.
@pytest.mark.parametrize(("ink", "paper"), [("#212121", "#ffffff"), ("#e0e0e0", "#111111")], ids=["light", "dark"])
@pytest.mark.parametrize("tint", sorted({SHADE, TINT, *COLOURS.values()}))
def test_a_text_is_seen_on_every_tint(tint, ink, paper):
    assert contrast(ink, through(tint, paper)) >= 4.5


def test_no_text_has_a_colour_of_its_own():
    assert not re.search(r"[;\"]color:", TABLE._repr_html_())


def through(tint: str, paper: str) -> str:
    """The colour of `paper` with a tint over it, `rgba(r,g,b,a)`."""
    *colour, opacity = map(float, re.findall(r"[\d.]+", tint))
    below = bytes.fromhex(paper[1:])
    mixed = [round(opacity * over + (1 - opacity) * under) for over, under in zip(colour, below, strict=True)]
    return "#" + bytes(mixed).hex()


def test_columns_that_no_field_uses_are_left_out():
    line, octet = Field(0, 5, "Host", "a", "which site"), Field(5, 6, "FIN", "1", "the last", "81", "1.......")
    assert table_of([line], "").heading == ("byte", "field", "value", "meaning")
    assert table_of([line, octet], "").heading == ("byte", "hex", "bits", "field", "value", "meaning")
    assert table_of([line, octet], "").rows[0] == ("0-4", "", "", "Host", "a", "which site")


def test_no_character_of_a_field_moves_the_cursor():
    assert table_of([Field(0, 1, "a\x1b", "b\r\n", "c\x9b")], "").rows == (("0", "a\\x1b", "b\\r\\n", "c\\x9b"),)


WIDE = Table(
    ("n", "field", "value", "meaning"), (("0", "FIN", "1", "the last frame of its message"), ("1", "x", "", ""))
)


def test_a_table_that_fits_is_as_it_is():
    assert WIDE.fitted(80) == repr(WIDE)
    assert Table((*WIDE.heading,), WIDE.rows, more="a " * 60).fitted(60).splitlines()[-2:] == ["a " * 29 + "a"] * 2


def test_the_last_column_is_wrapped_where_there_is_room_beside_the_others():
    table = Table(("n", "what"), (("0", "some words that are too long for the line"), ("1", "")), more="no more")
    assert table.fitted(33).splitlines() == [
        "n  what",
        "0  some words that are too long",
        "   for the line",
        "1",
        "no more",
    ]


def test_else_it_stands_below_its_row_and_the_one_before_it_is_wrapped_too():
    row = ("0", "Sec-WebSocket-Extensions", "a long value with many words in it", "what it means in even more words")
    table = Table(("n", "field", "value", "meaning"), (row, ("1", "x", "", "")))
    assert table.fitted(56).splitlines() == [
        "n  field                     value",
        "   meaning",
        "0  Sec-WebSocket-Extensions  a long value with many",
        "                             words in it",
        "   what it means in even more words",
        "1  x",
    ]
