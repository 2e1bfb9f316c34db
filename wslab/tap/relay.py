"""Relay: one connection through a tap, with a socket at each end and a thread for each direction."""

import contextlib
import socket
import threading
import time
from collections.abc import Sequence

from wslab.protocol.states import Direction
from wslab.recording.log import Observer
from wslab.sockets.log import log
from wslab.sockets.stream import send_at_once
from wslab.tap.fault_settings import FaultSettings
from wslab.tap.passage import IDLE_TIMEOUT, Passage
from wslab.tap.pump import READ_SIZE, Pump
from wslab.tap.waiter import Waiter

CONNECT_TIMEOUT = 5.0
FAREWELL_TIMEOUT = 1.0
TO_SERVER, TO_CLIENT = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


class Relay(Passage):
    """One connection: `run` opens TCP to `target`, carries the bytes of both directions, and returns at the end.

    An end of TCP is passed on in its direction alone, a reset to the other side.
    """

    def __init__(
        self,
        number: int,
        client: socket.socket,
        target: tuple[str, int],
        settings: FaultSettings,
        recording: Observer,
        delivered: Observer | None = None,
        idle_timeout: float | None = IDLE_TIMEOUT,
    ) -> None:
        super().__init__(number, client, settings, recording, delivered, idle_timeout)
        self._client = client
        self._target = target

    def run(self) -> None:
        """Forward until both directions have ended. `stop` ends them both."""
        with self._client, contextlib.ExitStack() as opened:
            try:
                pair = [opened.enter_context(end) for end in socket.socketpair()]
                server = opened.enter_context(socket.create_connection(self._target, CONNECT_TIMEOUT))
            except ConnectionResetError:  # the server accepted, and went away at once
                self.recording.mark(self.number, TO_CLIENT, "reset")
                self.reset(self._client)
            except OSError as error:
                self._refuse(error)
            else:
                self.socks.append(server)
                self._carry(self._client, server, pair)

    def _carry(self, client: socket.socket, server: socket.socket, pair: Sequence[socket.socket]) -> None:
        for sock in (client, server, *pair):
            sock.setblocking(False)
        for sock in (client, server):
            send_at_once(sock)
        with contextlib.suppress(OSError):  # the client may have gone already
            ends = client.getpeername()[:2], server.getpeername()[:2]
            for observer in self.observers:
                observer.opened(self.number, *ends)
        upward = Pump(self, TO_SERVER, client, server, Waiter(client, server, *pair))
        downward = Pump(self, TO_CLIENT, server, client, Waiter(server, client, *reversed(pair)))
        upward.opposite, downward.opposite = downward, upward
        self.waiters = [upward.waiter, downward.waiter]
        thread = threading.Thread(target=downward.run, name=f"wslab-tap-{self.number}-to-client", daemon=True)
        thread.start()
        try:
            upward.run()
        finally:
            thread.join()

    def _refuse(self, error: OSError) -> None:
        """End TCP in good order: closing a socket with unread bytes would reset it."""
        log.warning("connection %d: %s port %d cannot be reached: %s", self.number, *self._target, error)
        self.recording.mark(self.number, TO_SERVER, "unreachable", str(error))
        deadline = time.monotonic() + FAREWELL_TIMEOUT
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
            self._client.settimeout(FAREWELL_TIMEOUT)
            while time.monotonic() < deadline and not self.is_over and (data := self._client.recv(READ_SIZE)):
                self.recording.add(self.number, TO_SERVER, data)
