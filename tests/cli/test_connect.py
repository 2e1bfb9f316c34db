"""connect, run as a user runs it: lines in, messages out, and one sentence for whatever goes wrong."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys

import pytest
import trustme
from support.command_line import DEADLINE, is_one_sentence, needs_signals, wslab

from wslab import EchoServer


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


def test_a_closing_handshake_without_a_code_is_a_success() -> None:
    with EchoServer(handler=lambda connection: connection.close(None)) as server:
        result = wslab("connect", server.url)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_connection_that_ends_without_a_close_frame_is_one_sentence() -> None:
    with EchoServer(handler=lambda connection: connection.abort()) as server:
        result = wslab("connect", server.url)
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert "the connection closed with 1006" in result.stderr


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


@needs_signals
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_connect_that_is_ended_closes_with_1001_and_leaves_no_traceback(name: str) -> None:
    codes = []

    def handler(connection) -> None:
        connection.send("ready")
        list(connection)
        codes.append(connection.close_code)

    with EchoServer(handler=handler) as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.Signals[name])
            process.wait(DEADLINE)
            errors = process.stderr.read()
    assert (process.returncode, errors) == (130, "")
    assert codes == [1001]


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
