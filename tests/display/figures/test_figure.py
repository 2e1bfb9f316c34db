"""describe: a figure that can be seen and read, shown once."""

import sys
from base64 import b64decode

import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot

import wslab
from wslab import describe
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.display.shown import JUPYTER


def test_a_described_figure_is_a_picture_and_a_text() -> None:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3])
    described = describe(figure, "1, 2, 3: it rises")
    assert repr(described) == "1, 2, 3: it rises"
    assert described.png().startswith(b"\x89PNG\r\n")


def test_a_notebook_shows_the_picture_and_below_it_the_text() -> None:
    figure, _ = pyplot.subplots()
    picture, words = describe(figure, "a < b").outputs()

    assert picture.keys() == {"text/plain", "image/png"}
    assert b64decode(picture["image/png"]).startswith(b"\x89PNG\r\n")
    assert words["text/plain"] == "a < b"
    assert words["text/html"].startswith("<details><summary>Figure, as text</summary><pre")
    assert ">a &lt; b</pre>" in words["text/html"]


def test_where_somebody_looks_the_picture_has_an_alternative_text_and_its_words_below(monkeypatch) -> None:
    monkeypatch.setenv(JUPYTER, "lesson.ipynb")
    figure, _ = pyplot.subplots()
    [shown] = describe(figure, "a < b").outputs()
    assert shown["text/plain"] == "a < b"
    assert 'alt="Figure; as text below"' in shown["text/html"]
    assert ">a &lt; b</pre></details>" in shown["text/html"]


def test_where_there_is_nothing_to_draw_there_is_only_the_text() -> None:
    assert DescribedFigure(None, "nothing").outputs() == [{"text/plain": "nothing"}]


def test_ipython_shows_all_of_it_once(monkeypatch) -> None:
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda output, raw: shown.append((output, raw)))
    figure, _ = pyplot.subplots()
    described = describe(figure, "1, 2, 3")

    assert DisplayFormatter().format(described) == ({}, {})
    assert shown == [(output, True) for output in described.outputs()]


def test_pyplot_does_not_show_a_described_figure_again() -> None:
    figure, _ = pyplot.subplots()
    describe(figure, "nothing")
    assert not pyplot.fignum_exists(figure.number)


def test_without_matplotlib_a_picture_is_its_text(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    drawn = wslab.draw_states(wslab.State.OPEN)
    assert drawn.figure is None
    assert drawn.outputs() == [{"text/plain": str(drawn)}]
    assert str(drawn).endswith("now: OPEN")


def test_another_module_that_is_missing_is_not_passed_over():
    def draw():
        raise ModuleNotFoundError("No module named 'mine'", name="mine")

    with pytest.raises(ModuleNotFoundError):
        draw_described(draw, "text", "kind")
