"""Uvicorn, an ASGI server, as an echo server; README.md beside this file says what is asked of it."""

import asyncio
import socket

import uvicorn
from conversation import say


async def echo(scope, receive, send):
    if scope["type"] != "websocket":
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        kept = {name: event[name] for name in ("text", "bytes") if event.get(name) is not None}
        await send({"type": "websocket.send", **kept})


listener = socket.create_server(("127.0.0.1", 0))
say(listener.getsockname()[1])
server = uvicorn.Server(uvicorn.Config(echo, log_level="error", lifespan="off"))
asyncio.run(server.serve([listener]))
