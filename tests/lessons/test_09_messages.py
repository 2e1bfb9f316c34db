"""Lesson 09 in false worlds: texts that are checked too early, pings that end messages, limits that wait."""

import pytest
from support.false_worlds import changed_cells, without_rule

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "09-messages"

EACH_FRAGMENT_IS_A_TEXT = """
from wslab.protocol import messages
decode = messages.TextDecoder.decode
messages.TextDecoder.decode = lambda self, piece, final=False: decode(self, piece, True)
"""

A_READ_IS_A_MESSAGE = """
import wslab
read = wslab.Protocol.receive_data
def read_one(self, data):
    return read(self, data)[:1]
wslab.Protocol.receive_data = read_one
"""

A_READ_BRINGS_A_FRAME = """
import wslab
from wslab.labs import by_hand
record = by_hand.record_by_hand
def record_whole_frames(calls, cut):
    recording, stretch = wslab.Recording(), record(calls, 1000)
    for event in stretch.events(1):
        if hasattr(event, "name"):
            recording.mark(1, event.direction, event.name, event.argument)
            continue
        data, is_frame = event.data, not event.data.startswith((b"GET", b"HTTP"))
        while data:
            used = wslab.parse_frame(data)[1] if is_frame else len(data)
            recording.add(1, event.direction, data[:used])
            data = data[used:]
    return recording
by_hand.record_by_hand = record_whole_frames
"""

PINGS_WAIT_FOR_THE_MESSAGE = """
ask_in_order = ask
def ask(server, data, **options):
    said = ask_in_order(server, data, **options).split(", then ")
    return ", then ".join(sorted(said, key=lambda it: it.startswith("Pong")))
"""

ORDER_DOES_NOT_MATTER = without_rule("wslab.protocol.rules", "FRAME_RULES", "inside a fragmented message")

CONTROL_FRAMES_MAY_BE_LONG = without_rule("wslab.protocol.rules", "START_RULES", "of more than 125 bytes")

EVERY_CLOSE_CODE_IS_FINE = """
from wslab.protocol import frames
frames.is_valid_close_code = lambda code: True
"""

ONLY_WHOLE_FRAMES_COUNT = """
from wslab.protocol import messages
messages.MessageReader.check_size = lambda self, frame: None
"""


def test_a_server_that_decodes_each_fragment_is_seen():
    assert "cell-24" in changed_cells(LESSON, EACH_FRAGMENT_IS_A_TEXT, until="cell-24")


def test_an_endpoint_that_takes_a_read_for_a_message_is_seen():
    assert "cell-39" in changed_cells(LESSON, A_READ_IS_A_MESSAGE, until="cell-39")


def test_a_network_that_delivers_frame_by_frame_is_seen():
    assert "to-scale" in changed_cells(LESSON, A_READ_BRINGS_A_FRAME, until="to-scale")


def test_a_pong_that_waits_for_the_message_is_seen():
    assert "cell-60" in changed_cells(LESSON, PINGS_WAIT_FOR_THE_MESSAGE, until="cell-60", after="cell-13")


def test_a_server_that_mixes_messages_is_seen():
    assert "cell-68" in changed_cells(LESSON, ORDER_DOES_NOT_MATTER, until="cell-68")


def test_a_server_that_takes_long_pings_is_seen():
    assert "control-frames" in changed_cells(LESSON, CONTROL_FRAMES_MAY_BE_LONG, until="control-frames")


def test_a_server_that_takes_every_close_code_is_seen():
    assert "close-payloads" in changed_cells(LESSON, EVERY_CLOSE_CODE_IS_FINE, until="close-payloads")


def test_a_server_that_counts_only_what_has_arrived_is_seen():
    assert "cell-71" in changed_cells(LESSON, ONLY_WHOLE_FRAMES_COUNT, until="cell-71")
