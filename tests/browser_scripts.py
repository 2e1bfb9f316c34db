"""The scripts whose events are recorded for readers without a browser, each with the server that it talks to."""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser

from wslab import BrowserConsole, Connection, EchoServer, Pong
from wslab.page.run import Event

ROOT = Path(__file__).parent.parent
TIMEOUT = 20.0


def close_with_4001(connection: Connection) -> None:
    connection.receive()
    connection.close(4001, "that was enough")


def ping_first(connection: Connection) -> None:
    connection.ping(b"are you there?")
    while not isinstance(connection.receive_event(TIMEOUT), Pong):
        pass
    connection.send("the pong to my ping has arrived")


def tell_headers(connection: Connection) -> None:
    headers = connection.request.headers if connection.request else ()
    connection.send(", ".join(sorted(name for name, _ in headers if name.startswith(("Sec-WebSocket", "Auth")))))


@dataclass(frozen=True)
class Script:
    """JavaScript as it stands in a lesson, and the options of the lesson's server."""

    name: str
    source: str
    server: dict[str, object] = field(default_factory=dict)


SCRIPTS = [
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
        socket.onerror = (event) => log("what the error event has: " + Object.keys(event));
        await until(socket, "close");
        done();
        """,
        {"origins": ["https://example.com"]},
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
        "many-sockets",
        """
        const sockets = [];
        for (let number = 1; number <= 3; number++) {
          const socket = new WebSocket(url);
          await until(socket, "open");
          sockets.push(socket);
        }
        for (const socket of sockets.reverse()) {
          socket.send("Hello");
          await until(socket, "message");
          socket.close();
          await until(socket, "close");
        }
        done();
        """,
    ),
]


def run_in(browser: Browser, script: Script) -> list[Event]:
    """What this browser reports about the script."""
    with EchoServer(**script.server) as server, browser.new_page() as page:
        console = BrowserConsole(server, address=f"http://127.0.0.1:{server.port}/")
        page.goto(console.run(script.source, script.name).address)
        if not console.runs[-1].run.wait(TIMEOUT):
            raise TimeoutError(f"{script.name} is not done; so far: {console.events}")
        return console.events
