"""A recording that was full: every view of it says that its end is left out."""

import pytest
from support.capture_files import SMALL_TALK, UP

from wslab import (
    Recording,
    draw_ladder,
    draw_latencies,
    draw_sizes,
    draw_timeline,
    inspect,
    play,
    watch_frames,
)
from wslab.display.figures.selection import FULL


def recorded(limit: int) -> Recording:
    recording = Recording(limit=limit)
    for way, data in SMALL_TALK:
        recording.add(1, way, data)
    recording.mark(1, UP, "close")
    return recording


def watched(recording: Recording) -> str:
    with watch_frames(recording) as watch:
        return repr(watch)


VIEWS = [inspect, draw_ladder, draw_latencies, draw_sizes, draw_timeline, play, watched]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_says_that_the_recording_was_full(view):
    full, whole = recorded(1300), recorded(10_000)

    assert len(full.chunks) == len(whole.chunks)
    assert (full.left_out in str(view(full))) or (FULL in str(view(full)))
    assert "full" not in str(view(whole))
