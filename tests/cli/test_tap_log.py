"""What passes through a tap, one line each; and the recording that one thread fills and another reads."""

import itertools
import threading

from support.heads_and_frames import GREETING, PLAIN, request, response, text
from support.waiting import running, wait_until

from wslab import Direction
from wslab.cli.tap_log import MOST_BROKEN, MOST_WAITING, LineFormatter, LiveRecording
from wslab.recording.log import Call, Chunk

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def lines_of(*entries: tuple[object, ...], formatter: LineFormatter | None = None) -> list[str]:
    """The lines for `(connection, direction, bytes)` or `(connection, direction, name, argument)`."""
    formatter = formatter or LineFormatter()
    made = [Chunk(0.0, *entry) if isinstance(entry[2], bytes) else Call(0.0, *entry) for entry in entries]
    return [line for entry in made for line in formatter.lines(entry)]


def test_a_conversation_from_the_request_to_the_end_of_tcp():
    assert lines_of(
        (1, UP, request("GET /chat?token=sesame HTTP/1.1")),
        (1, DOWN, response() + GREETING),
        (1, UP, text("Hello")),
        (1, DOWN, "end", ""),
        (1, UP, "end", ""),
    ) == [
        "1 > GET /chat?token=[redacted] HTTP/1.1",
        "1 < HTTP/1.1 101 Switching Protocols",
        '1 < text "Welcome"',
        '1 > text "Hello"',
        "1 < end of TCP",
        "1 > end of TCP",
    ]


def test_connections_at_the_same_time_are_kept_apart_by_their_numbers():
    not_found = b"HTTP/1.1 404 Not Found\r\n\r\n"
    assert lines_of((1, UP, request()[:30]), (2, UP, PLAIN), (1, UP, request()[30:]), (2, DOWN, not_found)) == [
        "2 > GET / HTTP/1.1",
        "1 > GET / HTTP/1.1",
        "2 < HTTP/1.1 404 Not Found",
        "2 < not WebSocket: what follows is not read",
    ]


def test_what_is_cut_short_is_told_before_the_end():
    assert lines_of((1, UP, b"GET / HT"), (1, UP, "end", "")) == ["1 > cut short: 8 bytes of a head", "1 > end of TCP"]


def test_a_connection_that_breaks_off_is_told_and_what_was_still_on_its_way_is_not():
    formatter = LineFormatter()
    assert lines_of(
        (1, UP, request()),
        (1, UP, "reset", ""),
        (1, DOWN, response()),
        (2, UP, "unreachable", "Connection refused"),
        (2, UP, request()),
        formatter=formatter,
    ) == ["1 > GET / HTTP/1.1", "1 > reset", "2 > the server cannot be reached: Connection refused"]


def test_a_connection_that_has_ended_leaves_nothing_behind():
    formatter = LineFormatter()
    for number in range(50):
        lines_of((number, UP, request()), (number, DOWN, "end", ""), (number, UP, "end", ""), formatter=formatter)
    assert vars(formatter) == vars(LineFormatter())


def test_many_connections_that_broke_off_leave_little_behind():
    formatter = LineFormatter()
    for number in range(3000):
        formatter.lines(Chunk(0.0, number, UP, b"GET"))
        formatter.lines(Call(0.0, number, DOWN, "reset", ""))
        formatter.lines(Chunk(0.0, number, UP, b" / HTTP/1.1"))
        formatter.lines(Call(0.0, number, UP, "end", ""))

    assert max(len(kept) for kept in vars(formatter).values() if isinstance(kept, dict | set)) == MOST_BROKEN


def test_a_live_recording_hands_over_everything_in_order_and_keeps_it_only_if_told_to():
    for keeps in (True, False):
        recording = LiveRecording(keeps=keeps)
        recording.opened(1, ("127.0.0.1", 1), ("127.0.0.1", 2))
        recording.add(1, UP, b"Hello")
        recording.mark(1, UP, "end")
        recording.close()
        recording.add(1, UP, b"too late for those who read")

        assert [entry[1:4] for entry in recording] == [(1, UP, b"Hello"), (1, UP, "end")]
        assert len(recording.chunks) == (2 if keeps else 0)
        assert len(recording.calls) == len(recording.addresses) == (1 if keeps else 0)


def test_a_thread_that_records_waits_for_the_one_that_reads_until_the_recording_is_closed():
    recording, count = LiveRecording(keeps=True), itertools.count()

    def record() -> None:
        for number in count:
            recording.add(1, UP, bytes(number))
            if number == 3 * MOST_WAITING:
                return

    with running(record) as thread:
        wait_until(lambda: len(recording.chunks) == MOST_WAITING + 1)
        sizes = [len(entry.data) for entry in itertools.islice(recording, MOST_WAITING)]
        assert sizes == list(range(MOST_WAITING))
        wait_until(lambda: len(recording.chunks) == 2 * MOST_WAITING + 1)
        assert thread.is_alive()
        recording.close()
        thread.join()
    assert len(recording.chunks) == 3 * MOST_WAITING + 1


def test_a_thread_that_reads_waits_for_the_one_that_records():
    recording, got = LiveRecording(keeps=False), threading.Event()

    def read() -> None:
        for _ in recording:
            got.set()

    with running(read):
        assert not got.is_set()
        recording.mark(1, UP, "end")
        wait_until(got.is_set)
        recording.close()
