"""Talker: a function that talks to what connects over TCP, on this machine, each connection in its own thread."""

import contextlib
import socket
import threading
from collections.abc import Callable

from wslab.labs.background import HOST
from wslab.sockets.log import log
from wslab.sockets.stream import shut_down


class Talker:
    """A TCP server made of one function, which is given a socket for each connection and closes it by returning.

    Use it in a `with` block, or call `start` and `close`. `port` is 0 until it has started. What the function raises
    ends its own connection only, and goes to the log.
    """

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self.port = 0
        self._talk = talk
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> "Talker":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def start(self) -> "Talker":
        """Listen in the background. Does nothing if it already does."""
        if self._listener is None:
            self._listener = socket.create_server((HOST, 0))
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=[self._listener], name="wslab-talker", daemon=True).start()
        return self

    def close(self) -> None:
        """Stop listening, and end the connections that are still open."""
        if self._listener is not None:
            shut_down(self._listener)
            self._listener.close()
            self._listener, self.port = None, 0
        with self._lock:
            for sock in self._open:
                shut_down(sock)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener has been closed
            while True:
                sock, _ = listener.accept()
                with self._lock:
                    self._open.add(sock)
                threading.Thread(target=self._serve, args=[sock], name="wslab-talk", daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            self._talk(sock)
        except Exception:
            log.info("a talk came to nothing", exc_info=True)
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()
