"""Recordings as HAR: what Chrome's network panel would export, and what is made of such a file."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.chromium import running_chromium
from support.heads_and_frames import ACCEPT, KEY, masked, request, text
from support.raw_peer import RawPeer, live_server
from support.waiting import wait_until

from wslab import Direction, EchoServer, Frame, Opcode, Recording, connect, parse_frame, serialize_frame
from wslab.protocol.deflate import PermessageDeflate
from wslab.recording.errors import CaptureError, CaptureWarning

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
ACCEPTED = RESPONSE + f"Sec-WebSocket-Accept: {ACCEPT}\r\n".encode()
MESSAGES = ["Hello", "", "κόσμε 😀", b"\x00\xff", b"", "x" * 70_000, bytes(1000), "Hello"]


without_messages = pytest.mark.filterwarnings("ignore:.* has handshakes in it, but no WebSocket messages")


def saved(tmp_path: Path, recording: Recording, **options: bool) -> list[dict]:
    """The entries of the file."""
    recording.save(tmp_path / "talk.har", **options)
    document = json.loads((tmp_path / "talk.har").read_text(encoding="utf-8"))
    assert document["log"]["version"] == "1.2"
    return document["log"]["entries"]


def load(tmp_path: Path, document: object) -> Recording:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    (tmp_path / "talk.har").write_bytes(data)
    return Recording.load(tmp_path / "talk.har")


def recorded(*sent: tuple[Direction, bytes]) -> Recording:
    """A recording whose clock says 1000, 1001…"""
    recording = Recording(clock=iter(range(1000, 10_000)).__next__)
    for way, data in sent:
        recording.add(1, way, data)
    return recording


def frames(recording: Recording, number: int, way: Direction) -> list[Frame]:
    rest, found = recording.bytes_sent(number, way).partition(b"\r\n\r\n")[2], []
    while rest:
        frame, used = parse_frame(rest)
        found.append(frame)
        rest = rest[used:]
    return found


def messages(entry: dict) -> list[tuple[str, int, str]]:
    return [(message["type"], message["opcode"], message["data"]) for message in entry["_webSocketMessages"]]


# Saving


@pytest.mark.parametrize("deflate", [False, True, PermessageDeflate(True, True, 9, 10)])
def test_the_messages_of_both_sides_are_saved_in_order(tmp_path, deflate):
    recording = Recording()
    with (
        live_server(deflate=deflate) as server,
        connect(server.url, deflate=deflate, recording=recording) as connection,
    ):
        for message in MESSAGES:
            connection.send(message)
            assert connection.receive() == message
            connection.ping(b"?")
        for part in ("Hel", "lo"):
            connection.send_fragment(part, fin=part == "lo")
        assert connection.receive() == "Hello"
    [entry] = saved(tmp_path, recording)

    expected = []
    for message in [*MESSAGES, "Hello"]:
        is_text = isinstance(message, str)
        data = message if is_text else base64.b64encode(message).decode()
        expected += [(kind, 1 if is_text else 2, data) for kind in ("send", "receive")]
    assert messages(entry) == expected
    assert entry["request"]["url"] == server.url
    assert (entry["serverIPAddress"], entry["connection"]) == ("127.0.0.1", str(server.port))


def test_an_entry_looks_as_chrome_makes_it(tmp_path):
    start = "GET /chat?a=1&b=%20 HTTP/1.1"
    recording = recorded((UP, request(start)), (DOWN, ACCEPTED + b"\r\n"), (UP, text("Hi")), (DOWN, b"\x82\x01\xff"))
    [entry] = saved(tmp_path, recording)

    assert entry == {
        "_resourceType": "websocket",
        "_webSocketMessages": [
            {"type": "send", "time": 1002, "opcode": 1, "data": "Hi"},
            {"type": "receive", "time": 1003, "opcode": 2, "data": "/w=="},
        ],
        "cache": {},
        "request": {
            "method": "GET",
            "url": "ws://localhost/chat?a=1&b=%20",
            "httpVersion": "HTTP/1.1",
            "headers": [
                {"name": "Host", "value": "localhost"},
                {"name": "Upgrade", "value": "websocket"},
                {"name": "Connection", "value": "Upgrade"},
                {"name": "Sec-WebSocket-Key", "value": KEY},
                {"name": "Sec-WebSocket-Version", "value": "13"},
            ],
            "queryString": [{"name": "a", "value": "1"}, {"name": "b", "value": " "}],
            "cookies": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": 101,
            "statusText": "Switching Protocols",
            "httpVersion": "HTTP/1.1",
            "headers": [
                {"name": "Upgrade", "value": "websocket"},
                {"name": "Connection", "value": "Upgrade"},
                {"name": "Sec-WebSocket-Accept", "value": ACCEPT},
            ],
            "cookies": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 0,
        },
        "startedDateTime": "1970-01-01T00:16:40.000000Z",
        "time": 1000,
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 1000, "receive": 0},
    }


def test_heads_and_frames_may_be_cut_and_glued_in_any_way(tmp_path):
    up = request() + text("one") + masked(Opcode.TEXT, b"t", fin=False) + masked(Opcode.CONTINUATION, b"wo")
    down = ACCEPTED + b"\r\n" + b"\x81\x05three\x89\x00\x82\x00"
    expected = [("send", 1, "one"), ("send", 1, "two"), ("receive", 1, "three"), ("receive", 2, "")]
    for size in (1, 7, 1000):
        cut = [(way, data[i : i + size]) for way, data in ((UP, up), (DOWN, down)) for i in range(0, len(data), size)]
        [entry] = saved(tmp_path, recorded(*cut))
        assert sorted(messages(entry)) == sorted(expected)


def test_a_fault_is_told_among_the_messages_and_nothing_comes_after_it(tmp_path):
    bad = [(UP, text("one") + b"\x83\x80\0\0\0\0" + text("two")), (DOWN, b"\xc1\x00"), (UP, text("three"))]
    [entry] = saved(tmp_path, recorded((UP, request()), (DOWN, ACCEPTED + b"\r\n"), *bad))

    assert messages(entry) == [
        ("send", 1, "one"),
        ("error", -1, "opcode 0x3 is reserved"),
        ("error", -1, "RSV1 is set, but no extension that uses it was agreed on"),
    ]


def test_an_extension_that_nobody_knows_is_left_alone(tmp_path):
    answer = ACCEPTED + b"Sec-WebSocket-Extensions: x-unknown\r\n\r\n"
    [entry] = saved(tmp_path, recorded((UP, request()), (DOWN, answer), (UP, text("Hi"))))

    assert messages(entry) == [("send", 1, "Hi")]


@without_messages
def test_a_refusal_has_its_status_and_its_body_and_no_messages(tmp_path):
    recording = Recording()
    with live_server() as server, RawPeer(server) as peer:
        peer.send(request(Sec_WebSocket_Version="8"))
        answer = peer.read_to_end()
    recording.add(1, UP, request(Sec_WebSocket_Version="8"))
    recording.add(1, DOWN, answer)
    [entry] = saved(tmp_path, recording)

    assert (entry["response"]["status"], messages(entry)) == (426, [])
    assert base64.b64decode(entry["response"]["content"]["text"]) == answer.partition(b"\r\n\r\n")[2]
    loaded = Recording.load(tmp_path / "talk.har")
    assert [loaded.bytes_sent(1, way) for way in Direction] == [recording.bytes_sent(1, way) for way in Direction]


@without_messages
def test_a_response_keeps_its_version_there_and_back(tmp_path):
    answer = b"HTTP/1.0 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
    [entry] = saved(tmp_path, recorded((UP, request()), (DOWN, answer)))

    assert entry["response"]["httpVersion"] == "HTTP/1.0"
    assert Recording.load(tmp_path / "talk.har").bytes_sent(1, DOWN) == answer


@without_messages
def test_what_was_never_answered_has_the_status_0_as_in_chrome(tmp_path):
    for answer in b"", b"HTTP/1.1 101 Swi", b"SSH-2.0\r\n\r\n":
        [entry] = saved(tmp_path, recorded((UP, request()), (DOWN, answer)))
        assert (entry["response"]["status"], entry["response"]["headers"], messages(entry)) == (0, [], [])
        assert [chunk[1:] for chunk in Recording.load(tmp_path / "talk.har").chunks] == [(1, UP, request())]


HUGE = request(more=("X: " + "x" * 100_000,)).removesuffix(b"\r\n")


@pytest.mark.parametrize("sent", [b"", request()[:50], b"\x16\x03", b"BREW\r\n\r\n", HUGE])
def test_a_request_that_cannot_be_read_has_no_entry(tmp_path, sent):
    assert saved(tmp_path, recorded((UP, sent), (UP, b"\r\n"), (DOWN, b"HTTP/1.1 400 Bad Request\r\n\r\n"))) == []


PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHALLENGE = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"


def test_a_request_for_a_page_has_no_entry(tmp_path):
    for answer in CHALLENGE, b"HTTP/1.1 200 OK\r\n\r\n<p>", b"", ACCEPTED + b"\r\n\x81\x00":
        assert saved(tmp_path, recorded((UP, PLAIN), (DOWN, answer))) == []


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_connection_has_an_entry_for_each_request_that_asks_for_websocket(tmp_path, size):
    asked = [(UP, PLAIN), (DOWN, CHALLENGE), (UP, request()), (DOWN, CHALLENGE), (UP, PLAIN), (DOWN, CHALLENGE)]
    talk = [*asked, (UP, request()), (DOWN, ACCEPTED + b"\r\n"), (UP, text("Hi")), (DOWN, b"\x82\x01\xff")]
    pieces = [(way, data[start : start + size]) for way, data in talk for start in range(0, len(data), size)]
    refused, accepted = saved(tmp_path, recorded(*pieces))

    assert (refused["response"]["status"], accepted["response"]["status"]) == (401, 101)
    assert base64.b64decode(refused["response"]["content"]["text"]) == b"no"
    assert "text" not in accepted["response"]["content"]
    assert messages(refused) == []
    assert messages(accepted) == [("send", 1, "Hi"), ("receive", 2, "/w==")]


@pytest.mark.parametrize("target", ["//[", "//[?a=1", "//x]/?a=1", "http://[/?a=1"])
def test_a_target_that_is_no_address_is_saved_all_the_same(tmp_path, target):
    recording = recorded((UP, request(f"GET {target} HTTP/1.1")), (DOWN, ACCEPTED + b"\r\n"))
    [entry] = saved(tmp_path, recording)

    assert entry["request"]["url"] == f"ws://localhost{target.removeprefix('http://[')}"
    assert entry["request"]["queryString"] == [{"name": "a", "value": "1"}] * ("?" in target)


SECRETS = ("Cookie: ~~~~", "Authorization: Basic ~~~~", "Referer: http://x/?token=~~~~")


def test_secrets_are_left_out_unless_asked_for(tmp_path):
    asked = request("GET /lab?token=~~~~&x=1 HTTP/1.1", more=SECRETS)
    recording = recorded((UP, asked), (DOWN, ACCEPTED + b"Set-Cookie: ~~~~\r\n\r\n"), (UP, text("~~~~")))
    [entry] = saved(tmp_path, recording)

    assert "~" not in json.dumps({name: value for name, value in entry.items() if name != "_webSocketMessages"})
    assert entry["request"]["url"] == "ws://localhost/lab?token=[redacted]&x=1"
    assert {"name": "Cookie", "value": "[redacted]"} in entry["request"]["headers"]
    assert messages(entry) == [("send", 1, "~~~~")]
    loaded = Recording.load(tmp_path / "talk.har")
    assert b"GET /lab?token=[redacted]&x=1 HTTP/1.1\r\n" in loaded.bytes_sent(1, UP)

    saved(tmp_path, recording, secrets=True)
    assert Recording.load(tmp_path / "talk.har").bytes_sent(1, UP).startswith(asked)


def test_secrets_in_the_body_of_a_refusal_are_crossed_out_unless_asked_for(tmp_path):
    body = b'<script>{"token": "~~~~", "x": 1}</script> see /lab?token=~~~~&reset'
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    recording = recorded((UP, request()), (DOWN, refusal))

    for secrets, shown in (False, body.replace(b"~", b"x")), (True, body):
        [entry] = saved(tmp_path, recording, secrets=secrets)
        assert base64.b64decode(entry["response"]["content"]["text"]) == shown


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e18])
def test_a_time_that_no_date_can_tell_is_refused(tmp_path, time):
    recording = Recording(clock=lambda: time)
    recording.add(1, UP, request())
    with pytest.raises(CaptureError, match=f"^talk.har cannot hold a time of {time} seconds$".replace("+", r"\+")):
        recording.save(tmp_path / "talk.har")


# There and back


@without_messages
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([UP, DOWN]), st.one_of(st.text(), st.binary())), max_size=20)
)
def test_messages_that_are_saved_come_back(tmp_path_factory, sent):
    recording = Recording(clock=iter(range(1_700_000_000, 1_800_000_000)).__next__)
    for number in (1, 2, 3):
        recording.add(number, UP, request(f"GET /{number} HTTP/1.1"))
        recording.add(number, DOWN, ACCEPTED + b"\r\n")
    for number, way, message in sent:
        is_text = isinstance(message, str)
        frame = Frame(Opcode.TEXT, message.encode()) if is_text else Frame(Opcode.BINARY, message)
        recording.add(number, way, serialize_frame(frame, bytes(4) if way is UP else None))
    path = tmp_path_factory.mktemp("talk") / "talk.har"
    recording.save(path)

    assert Recording.load(path).chunks == recording.chunks


def test_a_capture_and_a_har_of_the_same_conversation_hold_the_same_messages(tmp_path):
    recording = Recording()
    with live_server() as server, connect(server.url, recording=recording) as connection:
        for message in MESSAGES:
            connection.send(message)
            connection.receive()
    recording.save(tmp_path / "talk.pcapng")
    expected = saved(tmp_path, recording)
    from_capture = saved(tmp_path, Recording.load(tmp_path / "talk.pcapng"))
    from_har = saved(tmp_path, Recording.load(tmp_path / "talk.har"))

    assert messages(from_capture[0]) == messages(expected[0]) == messages(from_har[0])
    assert from_har[0]["request"] == expected[0]["request"]
    assert from_har[0]["response"] == expected[0]["response"]


# Chrome itself


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


TALK = """url => new Promise(resolve => {
  const socket = new WebSocket(url), messages = ["Hello", "", "κόσμε", new Uint8Array([0, 255]), "x".repeat(70000)];
  let left = messages.length;
  socket.onopen = () => messages.forEach(message => socket.send(message));
  socket.onmessage = () => --left || socket.close(4001, "bye");
  socket.onclose = resolve;
})"""


def test_chrome_reports_the_same_messages_as_we_save(tmp_path):
    reported, recording = [], Recording()

    def echo_and_ping(connection):
        for message in connection:
            connection.ping(b"?")
            connection.send(message)

    with (
        EchoServer(handler=echo_and_ping, recording=recording) as server,
        ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as pages,
        running_chromium() as browser,
    ):
        threading.Thread(target=pages.serve_forever).start()
        try:
            page = browser.new_page()
            panel = page.context.new_cdp_session(page)
            panel.send("Network.enable")
            for name, kind in ("Sent", "send"), ("Received", "receive"):
                panel.on(f"Network.webSocketFrame{name}", lambda e, kind=kind: reported.append((kind, e["response"])))
            page.goto(f"http://127.0.0.1:{pages.server_port}/")
            page.evaluate(TALK, server.url)
            page.close()
        finally:
            pages.shutdown()
        wait_until(lambda: not server.connections)
    [entry] = saved(tmp_path, recording)

    seen = [(kind, frame["opcode"], frame["payloadData"]) for kind, frame in reported]
    for kind in ("send", "receive"):
        assert [m for m in seen if m[0] == kind] == [m for m in messages(entry) if m[0] == kind] != []


def test_messages_of_a_connection_without_its_request_are_told_to_be_left_out(tmp_path):
    recording = Recording(clock=lambda: 1)
    answer = ACCEPTED + b"\r\n"
    for number, heads in enumerate([[(UP, request()), (DOWN, answer)], [], [(DOWN, answer)]], 1):
        for way, data in [*heads, (DOWN, b"\x81\x05Hello")]:
            recording.add(number, way, data)
    told = "no entry can be made of 2 connections without a request"
    with pytest.warns(CaptureWarning, match=f"^talk.har is not complete: {told}$"):
        recording.save(tmp_path / "talk.har")

    har = json.loads((tmp_path / "talk.har").read_text())["log"]
    assert (len(har["entries"]), har["comment"]) == (1, told)
