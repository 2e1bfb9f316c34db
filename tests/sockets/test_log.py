"""The log `wslab`: what a peer writes into it neither moves the cursor of a terminal nor tells a secret."""

import logging
import unicodedata

import pytest
from support.heads_and_frames import masked, request
from support.raw_peer import RawPeer, live_server

from wslab import Opcode
from wslab.sockets.log import log

ESC = "\x1b]0;title\x07\x1b[2J\x9b31m\x08\u202e"


def controls(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf")} - {"\n"}


def test_a_message_and_its_arguments_are_escaped_and_without_secrets(caplog):
    log.warning("refused %s with %s", "/?token=sesame", ESC)
    assert "refused /?token=[redacted] with \\x1b]0;title" in caplog.text
    assert controls(caplog.text) == set()


def test_nothing_is_crossed_out_for_a_log_that_nobody_reads(monkeypatch, caplog):
    crossed_out = []
    monkeypatch.setattr("wslab.sockets.log.redact_target", lambda target: crossed_out.append(target) or "crossed out")
    for level, count in (("WARNING", 0), ("INFO", 1)):
        with caplog.at_level(level, "wslab"), live_server() as server, RawPeer.upgraded(server):
            pass
        assert len(crossed_out) == count
    assert "opened: crossed out from 127.0.0.1" in caplog.text


def test_so_is_the_traceback_of_a_handler(caplog):
    def handler(connection):
        raise ValueError(f"/?token=sesame{ESC}")

    with live_server(handler=handler) as server, RawPeer.upgraded(server) as peer:
        peer.read_frame()
    assert "ValueError: /?token=[redacted]" in caplog.text
    assert ", in handler\n" in caplog.text
    assert controls(caplog.text) == set()
    assert "sesame" not in caplog.text


@pytest.mark.parametrize(
    "sent",
    [
        request("GET /\x9b31m\x1b[2J HTTP/1.1"),
        b"\x1b[31m / HTTP/1.1\r\n\r\n",
        b"GET / \x9b31m\r\n\r\n",
        request(more=("\x9b: x",)),
        *(
            request(more=(f"{name}: \x9b31m\x1b[2J",))
            for name in ("X", "Host", "Origin", "Upgrade", "Connection", "Transfer-Encoding", "Content-Length")
        ),
        *(request(more=(f"Sec-WebSocket-{name}: \x9b31m",)) for name in ("Key", "Version", "Protocol", "Extensions")),
        request() + masked(Opcode.CLOSE, b"\x0f\xa0" + ESC.encode()),
    ],
    ids=repr,
)
def test_no_field_that_a_client_may_fill_reaches_the_log_raw(sent, caplog):
    caplog.set_level(logging.DEBUG, "wslab")
    with live_server(origins=["http://localhost"]) as server, RawPeer(server) as peer:
        peer.send(sent)
        peer.read_to_end()
    assert "connection 1" in caplog.text
    assert controls(caplog.text) == set()
