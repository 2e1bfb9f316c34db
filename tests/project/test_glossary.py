"""The glossary: each term stands there once, with the lesson that uses it first and the one that is about it."""

import csv
import re
from pathlib import Path

import pytest
from support import notebook_rules as rules

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = {path.stem: path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TERMS = rows_of(NOTEBOOKS / "glossary.csv")
PROSE = {name: rules.FENCED_CODE.sub("", rules.all_markdown(rules.read(path))) for name, path in LESSONS.items()}


def uses_of(row: dict[str, str]) -> list[str]:
    """The lessons that use a term or another word for it, in order; a name in capitals is found as it is written."""
    words = "|".join(map(re.escape, [row["term"], *filter(None, row["also"].split("|"))]))
    case = re.NOFLAG if row["term"] != row["term"].lower() else re.IGNORECASE
    pattern = re.compile(rf"\b(?:{words})(?:s|es)?\b", case)
    return [name for name, prose in PROSE.items() if pattern.search(prose)]


def test_terms_stand_in_the_order_of_the_alphabet_and_none_twice():
    terms = [row["term"].lower() for row in TERMS]
    assert terms == sorted(set(terms))


def test_each_term_has_one_short_sentence_and_perhaps_a_section_of_an_rfc():
    assert [row["term"] for row in TERMS if not (row["meaning"].endswith(".") and len(row["meaning"]) < 125)] == []
    assert [
        row["term"] for row in TERMS if not re.fullmatch(r"(\d{4} \d[\d.]*)? ?", f"{row['rfc']} {row['section']}")
    ] == []


@pytest.mark.parametrize("row", TERMS, ids=lambda row: row["term"])
def test_a_term_has_the_lesson_that_uses_it_first_and_one_that_is_about_it(row):
    uses = uses_of(row)
    assert row["first"] == uses[0]
    assert row["lesson"] in uses


def test_a_word_within_another_is_not_the_term():
    row = {"term": "ping", "also": ""}
    PROSE["made up"] = "Hopping and keeping. Pings!"
    assert "made up" in uses_of(row)
    PROSE["made up"] = "Hopping and keeping."
    assert "made up" not in uses_of(row)
    del PROSE["made up"]
