"""The rules of jupyterlab-a11y-checker under its names, for all that a notebook or a page shows.

Each is a function that yields one sentence for each place that breaks it. The checker itself reads Markdown cells only;
here outputs count as well. Its two rules about the contrast of colours need a browser: axe-core knows them, too.
"""

import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark").enable("table")
MARKDOWN.add_render_rule("table_open", lambda *_: '<table class="of-markdown">')
HEADING = re.compile(r"h[1-6]")
SHORT = 20  # characters of a link; a longer one says enough
SAYS_LITTLE = ("click", "here", "link", "more", "read")  # also inside a word, as the checker has it


def shown_by(notebook: dict) -> BeautifulSoup:
    """The prose and the outputs of a notebook, as HTML."""
    return BeautifulSoup("\n".join(_pieces(notebook)), "html.parser")


def shown_by_markdown(text: str) -> BeautifulSoup:
    """A Markdown text as HTML."""
    return BeautifulSoup(MARKDOWN.render(text), "html.parser")


def _pieces(notebook: dict) -> Iterator[str]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield MARKDOWN.render(cell["source"])
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            yield data.get("text/html") or MARKDOWN.render(data.get("text/markdown", ""))


def _text(element: Tag) -> str:
    return " ".join(element.get_text().split())


def _level(heading: Tag) -> int:
    return int(heading.name[1])


def image_missing_alt(page: BeautifulSoup) -> Iterator[str]:
    for picture in page.find_all("img"):
        if not picture.get("alt", "").strip():
            yield f"the picture {picture.get('src', '')[:60]} has no alternative text"


def heading_missing_h1(page: BeautifulSoup) -> Iterator[str]:
    first = page.find(True)
    if first is None or first.name != "h1":
        yield "it does not begin with its title"


def heading_multiple_h1(page: BeautifulSoup) -> Iterator[str]:
    if len(titles := page.find_all("h1")) > 1:
        yield f"it has {len(titles)} titles"


def heading_duplicate(page: BeautifulSoup) -> Iterator[str]:
    seen = set()
    for heading in page.find_all(["h1", "h2"]):
        if (text := _text(heading).lower()) in seen:
            yield f"two headings are {text!r}"
        seen.add(text)


def heading_wrong_order(page: BeautifulSoup) -> Iterator[str]:
    previous = 1
    for heading in page.find_all(HEADING):
        if (level := _level(heading)) > previous + 1:
            yield f"the heading {_text(heading)!r} of level {level} follows one of level {previous}"
        previous = level


def heading_empty(page: BeautifulSoup) -> Iterator[str]:
    for heading in page.find_all(HEADING):
        if not _text(heading):
            yield f"a heading of level {_level(heading)} is empty"


def table_missing_header(page: BeautifulSoup) -> Iterator[str]:
    for table in page.find_all("table"):
        headers = table.find_all("th")
        if not headers or not all(map(_text, headers)):
            yield f"a table has a column without a heading: {_text(table)[:60]}"


def table_missing_caption(page: BeautifulSoup) -> Iterator[str]:
    for table in _tables_in_html(page):
        if table.caption is None or not _text(table.caption):
            yield f"a table has no caption: {_text(table)[:60]}"


def table_missing_scope(page: BeautifulSoup) -> Iterator[str]:
    for table in _tables_in_html(page):
        if not all(header.get("scope") in ("col", "row", "colgroup", "rowgroup") for header in table.find_all("th")):
            yield f"a heading has no scope: {_text(table)[:60]}"


def _tables_in_html(page: BeautifulSoup) -> Iterable[Tag]:
    # Markdown has no words for a caption and a scope: its tables, all of columns, stand below a sentence instead.
    return page.select("table:not(.of-markdown)")


def link_discernible_text(page: BeautifulSoup) -> Iterator[str]:
    for link in page.find_all("a"):
        text = _text(link)
        says_little = len(text) < SHORT and any(word in text.lower() for word in SAYS_LITTLE)
        if not text or says_little or re.match(r"https?://|www\.", text):
            yield f"the link to {link.get('href')} says {text!r}, not where it leads"


RULES_OF_PAGES = [
    image_missing_alt,
    heading_missing_h1,
    heading_multiple_h1,
    heading_duplicate,
    heading_wrong_order,
    heading_empty,
    table_missing_header,
    table_missing_caption,
    table_missing_scope,
]
# The pages for developers link to files by their names, such as reader.py.
RULES_OF_NOTEBOOKS = [*RULES_OF_PAGES, link_discernible_text]
