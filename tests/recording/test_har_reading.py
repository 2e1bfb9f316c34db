"""HAR files of Chrome and of other programs, with what is odd in them: what is made of them, and what is said."""

import base64
import contextlib
import copy
import io
import json
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heads_and_frames import ACCEPT, KEY

from wslab import Direction, Frame, Opcode, Recording, parse_frame
from wslab.recording import har_reading
from wslab.recording.errors import CaptureError, CaptureWarning

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
without_messages = pytest.mark.filterwarnings("ignore:.* has handshakes in it, but no WebSocket messages")


def load(tmp_path: Path, document: object) -> Recording:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    (tmp_path / "talk.har").write_bytes(data)
    return Recording.load(tmp_path / "talk.har")


def frames(recording: Recording, number: int, way: Direction) -> list[Frame]:
    rest, found = recording.bytes_sent(number, way).partition(b"\r\n\r\n")[2], []
    while rest:
        frame, used = parse_frame(rest)
        found.append(frame)
        rest = rest[used:]
    return found


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
    recording = load(tmp_path, changed("_webSocketMessages", 0, "time", to=1795579450))

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


# What is odd costs only itself

MESSAGE = ("_webSocketMessages", 0)
LEFT_OUT = "has 1 message that cannot be read, and is left out"
BAD_HEADER = "has 1 header that HTTP does not allow, and is left out"
LONG_HEADER = "has 1 header beyond the first 32,768 bytes of a head, left out"
NO_ADDRESS = "has 1 WebSocket entry without an address that can be read"


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "is not a HAR file: it is not JSON"),
        (b"\x0a\x0d\x0d\x0a", "is not a HAR file: it is not JSON"),
        (b"\xff\xfe\x00", "is not a HAR file: it is not JSON"),
        (json.dumps(CHROME).encode()[:90], "is not a HAR file: it has no list of entries in its log"),
        (b"[" * 100_000, "is not a HAR file: it is not JSON"),
        ([], "is not a HAR file: it has no list of entries in its log"),
        ({"log": {}}, "is not a HAR file: it has no list of entries in its log"),
        ({"log": {"entries": []}}, "has no WebSocket messages in it"),
        ({"log": {"entries": [{}, 1, {"request": {}}]}}, "has no WebSocket messages in it"),
        (changed("request", to=1), f"{NO_ADDRESS}; it has no WebSocket messages in it"),
        (changed("request", "url", to="ws://[/"), f"{NO_ADDRESS}; it has no WebSocket messages in it"),
        (changed("request", "url", to="ws://a\u0000b/"), f"{NO_ADDRESS}; it has no WebSocket messages in it"),
    ],
)
def test_a_file_with_nothing_to_read_is_told_in_one_sentence(tmp_path, document, sentence):
    with pytest.raises(CaptureError) as caught:
        load(tmp_path, document)

    assert str(caught.value) == f"talk.har {sentence}"


def test_a_file_that_is_too_long_is_refused(tmp_path, monkeypatch):
    data = json.dumps(CHROME).encode()
    monkeypatch.setattr("wslab.recording.har_reading.MAX_HAR", len(data))
    assert load(tmp_path, data).chunks
    with pytest.raises(
        CaptureError, match=r"^talk.har is longer than [\d,]+ bytes, and a HAR is only read as a whole$"
    ):
        load(tmp_path, data + b" ")


def changed_response(**values: object) -> dict:
    return changed("response", to={**ENTRY["response"], **values})


def with_header(head: str, name: str, value: str) -> dict:
    return changed(head, "headers", to=[*ENTRY[head]["headers"], {"name": name, "value": value}])


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (changed("_webSocketMessages", 3, to=1), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "ping", "opcode": 1, "data": ""}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": 0, "data": ""}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": 9, "data": "a" * 168}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": "word", "data": ""}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": [], "opcode": 1, "data": ""}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": 3, "data": ""}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": {}, "data": ""}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": 1, "data": None}), [LEFT_OUT]),
        (changed("_webSocketMessages", 3, to={"type": "send", "opcode": 2, "data": "!"}), [LEFT_OUT]),
        (with_header("request", "a b", ""), [BAD_HEADER]),
        (with_header("request", "", ""), [BAD_HEADER]),
        (with_header("response", "X", "a\0b"), [BAD_HEADER]),
        (with_header("response", "X\r\nY", "a"), [BAD_HEADER]),
        (changed("request", "headers", 0, to=None), [BAD_HEADER]),
        (with_header("request", "X", "a" * 33_000), [LONG_HEADER]),
        (with_header("response", "X", "a" * 33_000), [LONG_HEADER]),
        (changed_response(statusText="a\0b"), ["has 1 phrase that HTTP does not allow, and is left out"]),
        (changed("request", "method", to="G T"), ["has 1 request without a method that can be read, shown as GET"]),
        (changed("startedDateTime", to="today"), ["has 1 entry with a date that cannot be read"]),
        (changed("startedDateTime", to=None), ["has 1 entry with a date that cannot be read"]),
        (changed("startedDateTime", to="1904-01-01T00:00:00Z"), ["has 1 entry with a date that cannot be read"]),
        (changed("startedDateTime", to="0001-01-01"), ["has 1 entry with a date that cannot be read"]),
        (changed(*MESSAGE, "time", to=None), ["has 1 message without a time, shown with the one before"]),
        (changed(*MESSAGE, "time", to=10**400), ["has 1 message without a time, shown with the one before"]),
        (changed(*MESSAGE, "time", to=float("inf")), ["has 1 message without a time, shown with the one before"]),
        (changed(*MESSAGE, "time", to=float("nan")), ["has 1 message without a time, shown with the one before"]),
        (changed(*MESSAGE, "time", to=2.5), ["has 1 message without a time, shown with the one before"]),
        (changed(*MESSAGE, "time", to=2500), ["has 1 message without a time, shown with the one before"]),
        (changed(*MESSAGE, "time", to=True), ["has 1 message without a time, shown with the one before"]),
        (changed("_webSocketMessages", 0, "opcode", to="1"), []),
        (changed("_webSocketMessages", 0, "opcode", to="text"), []),
        (changed("_webSocketMessages", 0, "type", to="Sent"), []),
        (changed("_webSocketMessages", 2, "type", to="received"), []),
        (changed("_webSocketMessages", 1, "opcode", to="BINARY"), []),
        (changed("_webSocketMessages", 1, "data", to="AP8"), []),
        (changed("_webSocketMessages", 1, "data", to="AP\r\n8=\n"), []),
        (changed("_webSocketMessages", 0, "time", to="1795579450.656489"), []),
        (changed("_webSocketMessages", 0, "time", to="1795579450656"), []),
        (changed("_webSocketMessages", 0, "opcode", to=1.0), []),
        (changed("_webSocketMessages", 0, "opcode", to=None), []),
        (changed("request", "headers", to={}), []),
        (changed("time", to="1"), []),
        (changed("response", to=None), []),
        (changed_response(status="101"), []),
        (changed_response(status=-1), []),
        (changed_response(status=99), []),
        (changed_response(status=float("inf")), []),
        (changed_response(status=[]), []),
        (changed_response(statusText=None), []),
        (changed_response(statusText="a\r\nb: c"), []),
        (changed_response(statusText="κ"), []),
        (changed_response(headers=None), []),
        (with_header("response", "X-Room", "日本"), []),
        (with_header("response", "X", " a \t"), []),
        (with_header("request", ":authority", "x"), []),
        (changed("request", "url", to="ws://127.0.0.1:38991/größe"), []),
        (changed("request", "url", to="ws://127.0.0.1:38991/a b?x={1}"), []),
        (changed("request", "url", to="ws://größe.test/a#b"), []),
    ],
)
def test_what_is_odd_in_an_entry_costs_only_itself_and_is_told(tmp_path, document, told, recwarn):
    document["log"]["entries"].append(ENTRY)
    recording = load(tmp_path, document)

    if told is None:
        told = [LEFT_OUT]
        expected = [Frame(Opcode.BINARY, b"\x00\xff")]
    else:
        expected = [Frame(Opcode.TEXT, b"Hello"), Frame(Opcode.BINARY, b"\x00\xff")]
    assert [str(warning.message) for warning in recwarn] == [f"talk.har {sentence}" for sentence in told]
    assert frames(recording, 1, UP) == expected
    for number in 1, 2:
        assert frames(recording, number, DOWN) == [Frame(Opcode.TEXT, "κόσμε".encode())]
    assert all(0 < chunk.time < 2e9 for chunk in recording.chunks)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'"Hello"}', b'"Hello",}'),
        (b'"Hello"}', b'"Hello"\n, }'),
        (b'"Hello"', b'"Hel\tlo\n"'),
        (b'"time": 1795579450.656489', b'"time": ' + b"9" * 5000),
        (b'"time": 1795579450.656489', b'"time": undefined'),
        (b'"time": 1795579450.656489', b'"time": .5'),
        (b'"Hello"', rb'"Hello", "path": "C:\x"'),
        (b'{"log": {', b'{"log": {"deep": ' + b"[" * 5000 + b"]" * 5000 + b", "),
        (b'"Hello"}', b'"Hello", "deep": ' + b'{"a": ' * 5000 + b"1" + b"}" * 5001),
    ],
)
def test_what_only_strict_json_forbids_costs_nothing(tmp_path, written, instead):
    plain = json.dumps({"log": {"entries": [ENTRY]}}, ensure_ascii=False).encode()
    assert written in plain

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*has 1 message without a time")
        recording = load(tmp_path, plain.replace(written, instead, 1))

    assert [frame.payload.split() for frame in frames(recording, 1, UP)] in (
        [[b"Hello"], [b"\x00\xff"]],
        [[b"Hel", b"lo"], [b"\x00\xff"]],
    )
    assert [frame.payload.decode() for frame in frames(recording, 1, DOWN)] == ["κόσμε"]


def test_a_message_in_a_file_that_is_not_unicode_is_read_but_for_some_letters(tmp_path):
    document = changed("_webSocketMessages", 0, "data", to="Größe")
    written = json.dumps(document, ensure_ascii=False).replace("κόσμε", "world").encode("latin-1")
    with pytest.warns(
        CaptureWarning,
        match=r"^talk.har has 1 message with bytes that are not UTF-8, or halves of characters, shown as U\+FFFD$",
    ):
        recording = load(tmp_path, written)

    assert frames(recording, 1, UP)[0] == Frame(Opcode.TEXT, "Gr\ufffd\ufffde".encode())


def test_base64_of_addresses_is_read(tmp_path):
    document = changed("_webSocketMessages", 1, "data", to="-_8=")

    assert frames(load(tmp_path, document), 1, UP)[1] == Frame(Opcode.BINARY, b"\xfb\xff")


def test_an_entry_that_cannot_be_read_costs_only_itself_and_is_told(tmp_path):
    document = changed("request", "url", to="ws://[/")
    document["log"]["entries"] += [ENTRY, {"_webSocketMessages": []}]
    with pytest.warns(CaptureWarning) as told:
        recording = load(tmp_path, document)

    assert [str(one.message) for one in told] == [
        "talk.har has 2 WebSocket entries without an address that can be read"
    ]
    assert recording.connections == [1]


def test_messages_behind_a_refusal_are_told(tmp_path):
    with pytest.warns(CaptureWarning, match="has 1 refused handshake with messages, which cannot be shown"):
        recording = load(tmp_path, changed_response(status=403))

    assert recording.bytes_sent(1, DOWN).startswith(b"HTTP/1.1 403 Switching Protocols\r\n")


# Headers, as they were on the wire


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("größe", "größe".encode("latin-1")),  # as Chrome shows bytes, and as we do
        ("gr\udcf6\udcdfe", "größe".encode("latin-1")),  # as mitmproxy does
        ("größe \udcff", "größe ".encode() + b"\xff"),
        ("日本", "日本".encode()),
        ("日本 größe", "日本 größe".encode()),
        ("a\ud800b日", b"a?b" + "日".encode()),
    ],
)
def test_a_header_that_is_not_ascii_is_as_it_was_on_the_wire(tmp_path, value, wire):
    recording = load(tmp_path, with_header("request", "X-Room", value))

    assert b"\r\nX-Room: " + wire + b"\r\n" in recording.bytes_sent(1, UP)


def test_headers_in_one_line_of_the_file_are_lines_of_their_own(tmp_path):
    recording = load(tmp_path, with_header("response", "Set-Cookie", "a=1\nb=2\r\nc=3"))

    assert b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nSet-Cookie: c=3\r\n" in recording.bytes_sent(1, DOWN)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("ws://x/größe", "/gr%F6%DFe"),
        ("ws://x/日?x=本", "/%E6%97%A5?x=%E6%9C%AC"),
        ("ws://x/gr\udcf6\udcdfe", "/gr%F6%DFe"),
        ("ws://x/a b?x={1}#c", "/a%20b?x={1}"),
        ("ws://x/%41%zz", "/%41%zz"),
        ("ws://x", "/"),
        ("ws://x?a=1", "/?a=1"),
        ("ws://x//[", "//["),
    ],
)
def test_a_target_is_escaped_as_it_must_be(tmp_path, url, target):
    recording = load(tmp_path, changed("request", "url", to=url))

    assert recording.bytes_sent(1, UP).startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_a_file_in_another_encoding_is_read(tmp_path):
    data = json.dumps(with_header("request", "X-Room", "größe"), ensure_ascii=False).replace("κόσμε", "world")
    recording = load(tmp_path, data.encode("latin-1"))

    assert b"\r\nX-Room: " + "größe".encode("latin-1") + b"\r\n" in recording.bytes_sent(1, UP)


# Other programs

OVER_HTTP_2 = [
    {"name": name, "value": value}
    for name, value in [
        (":authority", "example.test"),
        (":method", "CONNECT"),
        (":path", "/chat?a=1"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        ("sec-websocket-version", "13"),
        ("origin", "https://example.test"),
    ]
]


@pytest.mark.parametrize("has_pseudo_headers", [True, False])
def test_a_conversation_over_http_2_is_shown_as_over_http_1(tmp_path, has_pseudo_headers):
    document = changed("request", "headers", to=OVER_HTTP_2 if has_pseudo_headers else OVER_HTTP_2[5:])
    entry = document["log"]["entries"][1]
    entry["request"] |= {"method": "CONNECT", "httpVersion": "h2", "url": "https://example.test/chat?a=1"}
    entry["response"] = {"status": 200, "statusText": "", "headers": [{"name": ":status", "value": "200"}]}
    sentence = r"has 1 conversation over HTTP/2 \(RFC 8441\), shown as over HTTP/1.1"
    with pytest.warns(CaptureWarning, match=sentence):
        recording = load(tmp_path, document)

    assert recording.bytes_sent(1, UP).startswith(
        b"GET /chat?a=1 HTTP/1.1\r\nsec-websocket-version: 13\r\norigin: https://example.test\r\n"
        b"Host: example.test\r\nUpgrade: websocket\r\n"
    )
    assert recording.bytes_sent(1, DOWN).startswith(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
    assert frames(recording, 1, DOWN) == [Frame(Opcode.TEXT, "κόσμε".encode())]


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e9])
def test_times_of_messages_in_other_units_are_judged_by_the_start_of_their_entry(tmp_path, scale):
    document = changed("request", "method", to="GET")
    for message in document["log"]["entries"][1]["_webSocketMessages"]:
        message["time"] *= scale
    times = [chunk.time for chunk in load(tmp_path, document).chunks]

    assert times == [pytest.approx(chunk.time, abs=0.001) for chunk in load(tmp_path, CHROME).chunks]
    document["log"]["entries"][1]["startedDateTime"] = "?"
    with pytest.warns(CaptureWarning, match="date that cannot be read"):
        assert load(tmp_path, document).chunks[-1].time == pytest.approx(times[-1], abs=0.001)


def test_times_of_another_millennium_and_of_the_first_seconds_of_1970_stay_as_they_are(tmp_path):
    for date, time in ("9999-01-01T00:00:00Z", 253370764800.5), ("1970-01-01T00:00:00Z", 5):
        document = changed("startedDateTime", to=date)
        document["log"]["entries"][1]["_webSocketMessages"][:] = [
            {"type": "send", "time": time, "opcode": 1, "data": "Hello"}
        ]
        assert load(tmp_path, document).chunks[-1].time == time


def test_times_that_are_dates_are_read(tmp_path):
    recording = load(tmp_path, changed("_webSocketMessages", 2, "time", to="2026-11-25T04:04:12Z"))

    assert recording.chunks[-1].time == recording.chunks[0].time // 1 + 2


def test_messages_without_times_and_opcodes_are_texts_at_the_time_of_the_answer(tmp_path):
    few = [{"type": "receive", "data": "one"}, {"type": "send", "data": "two", "time": -1}]
    with pytest.warns(CaptureWarning, match="has 2 messages without a time, shown with the one before"):
        recording = load(tmp_path, changed("_webSocketMessages", to=few))

    assert frames(recording, 1, DOWN) == [Frame(Opcode.TEXT, b"one")]
    assert frames(recording, 1, UP) == [Frame(Opcode.TEXT, b"two")]
    assert len({chunk.time for chunk in recording.chunks[1:]}) == 1


def attached(tmp_path: Path, name: object, lines: bytes | None = None) -> dict:
    """A document as Playwright writes it, whose messages are in a file beside it."""
    if lines is not None:
        (tmp_path / str(name)).write_bytes(lines)
    document = changed("response", "content", to={"size": -1, "mimeType": "x-unknown", "_file": name})
    del document["log"]["entries"][1]["_webSocketMessages"]
    return document


def test_messages_in_a_file_beside_it_are_read(tmp_path):
    lines = b"\n".join(json.dumps(message).encode() for message in ENTRY["_webSocketMessages"]) + b"\n"
    recording = load(tmp_path, attached(tmp_path, "messages.jsonl", lines))

    assert recording.chunks == load(tmp_path, CHROME).chunks


def test_a_line_of_such_a_file_that_is_cut_short_costs_only_itself(tmp_path):
    lines = json.dumps(ENTRY["_webSocketMessages"][0]).encode() + b'\n{"type": "send", "ti'
    with pytest.warns(CaptureWarning, match=LEFT_OUT):
        recording = load(tmp_path, attached(tmp_path, "messages.jsonl", lines))

    assert frames(recording, 1, UP) == [Frame(Opcode.TEXT, b"Hello")]


def test_a_file_that_is_named_again_and_again_is_read_as_far_as_there_is_room(tmp_path, monkeypatch):
    lines = [json.dumps(message).encode() + b"\n" for message in ENTRY["_webSocketMessages"][:2]]
    document = attached(tmp_path, "messages.jsonl", b"".join(lines))
    document["log"]["entries"][2:] = [document["log"]["entries"][1]] * 3
    monkeypatch.setattr(har_reading, "MAX_ATTACHED", 2 * len(lines[0]) + len(lines[1]))
    with pytest.warns(CaptureWarning, match=r"has 3 files of messages beyond the first [\d,]+ bytes, left out"):
        recording = load(tmp_path, document)

    assert [len(frames(recording, number, UP)) for number in range(1, 5)] == [2, 1, 0, 0]


def test_no_more_of_such_a_file_is_read_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(har_reading, "MAX_ATTACHED", 10)
    asked = []

    def read(name: str, most: int) -> bytes:
        asked.append(most)
        return b"x" * most

    entry = {"_resourceType": "websocket", "request": {"url": "ws://a/"}, "response": {"content": {"_file": "a"}}}
    har_reading.read_har(io.BytesIO(json.dumps({"log": {"entries": [entry] * 5}}).encode()), Recording(), read)
    assert asked == [11]


def load_cut(tmp_path: Path, data: bytes) -> Recording:
    """What is there of a file that was cut short, which must be told."""
    with warnings.catch_warnings(record=True, action="always") as told:
        recording = load(tmp_path, data)
    assert "talk.har is cut short, or damaged: what is whole before that is read" in [str(it.message) for it in told]
    return recording


def test_a_file_that_was_cut_anywhere_is_read_as_far_as_it_is_there(tmp_path):
    data, whole = json.dumps(CHROME).encode(), {chunk.data for chunk in load(tmp_path, CHROME).chunks[2:]}
    found = [set[bytes]()]
    for size in range(data.index(b"33603") + 20, len(data), 41):  # the address comes before that
        found.append({chunk.data for chunk in load_cut(tmp_path, data[:size]).chunks[2:]})
        assert found[-2] <= found[-1] <= whole
    assert found[-1] == whole


def test_what_is_whole_of_a_file_that_was_cut_in_its_last_entry_is_read(tmp_path):
    recording = load_cut(tmp_path, json.dumps({"log": {"entries": [ENTRY, ENTRY]}}).encode()[:-700])

    assert recording.bytes_sent(1, UP) == load(tmp_path, {"log": {"entries": [ENTRY]}}).bytes_sent(1, UP)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_file_that_was_cut_within_a_character_of_any_encoding_is_read_too(tmp_path, encoding):
    data = json.dumps({"log": {"entries": [ENTRY, ENTRY]}}, ensure_ascii=False).encode(encoding)
    for size in range(len(data) - 9, len(data)):
        assert load_cut(tmp_path, data[:size]).connections == [1, 2]


@without_messages
@pytest.mark.parametrize("name", ["none.jsonl", "", "..", "a\0b", "/etc/passwd", "../messages.jsonl", 1])
def test_only_a_file_beside_it_is_read_and_a_missing_one_is_told(tmp_path, name, recwarn):
    (tmp_path / "messages.jsonl").write_bytes(json.dumps(ENTRY["_webSocketMessages"][0]).encode())
    (tmp_path / "har").mkdir()
    recording = load(tmp_path / "har", attached(tmp_path, name))

    told = [str(warning.message) for warning in recwarn]
    assert ("talk.har has 1 file of messages that is not beside it" in told) is isinstance(name, str)
    assert frames(recording, 1, UP) == []


@without_messages
@given(st.data())
def test_whatever_stands_in_a_file_only_a_capture_error_comes_of_it(tmp_path_factory, data):
    values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([]), st.just({}))
    document = copy.deepcopy(CHROME)
    for _ in range(data.draw(st.integers(1, 3))):
        place = document["log"]["entries"][1]
        while isinstance(place, dict | list) and place:
            key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
                place[key] = data.draw(values)
                break
            place = place[key]
    with contextlib.suppress(CaptureError, CaptureWarning):
        recording = load(tmp_path_factory.mktemp("odd"), document)
        assert recording.bytes_sent(1, UP)


def without_names_of_chrome(url: str, *headers: tuple[str, str], creator: object = None) -> dict[str, object]:
    """A document as Firefox or Charles writes it: an entry of WebSocket looks like any other, and has no messages."""
    request = {"method": "GET", "url": url, "headers": [{"name": name, "value": value} for name, value in headers]}
    entry = {"startedDateTime": "2026-11-29T12:00:00.000+01:00", "request": request, "response": {"status": 101}}
    page = {"startedDateTime": "2026-11-29T12:00:00.000+01:00", "request": {"url": "https://a/", "method": "GET"}}
    return {"log": {"version": "1.2", "creator": creator, "entries": [page, entry]}}


@pytest.mark.parametrize(
    "document",
    [
        without_names_of_chrome("wss://localhost/chat", creator={"name": "Firefox", "version": "150.0"}),
        without_names_of_chrome("WS://localhost/chat", creator={"name": "Firefox"}),
        without_names_of_chrome("https://localhost/chat", ("upgrade", "WebSocket"), creator={"name": "Firefox"}),
    ],
    ids=["by its address", "in capitals", "by its headers"],
)
def test_a_handshake_is_found_where_nothing_else_tells_of_websocket_and_who_left_the_messages_out(tmp_path, document):
    told = "has handshakes in it, but no WebSocket messages: Firefox has not exported any, as Chrome does"
    with pytest.warns(CaptureWarning, match=told):
        recording = load(tmp_path, document)
    assert recording.connections == [1]
    assert recording.bytes_sent(1, UP).startswith(b"GET /chat HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "creator", [None, "Firefox", {"name": 1}, {"name": "\x1b[2J"}, {"name": "wslab", "version": "1"}]
)
def test_a_program_without_a_name_that_can_be_told_is_not_named(tmp_path, creator):
    with pytest.warns(CaptureWarning, match=r"but no WebSocket messages$"):
        load(tmp_path, without_names_of_chrome("ws://localhost/", creator=creator))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a\ud83d", "a\ufffd"),  # cut in the middle of a character
        ("\ude00b", "\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_half_a_character_costs_no_more_than_itself(tmp_path, written, read):
    with pytest.warns(CaptureWarning, match="^talk.har has 1 message with bytes that are not UTF-8, or halves of char"):
        recording = load(tmp_path, changed("_webSocketMessages", 0, "data", to=written))

    assert frames(recording, 1, UP)[0] == Frame(Opcode.TEXT, read.encode())


def test_halves_of_a_character_that_stand_together_are_one(tmp_path):
    data = json.dumps(changed("_webSocketMessages", 0, "data", to="\U0001f600"), ensure_ascii=False).encode()
    halves = "\ud83d\ude00".encode("utf-8", "surrogatepass")  # as some programs write UTF-8 (CESU-8)
    recording = load(tmp_path, data.replace("\U0001f600".encode(), halves))

    assert frames(recording, 1, UP)[0] == Frame(Opcode.TEXT, "\U0001f600".encode())


def test_a_value_that_is_too_deep_to_read_costs_only_its_message(tmp_path):
    data = json.dumps(CHROME).replace('"Hello"', "[" * 5000 + "]" * 5000, 1)
    with pytest.warns(CaptureWarning, match=f"^talk.har {LEFT_OUT}$"):
        recording = load(tmp_path, data.encode())

    assert frames(recording, 1, UP) == [Frame(Opcode.BINARY, b"\x00\xff")]


@without_messages
@pytest.mark.parametrize("tail", ["", "]" * 4000])
def test_a_file_that_was_cut_in_or_behind_a_value_that_is_too_deep_is_read(tmp_path, tail):
    data = json.dumps({"log": {"entries": [ENTRY]}})[:-2] + ', "deep": ' + "[" * 5000 + tail

    assert load_cut(tmp_path, data.encode()).bytes_sent(1, UP).endswith(b"\x82\x82\0\0\0\0\0\xff")


def test_messages_are_found_beside_a_member_of_almost_the_same_name_without_any(tmp_path):
    document = changed("webSocketMessages", to=None)
    entry = document["log"]["entries"][1]
    document["log"]["entries"][1] = {"webSocketMessages": None, **entry}

    assert len(frames(load(tmp_path, document), 1, UP)) == 2


@pytest.mark.parametrize("name", ["webSocketMessages", "_websocketMessages", "_webSocketMessages"])
def test_the_messages_are_found_under_the_names_that_programs_give_them(tmp_path, name):
    document = copy.deepcopy(CHROME)
    entry = document["log"]["entries"][1]
    entry[name] = entry.pop("_webSocketMessages")
    assert [frame.payload for frame in frames(load(tmp_path, document), 1, UP)] == [b"Hello", b"\x00\xff"]
