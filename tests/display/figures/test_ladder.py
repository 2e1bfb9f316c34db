"""draw_ladder: an arrow for each head and frame, and the same as lines of text."""

import itertools
import tracemalloc

import pytest
from support.figures import DOWN, UP, are_the_same_picture, from_server, hostile, keeps_the_rules, long_one, opened
from support.heads_and_frames import masked, request, text
from support.raw_peer import live_server
from support.waiting import wait_until

from wslab import Opcode, Recording, connect, draw_ladder


def lines(described) -> list[str]:
    return repr(described).splitlines()


def test_a_conversation_is_told_arrow_by_arrow():
    recording = opened(tick=0.0004)
    recording.add(1, UP, text("Hello"))
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"Hello") + from_server(Opcode.PING, b"abc"))
    recording.add(1, UP, masked(Opcode.PONG, b"abc") + masked(Opcode.CLOSE, b"\x03\xe8bye"))
    recording.mark(1, DOWN, "receive", "'Hello'")
    recording.add(1, DOWN, from_server(Opcode.CLOSE, b"\x03\xe8"))
    recording.mark(1, DOWN, "end")
    recording.mark(1, UP, "reset")
    ladder = draw_ladder(recording)

    assert lines(ladder) == [
        "+0.0 ms  client ══ GET / HTTP/1.1 ══▶ server",
        "+0.4 ms  client ◀══ HTTP/1.1 101 Switching Protocols ══ server",
        '+0.8 ms  client ── text "Hello" ──▶ server',
        '+1.2 ms  client ◀── text "Hello" ── server',
        "+1.2 ms  client ◀╌╌ ping 61 62 63 ╌╌ server",
        "+1.6 ms  client ╌╌ pong 61 62 63 ╌╌▶ server",
        '+1.6 ms  client ╌╌ close 1000 "bye" ╌╌▶ server',
        "+2.4 ms  client ◀╌╌ close 1000 ╌╌ server",
        "+2.8 ms  client ◀┄┄ end of TCP ┄┄ server",
        "+3.2 ms  client ┄┄ reset ┄┄▶ server",
    ]
    keeps_the_rules(ladder)


def test_what_a_real_server_recorded_is_the_same_in_every_run_without_times():
    recording = Recording()
    with live_server(recording=recording) as server:
        with connect(server.url, deflate=False) as connection:
            connection.send("Hello")
            connection.receive()
        wait_until(lambda: not server.connections)
    ladder = draw_ladder(recording, 1, times=False)

    assert lines(ladder) == [
        "client ══ GET / HTTP/1.1 ══▶ server",
        "client ◀══ HTTP/1.1 101 Switching Protocols ══ server",
        'client ── text "Hello" ──▶ server',
        'client ◀── text "Hello" ── server',
        "client ╌╌ close 1000 ╌╌▶ server",
        "client ◀╌╌ close 1000 ╌╌ server",
    ]
    keeps_the_rules(ladder)


def test_what_came_in_pieces_says_so_and_its_arrow_is_slanted():
    recording, whole = opened(), opened()
    for data in text("Hello")[:3], text("Hello")[3:]:
        recording.add(1, UP, data)
    whole.add(1, UP, text("Hello"))
    in_pieces, in_one = (draw_ladder(one, times=False) for one in (recording, whole))

    assert lines(in_pieces)[2:] == ['client ── text "Hello" (in pieces) ──▶ server']
    assert lines(in_one)[2:] == ['client ── text "Hello" ──▶ server']
    slanted = [line.get_ydata() for line in in_pieces.figure.axes[0].lines if len({*line.get_ydata()}) == 2]
    assert len(slanted) == 2 + 2, "two lifelines, the arrow, and what the legend says of it"


def test_what_is_illegal_says_why():
    recording = opened()
    recording.add(1, UP, from_server(Opcode.PONG))
    recording.add(1, DOWN, b"\x83\0")

    assert lines(draw_ladder(recording, times=False))[2:] == [
        "client ╌╌ pong - illegal: a frame from a client without a mask ╌╌▶ server",
        "client ◀·· what follows is not read - illegal: opcode 0x3 is reserved ·· server",
    ]


def test_what_was_cut_short_stands_before_the_end_of_tcp():
    recording = opened()
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"Welcome")[:5])
    recording.mark(1, DOWN, "end")

    assert lines(draw_ladder(recording, times=False))[2:] == [
        "client ◀·· cut short: 3 of 7 bytes of a text frame ·· server",
        "client ◀┄┄ end of TCP ┄┄ server",
    ]


def test_the_first_connection_is_drawn_unless_another_one_is_asked_for():
    recording = opened(2, opened(7))
    recording.add(2, UP, text("second"))
    recording.mark(3, UP, "unreachable", "refused, for /?token=sesame")

    assert lines(draw_ladder(recording))[0] == "connection 7, one of 3"
    assert lines(draw_ladder(recording, 2, start=2, times=False)) == [
        "connection 2, one of 3, arrows 3 to 3 of 3",
        'client ── text "second" ──▶ server',
    ]
    assert lines(draw_ladder(recording, 3))[1:] == [
        "+0.0 ms  client ┄┄ the server cannot be reached: refused, for /?token=[redacted] ┄┄▶ server"
    ]
    with pytest.raises(ValueError, match="no connection 9 in this recording: there are 7, 2, 3"):
        draw_ladder(recording, 9)


def test_no_secret_is_shown():
    recording = Recording(clock=itertools.count().__next__)
    recording.add(1, UP, request("GET /?token=sesame HTTP/1.1", more=("Cookie: a=sesame",)))

    assert lines(draw_ladder(recording)) == ["+0.0 ms  client ══ GET /?token=[redacted] HTTP/1.1 ══▶ server"]


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("make", [opened, hostile, long_one], ids=lambda make: make.__name__)
def test_no_text_runs_over_another_or_out_of_the_picture(make, times):
    keeps_the_rules(draw_ladder(make(), times=times))
    keeps_the_rules(draw_ladder(make(), most=1, times=times))


def test_no_character_of_a_peer_moves_a_cursor_and_no_line_is_endless():
    told = lines(draw_ladder(hostile()))

    assert all(line.isprintable() for line in told)
    assert max(map(len, told)) < 200


def test_where_there_is_nothing_there_is_a_sentence_and_no_picture():
    nothing = draw_ladder(Recording())

    assert repr(nothing) == "Nothing to draw: no arrow has been recorded."
    assert nothing.png() is None
    assert repr(draw_ladder(opened(), start=5)) == "Nothing to draw from arrow 6 on: the last one is arrow 2."


@pytest.mark.parametrize("window", [{"start": -1}, {"most": 0}, {"most": 201}])
def test_numbers_that_make_no_window_are_refused(window):
    with pytest.raises(ValueError, match=r"(start|most) is how many"):
        draw_ladder(opened(), **window)


def test_a_part_of_a_very_long_recording_is_drawn_in_little_memory():
    recording = opened()
    for _ in range(8000):
        recording.add(1, UP, text("again and again and again"))
    draw_ladder(recording, start=100)  # what is loaded at the first drawing does not count
    tracemalloc.start()
    ladder = draw_ladder(recording, start=4000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines(ladder)[0] == "arrows 4,001 to 4,040 of 8,002"
    assert peak < 2 * 1024 * 1024


def test_the_same_recording_gives_the_same_picture():
    assert are_the_same_picture(draw_ladder(hostile()), draw_ladder(hostile()))


def test_a_character_that_no_font_has_is_the_same_in_the_picture_and_in_the_text():
    recording = opened()
    recording.add(1, UP, text("中"))
    recording.mark(1, UP, "unreachable", "国")
    ladder = draw_ladder(recording, start=2, times=False)

    assert lines(ladder)[1:] == [
        r'client ── text "\u4e2d" ──▶ server',
        r"client ┄┄ the server cannot be reached: \u56fd ┄┄▶ server",
    ]
    written = {words.get_text() for words in ladder.figure.axes[0].texts}
    assert {r'text "\u4e2d"', r"the server cannot be reached: \u56fd"} <= written
