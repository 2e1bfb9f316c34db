"""The test of knowledge: what is shown, what an answer is worth, and where the result is kept."""

import json

import pytest

from wslab import knowledge_test
from wslab.quiz.items import ITEMS
from wslab.quiz.knowledge_test import KnowledgeTest
from wslab.quiz.sitting import LETTERS, load, shuffled


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "knowledge.json"


def letter_of(option, number, occasion):
    return LETTERS[shuffled(ITEMS[number - 1], occasion).index(option)]


def answered(test, right):
    """The test with its first `right` questions answered rightly and all others wrongly."""
    for number, item in enumerate(ITEMS, 1):
        option = item.right if number <= right else item.wrong[0]
        test.answer(number, letter_of(option, number, test.sitting.occasion))
    return test


def test_the_text_has_all_questions_and_answers_and_gives_nothing_away():
    text = repr(knowledge_test("before"))
    for item in ITEMS:
        assert item.question in text
        assert all(option.text in text and option.why not in text for option in item.options)


def test_the_html_has_the_answers_below_a_fold_and_links_to_the_lesson():
    html = knowledge_test("after")._repr_html_()
    assert html.count("<details>") == html.count("Right. ") == len(ITEMS)
    assert html.count("<code>Sec-WebSocket-Accept</code>") == 1
    assert '<a href="17-security.ipynb">' in html
    assert "`" not in html


def test_another_occasion_is_refused():
    with pytest.raises(ValueError, match="the occasion is 'before' or 'after', and not 'now'"):
        knowledge_test("now")


@pytest.mark.parametrize(("number", "letter"), [(0, "a"), (15, "a"), (1, "f"), (1, ""), (1, "ab")])
def test_an_answer_that_is_not_there_is_refused(number, letter):
    with pytest.raises(ValueError, match=r"there are questions 1 to 14|the answers are a, b, c, d, e"):
        knowledge_test("before").answer(number, letter)


@pytest.mark.parametrize("right", [0, 5, 14])
@pytest.mark.parametrize("occasion", ["before", "after"])
def test_the_result_counts_what_is_right_and_says_of_the_rest_what_it_means(path, occasion, right):
    result = answered(KnowledgeTest(occasion, path), right).result
    assert result.caption == f"{right} of 14 are right"
    assert result.faulty == {*range(right, 14)}
    for item, (concept, answer, why, lesson) in zip(ITEMS, result.rows, strict=True):
        is_right = ITEMS.index(item) < right
        option = item.right if is_right else item.wrong[0]
        assert (concept, why, lesson) == (item.concept, option.why, item.lesson)
        assert answer == ("right" if is_right else option.text)


def test_who_answers_nothing_knows_nothing(path):
    test = KnowledgeTest("before", path)
    assert test.result.caption == "0 of 14 are right"
    assert {row[1] for row in test.result.rows} == {"I do not know"}
    assert not test.result.faulty  # it is an honest answer


def test_the_second_result_names_the_first(path):
    answered(KnowledgeTest("before", path), 3).save()
    answered(KnowledgeTest("before", path), 4).save()
    after = answered(KnowledgeTest("after", path), 12)
    assert after.result.more == "Before the course 4 were right."
    after.save()
    assert [one["occasion"] for one in load(path)] == ["before", "before", "after"]
    assert KnowledgeTest("before", path).result.more == ""


def test_a_file_keeps_the_concepts_and_no_name_of_anybody(path):
    answered(KnowledgeTest("before", path), 1).save()
    [kept] = json.loads(path.read_text())
    assert kept.keys() == {"occasion", "at", "right"}
    assert kept["right"] == {item.concept: item is ITEMS[0] for item in ITEMS}


@pytest.mark.parametrize("occasion", ["before", "after"])
@pytest.mark.parametrize("text", ['{"something": "else"}', '[{"right": 3}]', "[1]", "[", ""])
def test_a_result_that_cannot_be_kept_is_shown_all_the_same(path, text, occasion):
    path.parent.mkdir()
    path.write_text(text)
    html = KnowledgeTest(occasion, path).html_of_result()
    assert "0 of 14 are right" in html
    assert "The result could not be kept: " in html
    assert path.read_text() == text


def test_the_controls_answer_and_show_the_result(path):
    test = KnowledgeTest("before", path)
    controls = test.controls
    for number, (_, answers) in enumerate(controls.questions, 1):
        assert answers.value is None
        answers.value = letter_of(ITEMS[number - 1].right, number, "before")
    controls.show.click()
    assert "14 of 14 are right" in controls.shown.value
    assert "kept in a file of this computer" in controls.shown.value
    assert len(load(path)) == 1
