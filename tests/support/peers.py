"""Other people's WebSocket implementations with one interface, as clients of ours and as servers for ours.

A client offers `subprotocols` and, with `deflate`, permessage-deflate; a server speaks the subprotocol "chat", answers
the path /refused with 403, and echoes what it is sent, except for the texts below. `closes` holds the (code, reason)
of each close frame that it got.
"""

import asyncio
import base64
import json
import os
import queue
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import aiohttp.web
import websocket
import websockets
import websockets.sync.client
import websockets.sync.server
import wsproto
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from wsproto import events
from wsproto.extensions import PerMessageDeflate as WsprotoDeflate

from wslab import PermessageDeflate

SEND_FRAGMENTS = "send fragments"  # the server answers with a message in the FRAGMENTS
SEND_PING = "send a ping"  # the server pings with PING_PAYLOAD and, after the pong, says PONG_CAME
SEND_CLOSE = "send a close frame"  # the server closes with CLOSING
FRAGMENTS = ["one ", "two ", "three"]
PING_PAYLOAD = b"are you there?"
PONG_CAME = "a pong came"
CLOSING = (4001, "enough for today")
SUBPROTOCOL = "chat"
REFUSED = "refused"

TIMEOUT = 20.0
MAX_SIZE = 16 * 1024 * 1024
MISSING_NODE = (
    "needs Node.js and its package ws: install Node from nodejs.org, run `npm install ws` in any directory "
    "and set WSLAB_NODE_MODULES to the node_modules that it makes"
)


class Refused(Exception):
    """The server answered the handshake with another status than 101."""

    def __init__(self, status: int, body: str = "") -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Closing:
    """What is opened here is used in a `with` block."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()


def limits_in(deflate: PermessageDeflate) -> dict[str, object]:
    """The parameters that the wish states, under the names of RFC 7692 that websockets and wsproto use too."""
    stated = dict.fromkeys(("server_no_context_takeover", "client_no_context_takeover"), True)
    stated |= {name: getattr(deflate, name) for name in ("server_max_window_bits", "client_max_window_bits")}
    return {name: value for name, value in stated.items() if getattr(deflate, name) not in (False, 15)}


# websockets


class WebsocketsClient(Closing):
    def __init__(self, url: str, subprotocols: Sequence[str] = (), deflate: PermessageDeflate | None = None):
        extensions = [] if deflate is None else [ClientPerMessageDeflateFactory(**limits_in(deflate))]
        try:
            self._websocket = websockets.sync.client.connect(
                url,
                subprotocols=subprotocols,
                extensions=extensions,
                compression=None,
                max_size=None,
                proxy=None,
                legacy=True,
            )
        except websockets.InvalidStatus as error:
            raise Refused(error.response.status_code, error.response.body.decode()) from None
        self.subprotocol = self._websocket.subprotocol

    def end(self):
        self._websocket.close()

    def send(self, message):
        self._websocket.send(message)

    def send_fragments(self, fragments):
        self._websocket.send(iter(fragments))

    def receive(self):
        return self._websocket.recv(TIMEOUT)

    def ping(self, payload):
        """Wait for the pong that has the same payload."""
        assert self._websocket.ping(payload).wait(TIMEOUT)

    def close(self, code, reason):
        """Do the closing handshake; returns the code that the server answers with."""
        self._websocket.close(code, reason)
        return self._websocket.protocol.close_rcvd.code

    def receive_close(self):
        try:
            raise AssertionError(f"a message instead of a close frame: {self.receive()!r}")
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code, closed.rcvd.reason


class WebsocketsServer(Closing):
    def __init__(self, deflate: PermessageDeflate | None = None):
        self.closes = queue.Queue()
        self._server = websockets.sync.server.serve(
            self._serve,
            "127.0.0.1",
            0,
            subprotocols=[SUBPROTOCOL],
            select_subprotocol=lambda _, offered: SUBPROTOCOL if SUBPROTOCOL in offered else None,
            extensions=[] if deflate is None else [ServerPerMessageDeflateFactory(**limits_in(deflate))],
            compression=None,
            max_size=None,
            process_request=self._refuse,
        )
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def end(self):
        self._server.shutdown()
        self._thread.join()

    @staticmethod
    def _refuse(connection, request):
        return connection.respond(403, "Not today.\n") if request.path.endswith(REFUSED) else None

    def _serve(self, connection):
        try:
            for message in connection:
                if message == SEND_FRAGMENTS:
                    connection.send(iter(FRAGMENTS))
                elif message == SEND_PING:
                    assert connection.ping(PING_PAYLOAD).wait(TIMEOUT)
                    connection.send(PONG_CAME)
                elif message == SEND_CLOSE:
                    connection.close(*CLOSING)
                else:
                    connection.send(message)
        finally:
            received = connection.protocol.close_rcvd
            self.closes.put(received and (received.code, received.reason))


# websocket-client: no server, no compression


class WebsocketClientClient(Closing):
    def __init__(self, url: str, subprotocols: Sequence[str] = (), deflate: None = None):
        assert deflate is None
        try:
            self._websocket = websocket.create_connection(url, TIMEOUT, subprotocols=list(subprotocols))
        except websocket.WebSocketBadStatusException as error:
            raise Refused(error.status_code, error.resp_body.decode()) from None
        self.subprotocol = self._websocket.getsubprotocol()

    def end(self):
        self._websocket.close()
        self._websocket.shutdown()

    def send(self, message):
        if isinstance(message, str):
            self._websocket.send_text(message)
        else:
            self._websocket.send_bytes(message)

    def send_fragments(self, fragments):
        opcode = websocket.ABNF.OPCODE_TEXT if isinstance(fragments[0], str) else websocket.ABNF.OPCODE_BINARY
        for number, fragment in enumerate(fragments):
            payload = fragment.encode() if isinstance(fragment, str) else fragment
            last = int(number == len(fragments) - 1)
            frame = websocket.ABNF.create_frame(payload, websocket.ABNF.OPCODE_CONT if number else opcode, last)
            self._websocket.send_frame(frame)

    def receive(self):
        return self._websocket.recv()

    def ping(self, payload):
        self._websocket.ping(payload)
        assert self._websocket.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, payload)

    def close(self, code, reason):
        self._websocket.close(code, reason)
        return int.from_bytes(self._websocket.close_frame.data[:2], "big")

    def receive_close(self):
        opcode, payload = self._websocket.recv_data()
        assert opcode == websocket.ABNF.OPCODE_CLOSE
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()


# wsproto, which has no sockets of its own


class WsprotoLink:
    """A socket joined to wsproto, which joins the parts of messages and answers pings and closes."""

    def __init__(self, sock: socket.socket, role: wsproto.ConnectionType):
        self._sock = sock
        self._connection = wsproto.WSConnection(role)
        self._parts = []

    def send(self, event):
        self._sock.sendall(self._connection.send(event))

    def send_message(self, message, fin=True):
        kind = events.TextMessage if isinstance(message, str) else events.BytesMessage
        self.send(kind(message, message_finished=fin))

    def next_event(self):
        """The next event, a message as one event; None at the end of TCP."""
        while True:
            for event in self._connection.events():
                if isinstance(event, events.Message):
                    self._parts.append(event.data)
                    if event.message_finished:
                        whole, self._parts = type(event.data)().join(self._parts), []
                        return type(event)(whole)
                    continue
                if isinstance(event, events.Ping) or (
                    isinstance(event, events.CloseConnection)
                    and self._connection.state is wsproto.connection.ConnectionState.REMOTE_CLOSING
                ):
                    self.send(event.response())
                return event
            data = self._sock.recv(65536)
            if not data:
                return None
            self._connection.receive_data(data)

    def next_of(self, kind):
        """The next event of this kind; others are passed over."""
        while not isinstance(event := self.next_event(), kind):
            assert event is not None, f"the connection ended before a {kind.__name__}"
        return event


class WsprotoClient(Closing):
    def __init__(self, url: str, subprotocols: Sequence[str] = (), deflate: PermessageDeflate | None = None):
        host, _, port = url.removeprefix("ws://").partition("/")[0].partition(":")
        extensions = [] if deflate is None else [WsprotoDeflate(**limits_in(deflate))]
        self._sock = socket.create_connection((host, int(port)), TIMEOUT)
        self._link = WsprotoLink(self._sock, wsproto.ConnectionType.CLIENT)
        self._link.send(events.Request(f"{host}:{port}", "/", extensions, subprotocols=list(subprotocols)))
        answer = self._link.next_event()
        if isinstance(answer, events.RejectConnection):
            body = self._link.next_of(events.RejectData).data
            self.end()
            raise Refused(answer.status_code, bytes(body).decode())
        self.subprotocol = answer.subprotocol

    def end(self):
        self._sock.close()

    def send(self, message):
        self._link.send_message(message)

    def send_fragments(self, fragments):
        for fragment in fragments[:-1]:
            self._link.send_message(fragment, fin=False)
        self._link.send_message(fragments[-1])

    def receive(self):
        return self._link.next_of(events.Message).data

    def ping(self, payload):
        self._link.send(events.Ping(payload))
        assert self._link.next_of(events.Pong).payload == payload

    def close(self, code, reason):
        self._link.send(events.CloseConnection(code, reason))
        return self.receive_close()[0]

    def receive_close(self):
        event = self._link.next_of(events.CloseConnection)
        assert self._link.next_event() is None
        return event.code, event.reason


class WsprotoServer(Closing):
    def __init__(self, deflate: PermessageDeflate | None = None):
        self.closes = queue.Queue()
        self._deflate = deflate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT)
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/"
        self._thread = threading.Thread(target=self._serve_one)
        self._thread.start()

    def end(self):
        self._thread.join()
        self._listener.close()

    def _serve_one(self):
        sock, _ = self._listener.accept()
        with sock:
            sock.settimeout(TIMEOUT)
            link = WsprotoLink(sock, wsproto.ConnectionType.SERVER)
            request = link.next_event()
            if request.target.endswith(REFUSED):
                link.send(events.RejectConnection(403, [(b"content-length", b"11")], has_body=True))
                link.send(events.RejectData(b"Not today.\n"))
                return
            extensions = [] if self._deflate is None else [WsprotoDeflate(**limits_in(self._deflate))]
            subprotocol = SUBPROTOCOL if SUBPROTOCOL in request.subprotocols else None
            link.send(events.AcceptConnection(subprotocol, extensions))
            self._echo(link)

    def _echo(self, link):
        while event := link.next_event():
            match event:
                case events.CloseConnection(code, reason):
                    self.closes.put((code, reason or ""))
                    return
                case events.TextMessage(data) if data == SEND_FRAGMENTS:
                    for fragment in FRAGMENTS[:-1]:
                        link.send_message(fragment, fin=False)
                    link.send_message(FRAGMENTS[-1])
                case events.TextMessage(data) if data == SEND_PING:
                    link.send(events.Ping(PING_PAYLOAD))
                    assert link.next_of(events.Pong).payload == PING_PAYLOAD
                    link.send_message(PONG_CAME)
                case events.TextMessage(data) if data == SEND_CLOSE:
                    link.send(events.CloseConnection(*CLOSING))
                case events.Message():
                    link.send_message(event.data)


# aiohttp: no way to send fragments or to limit the client's compression


class AiohttpClient(Closing):
    def __init__(self, url: str, subprotocols: Sequence[str] = (), deflate: PermessageDeflate | None = None):
        self._runner = asyncio.Runner()
        try:
            self._runner.run(self._open(url, subprotocols, deflate.server_max_window_bits if deflate else 0))
        except aiohttp.WSServerHandshakeError as error:
            self.end()
            raise Refused(error.status) from None
        self.subprotocol = self._websocket.protocol

    async def _open(self, url, subprotocols, compress):
        self._session = aiohttp.ClientSession()
        self._websocket = await self._session.ws_connect(
            url, protocols=subprotocols, compress=compress, max_msg_size=MAX_SIZE, autoping=False
        )

    def end(self):
        self._runner.run(self._session.close())
        self._runner.close()

    def send(self, message):
        send = self._websocket.send_str if isinstance(message, str) else self._websocket.send_bytes
        self._runner.run(send(message))

    async def _next_message(self):
        """The next message of any type; with `autoping` aiohttp would hide pongs, so pings are answered here."""
        while True:
            message = await self._websocket.receive(TIMEOUT)
            if message.type is not aiohttp.WSMsgType.PING:
                return message
            await self._websocket.pong(message.data)

    def receive(self):
        message = self._runner.run(self._next_message())
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
        return message.data

    def ping(self, payload):
        self._runner.run(self._websocket.ping(payload))
        message = self._runner.run(self._next_message())
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, payload)

    def close(self, code, reason):
        self._runner.run(self._websocket.close(code=code, message=reason.encode()))
        return self._websocket.close_code

    def receive_close(self):
        message = self._runner.run(self._next_message())
        assert message.type is aiohttp.WSMsgType.CLOSE
        return message.data, message.extra


class AiohttpServer(Closing):
    def __init__(self, deflate: PermessageDeflate | None = None):
        self.closes = queue.Queue()
        self._compress = deflate is not None
        self._started = queue.Queue()
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),))
        self._thread.start()
        self._loop, self._stop, port = self._started.get(timeout=TIMEOUT)
        self.url = f"ws://127.0.0.1:{port}/"

    def end(self):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self):
        app = aiohttp.web.Application()
        app.router.add_get("/", self._serve)
        app.router.add_get(f"/{REFUSED}", self._refuse)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        stop = asyncio.Event()
        self._started.put((asyncio.get_running_loop(), stop, runner.addresses[0][1]))
        await stop.wait()
        await runner.cleanup()

    @staticmethod
    async def _refuse(_):
        return aiohttp.web.Response(status=403, text="Not today.\n")

    async def _serve(self, request):
        connection = aiohttp.web.WebSocketResponse(
            protocols=[SUBPROTOCOL], compress=self._compress, max_msg_size=MAX_SIZE, autoping=False, autoclose=False
        )
        await connection.prepare(request)
        while (message := await connection.receive(TIMEOUT)).type is not aiohttp.WSMsgType.CLOSE:
            if message.data == SEND_PING:
                await connection.ping(PING_PAYLOAD)
                pong = await connection.receive(TIMEOUT)
                assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, PING_PAYLOAD)
                await connection.send_str(PONG_CAME)
            elif message.data == SEND_CLOSE:
                await connection.close(code=CLOSING[0], message=CLOSING[1].encode())
                self.closes.put((connection.close_code, CLOSING[1]))
                return connection
            elif message.type is aiohttp.WSMsgType.TEXT:
                await connection.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await connection.send_bytes(message.data)
            elif message.type is aiohttp.WSMsgType.PING:
                await connection.pong(message.data)
        self.closes.put((message.data, message.extra))
        await connection.close(code=message.data)
        return connection


# Node's ws, in a process of its own


def find_node() -> tuple[list[str], dict[str, str]] | None:
    """The command that runs ws_peer.cjs, and its environment; None if Node or ws is missing."""
    node = shutil.which("node")
    if node is None:
        return None
    modules = [os.environ[name] for name in ("WSLAB_NODE_MODULES", "NODE_PATH") if os.environ.get(name)]
    environment = os.environ | {"NODE_PATH": os.pathsep.join(modules)}
    here = Path(__file__).parent
    found = subprocess.run(
        [node, "-e", "require('ws').WebSocketServer.name"], cwd=here, env=environment, capture_output=True, timeout=60
    )
    return None if found.returncode else ([node, str(here / "ws_peer.cjs")], environment)


class NodeProcess(Closing):
    """ws_peer.cjs: a line of JSON for each call, a line of JSON for its result."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, encoding="utf-8")

    def end(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(TIMEOUT)

    def call(self, name, **arguments):
        self._process.stdin.write(json.dumps({"call": name, **arguments}) + "\n")
        self._process.stdin.flush()
        result = json.loads(self._process.stdout.readline())
        assert "error" not in result, result["error"]
        return result


def as_json(message):
    return {"text": message} if isinstance(message, str) else {"binary": base64.b64encode(message).decode()}


class NodeClient(Closing):
    def __init__(self, node: NodeProcess, url: str, subprotocols: Sequence[str] = (), deflate=None):
        self._node = node
        answer = node.call("connect", url=url, subprotocols=list(subprotocols), deflate=deflate and limits_in(deflate))
        if "status" in answer:
            raise Refused(answer["status"], answer["body"])
        self.subprotocol = answer["subprotocol"] or None

    def end(self):
        self._node.call("end")

    def send(self, message):
        self._node.call("send", fragments=[as_json(message)])

    def send_fragments(self, fragments):
        self._node.call("send", fragments=[as_json(fragment) for fragment in fragments])

    def receive(self):
        message = self._node.call("receive")
        return message["text"] if "text" in message else base64.b64decode(message["binary"])

    def ping(self, payload):
        assert self._node.call("ping", payload=payload.decode()) == {"pong": payload.decode()}

    def close(self, code, reason):
        self._node.call("close", code=code, reason=reason)
        return self.receive_close()[0]

    def receive_close(self):
        return tuple(self._node.call("receive")["close"])


class NodeServer(Closing):
    def __init__(self, node: NodeProcess, deflate: PermessageDeflate | None = None):
        self._node = node
        port = node.call("serve", deflate=deflate and limits_in(deflate))["port"]
        self.url = f"ws://127.0.0.1:{port}/"
        self.closes = self

    def get(self, timeout=None):
        """The next close frame that came, as `closes` of the other servers has it."""
        return tuple(self._node.call("closed")["close"])

    def end(self):
        self._node.call("stop")
