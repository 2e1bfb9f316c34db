"""Every reader, view and writer of recordings costs in proportion to what it is given, whatever that is.

No clock is looked at: calls, bytes and memory are counted for inputs of n, 2n and 4n.
"""

import contextlib
import itertools
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.costs import cost_of, is_linear
from support.heads_and_frames import masked, request, response, text

from wslab import (
    Direction,
    Frame,
    Opcode,
    Recording,
    draw_ladder,
    draw_latencies,
    draw_sizes,
    draw_timeline,
    inspect,
    play,
    serialize_frame,
)
from wslab.display.widgets.frame_log import FrameLog
from wslab.recording.capture import FIRST_CLIENT_PORT, SERVER_ADDRESS
from wslab.recording.ends import find_ends
from wslab.recording.log import Gap
from wslab.recording.redaction import redact_chunks

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
PING, PONG = serialize_frame(Frame(Opcode.PING)), serialize_frame(Frame(Opcode.PONG), bytes(4))
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def new_recording() -> Recording:
    return Recording(clock=(number / 1000 for number in itertools.count(1_700_000_000_000)).__next__)


def opened(number: int = 1) -> Recording:
    recording = new_recording()
    recording.add(number, UP, request())
    recording.add(number, DOWN, response())
    return recording


def messages(size: int) -> Recording:
    recording = opened()
    for _ in range(size):
        recording.mark(1, UP, "send", "'Hello'")
        recording.add(1, UP, text("Hello"))
        recording.add(1, DOWN, b"\x81\x05Hello")
    return recording


def pings_in_one_read(size: int) -> Recording:
    recording = opened()
    recording.add(1, DOWN, PING * size * 10)
    recording.add(1, UP, PONG * size * 10)
    return recording


def pings_one_by_one(size: int) -> Recording:
    recording = opened()
    for _ in range(size):
        recording.add(1, DOWN, PING)
    return recording


def fragments(size: int) -> Recording:
    """One message in many fragments, each of which is illegal, as it has no mask."""
    recording = opened()
    recording.add(1, UP, masked(Opcode.TEXT, b"x", fin=False))
    for _ in range(size):
        recording.add(1, UP, serialize_frame(Frame(Opcode.CONTINUATION, b"x", fin=False)))
    return recording


def a_long_frame_in_bytes(size: int) -> Recording:
    recording = opened()
    for byte in masked(Opcode.BINARY, bytes(size)):
        recording.add(1, UP, bytes((byte,)))
    return recording


def a_head_in_bytes(size: int) -> Recording:
    recording = new_recording()
    for byte in request(more=(f"X: {'x' * size * 5}",))[:-4]:
        recording.add(1, UP, bytes((byte,)))
    return recording


def empty_lines(size: int) -> Recording:
    recording = new_recording()
    for _ in range(size):
        recording.add(1, UP, b"\r\n")
        recording.add(1, DOWN, b"\r\n")
    return recording


def requests_for_pages(size: int) -> Recording:
    recording = new_recording()
    for _ in range(size):
        recording.add(1, UP, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        recording.add(1, DOWN, PAGE)
    recording.add(1, UP, request())
    recording.add(1, DOWN, response())
    recording.add(1, UP, text("Hello"))
    return recording


def connections(size: int) -> Recording:
    """Many, of which the first half has the addresses that would be made up for the second."""
    recording = new_recording()
    half = size // 5
    for number in range(1, 2 * half + 1):
        if number <= half:
            recording.opened(number, ("127.0.0.1", FIRST_CLIENT_PORT + half + number), SERVER_ADDRESS)
        recording.add(number, UP, request())
        recording.add(number, DOWN, response())
        recording.add(number, UP, text("Hello"))
        recording.mark(number, UP, "end")
    return recording


def bytes_of_nothing(size: int) -> Recording:
    recording = new_recording()
    recording.add(1, UP, request())
    recording.add(1, DOWN, response())
    recording.add(1, UP, b"\xff" * size * 10)
    return recording


def gaps(size: int) -> Recording:
    """Many, some in a frame, some before a segment that begins with a frame, some before one that does not."""
    recording = opened()
    for skipped, behind in itertools.islice(itertools.cycle([(0, text("Hello")), (9, b"x" * 9), (None, b"y")]), size):
        recording.add(1, UP, text("Hello")[:8])
        recording.add(1, UP, Gap(3, None))
        recording.add(1, UP, Gap(20, skipped))
        recording.add(1, UP, behind)
    return recording


RECORDED = [
    messages,
    pings_in_one_read,
    pings_one_by_one,
    fragments,
    a_long_frame_in_bytes,
    a_head_in_bytes,
    empty_lines,
    requests_for_pages,
    connections,
    bytes_of_nothing,
    gaps,
]


def read_as_it_grows(recording: Recording) -> None:
    log = FrameLog(recording)
    while log.read():
        log.rows()


def numbered(recording: Recording) -> None:
    """As many new numbers as it has chunks."""
    grown = new_recording()
    for chunk in recording.chunks:
        grown.add(grown.new_number(), chunk.direction, chunk.data)


Work = Callable[[Recording], object]
PICTURES: dict[str, Work] = {
    "ladder": lambda recording: draw_ladder(recording, most=2),
    "timeline": lambda recording: draw_timeline(recording, most=2),
    "sizes": draw_sizes,
    "latencies": draw_latencies,
}
WORK: dict[str, Work] = {
    "inspect": lambda recording: repr(inspect(recording)),
    "play": lambda recording: repr(play(recording)),
    "a log that grows": read_as_it_grows,
    "repr": repr,
    "new numbers": numbered,
    "bytes of a direction": lambda recording: recording.bytes_sent(1, UP),
    "redaction": lambda recording: redact_chunks(recording.chunks),
    "ends": lambda recording: find_ends(recording.chunks, recording.calls),
}


def is_proportional(work: Work, recorded: Callable[[int], Recording]) -> bool:
    work(recorded(5))  # what is done once is done then
    recordings = map(recorded, (25, 50, 100))
    return is_linear([cost_of(partial(work, recording)) for recording in recordings])


each_recorded = pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.__name__)


@each_recorded
@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_a_view_costs_in_proportion_to_the_recording(work, recorded):
    assert is_proportional(work, recorded)


@pytest.mark.slow
@each_recorded
@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_picture_costs_in_proportion_to_the_recording(draw, recorded):
    assert is_proportional(draw, recorded)


@each_recorded
@pytest.mark.parametrize("name", ["talk.pcapng", "talk.har"])
def test_a_file_costs_in_proportion_to_the_recording_to_write_and_to_read(tmp_path: Path, name, recorded):
    def path(recording: Recording) -> Path:
        return tmp_path / f"{len(recording.chunks)}-{sum(len(chunk.data) for chunk in recording.chunks)}-{name}"

    def load(recording: Recording) -> None:
        with warnings.catch_warnings(), contextlib.suppress(ValueError):  # there may be no conversation in it
            warnings.simplefilter("ignore")
            Recording.load(path(recording))

    assert is_proportional(lambda recording: recording.save(path(recording)), recorded)
    assert is_proportional(load, recorded)
