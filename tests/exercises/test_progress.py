"""Hints come in turn, and the reference opens to those who have solved it or tried."""

import pytest
from support.learners import written

from wslab.exercises import check, hint, progress, reference
from wslab.exercises.progress import explained, source_of
from wslab.exercises.sets.catalogue import EXERCISES, name_of


@pytest.fixture(autouse=True)
def _nothing_done(monkeypatch):
    monkeypatch.setattr(progress, "_progress", {})


def wrong(number):
    return written("accept_key", f"def accept_key(key): return 'x{number}'")


def test_three_hints_come_in_turn_and_then_again():
    hints = [str(hint("accept_key")) for _ in range(4)]

    assert [text[:12] for text in hints] == ["Hint 1 of 3.", "Hint 2 of 3.", "Hint 3 of 3.", "Hint 1 of 3."]
    assert str(hint(wrong(1))).startswith("Hint 2 of 3.")


def test_the_reference_is_closed_at_first():
    assert "opens when your function passes, or after 3 more tries that differ" in str(reference("accept_key"))


def test_it_opens_after_three_tries_that_differ():
    for number in (1, 1, 2):
        check(wrong(number))
    assert "after one more try that differs" in str(reference("accept_key"))
    check(wrong(3))
    assert "def accept_key(key: str) -> str:" in str(reference("accept_key"))


def test_stubs_are_no_tries():
    for text in ("...", "pass", "raise NotImplementedError", "raise NotImplementedError('x')"):
        check(written("accept_key", f"def accept_key(key): {text}"))
    assert "3 more tries" in str(reference("accept_key"))


def test_it_opens_when_the_function_passes():
    check(written("accept_key", source_of("accept_key")))
    assert "sha1" in str(reference(wrong(1)))


def test_unknown_names_are_told():
    assert "There is no exercise of the name 'x'" in str(hint("x"))
    assert "There is no exercise of the name 'x'" in str(reference("x"))


@pytest.mark.parametrize("name", EXERCISES)
def test_a_reference_is_code_as_a_learner_writes_it_and_an_explanation(name):
    source = source_of(name)

    assert "wslab.protocol" not in source
    assert source.count("from wslab import") <= 1
    assert written(name, source).__name__ == name
    assert explained(name).startswith(source)
    assert len(explained(name)) > len(source) + 60


@pytest.mark.parametrize("name", EXERCISES)
def test_no_hint_holds_the_whole_answer(name):
    lines = [line.strip() for line in source_of(name).splitlines() if len(line.strip()) > 30]
    for text in EXERCISES[name].hints[:2]:
        assert not any(line in text for line in lines)


def test_a_note_is_shown_as_text_and_as_html():
    assert repr(hint("accept_key")).startswith("Hint 1")
    assert hint("accept_key")._repr_html_().startswith("<pre")


def test_the_exercise_of_a_class_is_found_by_its_name_in_any_spelling():
    assert name_of(EXERCISES["KeepAlive"].reference) == "KeepAlive"
    assert name_of(type("ParseFrame", (), {})()) == "parse_frame"
