"""The scripts whose events are recorded for readers without a browser, each with the server that it talks to."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from playwright.sync_api import Page, expect

from support import firefox
from wslab import BrowserConsole, Codec, Connection, EchoServer, Pong, Recording, Response, build_response
from wslab.browser.report import BrowserEvent
from wslab.exercises.solutions.three_echoes import three_echoes

TRANSCRIPTS = Path(__file__).parents[2] / "notebooks/recordings/browser.json"
TIMEOUT = 20.0
TOLD_TO_THE_PANEL = [
    "webSocketCreated",
    "webSocketWillSendHandshakeRequest",
    "webSocketHandshakeResponseReceived",
    "webSocketFrameSent",
    "webSocketFrameReceived",
    "webSocketFrameError",
    "webSocketClosed",
]


def certified() -> ssl.SSLContext:
    """A server's context with a certificate from nobody that a browser knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def close_with_4001(connection: Connection) -> None:
    connection.receive()
    connection.close(4001, "that was enough")


def crash(connection: Connection) -> None:
    connection.receive()
    connection.abort()


def ping_first(connection: Connection) -> None:
    connection.ping(b"?")
    while not isinstance(connection.receive_event(TIMEOUT), Pong):
        pass
    connection.send("the pong to my ping has arrived")


def ping_when_asked(connection: Connection) -> None:
    connection.receive()
    began = time.monotonic()
    connection.ping(b"?")
    while not isinstance(connection.receive_event(TIMEOUT), Pong):
        pass
    is_quick = time.monotonic() - began < 1
    connection.send("pong in less than a second" if is_quick else "pong after more than a second")


answering: list[None] = []  # one for each handshake that is being answered
most: list[int] = []


def answer_slowly(*arguments: object, **options: object) -> Response:
    answering.append(None)
    most.append(len(answering))
    time.sleep(0.3)
    answering.pop()
    return build_response(*arguments, **options)


def tell_most(connection: Connection) -> None:
    connection.send(f"handshakes at the same time: {max(most)}")
    for _ in connection:
        pass


def tell_headers(connection: Connection) -> None:
    names = sorted(name.lower() for name, _ in connection.request.headers) if connection.request else []
    connection.send(", ".join(name for name in names if name.startswith(("sec-websocket", "auth"))))


@dataclass(frozen=True)
class Script:
    """JavaScript as it stands in a lesson, and the options of the lesson's server.

    Of one that `is_captured`, the bytes on the wire are kept as well; of one that `has_panel`, what the browser told
    its network panel.
    """

    name: str
    source: str
    server: dict[str, object] = field(default_factory=dict)
    is_captured: bool = False
    has_panel: bool = False


@dataclass(frozen=True)
class Run:
    """What a browser reported about a script, what passed on the wire, and what the browser told its network panel."""

    events: list[BrowserEvent]
    wire: Recording
    panel: list[dict[str, object]]


SCRIPTS = [
    Script(
        "hello-from-javascript",
        """
        const socket = new WebSocket(url);
        socket.onopen = () => socket.send("Hello from JavaScript");
        socket.onmessage = (event) => {
          log("The browser received: " + event.data);
          socket.close();
        };
        socket.onclose = () => done();
        """,
    ),
    Script(
        "forbidden-headers",
        """
        const headers = { "Sec-WebSocket-Key": "x", Upgrade: "websocket", Connection: "Upgrade", "X-Mine": "y" };
        log("left: " + [...new Request("/", { headers }).headers.keys()].join(", "));
        done();
        """,
    ),
    Script(
        "article-of-2014",
        """
        const myWebSocket = new WebSocket(url);
        myWebSocket.onopen = (event) => { log("Connection open ..."); done(); };
        myWebSocket.onmessage = (event) => log("Received Message: " + event.data);
        myWebSocket.onclose = (event) => log("Connection closed.");
        myWebSocket.send("Hello WebSockets!");
        myWebSocket.close();
        """,
    ),
    Script(
        "article-repaired",
        """
        const myWebSocket = new WebSocket(url);
        myWebSocket.onopen = (event) => myWebSocket.send("Hello WebSockets!");
        myWebSocket.onmessage = (event) => myWebSocket.close();
        myWebSocket.onclose = (event) => done();
        """,
    ),
    Script(
        "late-onopen",
        """
        const socket = new WebSocket(url);
        await new Promise((resolve) => setTimeout(resolve, 500));
        socket.onopen = () => log("onopen");
        log("readyState is " + socket.readyState);
        await new Promise((resolve) => setTimeout(resolve, 500));
        socket.close();
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "a-correct-client",
        """
        const socket = new WebSocket(url);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => socket.send("Hello");
        socket.onmessage = ({ data }) => {
          log("received " + data);
          socket.close(1000, "done");
        };
        socket.onclose = ({ code, wasClean }) => {
          log(wasClean ? "over" : "lost with " + code + ": connect again later");
          done();
        };
        """,
    ),
    Script("three-echoes", three_echoes()),  # the reference of an exercise
    Script(
        "send-in-all-states",
        """
        const socket = new WebSocket(url);
        try { socket.send("in CONNECTING"); } catch (error) {}
        await until(socket, "open");
        socket.send("in OPEN");
        await until(socket, "message");
        socket.close();
        socket.send("in CLOSING");
        await until(socket, "close");
        socket.send("in CLOSED");
        done();
        """,
        is_captured=True,
    ),
    Script(
        "normal-close",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        socket.close(1000, "done");
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "refused-handshake",
        """
        const socket = new WebSocket(url);
        socket.onerror = (event) => log("error: code " + event.code + ", message " + event.message);
        socket.onclose = (event) => { log("close: code " + event.code + ", reason '" + event.reason + "'"); done(); };
        """,
        {"origins": ["https://example.com"]},
        is_captured=True,
    ),
    Script(
        "nobody-agrees-to-chess",
        """
        const socket = new WebSocket(url, ["chess"]);
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "close-before-open",
        """
        const socket = new WebSocket(url);
        socket.close();
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "server-crashes",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        socket.send("Hello");
        await until(socket, "close");
        done();
        """,
        {"handler": crash},
    ),
    Script(
        "server-closes-with-4001",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        socket.send("close, please");
        await until(socket, "close");
        done();
        """,
        {"handler": close_with_4001},
    ),
    Script(
        "forbidden-close-codes",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        for (const code of [999, 1001, 1005, 1006, 2999, 5000]) {
          try { socket.close(code); } catch (error) {}
        }
        try { socket.close(1000, "x".repeat(124)); } catch (error) {}
        socket.close(3000, "x".repeat(123));
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "binary-type",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        log("binaryType is " + socket.binaryType);
        socket.send(new Uint8Array([0, 255, 128]));
        const { data } = await until(socket, "message");
        log("its bytes come later: " + new Uint8Array(await data.arrayBuffer()));
        socket.binaryType = "arraybuffer";
        socket.send(new Uint8Array([0, 255, 128]));
        await until(socket, "message");
        socket.onclose = done;
        socket.close();
        """,
    ),
    Script(
        "half-a-hand",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        const half = "👋"[0];
        log("sent: " + half.charCodeAt(0).toString(16));
        socket.send(half);
        const { data } = await until(socket, "message");
        log("came back: " + data.charCodeAt(0).toString(16));
        socket.close();
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "buffered-amount",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        for (let number = 0; number < 4; number++) socket.send("x".repeat(250000));
        for (let number = 0; number < 4; number++) await until(socket, "message");
        log("after the echoes, bufferedAmount is " + socket.bufferedAmount);
        socket.close();
        await until(socket, "close");
        done();
        """,
    ),
    Script(
        "ping-is-invisible",
        """
        const socket = new WebSocket(url);
        log("a method to send a ping: " + typeof socket.ping);
        await until(socket, "close");
        done();
        """,
        {"handler": ping_first},
        is_captured=True,
        has_panel=True,
    ),
    Script(
        "ping-a-busy-page",
        """
        const socket = new WebSocket(url);
        await until(socket, "open");
        socket.send("busy");
        const end = performance.now() + 2000;
        while (performance.now() < end);
        log("loop over");
        await until(socket, "close");
        done();
        """,
        {"handler": ping_when_asked},
    ),
    Script(
        "no-headers-of-your-own",
        """
        try { new WebSocket(url, { headers: { Authorization: "Bearer abc" } }); } catch (error) {}
        const socket = new WebSocket(url, [], { headers: { Authorization: "Bearer abc" } });
        log("a method to set a header: " + typeof socket.setRequestHeader);
        await until(socket, "close");
        done();
        """,
        {"handler": tell_headers},
    ),
    Script(
        "bad-addresses",
        """
        for (const address of ["ftp://example.com/", url + "#top", "ws://", "ws://example.com:99999/"]) {
          try { new WebSocket(address); } catch (error) {}
        }
        try { new WebSocket(url, ["chat", "chat"]); } catch (error) {}
        try { new WebSocket(url, "a name"); } catch (error) {}
        done();
        """,
    ),
    Script(
        "mixed-content",
        """
        log("this page came by " + location.protocol);
        try { new WebSocket("ws://wslab.invalid/"); } catch (error) {}
        const socket = new WebSocket("/chat");
        log("the scheme of /chat is " + new URL(socket.url).protocol);
        done();
        """,
        {"ssl": certified()},
    ),
    Script(
        "many-sockets",
        """
        const sockets = [1, 2, 3].map(() => new WebSocket(url));
        await Promise.all(sockets.map((socket) => until(socket, "message")));
        sockets.forEach((socket) => socket.close());
        await Promise.all(sockets.map((socket) => until(socket, "close")));
        done();
        """,
        {"handler": tell_most, "codec": Codec(build_response=answer_slowly)},
    ),
]


def run_in(tab: Page, script: Script) -> Run:
    """Run the script in this tab, which is of Chromium: no other browser tells about its network panel in this way."""
    with (
        EchoServer(**{"deflate": False, **script.server}, recording=Recording()) as server,
        listening_to_panel(tab) as panel,
    ):
        console = BrowserConsole(server, address=server.url.replace("ws", "http", 1))
        tab.goto(console.run(script.source, script.name).address)
        if not console.runs[-1].run.wait(TIMEOUT):
            raise TimeoutError(f"{script.name} is not done; so far: {console.events}")
        expect(tab.get_by_role("status")).to_contain_text(": Python has")
        tab.goto("about:blank")
    return Run(console.events, console.wire(), panel)


def events_in_firefox(tab: firefox.Tab, script: Script, seconds: float) -> list[BrowserEvent]:
    """What the script reports in this tab, which is of Firefox, in so many seconds at most."""
    with EchoServer(**{"deflate": False, **script.server}) as server:
        console = BrowserConsole(server, address=server.url.replace("ws", "http", 1))
        tab.go_to(console.run(script.source, script.name).address)
        console.wait(seconds)
        tab.go_to("about:blank")
        return console.events


@contextmanager
def listening_to_panel(page: Page) -> Iterator[list[dict[str, object]]]:
    """A list that grows with what DevTools' protocol tells about WebSockets: the network panel is made of it."""
    told: list[dict[str, object]] = []
    session = page.context.new_cdp_session(page)

    def listen(name: str) -> None:
        def add(event: dict) -> None:
            frame = event.get("response", {}) if name.startswith("webSocketFrame") else {}
            fields = {"opcode": frame["opcode"], "data": frame["payloadData"]} if frame else {}
            told.append({"event": name, **fields})

        session.on(f"Network.{name}", add)

    for name in TOLD_TO_THE_PANEL:
        listen(name)
    session.send("Network.enable")
    yield told
    session.detach()
