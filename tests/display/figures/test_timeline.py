"""draw_timeline: calls, messages, frames and reads, each with its own boundaries, as a picture and as text."""

import itertools
import re
import tracemalloc
import zlib

import pytest
from support.figures import DOWN, UP, are_the_same_picture, from_server, hostile, keeps_the_rules, long_one, opened
from support.heads_and_frames import KEY, MASKING_KEY, masked, text
from support.raw_peer import live_server

from wslab import Opcode, Recording, connect, draw_timeline
from wslab.display.figures import trace
from wslab.display.figures.trace import IN_ALL
from wslab.recording.recorded_frames import dissect_chunks

ONE_MESSAGE = (
    masked(Opcode.TEXT, b"Hel", fin=False)
    + masked(Opcode.CONTINUATION, b"lo, wo", fin=False)
    + masked(Opcode.CONTINUATION, b"rld")
)


def written(described) -> list[str]:
    """The texts in a picture."""
    return [words.get_text().replace("\u200e", "") for words in described.figure.axes[0].texts]


def lines(described) -> list[str]:
    return repr(described).splitlines()


def one_message() -> Recording:
    """One message in three frames in five reads."""
    recording = opened()
    for start in range(0, len(ONE_MESSAGE), 6):
        recording.add(1, UP, ONE_MESSAGE[start : start + 6])
    recording.mark(1, UP, "receive", "'Hello, world'")
    return recording


def three_messages() -> Recording:
    """Three messages in one read."""
    recording = opened()
    recording.add(1, UP, text("one") + text("two") + text("three"))
    for words in "one", "two", "three":
        recording.mark(1, UP, "receive", repr(words))
    return recording


def test_one_message_three_frames_five_reads():
    timeline = draw_timeline(one_message(), start=2)

    assert lines(timeline) == [
        "steps 3 to 8 of 8",
        "client → server",
        "  calls",
        "    8  receive('Hello, world')",
        "  messages",
        '    3 to 7  text "Hello, world", 12 bytes in 3 frames',
        "  frames",
        '    3 to 4  text "Hel" (more to come), 9 bytes',
        '    4 to 6  continuation "lo, wo" (more to come), 12 bytes',
        '    6 to 7  continuation "rld", 9 bytes',
        "  TCP",
        "    3  6 bytes",
        "    4  6 bytes",
        "    5  6 bytes",
        "    6  6 bytes",
        "    7  6 bytes",
    ]
    assert 'text "Hello, world" 12 B in 3 frames' in written(timeline)
    assert {'text "Hel" 9 B', 'continuation "lo, wo" 12 B', 'continuation "rld" 9 B'} <= {*written(timeline)}
    assert written(timeline).count("6 B") == 5
    keeps_the_rules(timeline)


def test_three_messages_in_one_read_with_the_handshake_in_both_directions():
    timeline = draw_timeline(three_messages())

    assert lines(timeline) == [
        "client → server",
        "  calls",
        "    4  receive('one')",
        "    5  receive('two')",
        "    6  receive('three')",
        "  messages",
        '    3  text "one", 3 bytes',
        '    3  text "two", 3 bytes',
        '    3  text "three", 5 bytes',
        "  frames",
        "    1  GET / HTTP/1.1, 148 bytes",
        '    3  text "one", 9 bytes',
        '    3  text "two", 9 bytes',
        '    3  text "three", 11 bytes',
        "  TCP",
        "    1  148 bytes",
        "    3  29 bytes",
        "server → client",
        "  frames",
        "    2  HTTP/1.1 101 Switching Protocols, 129 bytes",
        "  TCP",
        "    2  129 bytes",
    ]
    keeps_the_rules(timeline)


def compressed(words: str, cuts: int = 1) -> Recording:
    """A compressed text, in so many reads."""
    recording = opened(1, extensions="permessage-deflate")
    squeezer = zlib.compressobj(wbits=-15)
    payload = (squeezer.compress(words.encode()) + squeezer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    frame = masked(Opcode.TEXT, payload, rsv1=True)
    for at in range(cuts):
        recording.add(1, UP, frame[at * len(frame) // cuts : (at + 1) * len(frame) // cuts])
    return recording


@pytest.mark.parametrize("axis", ["order", "time"])
def test_where_there_is_little_room_no_label_is_cut_for_what_a_frame_was_compressed_to(axis):
    timeline = draw_timeline(compressed("Hello"), start=2, axis=axis)

    assert lines(timeline)[5].endswith('  text "Hello" (compressed to 7 bytes), 13 bytes')
    keeps_the_rules(timeline)
    if axis == "order":
        assert written(timeline)[-3:] == ["13 B", 'text "Hello" 13 B', 'text "Hello" 5 B']
        assert 'text "Hello" (compressed to 7 bytes) 13 B' in written(draw_timeline(compressed("Hello", 13), start=2))


def test_a_remark_is_never_cut():
    frame = draw_timeline(compressed("a long text " * 50), start=2, axis="order")

    assert re.fullmatch(
        r' +3  text "(a long text )+\w.*… \(600 bytes\) \(compressed to 21 bytes\), 27 bytes', lines(frame)[5]
    )


def test_a_lane_in_which_nothing_is_takes_no_place():
    timeline = draw_timeline(opened())

    assert written(timeline)[4:10] == ["client → server", "server → client", "frames", "TCP", "frames", "TCP"]
    assert "server → client" not in written(draw_timeline(opened(), most=1))
    assert draw_timeline(opened(), most=1).figure.get_figheight() < timeline.figure.get_figheight()


def test_the_times_take_the_place_of_the_steps():
    recording = opened(tick=0.5)
    for data in text("Hello")[:5], text("Hello")[5:]:
        recording.add(1, UP, data)
    timeline = draw_timeline(recording, start=2, axis="time")

    assert lines(timeline) == [
        "steps 3 to 4 of 4",
        "client → server",
        "  messages",
        '    +1.00 s to +1.50 s  text "Hello", 5 bytes',
        "  frames",
        '    +1.00 s to +1.50 s  text "Hello", 11 bytes',
        "  TCP",
        "    +1.00 s  5 bytes",
        "    +1.50 s  6 bytes",
    ]
    keeps_the_rules(timeline)


def test_boundaries_lie_where_their_bytes_do():
    timeline = draw_timeline(one_message(), start=2, axis="bytes")

    assert lines(timeline) == [
        "steps 3 to 8 of 8",
        "client → server",
        "  messages",
        '    0 to 30  text "Hello, world", 12 bytes in 3 frames',
        "  frames",
        '    0 to 9    text "Hel" (more to come), 9 bytes',
        '    9 to 21   continuation "lo, wo" (more to come), 12 bytes',
        '    21 to 30  continuation "rld", 9 bytes',
        "  TCP",
        "    0 to 6    6 bytes",
        "    6 to 12   6 bytes",
        "    12 to 18  6 bytes",
        "    18 to 24  6 bytes",
        "    24 to 30  6 bytes",
    ]
    message, *frames = [bar.get_width() for bar in timeline.figure.axes[0].patches][:4]
    assert [round(width / message * 30) for width in frames] == [9, 12, 9]
    assert written(timeline)[2:9] == ["0", "5", "10", "15", "20", "25", "30"]
    keeps_the_rules(timeline)


def test_a_part_of_the_bytes_begins_at_0_and_says_what_goes_on_beyond_it():
    assert lines(draw_timeline(one_message(), start=3, most=2, axis="bytes")) == [
        "steps 4 to 5 of 8",
        "client → server",
        "  messages",
        '    …  text "Hello, world", 12 bytes in 3 frames',
        "  frames",
        '    … to 3  text "Hel" (more to come), 9 bytes',
        '    3 to …  continuation "lo, wo" (more to come), 12 bytes',
        "  TCP",
        "    0 to 6   6 bytes",
        "    6 to 12  6 bytes",
    ]


def test_calls_alone_have_no_bytes_to_draw():
    assert draw_timeline(one_message(), start=7, axis="bytes").figure is None


def test_what_a_real_client_recorded_is_the_same_in_every_run():
    def talk() -> str:
        recording = Recording(clock=itertools.count().__next__)
        with (
            live_server(deflate=False) as server,
            connect(server.url, recording=recording, key=KEY, masking_key=MASKING_KEY) as connection,
        ):
            for number, part in enumerate(("Hel", "lo, wo", "rld")):
                connection.send_fragment(part, fin=number == 2)
            connection.receive()
        timeline = draw_timeline(recording, start=2, most=8)
        keeps_the_rules(timeline)
        return repr(timeline)

    assert talk() == talk()
    assert talk().splitlines() == [
        "steps 3 to 10 of 13",
        "client → server",
        "  calls",
        "    3  send_fragment('Hel')",
        "    5  send_fragment('lo, wo')",
        "    7  send_fragment('rld')",
        "  messages",
        '    4 to 8  text "Hello, world", 12 bytes in 3 frames',
        "  frames",
        '    4  text "Hel" (more to come), 9 bytes',
        '    6  continuation "lo, wo" (more to come), 12 bytes',
        '    8  continuation "rld", 9 bytes',
        "  TCP",
        "    4  9 bytes",
        "    6  12 bytes",
        "    8  9 bytes",
        "server → client",
        "  calls",
        "    10  receive('Hello, world')",
        "  messages",
        '    9  text "Hello, world", 12 bytes',
        "  frames",
        '    9  text "Hello, world", 14 bytes',
        "  TCP",
        "    9  14 bytes",
    ]


def test_a_message_goes_on_beyond_both_ends_of_a_window():
    timeline = draw_timeline(one_message(), start=4, most=1)

    assert lines(timeline) == [
        "steps 5 to 5 of 8",
        "client → server",
        "  messages",
        '    …  text "Hello, world", 12 bytes in 3 frames',
        "  frames",
        '    …  continuation "lo, wo" (more to come), 12 bytes',
        "  TCP",
        "    5  6 bytes",
    ]
    keeps_the_rules(timeline)


def test_pings_stand_between_the_frames_of_a_message_and_in_no_message():
    recording = opened()
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"a", fin=False) + from_server(Opcode.PING))
    recording.add(1, DOWN, from_server(Opcode.CONTINUATION, b"b"))

    assert lines(draw_timeline(recording, start=2))[2:8] == [
        "  messages",
        '    3 to 4  text "ab", 2 bytes in 2 frames',
        "  frames",
        '    3  text "a" (more to come), 3 bytes',
        "    3  ping, 2 bytes",
        '    4  continuation "b", 3 bytes',
    ]


def test_what_is_illegal_or_not_finished_says_so():
    recording = opened()
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"a", fin=False))
    recording.add(1, DOWN, masked(Opcode.BINARY, b"b", fin=False))

    assert lines(draw_timeline(recording, start=2))[2:7] == [
        "  messages",
        '    3  text "a", 1 byte in 1 frame, unfinished',
        "    4  binary 62, illegal: a masked frame from a server, 1 byte in 1 frame, unfinished",
        "  frames",
        '    3  text "a" (more to come), 3 bytes',
    ]


def test_a_read_with_very_many_frames_is_summed_up():
    recording = opened()
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"a") * 9000)
    timeline = draw_timeline(recording)

    one_by_one = IN_ALL // 3
    told = lines(timeline)
    assert told.count('    3  text "a", 1 byte') == told.count('    3  text "a", 3 bytes') == one_by_one
    assert f"    3  {9000 - one_by_one:,} more messages" in told
    assert f"    3  {9000 - one_by_one:,} more frames" in told
    keeps_the_rules(timeline)


@pytest.mark.parametrize("axis", ["order", "time", "bytes"])
@pytest.mark.parametrize(
    "make", [opened, hostile, long_one, one_message, three_messages], ids=lambda make: make.__name__
)
def test_no_text_runs_over_another_or_out_of_the_picture(make, axis):
    keeps_the_rules(draw_timeline(make(), most=40, axis=axis))
    keeps_the_rules(draw_timeline(make(), start=1, most=1, axis=axis))


def test_what_happened_at_one_time_is_counted():
    recording = Recording(clock=lambda: 7.0)
    opened(1, recording)
    recording.add(1, UP, text("Hello"))
    recording.mark(1, UP, "receive", "'Hello'")
    keeps_the_rules(draw_timeline(recording, axis="time"))

    assert lines(draw_timeline(recording))[1:3] == ["  calls", "    4  receive('Hello')"]


def test_no_character_of_a_peer_moves_a_cursor_and_no_line_is_endless():
    told = lines(draw_timeline(hostile(), most=60))

    assert all(line.isprintable() for line in told)
    assert max(map(len, told)) < 250


def test_where_there_is_nothing_there_is_a_sentence_and_no_picture():
    nothing = draw_timeline(Recording())

    assert repr(nothing) == "Nothing to draw: no step has been recorded."
    assert nothing.png() is None
    assert repr(draw_timeline(opened(), start=2)) == "Nothing to draw from step 3 on: the last one is step 2."


@pytest.mark.parametrize(
    ("wrong", "why"), [({"most": 61}, "1 to 60"), ({"axis": "x"}, "axis"), ({"connection": 2}, "2")]
)
def test_what_cannot_be_drawn_is_refused(wrong, why):
    with pytest.raises(ValueError, match=why):
        draw_timeline(opened(), **wrong)


def test_a_part_of_a_very_long_recording_is_drawn_in_little_memory():
    recording = opened()
    for _ in range(16_000):
        recording.add(1, UP, text("again and again and again"))
    draw_timeline(recording, start=100)  # what is loaded at the first drawing does not count
    tracemalloc.start()
    timeline = draw_timeline(recording, start=4000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lines(timeline)[0] == "steps 4,001 to 4,024 of 16,002"
    assert peak < 4 * 1024 * 1024


def test_the_same_recording_gives_the_same_picture():
    assert are_the_same_picture(draw_timeline(hostile()), draw_timeline(hostile()))


def test_a_character_that_no_font_has_is_the_same_in_the_picture_and_in_the_text():
    recording = opened()
    recording.mark(1, UP, "send", "中")
    recording.add(1, UP, text("中"))
    timeline = draw_timeline(recording, start=2)

    assert lines(timeline)[3] == r"    3  send(\u4e2d)"
    assert lines(timeline)[5] == r'    4  text "\u4e2d", 3 bytes'
    assert {r"send(\u4e2d)", r'text "\u4e2d" 3 B'} <= {*written(timeline)}


def test_what_comes_after_the_steps_that_are_drawn_is_not_read(monkeypatch):
    recording = opened()
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"Hel", fin=False))
    recording.add(1, DOWN, from_server(Opcode.CONTINUATION, b"lo", fin=True))
    for _ in range(50):
        recording.add(1, DOWN, from_server(Opcode.PING))
    read = []

    def counting(chunks):
        for chunk in chunks:
            read.append(chunk)
            yield chunk

    monkeypatch.setattr(trace, "dissect_chunks", lambda chunks: dissect_chunks(counting(chunks)))
    described = draw_timeline(recording, most=3)

    assert len(read) == 4, "the message that begins in the third step ends in the fourth"
    assert '"Hello"' in repr(described)
