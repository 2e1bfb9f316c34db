"""background: a web server on this machine that serves in a thread of its own, until it is closed."""

import socketserver
import sys
import threading
from abc import ABC, abstractmethod
from typing import Self

HOST = "127.0.0.1"
POLL_INTERVAL = 0.05  # seconds
REUSES_ADDRESS = sys.platform != "win32"  # on Windows, it would let another program take the port away


class BackgroundServer(ABC):
    """Use it in a `with` block, or call `start` and `close`. A subclass makes the server that does the work."""

    _name = "server"  # in sentences
    _thread_name = "wslab-server"

    def __init__(self) -> None:
        self._server: socketserver.TCPServer | None = None

    @abstractmethod
    def _make_server(self) -> socketserver.TCPServer:
        """Return a server that listens; its `server_close` waits for the answers that have begun."""

    @property
    def _port(self) -> int:
        if self._server is None:
            raise RuntimeError(f"the {self._name} has no port yet: use it in a with block, or call its start")
        port: int = self._server.server_address[1]
        return port

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def start(self) -> Self:
        """Listen and serve in the background. Does nothing if it already does."""
        if self._server is None:
            self._server = self._make_server()
            self._thread = threading.Thread(
                target=self._server.serve_forever, args=(POLL_INTERVAL,), name=self._thread_name, daemon=True
            )
            self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening, and wait for the answers that have begun."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None
