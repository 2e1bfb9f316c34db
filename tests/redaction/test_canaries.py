"""Nothing secret is shown or saved: canaries in every place and form, through every view, file, log and exception."""

import contextlib
import gzip
import io
import logging
import traceback

import pytest
from support.all_views import files, pictures, recorded, views
from support.canaries import (
    BODIES,
    CANARY,
    HEADERS,
    JSONS,
    MANGLED,
    SUBPROTOCOLS,
    TARGETS,
    answer,
    answers,
    basic,
    found_in,
    hatch,
)
from support.capture_files import saved
from support.heads_and_frames import RESPONSE, request, response, text

import wslab
from wslab import Direction, EchoServer, Frame, HandshakeError, Opcode, Recording, Tap, connect, serialize_frame
from wslab.cli.main import main
from wslab.redaction.redact import redact_body, redact_target

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT


def survivors(shown, canaries):
    return {f"{canaries.get(canary, canary)}: {name}" for name, text in shown for canary in found_in(text)}


SIZES = pytest.mark.parametrize("size", [1, 7, 10_000], ids=["single bytes", "sevens", "whole"])


def all_of(recording, folder):
    yield from views(recording)
    yield from files(recording, folder)
    yield from pictures(recording)


@SIZES
def test_in_no_header(tmp_path, size):
    canaries, lines = hatch(HEADERS)
    more, offers = hatch(SUBPROTOCOLS)
    lines += [f"Sec-WebSocket-Protocol: {offer}" for offer in offers]
    recording = recorded(request(more=tuple(lines)), response(*lines), size)

    assert survivors(all_of(recording, tmp_path), canaries | more) == set()


@pytest.mark.parametrize("place", MANGLED)
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_in_no_header_that_nobody_accepts(tmp_path, place, ending):
    canaries, lines = hatch({place: MANGLED[place]})
    head = request(more=(*lines, "Host: x")).replace(b"\r\n", ending.encode())
    for down in RESPONSE, answer(b"", *lines):
        recording = recorded(head, down)
        shown = [*views(recording), *([] if down == RESPONSE else files(recording, tmp_path))]
        assert survivors(shown, canaries) == set()


def test_in_no_target(tmp_path):
    for place in TARGETS.items():
        canaries, [target] = hatch(dict([place]))
        recording = recorded(request(f"GET {target} HTTP/1.1"), response())
        assert survivors([*views(recording), *files(recording, tmp_path)], canaries) == set()


@SIZES
def test_in_no_target_of_one_request_after_the_other(tmp_path, size):
    canaries, targets = hatch(TARGETS)
    up = b"".join(request(f"GET {target} HTTP/1.1", Upgrade=None) for target in targets)
    recording = recorded(up, answer(b"", "Content-Length: 0", status="200 OK") * len(targets), size)

    assert survivors(files(recording, tmp_path), canaries) == set()


@pytest.mark.parametrize("form", answers(""))
def test_in_no_body(tmp_path, form):
    canaries, bodies = hatch(BODIES)
    for body in bodies:
        recording = recorded(request(), answers(body)[form])
        shown = [*files(recording, tmp_path), *(views(recording) if form in ("whole", "gzip") else ())]
        assert survivors(shown, canaries) == set(), body


def test_in_no_form_that_is_sent(tmp_path):
    canaries, bodies = hatch(BODIES)
    for body in bodies:
        up = request("POST /login HTTP/1.1", Upgrade=None, Content_Length=str(len(body))) + body.encode()
        recording = recorded(up, answer(b"", "Content-Length: 0"), 5)
        assert survivors(files(recording, tmp_path), canaries) == set(), body


def test_in_no_message_that_is_shown():
    canaries, messages = hatch(JSONS | {"address": TARGETS["token"], "Bearer": lambda it: f"say Bearer {it}"})
    frames = []
    for message in messages:
        frames += [(UP, text(message)), (DOWN, serialize_frame(Frame(Opcode.TEXT, message.encode())))]
    reason = (1000).to_bytes(2, "big") + f"?token={messages[0][-40:]}"[:100].encode()
    frames.append((DOWN, serialize_frame(Frame(Opcode.CLOSE, reason))))
    recording = recorded(request(), response(), frames=frames)

    assert survivors([*views(recording), *pictures(recording)], canaries) == set()
    assert not [message for message in messages if found_in(str(Frame(Opcode.TEXT, message.encode())))]


# Live


def why_refused(check):
    try:
        check()
    except HandshakeError as error:
        return f"{error} {error!r}"
    return ""


@pytest.fixture
def logged():
    stream, log = io.StringIO(), logging.getLogger("wslab")
    handler = logging.StreamHandler(stream)
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.DEBUG)
    yield stream
    log.removeHandler(handler)
    log.setLevel(level)


def test_in_no_log_repr_watch_or_recording_of_a_live_connection(tmp_path, logged):
    canaries, headers = hatch(dict.fromkeys(("Cookie", "Authorization", "X-Api-Key", "Token"), str))
    [(secret, _)] = hatch({"the address": str})[0].items()
    [(offered, _)] = hatch({"a subprotocol": str})[0].items()
    fields = list(zip(canaries.values(), headers, strict=True))
    recording, shown = Recording(), []
    with EchoServer(recording=recording, origins=["http://ok"]) as server, Tap(f"{server.url}?key={secret}") as tap:
        for origin in "http://ok", f"http://no/?token={secret}":
            with contextlib.suppress(HandshakeError):
                options = {"headers": fields, "origin": origin, "subprotocols": ["access_token", offered]}
                with connect(f"{tap.url}&token={secret}", **options) as connection:
                    connection.send("Hello")
                    assert connection.receive() == "Hello"
                    for it in connection, connection.request, connection.response, server, tap, tap.recording:
                        shown += [("repr", repr(it)), ("str", str(it))]
                    for table in wslab.watch(server), wslab.watch(connection):
                        shown.append(("watch", repr(table) + table._repr_html_()))
    shown += [("log", logged.getvalue()), *views(recording), *pictures(recording)]
    for kept in recording, tap.recording:
        data = b"".join(Recording.load(saved(tmp_path, kept)).bytes_sent(1, way) for way in Direction)
        shown.append(("file", data.decode("latin-1")))

    assert logged.getvalue()
    assert survivors(shown, canaries | {secret: "the address", offered: "a subprotocol"}) == set()


BAD_ADDRESSES = [
    *("http://localhost:8888/lab?token={}", "https://h/?token={}", "http://user:{}@h/", "user:{}@localhost"),
    *("ws://localhost:99999/?token={}", "ws://localhost/?token={}#x", "ws://localhost/#token={}", "ws://u:{}@/"),
    *("ws://[::1/?token={}", "ws://{}:x@h:port/", "ftp://h/?sig={}", "?token={}", "ws:/h/?token={}", "//u:{}@h/"),
    *("ws://u:a/{}@h/", "wss://user:{}@h:99999/", "ws://h h/?token={}", "http://h/token/{}"),
]  # fmt: skip


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_in_no_sentence_about_an_address(address, capsys):
    [(secret, _)] = hatch({address: str})[0].items()
    url = address.format(secret)
    said = []
    for call in connect, Tap, lambda it: wslab.edit_frame(it).send():
        try:
            said.append(str(call(url)))
        except (ValueError, OSError) as error:
            said += traceback.format_exception_only(error)
    for command in ["connect", url], ["inspect", url], ["echo", url], ["tap", "--port", url]:
        with contextlib.suppress(SystemExit):
            assert main(command) == 1
    said += capsys.readouterr()

    # Not even how it begins.
    assert not [line for line in said if "CANARY" in line]


BAD_HEADERS = [
    ("Authorization:", "Bearer {}"),
    ("Cookie ", "{}"),
    ("Cook ie", "{}"),
    ("Authorization: Bearer {}", ""),
    ("Authorization", "Bearer {}\n"),
    ("X-Access-Token", "{}\r\nHost: x"),
    ("X", "Basic {}\n"),
    ("Referer", "http://u:{}@h/\n"),
]


@pytest.mark.parametrize(("name", "value"), BAD_HEADERS)
def test_in_no_sentence_about_a_header_that_cannot_be_sent(name, value):
    [(secret, _)] = hatch({name: str})[0].items()
    with pytest.raises(ValueError, match="header line") as raised:
        connect("ws://127.0.0.1:1/", headers=[(name.format(secret), value.format(secret))])
    assert "CANARY" not in str(raised.value)


def test_in_no_sentence_about_subprotocols():
    with pytest.raises(TypeError, match="list of names") as raised:
        connect("ws://127.0.0.1:1/", subprotocols="access_token, CANARY0000ZZ")
    assert "CANARY" not in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        'Sec-WebSocket-Extensions: a; token="{}',
        'Sec-WebSocket-Extensions: a; token="{} "',
        "Sec-WebSocket-Extensions: permessage-deflate; token={}",
        "Sec-WebSocket-Protocol: token.{}",
        "Sec-WebSocket-Accept: Bearer {}",
        "Sec-WebSocket-Version: ?token={}",
        "Cook ie: {}",
    ],
)
def test_in_no_sentence_about_a_handshake_that_is_refused(line):
    [(secret, _)] = hatch({line: str})[0].items()
    name = line.partition(":")[0].replace("-", "_")
    good = wslab.parse_request(request())[0]
    checks = [
        lambda: wslab.parse_request(request(**{name: line.format(secret).partition(": ")[2]})),
        lambda: wslab.check_response(wslab.parse_response(response(line.format(secret)))[0], good),
    ]
    for check in checks:
        assert "CANARY" not in why_refused(check)


# The counter-test


VISIBLE = request(
    "GET /any/thing?room=1&name=ada&max_tokens=5 HTTP/1.1",
    more=(
        "Origin: http://localhost:8888",
        "Sec-WebSocket-Protocol: chat, superchat, graphql-transport-ws, mqtt, v12.stomp",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
        "Accept-Language: en-US,en;q=0.9",
        "Access-Control-Request-Headers: authorization, x-api-key",
        "Idempotency-Key: 5",
        "Cache-Control: no-cache",
    ),
)
QUESTION = 'Basic realm="staff", Bearer realm="staff", error="invalid_token", charset="UTF-8"'


@SIZES
def test_what_a_lesson_shows_stays_visible(tmp_path, size):
    down = response(f"WWW-Authenticate: {QUESTION}", "Access-Control-Allow-Credentials: true", "Server: wslab")
    recording = recorded(VISIBLE, down, size, [(UP, text('{"type": "chat", "text": "Hello", "code": 5}'))])
    recording.save(tmp_path / "saved.pcapng")
    loaded = Recording.load(tmp_path / "saved.pcapng")

    assert loaded.bytes_sent(1, UP).startswith(VISIBLE)
    assert loaded.bytes_sent(1, DOWN) == down
    assert "redacted" not in "".join(text for _, text in [*views(recording), *pictures(recording)])


@pytest.mark.parametrize(
    "words",
    [
        "Basic authentication is needed",
        "a page from http://localhost:8888 may not connect to this server",
        "connect(url, key=None)",
        "the masking_key = 37 fa 21 3d",
        '{"author": "Ada", "tokens": 5, "keys": ["a"], "state": "open", "code": 404}',
        "ws://127.0.0.1:8765/chat?room=1&lang=en#top",
        "mailto:ada@example.com at 12:30",
        "sip:ada@example.com at 12:30@noon",
        "docker run -u 1000:1000 python:3.12@sha256:0123abcd",
        '{"author": "Ada", "tokenizer": "bpe", "auth_type": "basic", "key": "ArrowUp"}',
        "/api/sessions/1/keys/2",
        "close(1000, 'bye')",
        "the basic idea is this, and a bearer of news, too",
        '["chat", "superchat"]',
        '{"name": "room", "value": "kitchen"}',
        "<title>Hello</title>",
        "eyJhIjogImIiLCAiYyI6ICJkIn0=",
        "pass me the salt",
    ],
)
def test_words_that_are_no_secrets_are_shown(words):
    assert redact_target(words) == words
    assert redact_body(words.encode()) == words.encode()


def test_the_canaries_are_found_where_nothing_is_crossed_out(tmp_path):
    canaries, lines = hatch(HEADERS)
    recording = recorded(request(more=tuple(lines)), response())
    recording.save(tmp_path / "all.pcapng", secrets=True)

    sent = Recording.load(tmp_path / "all.pcapng").bytes_sent(1, UP).decode("latin-1")
    assert {canaries[canary] for canary in found_in(sent)} == set(HEADERS)
    assert CANARY.search(gzip.decompress(gzip.compress(sent.encode())).decode())
    hidden = f"x {basic('CANARY0001ZZ')} x 43 41 4e 41 52 59 30 30 30 32 5a 5a"
    assert found_in(hidden) == {"CANARY0001ZZ", "CANARY0002ZZ"}
