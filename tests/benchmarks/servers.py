"""Servers that echo, each in a process of its own: a bare socket, wslab, and the libraries that it is measured against.

Each is written as the documentation of its library writes an echo server, with nothing tuned.
"""

import asyncio
import contextlib
import functools
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import picows
import psutil
import websockets.sync.server

import wslab

HOST = "127.0.0.1"
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


def drop_bytes(sock: socket.socket) -> None:
    while sock.recv(READ_SIZE):
        pass


def send_messages(size: int, sock: socket.socket) -> None:
    """Text messages of `size` bytes, without end."""
    frame = wslab.serialize_frame(wslab.Frame(wslab.Opcode.TEXT, b"x" * size))
    while True:
        sock.sendall(frame * max(1, READ_SIZE // len(frame)))


def serve_wslab(handler: Callable[[wslab.Connection], None]) -> None:
    with wslab.EchoServer(handler=handler) as server:
        print(server.port, flush=True)
        server.serve_forever()


def echo_one_by_one(connection: wslab.Connection) -> None:
    """The loop that a learner writes, instead of the echo that comes with wslab."""
    for message in connection:
        connection.send(message)


def serve_websockets() -> None:
    def handler(connection: websockets.sync.server.ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with websockets.sync.server.serve(handler, HOST, 0) as server:
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


SERVERS: dict[str, Callable[[int], None]] = {
    "raw socket": lambda _: serve_raw(echo_bytes),
    "sink": lambda _: serve_raw(drop_bytes),
    "source": lambda size: serve_raw(functools.partial(send_messages, size)),
    "wslab": lambda _: serve_wslab(wslab.echo),
    "wslab, one by one": lambda _: serve_wslab(echo_one_by_one),
    "websockets": lambda _: serve_websockets(),
    "picows": lambda _: serve_picows(),
}


class Server:
    """`with Server("wslab") as server:` has a server in a process of its own, at `server.port`."""

    def __init__(self, name: str, size: int = 0) -> None:
        self._command = [sys.executable, __file__, name, str(size)]

    def __enter__(self) -> "Server":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self._process.stdout.readline())
        self._measured = psutil.Process(self._process.pid)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    @property
    def memory(self) -> int:
        """The memory that it occupies, in bytes."""
        return self._measured.memory_info().rss

    @property
    def threads(self) -> int:
        return self._measured.num_threads()


if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))
