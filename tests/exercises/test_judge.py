"""Three judges talk to the server and the client of a Codec: each mistake in a part is seen by one, and named."""

import dataclasses
import os
import re
import threading
import time
from base64 import b64encode
from hashlib import sha1

import pytest

import wslab
from wslab import Codec, HandshakeError, Headers, Request, Response
from wslab.browser.console import BrowserRun
from wslab.browser.frontend import Frontend
from wslab.exercises import judge, judging
from wslab.exercises.checks import isolation
from wslab.exercises.judges import browser, library, raw_bytes
from wslab.exercises.judges.finding import Finding
from wslab.exercises.sets.catalogue import EXERCISES
from wslab.protocol import deflate as reference

RECORDING = "a browser (a recording of Chromium 156, replayed)"
KEY_HEADER = "Sec-WebSocket-Key"


# Wrong parts


def sleep_at_once(data):
    time.sleep(1000)


def key_without_guid(key):
    return b64encode(sha1(key.encode()).digest()).decode()


def key_in_hex(key):
    return sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).hexdigest()


def request_at_once(data):
    found = wslab.parse_request(data)
    if found is None:
        raise HandshakeError("half a request")
    return found


def request_without_key(data):
    found = wslab.parse_request(data)
    if found is None:
        return None
    request, used = found
    kept = tuple((name, value) for name, value in request.headers if name != KEY_HEADER)
    return Request(request.method, request.target, Headers(kept)), used


def any_request(request):
    return None


def only_with_origin(request):
    wslab.check_request(request)
    if "Origin" not in request.headers:
        raise HandshakeError("no Origin", 403)


def status_200(request, **options):
    return dataclasses.replace(wslab.build_response(request, **options), status=200, phrase="OK")


def response_without_upgrade(request, **options):
    response = wslab.build_response(request, **options)
    return Response(101, response.phrase, Headers(tuple(it for it in response.headers if it[0] != "Upgrade")))


def response_at_once(data):
    found = wslab.parse_response(data)
    if found is None:
        raise HandshakeError("half an answer")
    return found


def response_uses_all(data):
    found = wslab.parse_response(data)
    return None if found is None else (found[0], len(data))


def any_response(response, request):
    return None


def response_without_accept(response, request):
    if response.status != 101 or response.headers.get("Upgrade") != "websocket":
        raise HandshakeError("no agreement")


def mask_not_rotated(data, key):
    return bytes(byte ^ key[0] for byte in data)


def mask_backwards(data, key):
    return bytes(byte ^ key[3 - n % 4] for n, byte in enumerate(data))


def header_of_16_bits_at_most(data):
    found = wslab.parse_header(data)
    if found is None:
        return None
    header, used = found
    return header._replace(payload_length=header.payload_length & 0xFFFF), used


def header_without_fin(data):
    found = wslab.parse_header(data)
    return None if found is None else (found[0]._replace(fin=True), found[1])


def frame_at_once(data):
    found = wslab.parse_frame(data)
    if found is None:
        raise IndexError("index out of range")
    return found


def frame_uses_all(data):
    found = wslab.parse_frame(data)
    return None if found is None else (found[0], len(data))


def frame_still_masked(data):
    found = wslab.parse_frame(data)
    if found is None or found[0].masking_key is None:
        return found
    frame, used = found
    return dataclasses.replace(frame, payload=wslab.apply_mask(frame.payload, frame.masking_key)), used


def length_126_in_7_bits(frame, key):
    data = wslab.serialize_frame(frame, key)
    if len(frame.payload) != 126:
        return data
    return data[:1] + bytes([data[1]]) + data[4:]


def never_masked(frame, key):
    return wslab.serialize_frame(frame, None)


def length_in_little_endian(frame, key):
    data = wslab.serialize_frame(frame, key)
    return data if data[1] & 0x7F != 126 else data[:2] + data[3:1:-1] + data[4:]


def not_deflated(data, compressor, last):
    return data


def with_the_tail(data, compressor, last):
    return reference.deflate(data, compressor, last) + b"\x00\x00\xff\xff"


def not_inflated(data, decompressor, last):
    return data


def cut_short(data, decompressor, last):
    return reference.inflate(data, decompressor, last)[:-1]


LONG = (response_uses_all, length_in_little_endian, request_at_once, never_masked)  # judges wait in vain
BY_BYTE = "the handshake and a close, byte by byte"
NOT_AGREED = "the handshake and a close: your server has not agreed to the handshake"
A_LOOP = "apply_mask had not returned within 2 s; so your server did not send close within 2 s"
# A part, a wrong one, and what raw bytes say of it; of the last, only websockets says anything.
WRONG = [
    (
        "accept_key",
        key_without_guid,
        f"{NOT_AGREED}: Sec-WebSocket-Accept is hHLtf2V1k8aDQZfNjw3Ia1hCwt0=, but the key",
    ),
    ("accept_key", key_in_hex, f"{NOT_AGREED}: Sec-WebSocket-Accept is b37a4f2cc0624f1690f64606cf385945b2bec4ea, but"),
    ("parse_request", request_at_once, f"{BY_BYTE}: your server has not agreed to the handshake: the server refused"),
    ("parse_request", request_without_key, f"{NOT_AGREED}: the server refused with 400 Bad Request"),
    ("check_request", any_request, "a request without Sec-WebSocket-Key: your server ended TCP where an answer to the"),
    ("check_request", only_with_origin, f"{NOT_AGREED}: the server refused with 403 Forbidden: No Origin"),
    ("build_response", status_200, f"{NOT_AGREED}: the server refused with 200 OK"),
    ("build_response", response_without_upgrade, f"{NOT_AGREED}: the response must say 'Upgrade: websocket'"),
    ("parse_response", response_at_once, f"{BY_BYTE}: your client refused a good answer: half an answer"),
    ("parse_response", response_uses_all, "the handshake and a close: your client did not send close within 2 s"),
    (
        "check_response",
        any_response,
        "an answer with a wrong Sec-WebSocket-Accept: your client took it for an agreement",
    ),
    ("check_response", response_without_accept, "an answer with a wrong Sec-WebSocket-Accept: your client took it for"),
    (
        "apply_mask",
        mask_not_rotated,
        'a text of 5 bytes: your server sent close 1007 "the text is not UTF-8" where text',
    ),
    ("apply_mask", mask_backwards, 'a text of 5 bytes: your server sent close 1007 "the text is not UTF-8" where text'),
    ("parse_header", header_of_16_bits_at_most, 'a text of 65,536 bytes: your server sent text "" where text "WebSo'),
    (
        "parse_header",
        header_without_fin,
        'a text in two fragments with a ping between: your server sent text "Hel" where',
    ),
    (
        "parse_frame",
        frame_at_once,
        f"{BY_BYTE}: parse_frame raised IndexError: index out of range; so your server sent",
    ),
    ("parse_frame", frame_uses_all, 'two frames in a row: your server did not send text "two" within 2 s'),
    ("parse_frame", frame_still_masked, 'a text of 5 bytes: your server sent close 1007 "the text is not UTF-8" where'),
    ("serialize_frame", length_126_in_7_bits, "a text of 126 bytes: your server did not send the whole of text"),
    ("serialize_frame", never_masked, "the handshake and a close: your client sent close: a client masks every frame"),
    ("serialize_frame", length_in_little_endian, "a text of 126 bytes: your server did not send the whole of text"),
    (
        "deflate",
        not_deflated,
        "a compressed text: your server sent text 48 65 6c 6c 6f (rsv1), which cannot be inflated",
    ),
    ("deflate", with_the_tail, ""),
    (
        "inflate",
        not_inflated,
        'a compressed text: your server sent close 1007 "the text is not UTF-8" where text "Hello"',
    ),
    ("inflate", cut_short, 'a compressed text: your server sent text "Hell" where text "Hello" was due'),
]


def verdict_on(**parts):
    return judge(Codec(**parts))


def finding_of(verdict, name):
    return next(it for it in verdict.findings if it.judge == name)


def loop_in_python(data, key):
    while True:
        key = key[1:] + key[:1]


def sleep(data, key):
    time.sleep(1000)


def raise_it(error):
    def apply_mask(data, key):
        raise error

    return apply_mask


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


# A Codec that is right


def test_the_reference_satisfies_all_judges():
    verdict = judge(Codec())

    assert verdict.passed
    assert verdict.satisfied == ("raw bytes", "websockets", "a browser")
    assert verdict.broken == ""
    assert verdict.ladder is None
    assert str(verdict) == (
        f"3 of 3 judges are satisfied\n  satisfied  raw bytes\n  satisfied  websockets\n  satisfied  {RECORDING}"
    )


def test_right_parts_of_a_learner_satisfy_all_judges_and_are_used():
    names = ("accept_key", "apply_mask", "parse_frame")
    parts = {name: EXERCISES[name].reference for name in names}

    assert verdict_on(**parts).passed


# A Codec that is wrong


def test_two_mistakes_at_least_are_tried_in_each_part():
    tried = [name for name, _, _ in WRONG]

    assert {field.name for field in dataclasses.fields(Codec)} == set(tried)
    assert min(map(tried.count, tried)) >= 2


@pytest.mark.parametrize(
    ("part", "function", "said"),
    [pytest.param(*it, id=it[1].__name__, marks=[pytest.mark.slow] if it[1] in LONG else []) for it in WRONG],
)
def test_a_wrong_part_is_refused(part, function, said):
    verdict = verdict_on(**{part: function})

    assert not verdict.passed
    assert verdict.broken.startswith(
        said or "as a client of your server: your server did not send the text '' (0 bytes)"
    )
    assert finding_of(verdict, "raw bytes").broken.startswith(said)
    assert verdict.ladder.figure is not None
    assert verdict.ladder.text in str(verdict)
    assert "client ══ GET / HTTP/1.1" in verdict.ladder.text


def test_each_judge_says_where_the_conversation_broke():
    verdict = verdict_on(accept_key=key_without_guid)

    assert verdict.satisfied == ()
    assert finding_of(verdict, "websockets").broken == (
        "as a client of your server: websockets does not take your server's answer for an agreement: "
        "its Sec-WebSocket-Accept is wrong"
    )
    assert finding_of(verdict, "a browser").broken == (
        "your server answered Sec-WebSocket-Accept: 5cu6pgWn4Yeevu3WviunODDoyQg=, not bxSQmvmbPrmjyYdVfAWqcjz89vs="
    )


def test_the_words_are_the_same_each_time():
    assert len({str(verdict_on(apply_mask=mask_not_rotated)) for _ in range(3)}) == 1


def test_a_notebook_shows_the_words_and_the_picture(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    verdict = verdict_on(accept_key=key_without_guid)
    verdict._ipython_display_()

    assert shown[0]["text/plain"].startswith("0 of 3 judges are satisfied")
    assert "<pre" in shown[0]["text/html"]
    assert shown[1:] == verdict.ladder.outputs()
    assert any("image/png" in data or "<img" in data.get("text/html", "") for data in shown[1:])


def test_no_connection_at_all_is_told(monkeypatch):
    def refused(address):
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("socket.create_connection", refused)

    assert verdict_on().broken == "the handshake and a close: this machine gives no connection: refused"


# A part that fails


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raise_it(ValueError("boom")), "apply_mask raised ValueError: boom; so your server sent close 1011"),
        (raise_it(SystemExit(1)), "apply_mask raised SystemExit: 1; so your server ended TCP where close was due"),
        (raise_it(Unprintable()), "apply_mask raised Unprintable; so your server ended TCP where close was due"),
        (lambda data, key: "text", "apply_mask must return bytes; it returned 'text'; so your server sent close 1011"),
        (lambda data, key: None, "apply_mask must return bytes; it returned None; so your server sent close 1011"),
        (lambda data: data, "apply_mask raised TypeError: "),
    ],
    ids=["ValueError", "SystemExit", "no text", "str", "None", "too few arguments"],
)
def test_a_part_that_fails_is_named(function, said, capfd):
    verdict = verdict_on(apply_mask=function)

    assert verdict.broken.startswith(f"the handshake and a close: {said}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("function", [loop_in_python, sleep])
def test_a_part_that_never_returns_is_named_in_time(function):
    began = time.monotonic()
    verdict = verdict_on(apply_mask=function)

    assert verdict.broken == f"the handshake and a close: {A_LOOP}"
    assert time.monotonic() - began < 3 * judging.LIMIT


@pytest.mark.slow
def test_a_part_of_the_client_that_never_returns_is_named():
    assert (
        "parse_response had not returned within 2 s; so your client" in verdict_on(parse_response=sleep_at_once).broken
    )


@pytest.mark.slow
def test_without_processes_a_part_that_loops_is_stopped(monkeypatch):
    monkeypatch.setattr(isolation, "can_fork", lambda: False)
    threads = threading.active_count()

    assert verdict_on(apply_mask=loop_in_python).broken == f"the handshake and a close: {A_LOOP}"
    assert threading.active_count() == threads


def test_a_part_that_ends_the_process_is_told(monkeypatch):
    if not isolation.can_fork():
        pytest.skip("without processes it would end this one; run this where Python can fork")
    verdict = verdict_on(apply_mask=lambda data, key: os._exit(1))

    assert verdict.broken == "a part ended the program, and with it the conversation"
    assert verdict.ladder is None


def test_what_is_no_codec_is_said_to_be_none():
    verdict = judge(mask_backwards)

    assert not verdict.passed
    assert str(verdict) == "judge takes a wslab.Codec with your parts in it, not function."


# Judges that are missing


def test_a_judge_that_is_missing_is_not_counted(monkeypatch):
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    monkeypatch.setattr(browser, "find_recording", lambda: None)
    verdict = judge(Codec())

    assert verdict.passed
    assert verdict.satisfied == ("raw bytes",)
    lines = str(verdict).splitlines()
    assert lines[0] == "1 of 1 judges are satisfied"
    assert lines[2] == f"  missing    websockets: {library.MISSING}"
    assert lines[3] == f"  missing    a browser: {browser.MISSING}"


# The reader's own browser


@pytest.fixture
def judged_in(tab, monkeypatch):
    """Judge as in a notebook that `tab` shows; the box of the console is opened there."""

    def judged(codec):
        def show(run: BrowserRun):
            tab.goto(run.address)

        monkeypatch.setattr(judging, "find_frontend", lambda: Frontend("JupyterLab"))
        monkeypatch.setattr("wslab.browser.console.find_frontend", lambda: Frontend("JupyterLab"))
        monkeypatch.setattr(judging, "_show", show)
        return judge(codec)

    return judged


def test_a_browser_judges_live(judged_in):
    verdict = judged_in(Codec())

    assert verdict.passed
    assert "  satisfied  a browser (your own)" in str(verdict)


def test_a_browser_says_where_the_conversation_broke(judged_in, monkeypatch):
    for module in (raw_bytes, library):  # they would see it first
        monkeypatch.setattr(module, "judge", lambda codec, name=module.NAME: Finding(name))
    verdict = judged_in(Codec(apply_mask=mask_backwards))

    assert re.search(
        r"refused    a browser \(your own\): 0 of 4 texts came back; then the socket closed with 10", str(verdict)
    )


def test_where_no_browser_comes_the_recording_judges(monkeypatch):
    monkeypatch.setattr(judging, "find_frontend", lambda: Frontend("JupyterLab"))
    monkeypatch.setattr(judging, "_show", lambda run: None)

    assert f"satisfied  {RECORDING}" in str(judge(Codec()))
