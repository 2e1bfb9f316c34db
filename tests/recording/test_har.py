"""Recordings as HAR: what Chrome's network panel would export, and what is made of such a file."""

import base64
import copy
import json
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright
from support.chromium import MISSING_BROWSER, NAMES, OPTIONS
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


# Loading what Chrome has exported

# Shortened, but as Chrome 156 writes it.
CHROME = {
    "log": {
        "version": "1.2",
        "creator": {"name": "WebInspector", "version": "537.36"},
        "pages": [],
        "entries": [
            {"request": {"method": "GET", "url": "http://127.0.0.1/"}, "response": {"status": 200}},
            {
                "_connectionId": "76",
                "_initiator": {"type": "script"},
                "_priority": "High",
                "_resourceType": "websocket",
                "_webSocketMessages": [
                    {"type": "send", "time": 1795579450.656489, "opcode": 1, "data": "Hello"},
                    {"type": "send", "time": 1795579450.657975, "opcode": 2, "data": "AP8="},
                    {"type": "receive", "time": 1795579450.659081, "opcode": 1, "data": "κόσμε"},
                    {"type": "error", "time": 1795579450.66, "opcode": -1, "data": "Invalid frame header"},
                ],
                "cache": {},
                "connection": "38991",
                "request": {
                    "method": "GET",
                    "url": "ws://127.0.0.1:38991/chat?a=1",
                    "httpVersion": "HTTP/1.1",
                    "headers": [
                        {"name": "Origin", "value": "http://127.0.0.1:33603"},
                        {"name": "Sec-WebSocket-Key", "value": KEY},
                        {"name": "Host", "value": "127.0.0.1:38991"},
                        {"name": "Sec-WebSocket-Extensions", "value": "permessage-deflate; client_max_window_bits"},
                    ],
                    "queryString": [{"name": "a", "value": "1"}],
                    "cookies": [],
                    "headersSize": 500,
                    "bodySize": 0,
                },
                "response": {
                    "status": 101,
                    "statusText": "Switching Protocols",
                    "httpVersion": "HTTP/1.1",
                    "headers": [{"name": "Sec-WebSocket-Extensions", "value": "permessage-deflate"}],
                    "cookies": [],
                    "content": {"size": 0, "mimeType": "x-unknown"},
                    "redirectURL": "",
                    "headersSize": 185,
                    "bodySize": 0,
                    "_transferSize": 0,
                    "_error": None,
                },
                "serverIPAddress": "127.0.0.1",
                "startedDateTime": "2026-11-25T04:04:10.648Z",
                "time": 14.5,
                "timings": {"blocked": -1, "dns": -1, "ssl": -1, "connect": -1, "send": 0, "wait": 0, "receive": 14.5},
            },
        ],
    }
}
ENTRY = CHROME["log"]["entries"][1]


def changed(*path: str | int, to: object) -> dict:
    """Chrome's file with something else in one place of the WebSocket entry."""
    document = copy.deepcopy(CHROME)
    place = document["log"]["entries"][1]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return document


def test_what_chrome_exports_becomes_heads_and_frames(tmp_path):
    recording = load(tmp_path, CHROME)

    assert recording.bytes_sent(1, UP).startswith(b"GET /chat?a=1 HTTP/1.1\r\nOrigin: http://127.0.0.1:33603\r\n")
    assert frames(recording, 1, UP) == [Frame(Opcode.TEXT, b"Hello"), Frame(Opcode.BINARY, b"\x00\xff")]
    assert {frame.masking_key for frame in frames(recording, 1, UP)} == {bytes(4)}
    assert frames(recording, 1, DOWN) == [Frame(Opcode.TEXT, "κόσμε".encode())]
    assert [chunk.time for chunk in recording.chunks] == [
        pytest.approx(1795579450.648),
        1795579450.656489,
        1795579450.656489,
        1795579450.657975,
        1795579450.659081,
    ]
    assert [chunk.direction for chunk in recording.chunks] == [UP, DOWN, UP, UP, DOWN]


def test_headers_that_the_file_leaves_out_are_added(tmp_path):
    document = changed("request", "headers", to=[])
    document["log"]["entries"][1]["response"]["headers"] = []
    recording = load(tmp_path, document)

    for way in Direction:
        head = recording.bytes_sent(1, way).partition(b"\r\n\r\n")[0]
        assert b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" in head
    assert b"\r\nHost: 127.0.0.1:38991\r\n" in recording.bytes_sent(1, UP)
    assert f"\r\nSec-WebSocket-Accept: {ACCEPT}\r\n".encode() in recording.bytes_sent(1, DOWN)


def test_a_file_without_messages_is_loaded_and_told_in_one_sentence(tmp_path):
    with pytest.warns(CaptureWarning) as told:
        recording = load(tmp_path, changed("_webSocketMessages", to=[]))

    assert [str(one.message) for one in told] == ["talk.har has handshakes in it, but no WebSocket messages"]
    assert told[0].filename == __file__
    assert [chunk.direction for chunk in recording.chunks] == [UP, DOWN]


@without_messages
@pytest.mark.parametrize("status", [0, 403])
def test_headers_are_not_added_where_nothing_was_agreed(tmp_path, status):
    document = changed("_webSocketMessages", to=[])
    document["log"]["entries"][1]["request"]["headers"] = []
    document["log"]["entries"][1]["response"] = {"status": status, "statusText": "Forbidden", "headers": []}
    recording = load(tmp_path, document)

    assert recording.bytes_sent(1, UP) == b"GET /chat?a=1 HTTP/1.1\r\nHost: 127.0.0.1:38991\r\n\r\n"
    assert recording.bytes_sent(1, DOWN) == (b"HTTP/1.1 403 Forbidden\r\n\r\n" if status else b"")


def test_a_message_before_the_request_is_no_reason_to_answer_before_it(tmp_path):
    recording = load(tmp_path, changed("_webSocketMessages", 0, "time", to=5.0))

    assert [chunk.direction for chunk in recording.chunks][:2] == [UP, DOWN]
    assert recording.chunks[1].time == recording.chunks[0].time


def test_messages_without_a_response_have_one_nevertheless(tmp_path):
    recording = load(tmp_path, changed("response", to={"status": 0, "statusText": "", "headers": []}))

    assert recording.bytes_sent(1, DOWN).startswith(b"HTTP/1.1 101 Switching Protocols\r\n")


def test_a_body_of_a_response_that_has_none_does_not_stand_before_its_frames(tmp_path):
    recording = load(tmp_path, changed("response", "content", to={"size": 3, "mimeType": "text/plain", "text": "abc"}))

    assert frames(recording, 1, DOWN) == [Frame(Opcode.TEXT, "κόσμε".encode())]


def test_control_frames_of_other_programs_are_loaded(tmp_path):
    close = {"type": "receive", "time": 1795579450.7, "opcode": 8, "data": base64.b64encode(b"\x03\xe8bye").decode()}
    recording = load(tmp_path, changed("_webSocketMessages", to=[close]))

    assert frames(recording, 1, DOWN) == [Frame(Opcode.CLOSE, b"\x03\xe8bye")]


MESSAGE = ("_webSocketMessages", 0)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "is not a HAR file: it is not JSON"),
        (b"\x0a\x0d\x0d\x0a", "is not a HAR file: it is not JSON"),
        (b"\xff\xfe\x00", "is not a HAR file: it is not JSON"),
        (json.dumps(CHROME).encode()[:-20], "is not a HAR file: it is not JSON"),
        (b"[" * 100_000, "is not a HAR file: it is not JSON"),
        ([], "is not a HAR file as Chrome exports it: 'log' is missing or wrong"),
        ({"log": {}}, "is not a HAR file as Chrome exports it: 'entries' is missing or wrong"),
        ({"log": {"entries": []}}, "has no WebSocket messages in it"),
        ({"log": {"entries": [{}, 1, {"request": {}}]}}, "has no WebSocket messages in it"),
        (changed("_webSocketMessages", to=None), "is not a HAR file as Chrome exports it: '_webSocketMessages' is"),
        (changed("_webSocketMessages", to=[1]), "is not a HAR file as Chrome exports it: 'type' is missing or wrong"),
        (changed("request", to=1), "is not a HAR file as Chrome exports it: 'request' is missing or wrong"),
        (
            changed("request", "url", to="ws://[/"),
            "is not a HAR file as Chrome exports it: 'ws://[/' is not an address",
        ),
        (changed("request", "url", to="ws://x/ä"), "is not a HAR file as Chrome exports it: not a legal request line"),
        (changed("request", "method", to="G T"), "is not a HAR file as Chrome exports it: not a legal request line"),
        (changed("request", "headers", to={}), "is not a HAR file as Chrome exports it: 'headers' is missing or"),
        (
            changed("request", "headers", 0, to={"name": "a b", "value": ""}),
            "is not a HAR file as Chrome exports it: not",
        ),
        (
            changed("response", to={"status": 403, "statusText": "", "headers": [], "content": {"text": 1}}),
            "is not a HAR file as Chrome exports it: 'text' is missing",
        ),
        (changed("response", "status", to="101"), "is not a HAR file as Chrome exports it: 'status' is missing or"),
        (changed("response", "status", to=99), "is not a HAR file as Chrome exports it: not a legal status line: 99"),
        (
            changed("response", "statusText", to="a\r\nb: c"),
            "is not a HAR file as Chrome exports it: not a legal status line: 101 'a",
        ),
        (changed("startedDateTime", to="today"), "is not a HAR file as Chrome exports it: 'today' is not a date"),
        (
            changed("startedDateTime", to="0001-01-01"),
            "is not a HAR file as Chrome exports it: '0001-01-01' is not a date",
        ),
        (changed("time", to="1"), "is not a HAR file as Chrome exports it: '1' is not a time"),
        (changed(*MESSAGE, "time", to=None), "is not a HAR file as Chrome exports it: None is not a time"),
        (changed(*MESSAGE, "time", to=10**400), "is not a HAR file as Chrome exports it: 100000"),
        (changed(*MESSAGE, "time", to=float("inf")), "is not a HAR file as Chrome exports it: inf is not a time"),
        (
            changed(*MESSAGE, "data", to="\ud800"),
            r"is not a HAR file as Chrome exports it: '\ud800' is not a text in Unicode",
        ),
        (changed(*MESSAGE, "opcode", to=2), "is not a HAR file as Chrome exports it: 'Hello' is not base64"),
        (changed(*MESSAGE, "opcode", to=9), "is not a HAR file as Chrome exports it: 'Hello' is not base64"),
        (
            changed("response", "statusText", to="κ"),
            "is not a HAR file as Chrome exports it: not a legal status line: 101 'κ'",
        ),
        (changed(*MESSAGE, "opcode", to=3), "has a message of the type 'send' with opcode 3, which Chrome does not"),
        (changed(*MESSAGE, "type", to="sent"), "has a message of the type 'sent' with opcode 1, which Chrome does not"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(tmp_path, document, sentence):
    with pytest.raises(CaptureError) as caught:
        load(tmp_path, document)

    assert str(caught.value).startswith(f"talk.har {sentence}")
    assert "\n" not in str(caught.value)


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
    executable = os.environ.get("WSLAB_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(MISSING_BROWSER)
    reported, recording = [], Recording()

    def echo_and_ping(connection):
        for message in connection:
            connection.ping(b"?")
            connection.send(message)

    with (
        EchoServer(handler=echo_and_ping, recording=recording) as server,
        ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as pages,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=pages.serve_forever).start()
        try:
            browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
            page = browser.new_page()
            panel = page.context.new_cdp_session(page)
            panel.send("Network.enable")
            for name, kind in ("Sent", "send"), ("Received", "receive"):
                panel.on(f"Network.webSocketFrame{name}", lambda e, kind=kind: reported.append((kind, e["response"])))
            page.goto(f"http://127.0.0.1:{pages.server_port}/")
            page.evaluate(TALK, server.url)
            browser.close()
        finally:
            pages.shutdown()
        wait_until(lambda: not server.connections)
    [entry] = saved(tmp_path, recording)

    seen = [(kind, frame["opcode"], frame["payloadData"]) for kind, frame in reported]
    for kind in ("send", "receive"):
        assert [m for m in seen if m[0] == kind] == [m for m in messages(entry) if m[0] == kind] != []
