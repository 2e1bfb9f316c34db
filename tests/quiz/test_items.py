"""The items of the test of knowledge: each has one right answer, and its wrong ones name what they get wrong."""

import pytest

from wslab.quiz.items import ITEMS
from wslab.quiz.sitting import LETTERS, shuffled


def test_there_are_fourteen_concepts():
    assert len({item.concept for item in ITEMS}) == len({item.question for item in ITEMS}) == len(ITEMS) == 14


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.concept)
def test_an_item_has_four_answers_that_differ_and_a_sentence_about_each(item):
    assert len({option.text for option in item.options}) == 4
    assert all(option.why.endswith(".") for option in item.options)
    assert all(option.text.count("`") % 2 == 0 for option in item.options)


@pytest.mark.parametrize("occasion", ["before", "after"])
def test_the_right_answers_stand_at_different_letters(occasion):
    letters = [LETTERS[shuffled(item, occasion).index(item.right)] for item in ITEMS]
    assert {*letters} == {*"abcd"}
    assert max(map(letters.count, letters)) < len(ITEMS) / 2


def test_the_answers_stand_elsewhere_the_second_time():
    assert sum(shuffled(item, "before") != shuffled(item, "after") for item in ITEMS) > 7


def test_the_right_answer_is_not_always_the_longest():
    longest = [max(item.options, key=lambda option: len(option.text)) is item.right for item in ITEMS]
    assert sum(longest) < len(ITEMS) / 2
