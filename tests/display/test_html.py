"""html: rows and texts as HTML in which nothing of a peer is HTML."""

from wslab.display.html import announced, paragraph, scrolled, wrapped


def test_a_sentence_is_escaped_and_has_the_colour_of_its_page():
    html = announced(paragraph("<img src=x onerror=alert(1)>"))
    assert "&lt;img" in html
    assert "<img" not in html
    assert "color" not in html
    assert html.startswith('<div role="status" ')


def test_what_may_be_too_wide_can_be_scrolled_by_keyboard():
    html = scrolled("<table></table>", 'Rows "<"')
    assert html.startswith('<div role="group" tabindex="0" aria-label="Rows &quot;&lt;&quot;" ')
    assert html.endswith("<table></table></div>")


def test_lines_are_escaped_and_broken_between_words_although_jupyterlab_would_break_them_anywhere():
    assert wrapped("a < b") == (
        '<pre style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere">a &lt; b</pre>'
    )
