"""What notebooks and pages say is there for readers who cannot see them, and every rule finds what breaks it."""

from functools import cache
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from support import accessibility_rules as rules
from support.accessibility_rules import RULES_OF_NOTEBOOKS, RULES_OF_PAGES
from support.notebook_rules import read

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/**/*.ipynb"))
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob(".github/*.md"), *ROOT.glob("[tw]*/**/*.md")})


def name(value):
    return value.stem if isinstance(value, Path) else value.__name__


@cache
def shown(path):
    if path.suffix == ".ipynb":
        return rules.shown_by(read(path))
    return rules.shown_by_markdown(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_is_there_for_all(path):
    assert {rule.__name__: found for rule in RULES_OF_NOTEBOOKS if (found := list(rule(shown(path))))} == {}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_is_there_for_all(path):
    assert {rule.__name__: found for rule in RULES_OF_PAGES if (found := list(rule(shown(path))))} == {}


TABLE = '<table><caption>Fields</caption><tr><th scope="col">field</th></tr><tr><td>FIN</td></tr></table>'
GOOD = f"""# The frame

![The fields of a frame](frame.png) and [the frame](05.ipynb)

## Its fields

### FIN

{TABLE}

## Its payload

| field | bits |
|---|---|
| FIN | 1 |
"""


@pytest.mark.parametrize("rule", RULES_OF_NOTEBOOKS, ids=name)
def test_a_good_page_breaks_no_rule(rule):
    assert list(rule(rules.shown_by_markdown(GOOD))) == []


@pytest.mark.parametrize(
    ("rule", "good", "broken"),
    [
        (rules.image_missing_alt, "![The fields of a frame]", "![]"),
        (rules.image_missing_alt, "![The fields of a frame](frame.png)", '<img src="frame.png" alt=" ">'),
        (rules.heading_missing_h1, "# The frame\n", "The frame\n"),
        (rules.heading_missing_h1, "# The frame\n", "## The frame\n"),
        (rules.heading_missing_h1, "# The frame\n", "Hello\n\n# The frame\n"),
        (rules.heading_multiple_h1, "## Its fields", "# Its fields"),
        (rules.heading_duplicate, "## Its payload", "## Its Fields"),
        (rules.heading_duplicate, "## Its payload", "## The frame"),
        (rules.heading_wrong_order, "### FIN", "#### FIN"),
        (rules.heading_wrong_order, "## Its fields", "Its fields"),
        (rules.heading_empty, "### FIN", "###"),
        (rules.table_missing_header, "| field | bits |", "| | bits |"),
        (rules.table_missing_header, '<th scope="col">field</th>', ""),
        (rules.table_missing_caption, "<caption>Fields</caption>", ""),
        (rules.table_missing_caption, ">Fields<", "> <"),
        (rules.table_missing_scope, ' scope="col"', ""),
        (rules.link_discernible_text, "[the frame](05.ipynb)", "[click me](05.ipynb)"),
        (rules.link_discernible_text, "[the frame](05.ipynb)", "[](05.ipynb)"),
        (rules.link_discernible_text, "[the frame](05.ipynb)", "[https://example.com/a/b](05.ipynb)"),
    ],
)
def test_a_page_that_breaks_a_rule_is_found(rule, good, broken):
    assert GOOD.count(good) == 1
    assert len(list(rule(rules.shown_by_markdown(GOOD.replace(good, broken))))) == 1


@pytest.mark.parametrize("kind", ["text/html", "text/markdown"])
def test_what_an_output_shows_counts_as_well(kind):
    output = new_output("display_data", {kind: "<h3>FIN</h3><img>", "text/plain": "FIN"})
    page = rules.shown_by(new_notebook(cells=[new_markdown_cell("# The frame"), new_code_cell("", outputs=[output])]))
    assert len(list(rules.heading_wrong_order(page))) == 1
    assert len(list(rules.image_missing_alt(page))) == 1
