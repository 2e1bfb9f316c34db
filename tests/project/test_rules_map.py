"""The map of rules names every rule of RFC 6455 and RFC 7692 once, and the lesson and the tests that it names exist.

`keywords.csv` says how often each keyword stands in each section of the two RFCs (the Editor's text, without the table
of contents and the references), and how many of these have no rule of their own, and why.
"""

import ast
import csv
import json
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


RULES = rows_of(NOTEBOOKS / "rules.csv")
KEYWORDS = rows_of(Path(__file__).with_name("keywords.csv"))


def keyword(row: dict[str, str]) -> tuple[str, str, str]:
    return row["rfc"], row["section"], row["keyword"]


def place(rule: dict[str, str]) -> tuple[int, list[int]]:
    return int(rule["rfc"]), [int(number) for number in rule["section"].split(".")]


@cache
def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8")) if (ROOT / path).is_file() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@cache
def cells_of(lesson: str) -> set[str]:
    path = NOTEBOOKS / f"{lesson}.ipynb"
    return {cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]} if path.is_file() else set()


def test_no_keyword_of_the_two_rfcs_is_forgotten():
    rules = Counter(map(keyword, RULES))
    expected = Counter({keyword(row): int(row["count"]) - int(row["left_out"]) for row in KEYWORDS})
    assert (expected - rules, rules - expected) == (Counter(), Counter())


def test_a_keyword_that_is_left_out_says_why():
    assert [row for row in KEYWORDS if not 0 <= int(row["left_out"]) <= int(row["count"])] == []
    assert [row for row in KEYWORDS if bool(row["why"]) is (row["left_out"] == "0")] == []


def test_rules_stand_in_the_order_of_the_rfcs_and_none_twice():
    assert [place(rule) for rule in RULES] == sorted(map(place, RULES))
    assert [row for row, count in Counter((*keyword(rule), rule["rule"]) for rule in RULES).items() if count > 1] == []


def test_a_rule_is_a_short_sentence_about_somebody():
    assert {rule["who"] for rule in RULES} <= {"client", "server", "endpoint", "proxy", "spec"}
    assert [rule["rule"] for rule in RULES if not (rule["rule"].endswith(".") and len(rule["rule"]) < 125)] == []


def test_every_rule_has_a_test_or_the_reason_why_it_has_none():
    assert [rule["rule"] for rule in RULES if bool(rule["test"]) is bool(rule["not_applicable"])] == []


def test_every_test_that_is_named_exists():
    named = {test for rule in RULES for test in rule["test"].split(" ") if test}
    assert {test for test in named if test.partition("::")[2] not in functions_in(test.partition("::")[0])} == set()


def test_every_lesson_and_every_cell_that_is_named_exists():
    named = {(rule["lesson"], rule["cell"]) for rule in RULES if rule["lesson"] or rule["cell"]}
    assert {(lesson, cell) for lesson, cell in named if cell not in cells_of(lesson)} == set()
