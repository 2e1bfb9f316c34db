"""Names: whatever is typed, what comes out is short, unique, and nothing but text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.classroom.names import MAX_NAME, clean_name, key_of, unique_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ada", "Ada"),
        ("  Ada \t Lovelace\n", "Ada Lovelace"),
        ("Zoë", "Zoë"),
        ("Zoe\u0308", "Zoë"),
        ("李雷", "李雷"),
        ("<b>Ada</b>", "<b>Ada</b>"),
        ("A\x1b[31mda", "A[31mda"),
        ("\u202eadA\u200b", "adA"),
        ("e" + "\u0301\u0302" * 20, "é\u0302"),
        ("\u0301Ada", "Ada"),
        ("x" * 100, "x" * MAX_NAME),
        ("\ud800", ""),
        (" \u200b ", ""),
    ],
)
def test_a_name_is_what_can_be_seen_of_it(typed, name):
    assert clean_name(typed) == name


@given(st.text())
def test_every_name_is_short_printable_and_stays_as_it_is(typed):
    name = clean_name(typed)
    assert len(name) <= MAX_NAME
    assert name.isprintable() or not name
    assert clean_name(name) == name


def test_a_name_that_is_taken_gets_a_number_and_stays_short():
    taken = {"Ada", "Ada 2", "x" * MAX_NAME, "guest 1"}
    assert unique_name("Bob", taken.__contains__) == "Bob"
    assert unique_name("Ada", taken.__contains__) == "Ada 3"
    assert unique_name("x" * MAX_NAME, taken.__contains__) == "x" * (MAX_NAME - 2) + " 2"
    assert unique_name("", taken.__contains__) == "guest 2"


@pytest.mark.parametrize("other", ["ADA", "ada", "\uff21da"])
def test_names_that_look_alike_are_the_same_name(other):
    assert key_of("Ada") == key_of(other)
