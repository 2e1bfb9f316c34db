"""describe: a figure that can be seen and read, shown once."""

from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot

from wslab import describe
from wslab.display.figure import DescribedFigure


def test_a_described_figure_is_a_picture_and_a_text() -> None:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3])
    described = describe(figure, "1, 2, 3: it rises")
    assert repr(described) == "1, 2, 3: it rises"
    assert described.png().startswith(b"\x89PNG\r\n")


def test_a_notebook_shows_the_picture_once_and_the_text_with_it() -> None:
    figure, _ = pyplot.subplots()
    described = describe(figure, "a < b")

    shown, _ = DisplayFormatter().format(described)

    assert shown.keys() == {"text/plain", "text/html"}
    assert shown["text/plain"] == "a < b"
    assert '<img alt="Figure. The text below it says the same." src="data:image/png;base64,iVBOR' in shown["text/html"]
    assert ">a &lt; b</pre>" in shown["text/html"]


def test_where_there_is_nothing_to_draw_there_is_only_the_text() -> None:
    assert DisplayFormatter().format(DescribedFigure(None, "nothing")) == ({"text/plain": "nothing"}, {})


def test_pyplot_does_not_show_a_described_figure_again() -> None:
    figure, _ = pyplot.subplots()
    describe(figure, "nothing")
    assert not pyplot.fignum_exists(figure.number)
