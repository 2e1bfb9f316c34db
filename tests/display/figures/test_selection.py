"""selection: the part of a recording that a picture shows."""

import pytest
from support.figures import opened

from wslab import Recording, draw_ladder, draw_latencies, draw_sizes, draw_timeline, play
from wslab.display.figures.selection import choose_connection, select


def test_a_selection_keeps_some_and_counts_all():
    assert select("abcdef", 1, 3) == (["b", "c", "d"], 6)
    assert select("abcdef", 5, 3) == (["f"], 6)
    assert select("", 0, 3) == ([], 0)


def test_the_first_connection_is_chosen_if_there_is_one():
    assert choose_connection(Recording(), None) is None
    assert choose_connection(opened(2, opened(7)), None) == 7
    assert choose_connection(opened(2, opened(7)), 2) == 2


@pytest.mark.parametrize("shows", [draw_ladder, draw_timeline, draw_sizes, draw_latencies, play])
def test_what_is_no_recording_is_refused(shows):
    with pytest.raises(TypeError, match="a Recording is needed, not bytes"):
        shows(b"\x81\x00")
