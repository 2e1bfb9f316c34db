"""describe: a figure that can be seen and read, shown once."""

from matplotlib import pyplot

from wslab import describe


def test_a_described_figure_is_a_picture_and_a_text() -> None:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3])
    described = describe(figure, "1, 2, 3: it rises")
    assert repr(described) == "1, 2, 3: it rises"
    assert described._repr_png_().startswith(b"\x89PNG\r\n")


def test_pyplot_does_not_show_a_described_figure_again() -> None:
    figure, _ = pyplot.subplots()
    describe(figure, "nothing")
    assert not pyplot.fignum_exists(figure.number)
