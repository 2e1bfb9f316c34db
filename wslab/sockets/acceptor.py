"""Acceptor: a port that is listened on, and the thread that gives each connection to a function.

Strategy: the thread waits for a client or for the end, whichever comes first. A pair of sockets tells both ends:
`close` shuts down its one for writing, and the thread the other when it has ended. Shutting down works also where a
fork of this process has the same sockets; closing them does not, as they stay open for as long as the fork lives.

In a notebook, a cell that starts a server on a port of its choice may be run again: its new server takes the place of
the old one, which nobody could close any more if its name is gone. Anywhere else, and within one cell, two of them on
one port are a mistake, and the second is refused.

There are no locks, so that Ctrl-C can leave none behind (an Event of `threading` has one): the sockets are closed by
the thread, once it runs, or else by `close`, and both look into `_closer` to know.
"""

import contextlib
import errno
import os
import selectors
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Protocol as Interface

from wslab.sockets.log import log
from wslab.sockets.stream import Selector, is_ready, shut_down

PAUSE = 0.1  # seconds
BACKLOG = 1024
PORTS = range(65536)
WHO_LISTENS = (
    "Address already in use: a server or tap of this program has it, which close() ends, "
    "also if it has no name any more: for it in wslab.sockets.acceptor.listening(): it.close()"
)
REPLACED = "what an earlier cell had started on port {} was closed, and this has taken its place"


class Owner(Interface):
    """A server or a tap."""

    host: str
    port: int

    def close(self) -> None:
        """Stop listening, and end all connections."""


class Acceptor:
    """Listens on the host and the port of `owner` (0: any free one). Raises OSError if the address cannot be had.

    ValueError is raised for what is no port, which the system would take for another one.

    From `start` to `close`, `serve` is called with each connection and the address of its client, in one thread. If it
    raises OSError or ValueError, that client has gone or cannot be served, which costs nobody else a pause; with
    RuntimeError or MemoryError it says that the system has no more to give for the moment.
    """

    def __init__(self, owner: Owner, serve: Callable[[socket.socket, tuple[str, int]], None], name: str) -> None:
        if owner.port not in PORTS:
            raise ValueError(f"a port is a number from 0 to 65535, not {owner.port!r:.40}")
        self.owner = owner
        self.cell, self.wanted = _running_cell(), (owner.host, owner.port)
        self._listener = self._listen()
        self._listener.setblocking(False)
        self._waker, self._wake = socket.socketpair()
        self.port: int = self._listener.getsockname()[1]
        self._serve = serve
        self._process = os.getpid()
        # Who closes the sockets; `setdefault` is atomic, and lets the first one do it.
        self._closer: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _listen(self, has_replaced: bool = False) -> socket.socket:
        family, _, _, _, address = socket.getaddrinfo(*self.wanted, type=socket.SOCK_STREAM)[0]
        try:
            return socket.create_server(address[:2], family=family, backlog=BACKLOG)
        except OSError as error:
            holders = [it for it in _acceptors.copy() if it.port == self.owner.port]
            if error.errno != errno.EADDRINUSE or not holders:
                raise
            if has_replaced or not any(map(self._replaces, holders)):
                raise OSError(errno.EADDRINUSE, WHO_LISTENS) from None
        for holder in filter(self._replaces, holders):
            with contextlib.suppress(Exception):  # what a part of its codec has raised, which the log has told
                holder.owner.close()
        warnings.warn(REPLACED.format(self.owner.port), stacklevel=4)  # where `start` was called
        return self._listen(has_replaced=True)

    def _replaces(self, other: "Acceptor") -> bool:
        """Whether the same kind of owner wants the same place, and an earlier cell has started the other."""
        is_later = self.cell is not None and other.cell is not None and self.cell > other.cell
        return is_later and type(self.owner) is type(other.owner) and self.wanted == other.wanted

    def start(self) -> None:
        """Begin to accept. Raises RuntimeError if no thread can be had. Whatever it raises, `close` is needed."""
        _acceptors.add(self)
        self._thread.start()

    @property
    def is_ours(self) -> bool:
        """False in a fork of the process that made it, where no thread accepts."""
        return self._process == os.getpid()

    def wait(self, timeout: float | None) -> bool:
        """Return True once nothing is accepted any more, False if it still is after so many seconds (None: wait)."""
        return self._wake.fileno() < 0 or is_ready(self._wake, timeout)

    def close(self) -> None:
        """Stop listening. In a fork, the process that it comes from goes on."""
        if not self.is_ours:
            return
        shut_down(self._wake, socket.SHUT_WR)
        if self._closer.setdefault("is", "close") == "thread":
            # `join` would believe an interrupted wait to be the end (Python 3.11 and 3.12)
            self.wait(None)
            self._thread.join()
        self._close_listener()
        self._wake.close()

    def _close_listener(self) -> None:
        _acceptors.discard(self)
        shut_down(self._listener)
        self._listener.close()
        shut_down(self._waker)
        self._waker.close()

    # The thread

    def _run(self) -> None:
        if self._closer.setdefault("is", "thread") != "thread":  # it has been closed before it began
            _acceptors.discard(self)
            return
        try:
            with Selector() as selector:
                selector.register(self._listener, selectors.EVENT_READ)
                selector.register(self._waker, selectors.EVENT_READ)
                while self._waker not in [key.fileobj for key, _ in selector.select()]:
                    self._accept()
        finally:
            self._close_listener()

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
            try:
                self._serve(sock, address[:2])
            except (OSError, ValueError) as error:
                log.info("a client could not be served: %s", error)
        except (BlockingIOError, ConnectionError):  # the client has gone again
            return
        except (OSError, RuntimeError, MemoryError) as error:  # the system has no more files or threads to give
            log.warning("a connection could not be accepted: %s", error)
            self._waker.settimeout(PAUSE)
            with contextlib.suppress(TimeoutError):
                self._waker.recv(1)


def _running_cell() -> int | None:
    """The number of the cell that is running, None outside of a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    count: int | None = getattr(shell, "execution_count", None)
    return count


_acceptors: set[Acceptor] = set()


def listening() -> list[Owner]:
    """Return the servers and taps of this program that listen, also those to which no name refers any more."""
    return [acceptor.owner for acceptor in _acceptors.copy()]
