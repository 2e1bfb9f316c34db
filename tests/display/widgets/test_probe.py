"""probe: whatever bytes go to a server, and whatever it does, an answer comes back, soon."""

import contextlib
import threading

import pytest
from support.heads_and_frames import MASKING_KEY, masked, text
from support.raw_peer import live_server, tiny_server, wait_for_end
from support.waiting import PATIENCE

from wslab import ConnectionClosed, Direction, Frame, Opcode, Recording, serialize_frame
from wslab.display.widgets import probe as module
from wslab.display.widgets.probe import MOST_FRAMES, probe

SHORT = 0.2  # seconds
AGREED = "Then this side closed with 1000, and the server did so, too."


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (text("Hello"), ['text "Hello"', "close 1000"]),
        (text("one") + text("two"), ['text "one"', 'text "two"', "close 1000"]),
        (masked(Opcode.PING, b"\1"), ["pong 01", "close 1000"]),
        (masked(Opcode.PONG), ["close 1000"]),
        (masked(Opcode.TEXT, b"Hel", fin=False), ["close 1000"]),
    ],
)
def test_after_a_legal_frame_this_side_closes_and_has_everything(data, lines):
    with live_server() as server:
        answer = probe(server.url, data, patience=PATIENCE)
    assert [line for line, _ in answer.rows] == lines
    assert (answer.close_code, answer.close_reason, answer.ending) == (1000, "", AGREED)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (masked(Opcode.TEXT, b"Hello", rsv1=True), 1002, "RSV1 is set, but no extension that uses it was agreed on"),
        (b"\x83\x80" + MASKING_KEY, 1002, "opcode 0x3 is reserved"),
        (serialize_frame(Frame(Opcode.TEXT, b"Hello")), 1002, "a frame from a client without a mask"),
        (masked(Opcode.TEXT, b"\xff"), 1007, "the text is not UTF-8"),
        (masked(Opcode.CLOSE, b"\x0f\xa1"), 4001, ""),
    ],
)
def test_the_close_code_and_the_reason_of_the_server_come_back(data, code, reason):
    with live_server() as server:
        answer = probe(server.url, data, patience=PATIENCE)
    assert (answer.close_code, answer.close_reason) == (code, reason)
    assert answer.ending.startswith(f"The server closed with {code}")
    assert reason in str(answer)


def test_the_bytes_of_each_frame_stand_beside_its_line():
    with live_server() as server:
        answer = probe(server.url, text("Hello"), patience=PATIENCE)
    assert answer.rows == [('text "Hello"', "81 05 48 65 6c 6c 6f"), ("close 1000", "88 02 03 e8")]
    assert str(answer) == f'< text "Hello"\n< close 1000\n{AGREED}'


def test_a_frame_that_is_cut_short_is_not_finished_by_a_close_frame(monkeypatch):
    monkeypatch.setattr(module, "CUT_SHORT_WAIT", SHORT)
    recording, data = Recording(), text("Hello")[:-1]
    with live_server(recording=recording) as server:
        answer = probe(server.url, data)
    assert recording.bytes_sent(1, Direction.CLIENT_TO_SERVER).endswith(b"\r\n\r\n" + data)
    assert (answer.frames, answer.close_code) == ((), 1006)
    assert answer.ending == "No close frame came within 0.2 s (1006): the server may be waiting for more bytes."


def test_what_comes_back_before_a_frame_that_is_cut_short_is_told():
    with live_server(handler=lambda connection: connection.close(4000, connection.receive())) as server:
        answer = probe(server.url, text("Hello") + text("more")[:-1])
    assert answer.ending == "The server closed with 4000: Hello."


def test_a_server_that_never_reads_is_left():
    done = threading.Event()
    with live_server(handler=lambda _: done.wait(PATIENCE)) as server:
        answer = probe(server.url, text("Hello"), patience=SHORT)
        done.set()
    assert (answer.frames, answer.close_code) == ((), 1006)


def test_a_server_that_never_stops_sending_is_left_and_little_of_it_is_shown():
    def flood(connection):
        with contextlib.suppress(ConnectionClosed):
            while True:
                connection.send_many(["x"] * 1000)

    with live_server(handler=flood) as server:
        answer = probe(server.url, text("Hello"), patience=SHORT)
    assert len(answer.rows) == MOST_FRAMES + 1
    assert answer.rows[-1] == ("… and more", "")
    assert len(str(answer)) < 10_000


def test_a_server_that_does_not_answer_the_handshake_or_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(module, "HANDSHAKE_TIMEOUT", SHORT)
    with tiny_server(wait_for_end) as url:
        answer = probe(url, text("Hello"))
        assert answer.ending == "There is no connection: the server did not answer the handshake within 0.2 s."
    assert probe(url, text("Hello")).ending.startswith("There is no connection: ")


def test_a_server_that_ends_tcp_is_told():
    with live_server(handler=lambda connection: connection.abort()) as server:
        answer = probe(server.url, text("Hello"), patience=PATIENCE)
    assert answer.ending == "The server ended TCP without a close frame (1006)."


def test_a_server_that_breaks_a_rule_is_told():
    with live_server(handler=lambda connection: connection.send_raw(b"\x83\x00")) as server:
        answer = probe(server.url, text("Hello"), patience=PATIENCE)
    assert answer.ending == (
        "The server broke a rule, so this side closed with 1002 protocol error: opcode 0x3 is reserved."
    )


def test_neither_secrets_nor_control_characters_are_shown():
    assert "sesame" not in str(probe("http://localhost/?token=sesame", b""))
    with live_server(handler=lambda connection: connection.close(4000, "\x1b[2J")) as server:
        answer = probe(server.url, text("Hello"), patience=PATIENCE)
    assert "\x1b" not in str(answer)
    assert answer.close_reason == "\x1b[2J"
