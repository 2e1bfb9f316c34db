"""What commands say: whatever a peer, a file or an argument holds, no terminal obeys it, and no secret is shown."""

import contextlib
import io
import json
import os
import re
import signal
import socket
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.command_line import needs_signals
from support.heads_and_frames import masked, request, text
from support.raw_peer import fresh_port, read_request, tiny_server, wait_for_end
from support.waiting import PATIENCE, running, wait_until

from wslab import Direction, EchoServer, Frame, Opcode, Recording, accept_key, cli, serialize_frame
from wslab.cli import output
from wslab.cli.main import main

# A title, a cleared screen, a colour by a single character (C1), a step back, and text from right to left.
CANARY = "\x1b]0;title\x07\x1b[2J\x9b31m\x08\u202e"
LATIN = CANARY.encode("latin-1", "ignore")


def controls(told: str) -> set[str]:
    """The characters in it that a terminal obeys."""
    return {char for char in told if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}


@pytest.fixture
def run(capsys, monkeypatch) -> Iterator[Callable[..., str]]:
    """Run a command in this process; what it said on both outputs. Its standard input stays open."""
    reader, writer = os.pipe()
    with open(reader) as standard_input, open(writer, "w"):
        monkeypatch.setattr(sys, "stdin", standard_input)

        def run(*arguments: str) -> str:
            with contextlib.suppress(SystemExit):
                main(arguments)
            told = capsys.readouterr()
            assert "Traceback" not in told.err
            return told.out + told.err

        yield run


def test_no_other_module_prints():
    for path in Path(cli.__path__[0]).glob("*.py"):
        found = re.findall(r"\bprint\(|sys\.std(?:out|err)\.write", path.read_text(encoding="utf-8"))
        assert bool(found) is (path.name == "output.py"), path.name


class Terminal(io.StringIO):
    """A standard output that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("", [""]),
        ("abcd", ["abcd"]),
        ("abcde", ["abcd", "e"]),
        ("日本語", ["日本", "語"]),
        ("a\u0301bcde", ["a\u0301bcd", "e"]),
    ],
)
def test_a_line_is_cut_where_a_terminal_would_go_on_in_the_next(line, shown):
    assert list(output.pieces(line, 4)) == shown


def test_a_message_is_escaped_for_a_terminal_and_as_it_is_for_a_program(monkeypatch):
    for place, shown in ((Terminal(), "a\\x1b[2J\\nb\n"), (io.StringIO(), "a\x1b[2J\nb\n")):
        monkeypatch.setattr(sys, "stdout", place)
        output.show_message("a\x1b[2J\nb")
        assert place.getvalue() == shown


# What a server may say


def agree(sock: socket.socket, *more: bytes) -> None:
    key = accept_key(read_request(sock)["Sec-WebSocket-Key"]).encode()
    head = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + key
    sock.sendall(b"\r\n".join([head, *more, b"", b""]))


def answer(data: bytes) -> Callable[[socket.socket], None]:
    def talk(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        wait_for_end(sock)

    return talk


def agree_with(*more: bytes, frames: bytes = b"") -> Callable[[socket.socket], None]:
    def talk(sock: socket.socket) -> None:
        agree(sock, *more)
        sock.sendall(frames)
        with contextlib.suppress(ConnectionError):
            sock.recv(1000)  # a close frame, or the end

    return talk


def refusal(body: bytes = b"", phrase: bytes = b"No", *more: bytes) -> Callable[[socket.socket], None]:
    return answer(b"\r\n".join([b"HTTP/1.1 403 " + phrase, b"Content-Length: %d" % len(body), *more, b"", body]))


UPGRADE = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
SERVERS = {
    "the body of a refusal": refusal(CANARY.encode()),
    "the body of a refusal, not UTF-8": refusal(LATIN),
    "the phrase of a refusal": refusal(b"", b"\x9b31mNo"),
    "the target of a redirection": answer(b"HTTP/1.1 301 No\r\nLocation: /\x9b2J\r\nContent-Length: 0\r\n\r\n"),
    "no HTTP": answer(LATIN + b"\r\n\r\n"),
    "no HTTP, C1 alone": answer(b"\x9b31m\r\n\r\n"),
    "a version": answer(b"HTTP/\x9b2J 101 X\r\n\r\n"),
    "a status": answer(b"HTTP/1.1 \x9b2J X\r\n\r\n"),
    "the name of a header": agree_with(b"\x9b2J: x"),
    "the value of a header": agree_with(b"X: \x1b[2J"),
    "a subprotocol": agree_with(b"Sec-WebSocket-Protocol: \x9b31m"),
    "an extension": agree_with(b"Sec-WebSocket-Extensions: a\x9b31m"),
    "a parameter of an extension": agree_with(b"Sec-WebSocket-Extensions: permessage-deflate; a=\x9b31m"),
    "a wrong accept": answer(UPGRADE + b"Sec-WebSocket-Accept: \x9b31m\r\n\r\n"),
    "another upgrade": answer(UPGRADE.replace(b"websocket", b"\x9b31m") + b"\r\n"),
    "a reason": agree_with(frames=serialize_frame(Frame(Opcode.CLOSE, b"\x0f\xa0" + CANARY.encode()))),
    "a reason that is no UTF-8": agree_with(frames=serialize_frame(Frame(Opcode.CLOSE, b"\x0f\xa0" + LATIN))),
}


@pytest.mark.parametrize("talk", SERVERS.values(), ids=SERVERS.keys())
def test_connect_lets_no_server_play_with_the_terminal(talk, run):
    with tiny_server(talk) as url:
        told = run("connect", url)
    assert told.startswith("wslab connect: ")
    assert controls(told) == set()


# What passes through a tap


@contextlib.contextmanager
def interrupted_after(act: Callable[[], object]) -> Iterator[None]:
    """Do `act` in a thread beside the `with` block, and press Ctrl-C when it is done."""

    def run() -> None:
        try:
            act()
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    with running(run):
        yield


def tell_through(port: int, data: bytes) -> None:
    def is_listening() -> bool:
        with contextlib.suppress(ConnectionRefusedError):
            places.append(socket.create_connection(("127.0.0.1", port), PATIENCE))
        return bool(places)

    places: list[socket.socket] = []
    wait_until(is_listening)
    with places[0] as sock, contextlib.suppress(ConnectionError):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        wait_for_end(sock)


CLIENTS = [
    request("GET /\x9b31m?x=\x1b[31m HTTP/1.1"),
    LATIN + request(),
    request(more=("X: \x9b31m", "Origin: \x1b[31m", "\x9b: x")),
    *(request(**{name: "\x9b31m\x1b[2J"}) for name in ("Host", "Upgrade", "Sec_WebSocket_Protocol")),
    request() + text(CANARY) + masked(Opcode.PING, LATIN) + masked(Opcode.CLOSE, b"\x0f\xa0" + CANARY.encode()),
    request() + masked(Opcode.BINARY, LATIN) + b"\xf1\x80" + bytes(4),
]


@needs_signals
def test_tap_lets_no_client_play_with_the_terminal(run):
    port = fresh_port()
    with EchoServer() as server, interrupted_after(lambda: [tell_through(port, data) for data in CLIENTS]):
        told = run("tap", "--to", server.url, "--port", str(port))
    assert told.count("end of TCP") == 2 * len(CLIENTS)
    assert controls(told) == set()


@needs_signals
@pytest.mark.parametrize("name", ["a reason", "the phrase of a refusal", "the name of a header", "no HTTP"])
def test_tap_lets_no_server_play_with_the_terminal(name, run):
    port = fresh_port()
    with tiny_server(SERVERS[name]) as url, interrupted_after(lambda: tell_through(port, request())):
        told = run("tap", "--to", url, "--port", str(port))
    assert "1 < " in told
    assert controls(told) == set()


# What is in a file


def har(**changed: object) -> str:
    entry = {
        "startedDateTime": "2024-01-01T00:00:00Z",
        "time": 0,
        "_webSocketMessages": [{"type": "send", "time": 1, "opcode": 1, "data": CANARY}],
        "request": {"method": "GET", "url": "ws://h/", "headers": []},
        "response": {"status": 101, "statusText": "", "headers": []},
    }
    for name, value in changed.items():
        place, _, field = name.partition("__")
        if field:
            entry[place] |= {field: value}
        else:
            entry[place] = value
    return json.dumps({"log": {"version": "1.2", "entries": [entry]}})


HARS = {
    "a message": har(),
    "a kind": har(_webSocketMessages=[{"type": CANARY, "time": 1, "opcode": 1, "data": "x"}]),
    "a date": har(startedDateTime=CANARY),
    "an address": har(request__url=f"ws://h/{CANARY}"),
    "a method": har(request__method=CANARY),
    "a header": har(request__headers=[{"name": CANARY, "value": "x"}]),
    "the value of a header": har(request__headers=[{"name": "X", "value": CANARY}]),
    "a phrase": har(response__statusText=CANARY),
    "a status": har(response__status=CANARY),
    "no HAR": CANARY,
}


@pytest.mark.parametrize("content", HARS.values(), ids=HARS.keys())
def test_inspect_lets_no_har_play_with_the_terminal(content, run, tmp_path):
    path = tmp_path / "it.har"
    path.write_text(content, encoding="utf-8")
    told = run("inspect", str(path))
    assert told
    assert controls(told) == set()


def test_inspect_lets_no_capture_play_with_the_terminal(run, tmp_path):
    recording = Recording()
    for number, data in enumerate(CLIENTS, 1):
        recording.add(number, Direction.CLIENT_TO_SERVER, data)
        recording.add(number, Direction.SERVER_TO_CLIENT, b"HTTP/1.1 403 \x9b31m\r\nX: \x1b[31m\r\n\r\n" + LATIN)
    recording.save(tmp_path / "it.pcapng", secrets=True)
    assert controls(run("inspect", str(tmp_path / "it.pcapng"))) == set()


# What is in an argument


@pytest.mark.parametrize(
    "arguments",
    [
        ("connect", f"ws://{CANARY}/"),
        ("connect", f"http://x/{CANARY}"),
        ("connect", f"ws://127.0.0.1:{CANARY}/"),
        ("connect", f"ws://127.0.0.1:1/{CANARY}"),
        ("connect", "ws://127.0.0.1:1/", "--origin", CANARY),
        ("connect", "ws://127.0.0.1:1/", "--subprotocol", CANARY),
        ("connect", "ws://127.0.0.1:1/", CANARY),
        ("connect", "ws://127.0.0.1:1/", f"--{CANARY}"),
        ("echo", "--host", CANARY),
        ("echo", "--port", CANARY),
        ("echo", "--max-size", CANARY),
        ("tap", "--to", CANARY),
        ("tap", "--to", f"127.0.0.1:1/{CANARY}"),
        ("tap", "--to", "127.0.0.1:1", "--save", f"{CANARY}.txt"),
        ("tap", "--to", "127.0.0.1:1", "--save", f"{CANARY}/x.har"),
        ("inspect", CANARY),
        ("inspect", f"{CANARY}.pcapng"),
        ("inspect", f"{CANARY}.har"),
        ("inspect", "--start", CANARY, "00"),
        ("watch", "--port", CANARY),
        ("accept", CANARY),
        ("accept", "x", CANARY),
        ("doctor", CANARY),
        (CANARY,),
    ],
    ids=lambda arguments: " ".join(arguments).replace(CANARY, "CANARY"),
)
def test_no_command_repeats_an_argument_raw(arguments, run):
    told = run(*arguments)
    assert told
    assert controls(told) == set()


def test_the_name_of_a_file_that_cannot_be_read_is_told_without_what_a_terminal_obeys(run, tmp_path):
    path = tmp_path / f"{CANARY.replace('/', '')}.har"
    path.write_text("{}")
    told = run("inspect", str(path))
    assert "\\x1b]0;title" in told
    assert controls(told) == set()
