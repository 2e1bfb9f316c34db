"""A class to test with, and the clients in it: plain ones, and ones that speak JSON as the page does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.waiting import PATIENCE, wslab_threads
from wslab import Connection, connect
from wslab.classroom.class_server import SUBPROTOCOL, ClassServer
from wslab.classroom.limits import ClassLimits

Event = dict[str, object]


@contextmanager
def live_class(**limits: float) -> Iterator[ClassServer]:
    """A class, which must leave no thread behind when it is over."""
    before = wslab_threads()
    try:
        with ClassServer(limits=ClassLimits(**limits)) as server:
            yield server
    finally:
        assert wslab_threads() <= before, "the class is over and its threads are not"


def plain(server: ClassServer, query: str = "") -> Connection:
    """Any WebSocket client, which has been told its name."""
    connection = connect(f"{server.server.url}{query}", timeout=PATIENCE)
    assert connection.receive().startswith("You are ")
    return connection


def paged(server: ClassServer, query: str = "") -> "Page":
    """A client that speaks as the page does, which has been welcomed."""
    connection = connect(f"{server.server.url}{query}", subprotocols=[SUBPROTOCOL], timeout=PATIENCE)
    return Page(connection, json.loads(connection.receive()))


def teaching(server: ClassServer) -> "Page":
    """The page of the teacher."""
    return paged(server, f"?token={server.room.teacher_token}")


@dataclass
class Page:
    """A client that speaks JSON, with what it was told first."""

    connection: Connection
    welcome: Event

    @property
    def name(self) -> str:
        return str(self.welcome["name"])

    @property
    def token(self) -> str:
        return str(self.welcome["token"])

    def send(self, **request: object) -> None:
        self.connection.send(json.dumps(request))

    def next(self, *kinds: str) -> Event:
        """The next event of these kinds; others are left out."""
        while True:
            event = json.loads(self.connection.receive())
            if event["kind"] in kinds:
                return event

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()
