"""shown: rows and texts as HTML in which nothing of a peer is HTML."""

import pytest
from ipywidgets import HTML

from wslab.display.netstat import live
from wslab.display.widgets.shown import announced, bundle, paragraph, scrolled


def test_a_sentence_is_escaped_and_has_a_colour_of_its_own_on_a_background_of_its_own():
    html = announced(paragraph("<img src=x onerror=alert(1)>"))
    assert "&lt;img" in html
    assert "<img" not in html
    assert "color:#000000;background-color:#ffffff" in html
    assert html.startswith('<div role="status" ')


def test_what_may_be_too_wide_can_be_scrolled_by_keyboard():
    html = scrolled("<table></table>", 'Rows "<"')
    assert html.startswith('<div role="region" tabindex="0" aria-label="Rows &quot;&lt;&quot;" ')
    assert html.endswith("<table></table></div>")


def test_a_bundle_has_the_widget_only_where_somebody_looks(monkeypatch):
    for name in live.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    assert bundle(pytest.fail, "text", "<p></p>") == {"text/plain": "text", "text/html": "<p></p>"}

    monkeypatch.setenv(live.HERE_IS_A_NOTEBOOK[0], "lesson.ipynb")
    data = bundle(HTML, "text", "<p></p>")
    assert data.pop("application/vnd.jupyter.widget-view+json")["version_major"] == 2
    assert data == {"text/plain": "text", "text/html": "<p></p>"}
