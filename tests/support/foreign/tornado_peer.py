"""Tornado as a client of an echo server, and as one; README.md beside this file says what is asked of it."""

import asyncio
import sys

from conversation import messages_to_send, say, tell
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler, websocket_connect


class Echo(WebSocketHandler):
    """Answers each message with itself."""

    def get_compression_options(self):
        return {}

    async def on_message(self, message):
        await self.write_message(message, binary=isinstance(message, bytes))


async def serve():
    [listener] = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([("/.*", Echo)]))
    server.add_sockets([listener])
    say(listener.getsockname()[1])
    await asyncio.Event().wait()


async def talk(host, port):
    connection = await websocket_connect(f"ws://{host}:{port}/", compression_options={})
    for message in messages_to_send():
        await connection.write_message(message, binary=isinstance(message, bytes))
        tell(await connection.read_message())
    connection.close(4000, "bye")
    await connection.read_message()
    say(f"close {connection.close_code}")


asyncio.run(serve() if sys.argv[1] == "server" else talk(*sys.argv[2:]))
