"""recorded_frames: the heads and frames in a recording, with the times at which they began and were complete."""

from support.heads_and_frames import GREETING, request, response, text
from support.recordings import DOWN, UP, recorded

from wslab import Recording
from wslab.recording.recorded_frames import RecordingDissector, dissect_recording


def lines(recording: Recording) -> list[tuple[int, float, float, str]]:
    return [(it.connection, it.began, it.time, str(it.seen)) for it in dissect_recording(recording)]


def test_each_is_told_with_the_times_of_its_first_and_of_its_last_byte():
    hello = text("Hello")
    recording = recorded(
        (1, UP, request()[:9]),
        (1, UP, request()[9:]),
        (1, DOWN, response() + GREETING),
        (1, UP, hello + hello[:1]),
        (1, UP, hello[1:4]),
        (1, UP, hello[4:]),
    )

    assert lines(recording) == [
        (1, 0, 1, "GET / HTTP/1.1"),
        (1, 2, 2, "HTTP/1.1 101 Switching Protocols"),
        (1, 2, 2, 'text "Welcome"'),
        (1, 3, 3, 'text "Hello"'),
        (1, 3, 5, 'text "Hello"'),
    ]


def test_frames_that_came_before_the_answer_are_told_behind_it_with_their_own_beginning():
    recording = recorded((1, UP, request() + text("early")), (1, DOWN, response()))

    assert lines(recording)[1:] == [(1, 1, 1, "HTTP/1.1 101 Switching Protocols"), (1, 0, 1, 'text "early"')]
    assert [it.direction for it in dissect_recording(recording)] == [UP, DOWN, UP]


def test_connections_are_kept_apart():
    recording = recorded((1, UP, request()[:20]), (2, UP, request()), (1, UP, request()[20:]))

    assert lines(recording) == [(2, 1, 1, "GET / HTTP/1.1"), (1, 0, 2, "GET / HTTP/1.1")]


def test_what_is_cut_short_comes_last():
    recording = recorded((1, UP, request()), (1, DOWN, response() + GREETING[:3]), (1, DOWN, GREETING[3:5]))

    assert lines(recording)[2:] == [(1, 1, 2, "cut short: 3 of 7 bytes of a text frame")]


def test_no_more_of_a_payload_is_kept_than_was_asked_for():
    *_, frame = dissect_recording(recorded((1, UP, request()), (1, DOWN, response() + GREETING)), kept=3)

    assert (frame.seen.what.payload, frame.seen.what.length) == (b"Wel", 7)


def test_a_connection_that_is_forgotten_is_not_read_any_more_and_the_others_are():
    dissector = RecordingDissector()
    recording = recorded((1, UP, request()), (2, UP, request()), (1, DOWN, response()), (2, DOWN, response()))
    first, second, *rest = recording.chunks
    assert [len(dissector.feed(chunk)) for chunk in (first, second)] == [1, 1]
    dissector.forget(1)
    assert [(it.connection, str(it.seen)) for chunk in rest for it in dissector.feed(chunk)] == [
        (2, "HTTP/1.1 101 Switching Protocols")
    ]
    assert list(dissector.end()) == []
