"""Lesson 16 in false worlds: each experiment about moving data says something else where its rule does not hold."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "16-moving-data-well"

NO_BUFFER_IS_EVER_FULL = """
from wslab.sockets.connection import Connection
Connection.send = lambda self, message: None
"""

A_QUEUE_KEEPS_NOTHING_BACK = """
from wslab.sockets.connection import Connection
send = Connection.send
def send_unless_it_would_wait(self, message):
    if len(message) < 64 * 1024:
        send(self, message)
Connection.send = send_unless_it_would_wait
"""

NO_CABLE_CAN_BE_PULLED = """
import wslab
wslab.faults.silence = lambda after: None
"""

DATA_MAY_STAND_BETWEEN_FRAGMENTS = """
from wslab.protocol import reader
reader.broken_by_frame = lambda *facts: []
"""

PINGS_WAIT_FOR_THE_END_OF_A_MESSAGE = """
from wslab.sockets.connection import Connection
ping, send_fragment = Connection.ping, Connection.send_fragment
waiting = []
Connection.ping = lambda self, payload: waiting.append(payload)
def send_fragment_first(self, fragment, fin=False):
    send_fragment(self, fragment, fin)
    if fin:
        ping(self, waiting.pop())
Connection.send_fragment = send_fragment_first
"""

ANSWERS_COME_ONE_AFTER_THE_OTHER = """
def answer_in_threads(connection):
    for question in connection:
        connection.send("42" if question == "hard" else "4")
"""

MESSAGES_OVERTAKE_ONE_ANOTHER = """
class Shuffled(list):
    def append(self, message):
        self.insert(0, message)
received = Shuffled()
"""

REPLIES_ARE_TAKEN_IN_ORDER = """
def listen(self):
    for number, message in enumerate(self.connection):
        self.waiting[number].set_result(json.loads(message)[1])
Caller.listen = listen
"""

WAITING_COSTS_NOTHING = """
import statistics
statistics.median = lambda values: 20_000
"""


@pytest.mark.parametrize(
    ("world", "cell"),
    [
        (NO_BUFFER_IS_EVER_FULL, "filled"),
        (A_QUEUE_KEEPS_NOTHING_BACK, "wait"),
        (NO_CABLE_CAN_BE_PULLED, "cable-pulled"),
        (NO_CABLE_CAN_BE_PULLED, "confirm-booked"),
        (DATA_MAY_STAND_BETWEEN_FRAGMENTS, "hol-run"),
        (PINGS_WAIT_FOR_THE_END_OF_A_MESSAGE, "hol-ping"),
        (WAITING_COSTS_NOTHING, "bench-flight"),
    ],
    ids=lambda value: value if "\n" not in value else "",
)
def test_where_the_rule_does_not_hold_the_cell_says_something_else(world, cell):
    assert cell in changed_cells(LESSON, world, until=cell)


@pytest.mark.parametrize(
    ("world", "after", "cell"),
    [
        ("Latest.send = Postbox.send", "latest", "latest-run"),
        (MESSAGES_OVERTAKE_ONE_ANOTHER, "take", "cable-pulled"),
        ("book_once = book", "book-once", "confirm-again"),
        (ANSWERS_COME_ONE_AFTER_THE_OTHER, "crossing-server", "crossing-run"),
        (REPLIES_ARE_TAKEN_IN_ORDER, "caller", "caller-server"),
        ("loop = words", "mask-numbers-code", "mask-measured"),
    ],
    ids=lambda value: value if "\n" not in value else "",
)
def test_where_a_part_of_the_lesson_works_otherwise_the_cell_says_something_else(world, after, cell):
    assert cell in changed_cells(LESSON, world, until=cell, after=after)
