"""hand_in: the result of an exercise in, three values of it sent to the class that was named, and nothing else."""

import json
import time
from typing import Protocol as Interface

from wslab.classroom.class_server import SUBPROTOCOL
from wslab.sockets.client import connect


class Report(Interface):
    """What the check of an exercise returns."""

    @property
    def name(self) -> str:
        """The name of the exercise."""

    @property
    def points(self) -> float:
        """What was reached."""

    @property
    def max_points(self) -> float:
        """What could be reached."""


def hand_in(url: str, report: Report, timeout: float = 10.0) -> str:
    """Tell the class how an exercise went: its name, the points and the most points. Returns what the class says.

    `url` is your own address, which the page of the class shows after you have joined. It is your teacher's computer
    that gets the result, once for each call. Raises ValueError if the class refuses it, OSError or HandshakeError if
    there is no such class, TimeoutError if it does not answer.
    """
    mark = {"exercise": report.name, "points": report.points, "max_points": report.max_points}
    if "?token=" not in url:
        raise ValueError("hand in at your own address, ws://...?token=..., which the page shows after you have joined")
    with connect(url, subprotocols=[SUBPROTOCOL], timeout=timeout) as connection:
        if connection.subprotocol != SUBPROTOCOL:
            raise ValueError("this is the address of a WebSocket server, but of no class")
        deadline = time.monotonic() + timeout
        welcome = _next(connection.receive(timeout))
        if welcome["kind"] != "welcome" or welcome.get("token") != url.partition("?token=")[2]:
            raise ValueError("this class does not know your address: join again on its page, which shows a new one")
        connection.send(json.dumps({"hand_in": mark}))
        told = welcome
        while (told["kind"], told.get("exercise", report.name)) not in (
            ("mark", report.name),
            ("refused", report.name),
        ):
            told = _next(connection.receive(max(0.0, deadline - time.monotonic())))
        if told["kind"] == "refused":
            raise ValueError(f"the class refuses it: {told['why']}")
        return f"{welcome['name']}: {mark['exercise']}, {told['points']} of {told['max_points']} points"


def _next(message: str | bytes) -> dict[str, object]:
    value = json.loads(message)
    if not isinstance(value, dict) or "kind" not in value:
        raise ValueError("this is the address of a WebSocket server, but of no class")
    return value
