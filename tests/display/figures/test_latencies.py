"""draw_latencies: how long messages wait for their echo, and pings for their pong."""

import pytest
from support.figures import DOWN, UP, are_the_same_picture, from_server, keeps_the_rules, opened
from support.heads_and_frames import masked, text
from support.raw_peer import live_server
from support.waiting import wait_until

from wslab import Opcode, Recording, connect, draw_latencies


def lines(described) -> list[str]:
    return repr(described).splitlines()


class Clock:
    """Tells the time that it is set to, in seconds."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def echoed(waits: list[float]) -> Recording:
    """A recording in which the answers to messages, and pongs to pings twice as late, come after so many seconds."""
    clock = Clock()
    recording = opened(1, Recording(clock=clock))
    for number, wait in enumerate(waits):
        recording.add(1, UP, text(f"message {number}"))
        recording.add(1, DOWN, from_server(Opcode.PING, bytes((number,))))
        clock.time += wait
        recording.add(1, DOWN, from_server(Opcode.TEXT, f"message {number}".encode()))
        clock.time += wait
        recording.add(1, UP, masked(Opcode.PONG, bytes((number,))))
    return recording


def test_the_distribution_is_told_in_numbers():
    latencies = draw_latencies(echoed([0.001, 0.002, 0.004, 0.003, 0.25]))

    assert lines(latencies) == [
        "messages: 5 answered, fastest 1 ms, median 3 ms, 90 % within 0.25 s, worst 0.25 s; 0 without an answer",
        "pings: 5 answered, fastest 2 ms, median 6 ms, 90 % within 0.5 s, worst 0.5 s; 0 without an answer",
    ]
    keeps_the_rules(latencies)


def test_few_answers_are_told_one_by_one_and_not_drawn():
    latencies = draw_latencies(echoed([0.004, 0.001, 0.002]))

    assert lines(latencies) == [
        "Nothing to draw: too few answers.",
        "messages: 3 answered, after 1 ms, 2 ms, 4 ms, too few to draw; 0 without an answer",
        "pings: 3 answered, after 2 ms, 4 ms, 8 ms, too few to draw; 0 without an answer",
    ]
    assert latencies.png() is None


def test_only_an_equal_message_and_the_right_pong_are_answers():
    recording = opened(tick=0.001)
    recording.add(1, UP, text("Hello") + masked(Opcode.PING, b"a"))
    recording.add(1, DOWN, from_server(Opcode.BINARY, b"Hello") + from_server(Opcode.PONG, b"b"))
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"He", fin=False) + from_server(Opcode.PING, b"a"))
    recording.add(1, DOWN, from_server(Opcode.CONTINUATION, b"llo"))

    assert lines(draw_latencies(recording)) == [
        "Nothing to draw: too few answers.",
        "messages: 1 answered, after 3 ms, too few to draw; 0 without an answer",
        "pings: none answered, 2 without an answer",
    ]


def test_equal_messages_are_answered_in_their_order():
    recording = opened(tick=0.001)
    recording.add(1, UP, text("again"))
    recording.add(1, UP, text("again"))
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"again"))
    recording.add(1, DOWN, from_server(Opcode.TEXT, b"again") * 2)

    assert "2 answered, after 2 ms, 2 ms," in repr(draw_latencies(recording))


def test_connections_are_kept_apart():
    recording = opened(2, opened(1, tick=0.001))
    recording.add(1, UP, text("Hello"))
    recording.add(2, DOWN, from_server(Opcode.TEXT, b"Hello"))

    assert "messages: none answered, 1 without" in repr(draw_latencies(recording))
    assert "messages: none answered, 0 without" in repr(draw_latencies(recording, 2))
    with pytest.raises(ValueError, match="no connection 3"):
        draw_latencies(recording, 3)


def test_a_real_echo_server_answers_everything():
    recording = Recording()
    with live_server(recording=recording) as server:
        with connect(server.url) as connection:
            for number in range(20):
                connection.send(f"message {number}")
                connection.receive()
        wait_until(lambda: not server.connections)
    latencies = draw_latencies(recording)

    assert lines(latencies)[0].startswith("messages: 20 answered, ")
    assert lines(latencies)[0].endswith("; 0 without an answer")
    keeps_the_rules(latencies)


@pytest.mark.parametrize(
    "waits", [[0.0] * 5, [0.001] * 5, [0.00011] * 9, [0.0099] * 5, [1e-6, 1, 1e3, 1e5, 1e6], [2e-5, 3e-5] * 50]
)
def test_whatever_the_times_no_text_runs_over_another(waits):
    keeps_the_rules(draw_latencies(echoed(waits)))


def test_without_an_answer_there_is_a_sentence_and_no_picture():
    assert lines(draw_latencies(Recording())) == [
        "Nothing to draw: nothing has been answered.",
        "messages: none answered, 0 without an answer",
        "pings: none answered, 0 without an answer",
    ]
    assert draw_latencies(opened()).png() is None


def test_the_same_recording_gives_the_same_picture():
    assert are_the_same_picture(draw_latencies(echoed([0.01] * 5)), draw_latencies(echoed([0.01] * 5)))
