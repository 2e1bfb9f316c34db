"""A real browser: its WebSocket talks to our server, and agrees with it on everything that a page can see."""

import base64

import pytest
from playwright.sync_api import Page
from support.waiting import PATIENCE
from support.web_page import web_page

from wslab import Direction, EchoServer, Opcode, Pong, Recording, parse_frame

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>A page that uses WebSocket</title>
<script>
const toBase64 = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const seen = {
  open: () => ({}),
  message: ({ data }) => (typeof data === "string" ? { text: data } : { binary: toBase64(data) }),
  error: () => ({}),
  close: ({ code, reason, wasClean }) => ({ code, reason, wasClean }),
};

// A WebSocket, and everything that happens to it in order.
class Conversation {
  constructor(url, protocols) {
    this.events = [];
    this.notify = () => {};
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = "arraybuffer";
    for (const type in seen)
      this.socket.addEventListener(type, (event) => {
        this.events.push({ type, ...seen[type](event) });
        this.notify();
      });
  }
  async next() {
    while (!this.events.length)
      await new Promise((resolve, reject) => {
        this.notify = resolve;
        setTimeout(() => reject(new Error("nothing happened to the WebSocket")), 20000);
      });
    return this.events.shift();
  }
}
</script>
"""


class BrowserSocket:
    """`new WebSocket(url, protocols)` in the page."""

    def __init__(self, page: Page, url: str, protocols: tuple[str, ...] = ()) -> None:
        self._handle = page.evaluate_handle("([url, protocols]) => new Conversation(url, protocols)", [url, protocols])

    def next(self) -> dict:
        """What happens next: open, message, error or close."""
        return self._handle.evaluate("(conversation) => conversation.next()")

    def attribute(self, name: str) -> object:
        return self._handle.evaluate(f"(conversation) => conversation.socket.{name}")

    def send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._handle.evaluate("(conversation, text) => conversation.socket.send(text)", message)
        else:
            binary = base64.b64encode(message).decode()
            self._handle.evaluate("(conversation, data) => conversation.socket.send(fromBase64(data))", binary)

    def receive(self) -> str | bytes:
        event = self.next()
        assert event["type"] == "message"
        return event["text"] if "text" in event else base64.b64decode(event["binary"])

    def close(self, code: int, reason: str) -> None:
        self._handle.evaluate("(conversation, close) => conversation.socket.close(...close)", [code, reason])


@pytest.fixture(scope="module")
def origin():
    """The origin of a tiny web server that has one page."""
    with web_page(lambda _: PAGE) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(tab, origin):
    tab.goto(origin)
    return tab


def open_socket(page: Page, url: str, protocols: tuple[str, ...] = ()) -> BrowserSocket:
    opened = BrowserSocket(page, url, protocols)
    assert opened.next() == {"type": "open"}
    return opened


MESSAGES = {
    "text": "Zwölf Boxkämpfer 🥊",
    "binary": bytes(range(256)),
    "empty text": "",
    "empty binary": b"",
    "100 kB of text": "Frame " * 16_667,
    "100 kB of bytes": bytes(range(250)) * 400,
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "compressed"])
def test_a_page_gets_back_what_it_sends(page, deflate, message):
    with EchoServer(deflate=deflate) as server:
        browser_socket = open_socket(page, server.url)
        browser_socket.send(message)
        assert browser_socket.receive() == message


def test_a_browser_agrees_to_compression_and_uses_it(page):
    recording = Recording()
    with EchoServer(recording=recording) as server:
        browser_socket = open_socket(page, server.url)
        browser_socket.send("compressed " * 100)
        assert browser_socket.receive() == "compressed " * 100
        assert browser_socket.attribute("extensions") == "permessage-deflate"

    for direction in Direction:
        data = recording.bytes_sent(1, direction).partition(b"\r\n\r\n")[2]
        frame, _ = parse_frame(data)
        assert (frame.opcode, frame.rsv1) == (Opcode.TEXT, True)
        assert len(frame.payload) < 100


def test_a_browser_does_without_compression(page):
    with EchoServer(deflate=False) as server:
        assert open_socket(page, server.url).attribute("extensions") == ""


def test_a_browser_and_our_server_agree_on_a_subprotocol(page):
    with EchoServer(subprotocols=["log", "chat"]) as server:
        assert open_socket(page, server.url, ("superchat", "chat")).attribute("protocol") == "chat"


def test_a_browser_gives_up_if_none_of_its_subprotocols_is_spoken(page):
    with EchoServer(subprotocols=["log"]) as server:
        browser_socket = BrowserSocket(page, server.url, ("chat",))
        assert browser_socket.next() == {"type": "error"}
        assert browser_socket.next()["code"] == 1006


def test_a_browser_joins_our_fragments_and_answers_our_ping(page):
    events = []

    def send_fragments_around_a_ping(connection):
        connection.send_fragment("Hel")
        connection.ping(b"are you there?")
        connection.send_fragment("lo", fin=True)
        events.append(connection.receive_event(PATIENCE))

    with EchoServer(handler=send_fragments_around_a_ping) as server:
        browser_socket = open_socket(page, server.url)
        assert browser_socket.receive() == "Hello"
        assert browser_socket.next() == {"type": "close", "code": 1000, "reason": "", "wasClean": True}

    assert events == [Pong(b"are you there?")]


def test_the_close_code_and_the_reason_of_a_page_arrive(page):
    with EchoServer() as server:
        browser_socket = open_socket(page, server.url)
        [connection] = server.connections
        browser_socket.close(4002, "müde")
        assert browser_socket.next() == {"type": "close", "code": 4002, "reason": "", "wasClean": True}

    assert (connection.close_code, connection.close_reason) == (4002, "müde")


def test_our_close_code_and_reason_arrive_at_a_page(page):
    with EchoServer(handler=lambda connection: connection.close(4001, "genügt")) as server:
        browser_socket = open_socket(page, server.url)
        assert browser_socket.next() == {"type": "close", "code": 4001, "reason": "genügt", "wasClean": True}


def test_a_page_is_told_that_the_server_stops(page):
    with EchoServer() as server:
        browser_socket = open_socket(page, server.url)

    event = browser_socket.next()
    assert (event["type"], event["code"], event["wasClean"]) == ("close", 1001, True)


def test_a_page_of_another_origin_is_refused_and_not_told_why(page):
    recording = Recording()
    with EchoServer(origins=["https://example.com"], recording=recording) as server:
        browser_socket = BrowserSocket(page, server.url)
        assert browser_socket.next() == {"type": "error"}
        assert browser_socket.next() == {"type": "close", "code": 1006, "reason": "", "wasClean": False}

    assert recording.bytes_sent(1, Direction.SERVER_TO_CLIENT).startswith(b"HTTP/1.1 403 Forbidden\r\n")


def test_a_page_of_the_right_origin_may_connect(page, origin):
    with EchoServer(origins=[origin]) as server:
        open_socket(page, server.url)


def test_a_page_may_have_several_sockets_to_one_server(page):
    with EchoServer() as server:
        browser_sockets = [open_socket(page, server.url) for _ in range(5)]
        assert len(server.connections) == 5
        for number, browser_socket in enumerate(browser_sockets):
            browser_socket.send(f"socket {number}")
        assert [browser_socket.receive() for browser_socket in browser_sockets] == [f"socket {n}" for n in range(5)]
