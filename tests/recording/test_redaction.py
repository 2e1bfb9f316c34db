"""Saved recordings without what is secret in the handshakes."""

import re

import pytest
from support.capture_files import saved
from support.heads_and_frames import RESPONSE, request, text
from support.wireshark import tshark

from wslab import Direction, Frame, Opcode, Recording, serialize_frame
from wslab.recording.log import Chunk
from wslab.recording.redaction import redact_chunks

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
SECRETS = (
    "Cookie: session=~~~~~~; other=~~~~~~",
    "authorization: Basic ~~~~~~",
    "Proxy-Authorization: ~~~~~~",
    "X-XSRFToken: ~~~~~~",
    "Referer: http://~~~~~~:~~~~~~@localhost/login?next=%2Flab%3Ftoken%3D~~~~~~",
)
FORM = b"password=~~~~~~&_xsrf=~~~~~~"
LEGAL = request("GET /lab?token=~~~~~~&x=1 HTTP/1.1", more=SECRETS)
ANSWER = RESPONSE.replace(b"\r\n\r\n", b"\r\nSet-Cookie: ~~~~~~\r\n\r\n")
REFUSAL = ANSWER.replace(b"101 Switching Protocols", b"403 Forbidden")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        pytest.param(LEGAL, ANSWER, id="accepted"),
        pytest.param(LEGAL, REFUSAL, id="refused"),
        pytest.param(LEGAL, b"", id="not answered"),
        pytest.param(LEGAL[:-4], b"", id="unfinished"),
        pytest.param(LEGAL[: LEGAL.index(b"; other") - 1], b"", id="ended within a secret"),
        pytest.param(LEGAL.replace(b"\r\n", b"\n"), REFUSAL, id="bare line feeds"),
        pytest.param(LEGAL.replace(b": ", b":\r\n "), REFUSAL, id="folded"),
        pytest.param(b"\r\n" + LEGAL, ANSWER, id="an empty line before it"),
        pytest.param(b"\r\n\r\n\r\n" + LEGAL, REFUSAL, id="empty lines before it"),
        pytest.param(b"\r\n\r\n\r\n" + LEGAL, ANSWER, id="empty lines before it, accepted"),
        pytest.param(request("BREW / HTTP/1.1") + LEGAL, REFUSAL * 2, id="a second request"),
        pytest.param(LEGAL, REFUSAL + b'<p>{"token": "~~~~~~", "token":"~~~~~~"}', id="in a page"),
        pytest.param(request("POST /login HTTP/1.1") + FORM, REFUSAL, id="in a form"),
        pytest.param(LEGAL, b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER, id="after an interim response"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_secrets_are_crossed_out_however_they_are_cut(tmp_path, sent, answer, size):
    recording = Recording()
    for way, data in (UP, sent), (DOWN, answer):
        for start in range(0, len(data), size):
            recording.add(1, way, data[start : start + size])
    path = saved(tmp_path, recording)
    loaded = Recording.load(path)

    for way, data in (UP, sent), (DOWN, answer):
        shown = loaded.bytes_sent(1, way)
        assert len(shown) == len(data)
        assert b"~" not in shown
        assert shown.count(b"\n") == data.count(b"\n")
    assert b"~~~~~~" not in path.read_bytes()
    assert recording.bytes_sent(1, UP) == sent
    assert tshark(path, "-Y", "tcp.analysis.flags || tcp.checksum.status == 0") == ""

    assert Recording.load(saved(tmp_path, recording, secrets=True)).bytes_sent(1, UP) == sent


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_frames_keep_what_looks_like_a_secret(tmp_path, size):
    frame = serialize_frame(Frame(Opcode.TEXT, b"\r\nCookie: a=1\r\n?token=abc"), bytes(4))
    recording = Recording()
    for way, data in (UP, request()), (DOWN, RESPONSE), (UP, frame):
        for start in range(0, len(data), size):
            recording.add(1, way, data[start : start + size])

    assert Recording.load(saved(tmp_path, recording)).bytes_sent(1, UP).endswith(frame)


def test_what_is_encrypted_stays_as_it_is_so_that_it_can_be_decrypted():
    looks_like_a_secret = b"\r\nCookie: abcdef\r\n\r\n?token=abcdef"
    chunks = [Chunk(0.0, 1, side, b"\x16\x03\x01" + looks_like_a_secret) for side in (UP, DOWN)]

    assert redact_chunks(chunks) == chunks
    assert redact_chunks([chunk._replace(data=looks_like_a_secret) for chunk in chunks]) != chunks


def test_frames_that_came_glued_to_the_request_stay_as_they_are(tmp_path):
    recording = Recording()
    recording.add(1, UP, LEGAL + text("Cookie: a"))
    recording.add(1, DOWN, ANSWER + b"\x81\x05Hello")
    loaded = Recording.load(saved(tmp_path, recording))

    assert loaded.bytes_sent(1, UP).partition(b"\r\n\r\n")[2] == text("Cookie: a")
    assert loaded.bytes_sent(1, DOWN).partition(b"\r\n\r\n")[2] == b"\x81\x05Hello"


@pytest.mark.parametrize("size", [100, 200, 400])
def test_empty_lines_before_a_head_are_looked_at_once(monkeypatch, size):
    looked_at = 0

    class Counting:
        def search(self, data: bytes, start: int = 0) -> re.Match[bytes] | None:
            nonlocal looked_at
            looked_at += len(data) - start
            return re.compile(rb"[^\r\n]").search(data, start)

    monkeypatch.setattr("wslab.recording.redaction._NOT_EMPTY", Counting())
    redact_chunks([Chunk(0, 1, UP, b"\r\n")] * size)

    assert looked_at == 2 * size
