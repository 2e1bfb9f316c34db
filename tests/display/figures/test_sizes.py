"""draw_sizes: how many frames of which size, and how much of it is headers."""

import pytest
from support.figures import DOWN, UP, are_the_same_picture, from_server, hostile, keeps_the_rules, long_one, opened
from support.heads_and_frames import masked, text

from wslab import Opcode, Recording, draw_sizes


def test_frames_are_counted_by_size_and_bytes_by_what_they_are():
    recording = opened()
    recording.add(1, UP, text("Hello") + masked(Opcode.PING) + masked(Opcode.BINARY, bytes(126)))
    recording.add(1, DOWN, from_server(Opcode.BINARY, bytes(65_536)) + from_server(Opcode.TEXT, bytes(125)))
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"cut short")[:5])
    sizes = draw_sizes(recording)

    assert repr(sizes).splitlines() == [
        "payload of a frame  client → server  server → client",
        "no payload                        1                0",
        "1 to 15 bytes                     1                0",
        "16 to 125                         0                1",
        "126 to 1,023                      1                0",
        "1,024 to 65,535                   0                0",
        "65,536 or more                    0                1",
        "client → server: 3 frames, 131 bytes of payload, 20 bytes of headers (13.2 %)",
        "server → client: 2 frames, 65,661 bytes of payload, 12 bytes of headers (0.0 %)",
    ]
    keeps_the_rules(sizes)


def test_all_connections_are_counted_unless_one_is_asked_for():
    recording = opened(2, opened(1))
    for connection in 1, 2, 2:
        recording.add(connection, UP, text("Hello"))

    assert "client → server: 3 frames," in repr(draw_sizes(recording))
    assert "client → server: 2 frames," in repr(draw_sizes(recording, 2))
    assert repr(draw_sizes(recording, 1)).splitlines()[-2:] == [
        "client → server: 1 frame, 5 bytes of payload, 6 bytes of headers (54.5 %)",
        "server → client: no frames",
    ]
    with pytest.raises(ValueError, match="no connection 3"):
        draw_sizes(recording, 3)


@pytest.mark.parametrize("make", [hostile, long_one])
def test_no_text_runs_over_another_or_out_of_the_picture(make):
    keeps_the_rules(draw_sizes(make()))


def test_without_a_frame_there_is_a_sentence_and_no_picture():
    for recording in Recording(), opened():
        assert repr(draw_sizes(recording)) == "Nothing to draw: no whole frame has been recorded."
        assert draw_sizes(recording).png() is None


def test_the_same_recording_gives_the_same_picture():
    assert are_the_same_picture(draw_sizes(hostile()), draw_sizes(hostile()))
