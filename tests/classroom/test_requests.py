"""Requests: JSON that is one of two shapes is a value, and everything else is refused in one sentence."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wslab.classroom.requests import Mark, Say, read_request


def handed_in(**changes):
    report = {"exercise": "accept_key", "points": 2, "max_points": 3} | changes
    return json.dumps({"hand_in": {name: value for name, value in report.items() if value is not None}})


def test_what_is_said_is_text():
    assert read_request('{"say": "Hello"}') == Say("Hello")
    assert read_request('{"say": ""}') == Say("")


def test_half_a_character_in_json_becomes_text_that_can_be_sent():
    assert read_request('{"say": "a\\ud800b"}') == Say("a?b")


def test_a_mark_is_an_exercise_with_points():
    assert read_request(handed_in()) == Mark("accept_key", 2, 3)
    assert read_request(handed_in(points=0.5)) == Mark("accept_key", 0.5, 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "[]",
        "{}",
        '{"say": 1}',
        '{"say": "a", "name": "Bob"}',
        '{"hand_in": "accept_key"}',
        "[" * 10_000,
        "9" * 10_000,
        '{"shout": "a"}',
    ],
)
def test_anything_else_is_refused_with_both_shapes(text):
    with pytest.raises(ValueError, match=r'^a request is \{"say": "text"\}, or '):
        read_request(text)


@pytest.mark.parametrize("changes", [{"name": "Bob"}, {"points": None}, {"code": "def f(): ..."}])
def test_nothing_but_three_values_is_handed_in(changes):
    with pytest.raises(ValueError, match="and nothing else"):
        read_request(handed_in(**changes))


@pytest.mark.parametrize("exercise", ["", "x" * 81, 7, "two\nlines", ["a"], "\ud800"])
def test_an_exercise_has_a_short_name_on_one_line(exercise):
    with pytest.raises(ValueError, match="the name of an exercise has 1 to 80"):
        read_request(handed_in(exercise=exercise))


@pytest.mark.parametrize(
    ("points", "most"),
    [(4, 3), (-1, 3), (0, 0), (1, 1001), (float("nan"), 3), (1, float("inf")), ("3", 3), (True, 3), (10**300, 10**301)],
)
def test_points_are_numbers_that_make_sense(points, most):
    with pytest.raises(ValueError, match="points are numbers from 0 to max_points"):
        read_request(handed_in(points=points, max_points=most))


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)
    )
)
def test_no_json_does_more_than_be_refused(value):
    for request in (
        value,
        {"say": value},
        {"hand_in": value},
        {"hand_in": {"exercise": value, "points": value, "max_points": value}},
    ):
        try:
            read = read_request(json.dumps(request))
        except ValueError:
            continue
        assert read == Say(value)
