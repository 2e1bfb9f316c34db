"""Table: the same rows as aligned text and as HTML."""

from support.figures import contrast
from support.markup import assert_is_well_formed

from wslab.display.table import INK, PAPER, SHADE, WARNING, Table, table_of
from wslab.dissector.field import Field

TABLE = Table(("byte", "value"), (("0-10", "a"), ("", "<b> & \u20ac")), "a caption", frozenset({1}), "… 2 more", "<br>")


def test_text_is_aligned_and_ends_with_the_sentence_below_it():
    assert repr(TABLE) == "byte  value\n0-10  a\n      <b> & €\n… 2 more"


def test_html_says_the_same_and_is_escaped():
    source = TABLE._repr_html_()
    assert_is_well_formed(source)
    assert source.startswith("<br><table ")
    for words in ("a caption", '<th scope="col"', "&lt;b&gt; &amp; €", "… 2 more"):
        assert words in source


def test_colours_of_text_and_paper_stand_together_and_are_not_the_only_signal():
    source = table_of(
        [Field(0, 1, "opcode", "3", fault="it is reserved"), Field(1, 2, "MASK", "1")], "a frame"
    )._repr_html_()
    assert source.count("background-color:") == source.count(";background-color:") > 3
    assert "<b>illegal: it is reserved</b>" in source


def test_the_text_is_seen_on_all_of_its_papers():
    assert contrast("#000000", "#ffffff") == 21
    for paper in (PAPER, SHADE, WARNING):
        assert contrast(INK, paper) >= 4.5, paper


def test_columns_that_no_field_uses_are_left_out():
    line, octet = Field(0, 5, "Host", "a", "which site"), Field(5, 6, "FIN", "1", "the last", "81", "1.......")
    assert table_of([line], "").heading == ("byte", "field", "value", "meaning")
    assert table_of([line, octet], "").heading == ("byte", "hex", "bits", "field", "value", "meaning")
    assert table_of([line, octet], "").rows[0] == ("0-4", "", "", "Host", "a", "which site")


def test_no_character_of_a_field_moves_the_cursor():
    assert table_of([Field(0, 1, "a\x1b", "b\r\n", "c\x9b")], "").rows == (("0", "a\\x1b", "b\\r\\n", "c\\x9b"),)
