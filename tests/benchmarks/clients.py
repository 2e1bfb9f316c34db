"""Clients: those of wslab and of its peers, each as its documentation writes it, without compression."""

import asyncio
from collections.abc import Callable

import picows
import websocket
import websockets.sync.client
from load import TIMEOUT, Client, sentence, text_frame
from processes import HOST

import wslab

SIZES = [32, 1024, 65536]
BATCH = {32: 200, 1024: 100, 65536: 10}  # messages of one action: an asyncio client is told to run once for all of them


class Raw(Client):
    """A bare socket that writes frames made before and counts the bytes of the answers."""

    def __init__(self, port: int, size: int) -> None:
        super().__init__(port)
        self._frame = text_frame(size)
        self._answer = len(self._frame) - 4  # without the masking key

    def send(self, count: int) -> None:
        for _ in range(count):
            self.sock.sendall(self._frame)

    def receive(self, count: int) -> None:
        self.exchange(b"", self._answer * count)

    def echo(self, count: int) -> None:
        for _ in range(count):
            self.exchange(self._frame, self._answer)


class Blocking:
    """A client of any library that has `send` and one function to receive, and blocks."""

    def __init__(self, size: int, send: Callable[[str], object], receive: Callable[[], str]) -> None:
        self._text, self._send, self._receive = sentence(size), send, receive

    def send(self, count: int) -> None:
        for _ in range(count):
            self._send(self._text)

    def receive(self, count: int) -> None:
        for _ in range(count):
            assert len(self._receive()) == len(self._text)

    def echo(self, count: int) -> None:
        for _ in range(count):
            self._send(self._text)
            assert len(self._receive()) == len(self._text)


def wslab_client(port: int, size: int) -> Blocking:
    connection = wslab.connect(f"ws://{HOST}:{port}/", deflate=False, timeout=TIMEOUT)
    return Blocking(size, connection.send, connection.receive)


def websockets_client(port: int, size: int) -> Blocking:
    connection = websockets.sync.client.connect(f"ws://{HOST}:{port}/", compression=None, ping_interval=None)
    return Blocking(size, connection.send, connection.recv)


def websocket_client_client(port: int, size: int) -> Blocking:
    connection = websocket.create_connection(f"ws://{HOST}:{port}/", TIMEOUT)
    return Blocking(size, connection.send, connection.recv)


class Picows(picows.WSListener):
    """The client of picows: it calls back, so an action runs its event loop until enough has come."""

    def __init__(self, port: int, size: int) -> None:
        self._text, self._missing = sentence(size).encode(), 0
        self._loop = asyncio.new_event_loop()
        self._come: asyncio.Future[None] | None = None
        self._echoing = False
        opening = picows.ws_connect(lambda: self, f"ws://{HOST}:{port}/")
        self._transport, _ = self._loop.run_until_complete(opening)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        assert len(frame.get_payload_as_utf8_text()) == len(self._text)
        self._missing -= 1
        if self._missing > 0 and self._echoing:
            transport.send(picows.WSMsgType.TEXT, self._text)
        elif self._missing == 0:
            self._come.set_result(None)

    def receive(self, count: int) -> None:
        self._come, self._missing = self._loop.create_future(), count
        self._loop.run_until_complete(self._come)

    def echo(self, count: int) -> None:
        self._echoing = True
        self._transport.send(picows.WSMsgType.TEXT, self._text)
        self.receive(count)


CLIENTS = {
    "raw socket": Raw,
    "wslab": wslab_client,
    "websockets": websockets_client,
    "websocket-client": websocket_client_client,
    "picows": Picows,
}
BLOCKING = ["raw socket", "wslab", "websockets", "websocket-client"]
CALLS = [("send", "sink", BLOCKING), ("receive", "source", BLOCKING), ("echo", "wslab", [*BLOCKING, "picows"])]


def action(name: str, call: str, size: int, port: int) -> Callable[[], None]:
    """What a client does, BATCH[size] times each time, with messages of `size` bytes and the server at `port`."""
    method = getattr(CLIENTS[name](port, size), call)
    return lambda: method(BATCH[size])
