"""bug: a server or a client with one bug, named after the thread that reports it, and the same one without the bug."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from wslab.protocol.errors import ConnectionClosed, ProtocolError
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role
from wslab.recording.recording import Recording
from wslab.sockets.client import connect
from wslab.sockets.server import EchoServer, echo

Parts = dict[str, Any]  # what `EchoServer` or `connect` is given besides what the good one has
Probe = Callable[[Any], Any]
LIMITS = Limits(close_timeout=1.0)
PATIENCE = 10.0  # seconds in which a client ends after a probe has left it


class Client:
    """A client that a probe can call: it echoes whatever it is sent."""

    def __init__(self, parts: Parts, recording: Recording | None) -> None:
        self._options: Parts = {"recording": recording} | parts
        self._threads: list[threading.Thread] = []
        self._has_shaken_hands = threading.Event()

    def visit(self, port: int) -> None:
        """Open a connection to a port of this machine, in the background, and echo until it ends."""
        self._has_shaken_hands.clear()
        thread = threading.Thread(target=self._run, args=[port], name="wslab-zoo", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, port: int) -> None:
        gone = (ConnectionClosed, ProtocolError, OSError)  # the probe has hung up, or the client has refused it
        with suppress(*gone):
            try:
                connection = connect(f"ws://127.0.0.1:{port}/", timeout=PATIENCE, **self._options)
            finally:
                self._has_shaken_hands.set()
            with connection:
                echo(connection)

    def await_handshake(self, timeout: float) -> None:
        """Wait until it has read an answer, and taken or refused it: what is sent then comes in a piece of its own."""
        self._has_shaken_hands.wait(timeout)

    def close(self) -> None:
        """Wait until its connections have ended."""
        for thread in self._threads:
            thread.join(PATIENCE)


@dataclass(frozen=True)
class Bug:
    """A bug: who has it, the sections that it breaks, the thread that reports it, and what goes wrong.

    `make` gives the parts with the bug in them, new ones each time.
    """

    name: str
    role: Role
    sections: tuple[str, ...]
    thread: str
    year: int
    story: str
    make: Callable[[], Parts]

    def __str__(self) -> str:
        return f"{self.name}: {self.story} ({self.year}, {self.thread})"


Maker = Callable[[], Parts]


def a_server(thread: str, year: int, *sections: str) -> Callable[[Maker], Bug]:
    """A decorator for a function that makes the parts of a server with a bug; its docstring says what goes wrong."""
    return lambda make: _bug(make, Role.SERVER, thread, year, sections)


def a_client(thread: str, year: int, *sections: str) -> Callable[[Maker], Bug]:
    """The same for a client."""
    return lambda make: _bug(make, Role.CLIENT, thread, year, sections)


def _bug(make: Maker, role: Role, thread: str, year: int, sections: tuple[str, ...]) -> Bug:
    return Bug(make.__name__, role, sections, f"https://github.com/{thread}", year, make.__doc__ or "", make)


@contextmanager
def running(role: Role, parts: Parts, recording: Recording | None = None) -> Iterator[EchoServer | Client]:
    """The server, or the client that can be called, with these parts; without any it is the good one."""
    silent = logging.NullHandler()
    logging.getLogger("wslab").addHandler(silent)
    try:
        if role is Role.SERVER:
            options: Parts = {"page": False, "limits": LIMITS, "recording": recording}
            with EchoServer(**options | parts) as server:
                yield server
        else:
            client = Client(parts, recording)
            try:
                yield client
            finally:
                client.close()
    finally:
        logging.getLogger("wslab").removeHandler(silent)


def run(probe: Probe, role: Role, bug: Bug | None, recording: Recording | None = None) -> Any:
    """What a probe says of a bug, or of the good server or client."""
    with running(role, bug.make() if bug else {}, recording) as peer:
        return probe(peer)


def listening() -> socket.socket:
    """A socket on which a probe awaits a client."""
    return socket.create_server(("127.0.0.1", 0))
