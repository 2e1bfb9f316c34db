"""selection: the part of a recording that a picture shows."""

import pytest
from support.figures import opened

from wslab import Direction, Recording, draw_ladder, draw_latencies, draw_sizes, draw_timeline, inspect, play
from wslab.display.figures.selection import Reading, choose_connection, select


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


def test_a_view_reads_no_more_than_its_bound_and_says_so():
    reading = Reading("abcdef", 3)

    assert list(reading) == ["a", "b", "c"]
    assert reading.told == "Only the first 3 heads and frames were read."
    whole = Reading("abc", 3)
    assert (list(whole), whole.told) == (["a", "b", "c"], "")


@pytest.mark.parametrize(
    "module", ["figures.ladder", "figures.sizes", "figures.latencies", "inspector.recording_table"]
)
def test_each_view_that_reads_all_of_a_recording_has_the_bound(monkeypatch, module):
    recording = opened()
    for _ in range(20):
        recording.add(1, Direction.SERVER_TO_CLIENT, b"\x89\x00")
    view = {"figures.ladder": draw_ladder, "figures.sizes": draw_sizes, "figures.latencies": draw_latencies}
    monkeypatch.setattr(f"wslab.display.{module}.Reading", lambda things, most=5: Reading(things, min(most, 5)))

    assert "Only the first 5 heads and frames were read." in str(view.get(module, inspect)(recording))
