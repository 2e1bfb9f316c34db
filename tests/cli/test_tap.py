"""`python -m wslab tap`, run as a user runs it: what it prints, what it hides, what it saves."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.command_line import DEADLINE, ENDS, is_one_sentence, needs_signals, needs_terminals, wslab
from support.heads_and_frames import request, text
from support.raw_peer import RawPeer, address

from wslab import ConnectionClosed, Direction, EchoServer, Recording, connect
from wslab.cli import main as main_module
from wslab.cli import tap as tap_module
from wslab.tap.faults import chop, cut, delay, silence


class Running:
    """A running `python -m wslab tap`, as something that a client can connect to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        found = re.fullmatch(r"Listening on (127\.0\.0\.1):(\d+), forwarding to (\S+)\n", process.stdout.readline())
        self.host, self.port, self.target = found[1], int(found[2]), found[3]
        self.url = f"ws://{self.host}:{self.port}/"

    def read_to(self, line: str) -> list[str]:
        """The lines up to this one."""
        lines = []
        while line not in lines:
            read = self.process.stdout.readline()
            assert read, f"the output ended with {lines}"
            lines.append(read.rstrip("\n"))
        return lines

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> tuple[str, str]:
        """Press Ctrl-C, or send another signal; what it still prints, on both outputs."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=DEADLINE)


@contextmanager
def tapping(target: str, *arguments: str, **environment: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "wslab", "tap", "--to", target, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    environment = {"PYTHONIOENCODING": "utf-8"} | environment
    with subprocess.Popen(command, **pipes, env=os.environ | environment) as process:
        watchdog = threading.Timer(DEADLINE, process.kill)
        watchdog.start()
        try:
            yield Running(process)
        finally:
            watchdog.cancel()
            process.kill()


def test_a_conversation_is_printed_line_by_line():
    with EchoServer(deflate=False) as server, tapping(f"127.0.0.1:{server.port}") as tap:
        assert tap.target == f"127.0.0.1:{server.port}"
        with connect(tap.url) as connection:
            connection.send("Hello ☃")
            assert connection.receive() == "Hello ☃"
            connection.ping(b"\x01")
            connection.receive_event()
        assert tap.read_to("1 > end of TCP") == [
            "1 > GET / HTTP/1.1",
            "1 < HTTP/1.1 101 Switching Protocols",
            '1 > text "Hello ☃"',
            '1 < text "Hello ☃"',
            "1 > ping 01",
            "1 < pong 01",
            "1 > close 1000",
            "1 < close 1000",
            "1 < end of TCP",
            "1 > end of TCP",
        ]


def test_a_line_is_printed_as_soon_as_its_last_byte_has_passed_and_compressed_text_is_readable():
    with EchoServer() as server, tapping(server.url) as tap, connect(tap.url) as connection:
        connection.send("Hello")
        tap.read_to('1 > text "Hello" (compressed to 7 bytes)')
        tap.read_to('1 < text "Hello" (compressed to 7 bytes)')
        assert connection.receive() == "Hello"


def test_no_secret_is_printed():
    secrets = ("Cookie: session=sesame", "Authorization: token sesame")
    with EchoServer(deflate=False) as server, tapping(server.url) as tap:
        with RawPeer(tap) as peer:
            peer.send(request("GET /lab?token=sesame HTTP/1.1", more=secrets))
            assert peer.read_head().status == 101
            peer.send(text("see /?token=sesame"))
            peer.read_frame()
        printed = tap.read_to("1 > end of TCP")
    assert "1 > GET /lab?token=[redacted] HTTP/1.1" in printed
    assert '1 > text "see /?token=[redacted]"' in printed
    assert "sesame" not in "\n".join(printed)


def test_a_bad_frame_is_said_to_be_illegal_and_goes_through():
    with EchoServer() as server, tapping(server.url) as tap:
        with RawPeer.upgraded(tap) as peer:
            peer.send(text("Hello"), b"\x83\x80\0\0\0\0")
            assert [frame.opcode.name for frame in peer.read_frames_to_end()] == ["TEXT", "CLOSE"]
        printed = tap.read_to('1 < close 1002 "opcode 0x3 is reserved"')
    assert "1 > what follows is not read - illegal: opcode 0x3 is reserved" in printed


def test_plain_http_and_noise_are_forwarded_and_said_once():
    def answer(listener: socket.socket, data: bytes) -> None:
        with listener.accept()[0] as sock:
            sock.recv(65536)
            sock.sendall(data)

    http = (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n" + bytes(100))
    noise = (b"\x00\x01", b"\xff" * 100)
    lines = []
    with socket.create_server(("127.0.0.1", 0)) as listener, tapping(address(listener)) as tap:
        for number, (sent, answered) in enumerate((http, noise), 1):
            with RawPeer(tap) as peer:
                peer.send(sent)
                answer(listener, answered)
                assert peer.read_to_end() == answered
            lines += tap.read_to(f"{number} > end of TCP")
    assert lines == [
        "1 > GET / HTTP/1.1",
        "1 < HTTP/1.0 200 OK",
        "1 < not WebSocket: what follows is not read",
        "1 < end of TCP",
        "1 > end of TCP",
        "2 > not WebSocket: the control character 0x00 in the header block",
        "2 < end of TCP",
        "2 > end of TCP",
    ]


def test_a_server_that_is_not_there_is_a_line_and_the_tap_goes_on():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = address(listener)
    with tapping(target) as tap:
        for number in (1, 2):
            with RawPeer(tap) as peer:
                assert peer.read_to_end() == b""
            line = tap.process.stdout.readline()
            assert line.startswith(f"{number} > the server cannot be reached: ")


def test_a_terminal_that_does_not_know_a_character_gets_its_number():
    with EchoServer(deflate=False) as server, tapping(server.url, PYTHONIOENCODING="ascii") as tap:
        with connect(tap.url) as connection:
            connection.send("☃")
            connection.receive()
        tap.read_to('1 < text "\\u2603"')


def test_lines_begin_with_the_time_and_texts_are_whole_on_demand():
    long = "x" * 5000
    with EchoServer(deflate=False) as server, tapping(server.url, "--times", "--full") as tap:
        with connect(tap.url) as connection:
            connection.send(long)
            connection.receive()
        lines = [tap.process.stdout.readline() for _ in range(4)]
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} 1 [<>] ", line) for line in lines)
    assert lines[2].endswith(f'1 > text "{long}"\n')


def test_bytes_can_be_chopped_and_delayed():
    with EchoServer() as server, tapping(server.url, "--chop", "1", "--delay", "0.001") as tap, RawPeer(tap) as peer:
        peer.send(request())
        assert peer.read_head().status == 101


def test_a_connection_can_be_cut():
    options = ("--cut", "200", "--direction", "to-client")
    with EchoServer(deflate=False) as server, tapping(server.url, *options) as tap, connect(tap.url) as connection:
        connection.send("x" * 200)
        with pytest.raises(ConnectionClosed, match="1006"):
            connection.receive()


def test_a_server_can_be_kept_from_hearing():
    options = ("--silence", "5", "--direction", "to-server")
    with EchoServer() as server, tapping(server.url, *options) as tap, pytest.raises(TimeoutError):
        connect(tap.url, timeout=0.5)


def test_each_option_is_the_fault_of_its_name():
    for arguments, fault in (
        (["--cut", "9"], cut(9)),
        (["--silence", "0"], silence(0)),
        (["--chop", "1", "--delay", "0.5", "--cut", "9"], cut(9) + chop(1) + delay(0.5)),
        ([], None),
    ):
        options = main_module._parser().parse_args(["tap", "--to", "localhost:1", *arguments])
        assert repr(tap_module._fault(options)) == repr(fault)


@needs_signals
def test_ctrl_c_ends_the_connections_and_the_tap_with_status_0():
    with EchoServer() as server, tapping(server.url) as tap, RawPeer.upgraded(tap) as peer:
        assert tap.interrupt()[1] == ""
        assert peer.read_to_end() == b""
    assert tap.process.returncode == 0


@needs_signals
@pytest.mark.parametrize(("ending", "number"), [*zip(("pcapng", "har", "PCAPNG"), ENDS, strict=False)])
def test_what_passed_is_saved_at_the_end_without_secrets(tmp_path, ending, number):
    file = tmp_path / f"tapped.{ending}"
    with EchoServer(deflate=False) as server, tapping(server.url, "--save", str(file)) as tap:
        with connect(f"{tap.url}?token=sesame", headers=[("Cookie", "a=sesame")]) as connection:
            connection.send("Hello")
            connection.receive()
        tap.read_to("1 > end of TCP")
        assert tap.interrupt(number) == (f"Saved to {file}\n", "")

    assert tap.process.returncode == 0
    assert b"sesame" not in file.read_bytes()
    assert b"Hello" in Recording.load(file).bytes_sent(1, Direction.SERVER_TO_CLIENT)


@needs_signals
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "folder.pcapng").mkdir()
    with EchoServer() as server, tapping(server.url, "--save", str(tmp_path / "folder.pcapng")) as tap:
        _, errors = tap.interrupt()
    assert tap.process.returncode == 1
    assert is_one_sentence(errors)
    assert "folder.pcapng: Is a directory" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "localhost:1", "--save", "x.txt"], "must end in .pcapng or .har"),
        (["--to", "localhost:1", "--save", "nowhere/x.har"], "there is no folder nowhere"),
        (["--to", "localhost"], "HOST:PORT"),
        (["--to", "wss://localhost:1/?token=sesame"], "not to 'wss://localhost:1/?token=[redacted]"),
        (["--to", "localhost:70000"], "a port is a number from 0 to 65535, not '70000'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_before_anything_starts(arguments, words):
    result = wslab("tap", *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert is_one_sentence(result.stderr)
    assert words in result.stderr


def test_a_port_that_is_in_use_is_one_sentence():
    with EchoServer() as server:
        result = wslab("tap", "--to", server.url, "--port", str(server.port))
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert f"port {server.port}: it is in use already" in result.stderr


def test_output_that_nobody_reads_ends_the_tap_without_a_traceback_and_what_passed_is_saved(tmp_path):
    file = tmp_path / "tapped.pcapng"
    with EchoServer() as server, tapping(server.url, "--save", str(file)) as tap:
        tap.process.stdout.close()
        with RawPeer(tap) as peer:
            peer.send(request())
            peer.read_to_end()
        assert tap.process.wait(DEADLINE) == 1
        assert tap.process.stderr.read() == ""
    assert Recording.load(file).bytes_sent(1, Direction.CLIENT_TO_SERVER) == request()


@needs_terminals
def test_a_terminal_that_is_closed_ends_the_tap_and_what_passed_is_saved(tmp_path):
    import pty

    file = tmp_path / "tapped.pcapng"
    ours, theirs = pty.openpty()
    with EchoServer() as server:
        command = [sys.executable, "-m", "wslab", "tap", "--to", server.url, "--save", str(file)]
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=own_terminal
        )
        os.close(theirs)
        found = re.search(rb"(127\.0\.0\.1):(\d+),", os.read(ours, 1000))
        with connect(f"ws://127.0.0.1:{int(found[2])}/", deflate=False) as connection:
            connection.send("Hello")
            connection.receive()
        os.close(ours)
        process.wait(DEADLINE)
    assert b"Hello" in Recording.load(file).bytes_sent(1, Direction.SERVER_TO_CLIENT)


def own_terminal() -> None:
    """Make the terminal on standard input the one whose end is told to this session."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
