"""canvas: what is written fits, and the font has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.figures import HOSTILE, contrast

from wslab.display.figures.canvas import GREY, INK, ORANGE, SKY, Canvas, fit, legible, width_of


@given(st.text(max_size=80), st.integers(20, 400))
def test_what_fits_is_kept_and_what_does_not_is_shortened(words, room):
    fitting = fit(words, room)

    assert width_of(fitting) <= room
    assert fitting == legible(words) or (fitting.endswith("…") and legible(words).startswith(fitting[:-1]))


def test_the_tail_is_kept_where_the_rest_is_shortened():
    shortened = fit("W" * 5000, 200, " (5000 bytes)")

    assert shortened.startswith("WWW")
    assert shortened.endswith("W…\u200e (5000 bytes)"), "the mark keeps it on the right of Hebrew"
    assert width_of(shortened) <= 200


def test_where_the_tail_does_not_fit_nothing_is_written_for_a_number_is_not_to_be_cut():
    assert fit("", 30, "5,000,000 bytes") == fit("abc", 30, " 5,000,000 bytes") == ""


@pytest.mark.parametrize(("ink", "paper"), [(INK, "white"), (GREY, "white"), (INK, SKY), (INK, ORANGE)])
def test_the_text_is_seen_on_all_of_its_papers(ink, paper):
    assert contrast(ink, paper) >= 4.5


@pytest.mark.parametrize("words", HOSTILE, ids=ascii)
def test_whatever_is_written_needs_no_other_font(words):
    canvas = Canvas(30)
    canvas.write(10, 20, fit(words, 500))
    canvas.figure.canvas.draw()  # a missing glyph would be a warning, and warnings are errors
