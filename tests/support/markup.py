"""HTML, read without a browser: the elements and scripts of a page, and whether all tags of a table are closed."""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser


class Elements(HTMLParser):
    """The elements of a page with their attributes, and what stands in its scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in self.inline:  # newer Pythons read a title in the same way
            self.inline[self.cdata_elem].append(data)


def hash_of(content: str) -> str:
    """A script or a style, as a policy names it."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


class Tags(HTMLParser):
    """Every tag that is opened and not closed, and every attribute."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style", "scope", "colspan", "role", "tabindex", "aria-label"}
        self.seen.add(tag)
        if tag not in ("br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_is_well_formed(source: str) -> None:
    tags = Tags()
    tags.feed(source)
    tags.close()
    assert tags.open == []
    assert tags.seen <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "br", "wbr"}
