"""Tornado's own server on this machine, which echoes: a second opinion on what a client may do."""

import asyncio
import socket
import threading

from tornado import httpserver, netutil, web, websocket

from wslab.labs.background import HOST


class TornadoServer:
    """A WebSocket server of Tornado, the library on which Jupyter is built; every path echoes.

    Use it in a `with` block, or call `start` and `close`. `port` is 0 until it has started.
    """

    def __init__(self) -> None:
        self.port = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address that a client connects to."""
        return f"ws://{HOST}:{self.port}/"

    def __enter__(self) -> "TornadoServer":
        return self.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()

    def start(self) -> "TornadoServer":
        """Listen and serve in the background. Does nothing if it already does."""
        if self._thread is None:
            [listener] = netutil.bind_sockets(0, HOST)
            self.port = listener.getsockname()[1]
            self._stopping.clear()
            self._thread = threading.Thread(
                target=asyncio.run, args=[self._serve(listener)], name="wslab-tornado", daemon=True
            )
            self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving, end the connections, and leave no thread behind."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()
            self._thread, self.port = None, 0

    async def _serve(self, listener: socket.socket) -> None:
        server = httpserver.HTTPServer(web.Application([("/.*", _Echo)], log_function=lambda handler: None))
        server.add_socket(listener)
        await asyncio.to_thread(self._stopping.wait)
        server.stop()
        await server.close_all_connections()


class _Echo(websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        """Send it back as it came."""
        self.write_message(message, binary=isinstance(message, bytes))
