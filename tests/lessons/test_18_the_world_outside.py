"""Lesson 18 in false worlds: proxies that behave, masks that are not there, rooms that remember say something else."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "18-the-world-outside"

PROXIES_WAIT_FOR_EVER = """
from wslab.tap import relay
start = relay.Relay.__init__
def wait_for_ever(self, *arguments, idle_timeout=None, **options):
    start(self, *arguments[:6], **options)
relay.Relay.__init__ = wait_for_ever
"""

NOBODY_PINGS = """
from wslab.sockets.connection import Connection
Connection.ping = lambda self, payload=b"": None
"""

PROXIES_CHANGE_NOTHING = """
from pathlib import Path
Path.read_text = lambda self: '["chat.v1", "permessage-deflate", 4001, "that was enough"]'
"""

A_BUS_REMEMBERS = """
from wslab.labs.bus import LocalBus
class Remembering(LocalBus):
    kept = ["hello"]
    def subscribe(self, channel, tell):
        super().subscribe(channel, tell)
        for text in self.kept:
            tell(text)
open_bus = Remembering
"""

ROOMS_SHARE_THEIR_MEMBERS = """
class Shared(Room):
    everybody = set()
    def __init__(self):
        self.members = self.everybody
Room = Shared
"""

THE_SENDER_TELLS_ITS_OWN = """
def say(self, text):
    self.tell(text)
    self.bus.publish("room", text)
SharedRoom.say = say
"""


@pytest.mark.parametrize(
    ("world", "after", "cell"),
    [
        ("without_hop_by_hop = lambda request: request", "forget", "forget-run"),
        (PROXIES_WAIT_FOR_EVER, None, "idle-run"),
        (NOBODY_PINGS, None, "idle-ping-run"),
        (PROXIES_CHANGE_NOTHING, "behind-server", "behind-run"),
        ("H2Connection.update_settings = lambda self, settings: None", "h2-pair", "h2-settings"),
        ("serialize = wslab.serialize_frame\n"
         "wslab.serialize_frame = lambda frame, key: serialize(frame, None)", "h2-answer", "h2-data"),
        (ROOMS_SHARE_THEIR_MEMBERS, "room", "meet-run"),
        (THE_SENDER_TELLS_ITS_OWN, "shared-room", "shared-run"),
        ("SharedRoom.say = Room.say", "shared-room", "shared-run"),
        (A_BUS_REMEMBERS, "shared-room", "late"),
    ],
    ids=lambda value: value if value is None or ("\n" not in value and " " not in value) else "",
)  # fmt: skip
def test_where_the_world_is_otherwise_the_cell_says_something_else(world, after, cell):
    assert cell in changed_cells(LESSON, world, until=cell, after=after)


def test_without_redis_the_lesson_says_the_same():
    world = "import shutil\nshutil.which = lambda name: None"
    assert changed_cells(LESSON, world) == {}
