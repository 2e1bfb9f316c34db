"""Lesson 17 in false worlds: each attack and each limit says something else where its rule does not hold."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "17-security"

NO_ORIGIN_IS_CHECKED = """
from wslab.sockets.session import Session
Session._check_origin = lambda self: None
"""

BROWSERS_HEED_CORS = """
from dataclasses import replace
from wslab.labs import heist
load = heist.load_heists
def load_heeded(path):
    return {
        options: replace(outcome, attack=replace(outcome.attack, told="", close_code=1006))
        if options.cors == "the bank" else outcome
        for options, outcome in load(path).items()
    }
heist.load_heists = load_heeded
"""

BROWSERS_HAVE_NO_SAMESITE = """
from dataclasses import replace
from wslab.labs import heist
load = heist.load_heists
heist.load_heists = lambda path: {
    options: replace(outcome, has_cookie=True) for options, outcome in load(path).items()
}
"""

LENGTHS_ARE_BELIEVED = """
from wslab.protocol.messages import MessageReader
MessageReader.check_size = lambda self, frame: None
"""

EACH_FRAME_IS_MEASURED_ALONE = """
from wslab.protocol.messages import MessageReader
from wslab.protocol.rules import MESSAGE_IS_TOO_BIG
read = MessageReader.read
def check_frame(self, frame):
    if frame.header.payload_length > self._max_size:
        raise MESSAGE_IS_TOO_BIG.broken(limit=self._max_size)
def read_alone(self, frame):
    limit, self._max_size = self._max_size, 2**40
    try:
        return read(self, frame)
    finally:
        self._max_size = limit
MessageReader.check_size, MessageReader.read = check_frame, read_alone
"""

THE_WIRE_IS_MEASURED = """
from wslab.protocol import deflate
class Roomy(deflate.Decompressor):
    def decompress(self, data):
        self.room = 2**31
        return super().decompress(data)
from wslab.protocol import messages
messages.Decompressor = Roomy
read = messages.MessageReader.read
def read_wire(self, frame):
    limit = self._max_size
    self._max_size = 2**40 if frame.is_compressed else limit
    try:
        return read(self, frame)
    finally:
        self._max_size = limit
messages.MessageReader.read = read_wire
"""

EACH_READ_STARTS_THE_CLOCK_ANEW = """
import time
from wslab.sockets import receive_queue
read = receive_queue.ReceiveQueue._read
def read_anew(self, deadline):
    return read(self, None if deadline is None else time.monotonic() + 0.5)
receive_queue.ReceiveQueue._read = read_anew
receive_queue._check_time = lambda deadline: None
"""

NO_REQUEST_IS_LATE = """
from dataclasses import replace
from wslab.sockets.session import Session
wait = Session._await_request
def wait_longer(self):
    limits = self._service.limits
    if not self.is_full:
        object.__setattr__(self._service, "limits", replace(limits, handshake_timeout=60.0))
    wait(self)
Session._await_request = wait_longer
"""

TLS_KNOWS_THE_PAGE = """
from wslab.sockets.session import Session
from wslab.protocol.errors import HandshakeError
import ssl
def check(self):
    origin = self.connection.request.headers.get("Origin")
    if isinstance(self.connection._transport.stream._sock, ssl.SSLSocket) and origin == "https://prizes.example":
        raise HandshakeError("another page", 403)
Session._check_origin = check
"""

CERTIFICATES_ARE_NOT_VERIFIED = """
import ssl
create = ssl.create_default_context
ssl.create_default_context = lambda: ssl._create_unverified_context()
"""


@pytest.mark.parametrize(
    ("world", "cell"),
    [
        (NO_ORIGIN_IS_CHECKED, "origin-check"),
        (BROWSERS_HEED_CORS, "heist-cors"),
        (BROWSERS_HAVE_NO_SAMESITE, "samesite-heists"),
        (LENGTHS_ARE_BELIEVED, "announce"),
        (EACH_FRAME_IS_MEASURED_ALONE, "fragments"),
        (THE_WIRE_IS_MEASURED, "bomb-sent"),
        (EACH_READ_STARTS_THE_CLOCK_ANEW, "drip"),
        (NO_REQUEST_IS_LATE, "slow-after-code"),
        (TLS_KNOWS_THE_PAGE, "tls-hijacked"),
        (CERTIFICATES_ARE_NOT_VERIFIED, "tls-clients"),
    ],
    ids=lambda value: value if "\n" not in value else "",
)
def test_where_the_rule_does_not_hold_the_cell_says_something_else(world, cell):
    assert cell in changed_cells(LESSON, world, until=cell)


def test_a_policy_that_compares_whole_is_the_only_one_that_holds():
    prefix = 'policies["equals"] = lambda origin: origin.startswith("https://bank")'
    assert "policies-tried" in changed_cells(LESSON, prefix, until="policies-tried", after="policies")


def test_a_budget_that_is_never_spent_lets_the_flood_pass():
    generous = "Budget.spend = lambda self: True"
    assert "flood-code" in changed_cells(LESSON, generous, until="flood-code", after="budget")


def test_a_bomb_that_is_opened_in_both_ways_takes_the_same_memory():
    same = "check_on_the_way = check_afterwards"
    assert "bomb-memory-code" in changed_cells(LESSON, same, until="bomb-memory-code", after="bomb-measured")
