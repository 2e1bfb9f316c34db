"""The results of a class: only those who sat both tests are compared, and an odd file costs nothing but itself."""

import json
import os
import sys

import pytest

from wslab import draw_class_results
from wslab.quiz.class_results import CONCEPTS, MAX_FILES, MAX_SIZE, read_class_results
from wslab.quiz.sitting import Sitting, save


def kept(occasion, right):
    """A sitting in which so many of the first questions were right."""
    return {
        "occasion": occasion,
        "at": "2026-01-01T00:00:00+00:00",
        "right": {concept: number < right for number, concept in enumerate(CONCEPTS)},
    }


def write(folder, name, *sittings):
    (folder / name).write_text(json.dumps(list(sittings)), encoding="utf-8")


def test_what_the_test_of_knowledge_keeps_is_read(tmp_path):
    for occasion in ("before", "after"):
        save(Sitting(occasion), tmp_path / "ada.json")
    [(before, after)] = read_class_results(tmp_path).pairs
    assert before == after == dict.fromkeys(CONCEPTS, False)


def test_both_tests_of_each_student_are_counted_by_concept(tmp_path):
    write(tmp_path, "a.json", kept("before", 1), kept("after", 3))
    write(tmp_path, "b.JSON", kept("before", 0), kept("after", 2))
    results = read_class_results(tmp_path)
    assert [results.count("before", concept) for concept in CONCEPTS[:4]] == [1, 0, 0, 0]
    assert [results.count("after", concept) for concept in CONCEPTS[:4]] == [2, 2, 1, 0]
    assert (results.scores("before"), results.scores("after")) == ([1, 0], [3, 2])


def test_the_first_test_before_counts_and_the_last_one_after(tmp_path):
    tests = [kept("before", 1), kept("before", 9), kept("after", 2), kept("after", 4)]
    write(tmp_path, "a.json", *tests)
    results = read_class_results(tmp_path)
    assert (results.scores("before"), results.scores("after")) == ([1], [4])


def test_who_sat_only_one_test_is_counted_and_not_compared(tmp_path):
    write(tmp_path, "a.json", kept("before", 1), kept("after", 3))
    write(tmp_path, "b.json", kept("before", 14))
    results = read_class_results(tmp_path)
    assert (len(results.pairs), results.single) == (1, 1)
    assert "1 sat only one of the two tests" in str(results)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it cannot be read"),
        ("{", "it cannot be read"),
        ("{}", "odd.json holds no results of the test of knowledge"),
        ("[1]", "odd.json holds no results of the test of knowledge"),
        ("[]", "it holds no test before or after the course"),
        ("[" * 100_000, "it cannot be read"),
        ("x" * (MAX_SIZE + 1), "it has more than 256 KiB"),
        (json.dumps([kept("later", 1)]), "it holds no test before or after the course"),
        (
            json.dumps([kept("before", 1) | {"right": {"a": "yes"}}]),
            "it holds answers that are neither right nor wrong",
        ),
        (json.dumps([kept("before", 1) | {"right": []}]), "odd.json holds no results of the test of knowledge"),
        (json.dumps([kept("before", 1) | {"name": "Ada"}]), "odd.json holds no results of the test of knowledge"),
    ],
)
def test_an_odd_file_is_left_out_with_a_sentence_and_the_others_count(tmp_path, text, why):
    write(tmp_path, "a.json", kept("before", 1), kept("after", 3))
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    results = read_class_results(tmp_path)
    assert len(results.pairs) == 1
    assert results.left_out == (f"odd.json is left out: {why}",)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    said = read_class_results(tmp_path).left_out
    assert said == (
        "bytes.json is left out: it cannot be read",
        "folder.json is left out: it is no file",
        "pipe.json is left out: it is no file",
    )


def test_questions_that_are_asked_no_more_or_not_yet_do_not_count(tmp_path):
    old = kept("before", 0) | {"right": {"a question of last year": True, CONCEPTS[0]: True}}
    write(tmp_path, "a.json", old, kept("after", 3))
    assert read_class_results(tmp_path).scores("before") == [1]


def test_a_folder_is_read_up_to_a_number_of_files(tmp_path):
    for number in range(MAX_FILES + 2):
        write(tmp_path, f"{number}.json", kept("before", 1))
    results = read_class_results(tmp_path)
    assert results.single == MAX_FILES
    assert results.left_out == ("2 files are left out: there are more than 500",)


def test_the_picture_and_its_text_say_the_same(tmp_path):
    write(tmp_path, "a.json", kept("before", 1), kept("after", 3))
    write(tmp_path, "b.json", kept("before", 2), kept("after", 3))
    drawn = draw_class_results(tmp_path)
    lines = drawn.text.splitlines()
    assert lines[0].endswith("(of 2 students)")
    assert lines[1].split()[-2:] == ["2", "2"]
    assert lines[-1].split() == ["median", "of", "the", "scores", "1.5", "3", "(of", "14", "questions)"]
    assert len({line.rindex(line.split()[-1]) for line in lines[1:-1]}) == 1
    written = [text.get_text() for text in drawn.figure.axes[0].texts]
    for line, concept in zip(lines[1:], CONCEPTS, strict=False):
        at = written.index(concept)
        assert written[at + 1 : at + 3] == line.split()[-2:]


def test_nothing_to_compare_is_said_and_not_drawn(tmp_path):
    write(tmp_path, "a.json", kept("before", 1))
    drawn = draw_class_results(tmp_path)
    assert drawn.figure is None
    assert drawn.text == "Nothing to draw.\n1 sat only one of the two tests, and cannot be compared."


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        draw_class_results(tmp_path / "no such folder")


def test_the_name_that_a_student_gave_to_a_file_does_nothing_to_a_terminal(tmp_path):
    (tmp_path / "a\x1b[2J\u202eb.json").write_text("{", encoding="utf-8")
    assert str(read_class_results(tmp_path)).splitlines()[-1].startswith(r"a\x1b[2J\u202eb.json is left out: ")
