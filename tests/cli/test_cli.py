"""The command line, run as a user runs it: as a process with standard input, output and error."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from support.command_line import DEADLINE, is_one_sentence, wslab

from wslab import CloseCode, ConnectionClosed, EchoServer, HandshakeError, Recording, connect, inspect


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `python -m wslab echo`, and the address that its first line tells."""
    command = [sys.executable, "-m", "wslab", "echo", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            yield process, re.fullmatch(r"Listening on (wss?://\S+/)\n", line)[1]
        finally:
            process.kill()


def test_accept_prints_the_answer_to_the_key_of_2014() -> None:
    assert wslab("accept", "j6MZV0bC4TBsmQHmnlsEyw==").stdout == "Psgr6cQUXMgP1tz5StleqjOWtpE=\n"


def test_inspect_names_the_fields_of_a_frame_in_hex_with_or_without_blanks() -> None:
    apart, together = wslab("inspect", "8a", "00"), wslab("inspect", "8a00")

    assert apart.stdout == together.stdout == f"{inspect(bytes.fromhex('8a00'))}\n"


def test_inspect_lists_what_is_in_a_capture_file(tmp_path: Path) -> None:
    recording, path = Recording(), tmp_path / "hello.pcapng"
    with EchoServer() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
    recording.save(path)

    assert wslab("inspect", str(path)).stdout == f"{inspect(Recording.load(path))}\n"


def test_inspect_reads_hex_from_standard_input_and_shows_a_part_if_told_to() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for hexadecimal in (head.hex(), head.hex(" ", 4).upper(), "\n".join([*head.hex(" ").split(), ""])):
        assert wslab("inspect", "-", typed=hexadecimal).stdout == f"{inspect(head)}\n"
    some = wslab("inspect", "--start", "16", "--most", "1", "-", typed=head.hex())
    assert some.stdout == f"{inspect(head, 16, 1)}\n"
    assert "Host" in some.stdout
    assert "2 more bytes: start=25" in some.stdout


def test_inspect_shows_a_part_of_a_capture_file(tmp_path: Path) -> None:
    recording, path = Recording(), tmp_path / "hello.pcapng"
    with EchoServer() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
    recording.save(path)
    lines = wslab("inspect", str(path), "--start=2", "--most=1").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["row", "2", "…"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--start", "-1"], "counted from 0"),
        (["--most", "0"], "a positive number"),
        (["--most", "x"], "positive number"),
    ],
)
def test_nonsense_about_the_part_is_told(options: list[str], words: str) -> None:
    result = wslab("inspect", *options, "8a00")
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.parametrize(
    "nonsense", ["GET /?token=sesame HTTP/1.1", "Cookie: sesame", "zz" * 1000, "é\x1b[2J", "8", "0x81 0x05"]
)
def test_nonsense_on_standard_input_is_one_sentence_without_secrets(nonsense: str) -> None:
    result = wslab("inspect", "-", typed=nonsense)
    assert (result.returncode, result.stdout) == (1, "")
    assert is_one_sentence(result.stderr)
    assert "is neither hex nor" in result.stderr
    assert "sesame" not in result.stderr
    assert "\x1b" not in result.stderr
    assert len(result.stderr) < 200


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("xyz", "'xyz' is neither hex nor the name of a .pcapng, .pcap or .har file"),
        ("not-there.pcapng", "cannot read not-there.pcapng: No such file or directory"),
        ("README.md.pcap", "README.md.pcap is not a capture file: it begins neither as pcapng nor as pcap"),
    ],
)
def test_what_cannot_be_inspected_is_one_sentence(
    what: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md.pcap").write_text("# Not a capture\n")
    result = wslab("inspect", what)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"wslab inspect: {reason}\n"


def blocks(pcapng: bytes) -> Iterator[bytes]:
    while pcapng:
        size = int.from_bytes(pcapng[4:8], "little")
        yield pcapng[:size]
        pcapng = pcapng[size:]


def test_inspect_shows_what_there_is_before_a_lost_packet_and_says_that_one_is_missing(tmp_path: Path) -> None:
    recording, path = Recording(), tmp_path / "lossy.pcapng"
    with EchoServer() as server, connect(server.url, recording=recording, deflate=False) as connection:
        for message in ["first", "lost", "last"]:
            connection.send(message)
            connection.receive()
    recording.save(path)
    path.write_bytes(b"".join(block for block in blocks(path.read_bytes()) if b"\x81\x04lost" not in block))
    result = wslab("inspect", str(path))

    assert result.returncode == 0
    assert result.stdout.count('text "first"') == 2
    assert is_one_sentence(result.stderr)
    assert "lossy.pcapng" in result.stderr


def test_echo_tells_its_address_in_one_line_and_serves() -> None:
    with started() as (_, url), connect(url) as connection:
        connection.send("Hello")
        assert connection.receive() == "Hello"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_an_interrupted_echo_says_goodbye_and_ends_with_status_0() -> None:
    with started() as (process, url):
        connection = connect(url)
        process.send_signal(signal.SIGINT)
        with pytest.raises(ConnectionClosed) as closed:
            connection.receive()
        connection.close()
        output, errors = process.communicate(timeout=DEADLINE)
    assert closed.value.code == CloseCode.GOING_AWAY
    assert (process.returncode, output, errors) == (0, "", "")


def test_a_port_in_use_is_one_sentence() -> None:
    with EchoServer() as server:
        result = wslab("echo", "--port", str(server.port))
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert f"port {server.port}: it is in use already" in result.stderr


def test_a_host_that_is_not_ours_is_one_sentence() -> None:
    result = wslab("echo", "--host", "192.0.2.1")
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)


def test_max_size_is_the_largest_message_that_echo_takes() -> None:
    with started("--max-size", "5") as (_, url):
        with connect(url) as connection:
            connection.send("12345")
            assert connection.receive() == "12345"
            connection.send("123456")
            with pytest.raises(ConnectionClosed) as closed:
                connection.receive()
        assert closed.value.code == CloseCode.MESSAGE_TOO_BIG


def test_echo_compresses_unless_told_otherwise() -> None:
    with started() as (_, url), connect(url) as connection:
        assert "permessage-deflate" in connection.response.headers.get("Sec-WebSocket-Extensions")
    with started("--no-deflate") as (_, url), connect(url) as connection:
        assert "Sec-WebSocket-Extensions" not in connection.response.headers


def test_echo_agrees_to_its_subprotocol_and_to_its_origin_only() -> None:
    with started("--subprotocol", "chat", "--origin", "http://localhost") as (_, url):
        with connect(url, subprotocols=["soap", "chat"], origin="http://localhost") as connection:
            assert connection.subprotocol == "chat"
        with pytest.raises(HandshakeError) as refused:
            connect(url, origin="http://elsewhere.example")
        assert refused.value.status == 403


def test_verbose_echo_logs_what_it_refused_without_the_token() -> None:
    with started("--verbose", "--origin", "http://localhost") as (process, url):
        with pytest.raises(HandshakeError):
            connect(url + "?token=sesame")
        logged = process.stderr.readline()
    assert "refused /?token=[redacted]" in logged
    assert "403" in logged


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--port", "x"], ["--max-size", "0"], ["--max-size", "-1"]])
def test_a_bad_number_is_refused_before_anything_starts(arguments: list[str]) -> None:
    result = wslab("echo", *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_connect_sends_lines_and_prints_what_arrives() -> None:
    with EchoServer() as server:
        result = wslab("connect", server.url, typed="one\ntwo ☃\nno newline at the end")
    assert result.stdout == "one\ntwo ☃\nno newline at the end\n"
    assert (result.returncode, result.stderr) == (0, "")


def test_connect_prints_binary_messages_in_hex() -> None:
    with EchoServer(handler=lambda connection: connection.send(b"\x00\xff")) as server:
        assert wslab("connect", server.url).stdout == "00 ff\n"


def test_connect_prints_characters_that_the_output_does_not_know_as_escapes() -> None:
    with EchoServer(handler=lambda connection: connection.send("ein Gruß ☃")) as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url]
        environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
        result = subprocess.run(command, input=b"", capture_output=True, timeout=DEADLINE, env=environment)
    assert (result.stdout, result.stderr) == ("ein Gruß \\u2603\n".encode("latin-1"), b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_connect_lets_nobody_play_with_the_terminal() -> None:
    import pty

    ours, theirs = pty.openpty()
    with EchoServer(handler=lambda connection: connection.send("\x1b[2J\aHello")) as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=theirs, timeout=DEADLINE)
    assert os.read(ours, 100) == b"\\x1b[2J\\x07Hello\r\n"
    os.close(ours)
    os.close(theirs)


def test_connect_ends_when_the_server_closes_although_input_goes_on() -> None:
    with EchoServer(handler=lambda connection: connection.close(4001, "closing time")) as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            errors = process.stderr.read()
            process.wait(DEADLINE)
    assert process.returncode == 1
    assert is_one_sentence(errors)
    assert "4001: closing time" in errors


def test_connect_offers_what_it_is_told_to() -> None:
    def tell(connection) -> None:
        headers = connection.request.headers
        connection.send(
            f"{headers['Origin']} {headers['Sec-WebSocket-Protocol']} {headers.get('Sec-WebSocket-Extensions')}"
        )

    with EchoServer(handler=tell) as server:
        options = ["--origin", "http://a.example", "--subprotocol", "x", "--subprotocol", "y", "--no-deflate"]
        assert wslab("connect", server.url, *options).stdout == "http://a.example x, y \n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_an_interrupted_connect_closes_and_leaves_no_traceback() -> None:
    with EchoServer(handler=lambda connection: (connection.send("ready"), list(connection))) as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE)
            errors = process.stderr.read()
    assert (process.returncode, errors) == (130, "")


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = wslab("connect", f"ws://127.0.0.1:{port}/?token=sesame")
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert "sesame" not in result.stderr


@pytest.mark.parametrize(
    "url", ["http://localhost/", "ws://", "ws://localhost/#part", "ws://localhost:99999/", "nonsense", "\nws://\x1b/"]
)
def test_a_bad_address_is_one_sentence(url: str) -> None:
    result = wslab("connect", url)
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)


@pytest.mark.parametrize(
    ("is_trusted", "reason"),
    [
        (False, r"the server's certificate is not to be trusted: \w+"),
        (True, r"the server's certificate is not to be trusted: .*127\.0\.0\.1"),
    ],
)
def test_a_certificate_that_is_not_to_be_trusted_is_one_sentence(is_trusted, reason, tmp_path, monkeypatch) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    if is_trusted:
        authority.cert_pem.write_to_path(tmp_path / "trusted.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    with EchoServer(ssl=context) as server:
        result = wslab("connect", server.url)
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert re.search(f"cannot connect to wss://127.0.0.1:{server.port}/: {reason}", result.stderr)


def test_a_server_without_tls_is_one_sentence() -> None:
    with EchoServer() as server:
        result = wslab("connect", f"wss://127.0.0.1:{server.port}/")
    assert result.returncode == 1
    assert result.stderr.startswith(f"wslab connect: cannot connect to wss://127.0.0.1:{server.port}/: TLS failed: ")
    assert is_one_sentence(result.stderr)


def test_a_refused_handshake_is_one_sentence_with_the_servers_reason() -> None:
    with EchoServer(origins=["http://localhost"]) as server:
        result = wslab("connect", server.url, "--origin", "http://elsewhere.example")
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert "403" in result.stderr
    assert "http://elsewhere.example may not connect" in result.stderr


def test_output_that_nobody_reads_is_no_traceback() -> None:
    with EchoServer() as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:
            process.stdout.close()
            process.stdin.write("Hello\n")
            process.stdin.flush()
            process.wait(DEADLINE)
            assert process.stderr.read() == ""


def test_no_command_and_unknown_commands_show_how_it_is_used() -> None:
    assert "usage" in wslab().stderr
    assert "usage" in wslab("frobnicate").stderr
    assert wslab().returncode == 2
    assert all(command in wslab("--help").stdout for command in ("echo", "connect", "accept", "doctor"))
