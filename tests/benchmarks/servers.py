"""Servers that echo, each in a process of its own: a bare socket, wslab, and the libraries that it is measured against.

Each is written as the documentation of its library writes an echo server, with nothing tuned.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import picows
import psutil
import websockets.sync.server
from processes import HOST, Process

import wslab

READ_SIZE = 65 * 1024  # a message of 64 KiB and its header, as wslab reads them


def serve_raw(talk: Callable[[socket.socket], None]) -> None:
    """What a thread for each connection costs at the least: `talk` to a bare socket, once the handshake is done."""

    def run(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock, contextlib.suppress(ConnectionError):
            head = b""
            while (parsed := wslab.parse_request(head)) is None:
                head += sock.recv(READ_SIZE)
            sock.sendall(wslab.build_response(parsed[0]).serialize())
            talk(sock)

    with socket.create_server((HOST, 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=run, args=(listener.accept()[0],), daemon=True).start()


def echo_bytes(sock: socket.socket) -> None:
    """Bytes go back as they came, whatever they say."""
    while data := sock.recv(READ_SIZE):
        sock.sendall(data)


def echo_bytes_with_python(sock: socket.socket) -> None:
    """As `echo_bytes`, but each message keeps Python's lock for a microsecond: what the lock itself costs."""
    now = time.perf_counter_ns
    while data := sock.recv(READ_SIZE):
        end = now() + 1000
        while now() < end:
            pass
        sock.sendall(data)


def drop_bytes(sock: socket.socket) -> None:
    while sock.recv(READ_SIZE):
        pass


def send_messages(size: int, sock: socket.socket) -> None:
    """Text messages of `size` bytes, without end."""
    frame = wslab.serialize_frame(wslab.Frame(wslab.Opcode.TEXT, b"x" * size))
    while True:
        sock.sendall(frame * max(1, READ_SIZE // len(frame)))


def serve_wslab(handler: Callable[[wslab.Connection], None], tls: ssl.SSLContext | None) -> None:
    with wslab.EchoServer(handler=handler, ssl=tls) as server:
        print(server.port, flush=True)
        server.serve_forever()


def echo_one_by_one(connection: wslab.Connection) -> None:
    """The loop that a learner writes, instead of the echo that comes with wslab."""
    for message in connection:
        connection.send(message)


def serve_websockets(tls: ssl.SSLContext | None) -> None:
    def handler(connection: websockets.sync.server.ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    # The clients only count bytes: they answer no pings.
    with websockets.sync.server.serve(handler, HOST, 0, ssl=tls, ping_interval=None) as server:
        print(server.socket.getsockname()[1], flush=True)
        server.serve_forever()


class PicowsEcho(picows.WSListener):
    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview())


def serve_picows() -> None:
    async def serve() -> None:
        server = await picows.ws_create_server(lambda request: PicowsEcho(), HOST, 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(serve())


def serve_aiohttp() -> None:
    from aiohttp import web  # takes as long to load as all the others together

    async def handler(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            await response.send_str(message.data)
        return response

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


# Each takes the size of the messages that it sends by itself, and what it needs for TLS, where that is asked for.
SERVERS: dict[str, Callable[[int, ssl.SSLContext | None], None]] = {
    "raw socket": lambda size, tls: serve_raw(echo_bytes),
    "raw socket, and 1 µs of Python": lambda size, tls: serve_raw(echo_bytes_with_python),
    "sink": lambda size, tls: serve_raw(drop_bytes),
    "source": lambda size, tls: serve_raw(functools.partial(send_messages, size)),
    "wslab": lambda size, tls: serve_wslab(wslab.echo, tls),
    "wslab, one by one": lambda size, tls: serve_wslab(echo_one_by_one, tls),
    "websockets": lambda size, tls: serve_websockets(tls),
    "aiohttp": lambda size, tls: serve_aiohttp(),
    "picows": lambda size, tls: serve_picows(),
}


def self_made_certificate() -> ssl.SSLContext:
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(HOST).configure_cert(context)
    return context


class Server(Process):
    """`with Server("wslab") as server:` has a server in a process of its own, at `server.port`."""

    def __init__(self, name: str, against: Path | None = None, *, size: int = 0, tls: bool = False) -> None:
        super().__init__(__file__, name, against, size, "tls" if tls else "tcp")

    def __enter__(self) -> Self:
        super().__enter__()
        self.port = int(self._process.stdout.readline())
        self._measured = psutil.Process(self._process.pid)
        return self

    @property
    def memory(self) -> int:
        """The memory that it occupies, in bytes."""
        return self._measured.memory_info().rss

    @property
    def threads(self) -> int:
        return self._measured.num_threads()


if __name__ == "__main__":
    name, size, transport = sys.argv[1:]
    SERVERS[name](int(size), self_made_certificate() if transport == "tls" else None)
