"""Tap: a proxy on loopback that records both directions of every connection, and can disturb them at will."""

import queue
import re
import socket
import threading
from typing import Protocol as Interface

from wslab.dissector.wording import how_many
from wslab.protocol.limits import check_count, check_seconds
from wslab.protocol.states import Direction
from wslab.recording.recording import Recording
from wslab.redaction.redact import redact_target
from wslab.sockets.acceptor import PORTS, Acceptor
from wslab.sockets.files import most_files
from wslab.sockets.leaving import Leaving
from wslab.sockets.url import WebSocketUrl, parse_url
from wslab.tap.fault_settings import FaultSettings
from wslab.tap.faults import Fault
from wslab.tap.passage import IDLE_TIMEOUT
from wslab.tap.relay import CONNECT_TIMEOUT, FAREWELL_TIMEOUT, Relay

MAX_CONNECTIONS = 500
FILES_FOR_EACH = 4  # a socket at each end, and a pair that wakes their threads
SPARE_FILES = 100  # for whatever else this process opens

_TARGET = re.compile(r"(ws|http)://|(?!\w+://).+:\d+\Z", re.IGNORECASE)


def parse_target(target: str) -> tuple[str, WebSocketUrl]:
    """The scheme and the address of what a tap is to forward to. Raises ValueError for what is none.

    >>> parse_target("localhost:8888")
    ('ws', WebSocketUrl(secure=False, host='localhost', port=8888, resource_name='/'))
    """
    if not (found := _TARGET.match(target)):
        shown = redact_target(target)[:60]
        raise ValueError(f"a tap forwards to HOST:PORT or to a ws:// or http:// address, not to {shown!r}")
    scheme = (found[1] or "ws").lower()
    address = parse_url(re.sub(r"\A(\w+://)?", "ws://", target, count=1))
    if address.authorization:
        raise ValueError("a tap forwards what clients send, and sends no user name of its own")
    if address.port == 0:
        raise ValueError("a tap cannot forward to port 0: start the server first")
    return scheme, address


def _default_connections() -> int:
    most = (most_files() - SPARE_FILES) // FILES_FOR_EACH
    return int(max(1, min(MAX_CONNECTIONS, most)))


class HasUrl(Interface):
    """An `EchoServer`, another `Tap`, or anything else that listens at an address."""

    @property
    def url(self) -> str:
        """The address."""


class Tap:
    """Listens on `host` and `port` (0: any free one) and forwards every connection to `target` and back.

    `target` is "HOST:PORT", a ws:// or http:// address, or a running `EchoServer`; clients use `url` instead of its
    address. Use the tap in a `with` block, or call `start` and `close`. The bytes may be of any protocol.

    `recording` holds what each side sent, as the tap has read it; `delivered` what the tap then wrote to the other
    side, which a fault may have changed (None with `keep_delivered=False`). Both number the connections alike. What
    happened to TCP is marked among the calls: "end" and "reset" with the direction in which they came or went on,
    and "unreachable" with the reason if no connection to `target` can be opened.

    `to_server` and `to_client` are the faults of each direction, made by `wslab.faults`; None does nothing. They can
    be set at any time, for all connections; a new one begins at the next byte.

    A connection on which neither side sends anything for `idle_timeout` seconds (None: no limit), or for ten seconds at
    its beginning, is ended. Clients beyond `max_connections` wait until another one has gone; the default is 500, or
    less where this process may not open four files for each of so many. Raises ValueError for what is no limit.

    >>> from wslab import EchoServer, connect
    >>> from wslab.tap.faults import flip
    >>> with EchoServer() as server, Tap(server) as tap, connect(tap.url, deflate=False) as connection:
    ...     tap.to_client = flip(at=2)  # a header of 2 bytes, then the first letter
    ...     connection.send("Hello")
    ...     connection.receive()
    'Iello'
    """

    def __init__(
        self,
        target: str | HasUrl,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        to_server: Fault | None = None,
        to_client: Fault | None = None,
        recording: Recording | None = None,
        keep_delivered: bool = True,
        idle_timeout: float | None = IDLE_TIMEOUT,
        max_connections: int | None = None,
    ) -> None:
        if max_connections is not None:
            check_count("max_connections", max_connections, least=1)
        if idle_timeout is not None:
            check_seconds("idle_timeout", idle_timeout, " or None")
        self.host = host
        self.port = port
        self.recording = Recording() if recording is None else recording
        self.delivered = Recording(clock=self.recording.clock) if keep_delivered else None
        self._scheme, self.target = parse_target(target if isinstance(target, str) else target.url)
        self._settings = FaultSettings(to_server, to_client)
        self._lock = threading.Lock()
        self._relays: dict[threading.Thread, Relay] = {}
        self._leaving = Leaving()
        self._idle_timeout = idle_timeout
        # One for each client that may still come. Unlike a Semaphore, it is whole again after a Ctrl-C.
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(_default_connections() if max_connections is None else min(max_connections, len(PORTS))):
            self._free.put(None)
        self._is_closing = False
        self._acceptor: Acceptor | None = None

    @property
    def url(self) -> str:
        """The address for clients: that of the target, with the tap's host and port in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._scheme}://{host}:{self.port}{self.target.resource_name}"

    @property
    def is_listening(self) -> bool:
        """True after it has been started, until it is closed."""
        return self._acceptor is not None

    @property
    def connections(self) -> list[int]:
        """The numbers of the connections that are open."""
        with self._lock:
            return [relay.number for relay in self._relays.values()]

    @property
    def to_server(self) -> Fault | None:
        """The fault of what clients send."""
        return self._settings.get(Direction.CLIENT_TO_SERVER)

    @to_server.setter
    def to_server(self, fault: Fault | None) -> None:
        self._set(Direction.CLIENT_TO_SERVER, fault)

    @property
    def to_client(self) -> Fault | None:
        """The fault of what the server sends."""
        return self._settings.get(Direction.SERVER_TO_CLIENT)

    @to_client.setter
    def to_client(self, fault: Fault | None) -> None:
        self._set(Direction.SERVER_TO_CLIENT, fault)

    def _set(self, direction: Direction, fault: Fault | None) -> None:
        self._settings.set(direction, fault)
        with self._lock:
            for relay in self._relays.values():
                relay.wake()

    def __enter__(self) -> "Tap":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = how_many(len(self.connections), "connection") if self._acceptor else "not listening"
        done = [f"{name}={fault}" for name in ("to_server", "to_client") if (fault := getattr(self, name))]
        target = self.target.host_header
        return f"<Tap {', '.join([redact_target(self.url), f'forwarding to {target}', state, *done])}>"

    # Starting and stopping

    def start(self) -> "Tap":
        """Listen and forward in the background, if not yet started. Raises OSError if the address cannot be had."""
        if self._acceptor is None:
            self._number, self._is_closing = max(self.recording.connections, default=0), False
            acceptor = Acceptor(self, self._start_relay, "wslab-tap")
            try:
                acceptor.start()
                self._acceptor, self.port = acceptor, acceptor.port
            except BaseException:  # no thread can be had, or Ctrl-C was pressed
                acceptor.close()
                raise
        return self

    def close(self) -> None:
        """Stop listening, end TCP on both sides of every connection, and wait for the threads, a second at most.

        While a connection to the target is still being opened, that can take five seconds more.
        """
        acceptor = self._acceptor
        if acceptor is None or not acceptor.is_ours:
            return
        self._is_closing = True
        self._free.put(None)  # the thread that accepts may be waiting for a client to go
        acceptor.close()
        self._free.get()
        with self._lock:
            relays, threads = list(self._relays.values()), [*self._relays, *self._leaving.threads()]
        for relay in relays:
            relay.stop()
        for thread in threads:
            thread.join(CONNECT_TIMEOUT + FAREWELL_TIMEOUT)
        self._acceptor = None

    def _start_relay(self, client: socket.socket, _: object) -> None:
        self._free.get()
        if self._is_closing:
            self._free.put(None)
            client.close()
            return
        target = (self.target.host, self.target.port)
        number = self._number = self._number + 1
        relay = Relay(number, client, target, self._settings, self.recording, self.delivered, self._idle_timeout)
        thread = threading.Thread(target=self._run, args=(relay,), name=f"wslab-tap-{number}-to-server", daemon=True)
        with self._lock:
            self._relays[thread] = relay
        try:
            thread.start()
        except RuntimeError:  # the system has no more threads to give
            self._forget(thread)
            client.close()
            raise

    def _run(self, relay: Relay) -> None:
        try:
            relay.run()
        finally:
            with self._lock:
                self._leaving.add(threading.current_thread())
            self._forget(threading.current_thread())

    def _forget(self, thread: threading.Thread) -> None:
        with self._lock:
            del self._relays[thread]
        self._free.put(None)
