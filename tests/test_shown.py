"""shown: rows and texts as HTML in which nothing of a peer is HTML."""

import pytest
from ipywidgets import HTML

from wslab.display import live
from wslab.display.widgets.shown import announced, bundle, html_of, paragraph, table

EVIL = "<img src=x onerror=alert(1)>"


class View:
    def __init__(self, html: str | None) -> None:
        self._html = html

    def __repr__(self) -> str:
        return f"as text {EVIL}"

    def _repr_html_(self) -> str | None:
        return self._html


def test_everything_is_escaped():
    for html in (table(EVIL, [EVIL], [[EVIL]]), paragraph(EVIL), html_of(View(None)), html_of(EVIL)):
        assert "&lt;img" in html
        assert "<img" not in html


def test_a_table_has_a_caption_and_column_headings():
    html = table("Frames", ["what"], [["ping"], ["pong"]])
    assert html.count("<caption ") == html.count('<th scope="col" ') == 1
    assert html.count("<td ") == 2


def test_each_colour_of_a_text_comes_with_its_background():
    for html in (table("Frames", ["what"], [["ping"]]), paragraph("Hello"), html_of(1)):
        assert html.count("color:#000000;background-color:#") == html.count(";background-color:") > 0


def test_a_view_that_has_html_is_shown_as_that():
    assert html_of(View("<table></table>")) == "<table></table>"
    assert announced("<p></p>") == '<div role="status"><p></p></div>'


def test_a_bundle_has_the_widget_only_where_somebody_looks(monkeypatch):
    for name in live.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    assert bundle(pytest.fail, "text", "<p></p>") == {"text/plain": "text", "text/html": "<p></p>"}

    monkeypatch.setenv(live.HERE_IS_A_NOTEBOOK[0], "lesson.ipynb")
    data = bundle(HTML, "text", "<p></p>")
    assert data.pop("application/vnd.jupyter.widget-view+json")["version_major"] == 2
    assert data == {"text/plain": "text", "text/html": "<p></p>"}
