"""Reading: escapes are decoded, at any depth, and each character knows where it stood."""

import pytest

from wslab.redaction.reading import Reading, is_in_chunks


@pytest.mark.parametrize(
    "text",
    [
        "%74oken",
        "%2574oken",
        "%25252574oken",
        r"\u0074oken",
        r"\\\u0074oken",
        r"\x74oken",
        "&#x74;oken",
        "&#x0074;oken",
        "&#116;oken",
        "&#0116;oken",
        "token",
    ],
)
def test_a_letter_is_read_however_it_is_escaped(text):
    assert Reading(text).plain == "token"


@pytest.mark.parametrize("text", ["%3D", "%253d", r"\u003D", r"\x3d", "&#x3d;", "&#61;", "&equals;"])
def test_a_delimiter_that_is_escaped_is_told_from_a_plain_one(text):
    assert Reading(text).plain == "\ue03d"


def test_a_slash_may_be_escaped_in_json():
    assert Reading(r"a\/b").plain == "a\ue02fb"


@pytest.mark.parametrize("text", ["&nope;", "&#x20AC;", "&hellip;", "&", "%", "%4", "\\", r"\u20ac", "&#x110000;"])
def test_what_is_no_escape_of_a_delimiter_or_a_letter_stays(text):
    assert Reading(text).plain == text


def test_places_are_those_in_the_text_as_it_was():
    text = "x%74oken%3Dabc&"
    reading = Reading(text)
    start = reading.plain.index("abc")

    assert [text[a:b] for a, b in reading.spans(iter([(start, start + 3), (0, 6), (2, 2)]))] == ["abc", "x%74oken"]


def test_a_span_that_ends_in_an_escape_has_all_of_it():
    text = "token=a%26"
    reading = Reading(text)

    assert [text[a:b] for a, b in reading.spans(iter([(6, len(reading.plain))]))] == ["a%26"]


def test_the_boundary_of_a_chunk_is_nothing_within_a_word():
    text = "tok\r\n5;x\r\nen"

    assert is_in_chunks(text)
    assert not is_in_chunks("tok\r\nen")
    assert Reading(text).plain == text
    assert Reading(text, in_chunks=True).plain == "token"
