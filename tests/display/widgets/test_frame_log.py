"""frame_log: what a recording has more than before becomes rows, the last of which are kept."""

import pytest
from support.heads_and_frames import GREETING, masked, request, text
from support.recordings import BYE_DOWN, BYE_UP, DOWN, HANDSHAKE, UP, recorded

from wslab import Frame, Opcode, Recording, serialize_frame
from wslab.display.widgets.frame_log import MOST_PENDING, FrameLog, Kinds

PING, PONG = masked(Opcode.PING), serialize_frame(Frame(Opcode.PONG))


def whats(log: FrameLog, kinds: Kinds = Kinds.ALL) -> list[str]:
    return [row.cells[-1] for row in log.rows(kinds)]


def test_rows_come_as_the_recording_grows():
    recording = recorded(*HANDSHAKE)
    log = FrameLog(recording)
    assert log.rows() == []
    assert log.read()
    assert whats(log) == ["GET / HTTP/1.1", "HTTP/1.1 101 Switching Protocols"]
    assert not log.read()

    hello = text("Hello")
    recording.add(1, UP, hello[:5])
    assert log.read()
    assert len(log.rows()) == 2
    recording.add(1, UP, hello[5:])
    log.read()
    assert log.rows()[-1].cells == ("1", "client → server", "11", 'text "Hello"')


def test_no_more_is_read_at_once_than_asked_for():
    log = FrameLog(recorded(*HANDSHAKE, (1, DOWN, GREETING)))
    assert [log.read(2), len(log.rows()), log.read(2), len(log.rows()), log.read(2)] == [True, 2, True, 3, False]


def test_only_the_last_rows_are_kept_and_pings_push_no_text_out():
    log = FrameLog(recorded(*HANDSHAKE, (1, DOWN, GREETING), *[(1, UP, PING), (1, DOWN, PONG)] * 10), most=3)
    log.read()
    assert whats(log) == ["pong", "ping", "pong"]
    assert whats(log, Kinds.ONLY_CONTROL) == ["pong", "ping", "pong"]
    assert whats(log, Kinds.NO_CONTROL)[-1] == 'text "Welcome"'
    assert len(log.rows(Kinds.NO_CONTROL)) == 3
    assert sum(map(len, log._rows.values())) == 6


def test_rows_that_are_not_shown_any_more_are_counted():
    log = FrameLog(recorded(*HANDSHAKE, (1, DOWN, GREETING), *[(1, UP, PING), (1, DOWN, PONG)] * 10), most=3)
    assert log.left_out() == ""
    log.read()
    assert log.left_out() == "20 earlier rows are not shown."
    assert log.left_out(Kinds.ONLY_CONTROL) == "17 earlier rows are not shown."
    assert log.left_out(Kinds.NO_CONTROL) == ""
    log.clear()
    assert log.left_out() == ""


def test_rows_can_be_cleared_and_what_has_been_agreed_on_stays_known():
    recording = recorded(*HANDSHAKE)
    log = FrameLog(recording)
    log.read()
    log.clear()
    assert log.rows() == []
    recording.add(1, DOWN, GREETING)
    log.read()
    assert whats(log) == ['text "Welcome"']


def test_a_log_that_has_fallen_behind_leaves_out_what_it_cannot_show():
    recording = recorded(*HANDSHAKE, *[(1, DOWN, GREETING)] * MOST_PENDING)
    recording.add(2, UP, request())
    log = FrameLog(recording)
    assert log.read(most=1)
    assert whats(log) == [
        "10002 reads came too fast to be shown",
        "not read any further",
        "GET / HTTP/1.1",
    ]
    recording.add(1, DOWN, GREETING)
    assert log.read()
    assert len(log.rows()) == 3


def test_after_both_close_frames_nothing_is_read_or_remembered():
    recording = recorded(*HANDSHAKE, (1, UP, BYE_UP), (1, DOWN, BYE_DOWN), (1, UP, text("late")))
    log = FrameLog(recording)
    log.read()
    assert whats(log)[2:] == ["close 1000", "close 1000"]
    assert log._closed == {}


def test_secrets_and_control_characters_are_not_shown():
    log = FrameLog(recorded((1, UP, request("GET /?token=sesame HTTP/1.1")), HANDSHAKE[1], (1, UP, text("\x1b[2J"))))
    log.read()
    assert whats(log)[0] == "GET /?token=[redacted] HTTP/1.1"
    assert whats(log)[-1] == r'text "\x1b[2J"'


@pytest.mark.parametrize("kinds", Kinds)
def test_an_empty_recording_has_no_rows(kinds):
    assert FrameLog(Recording()).rows(kinds) == []
