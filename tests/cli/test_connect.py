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
from support.command_line import DEADLINE, ENDS, is_one_sentence, needs_signals, needs_terminals, wslab
from support.raw_peer import read_request, tiny_server

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


@needs_terminals
@pytest.mark.parametrize(
    ("message", "shown"), [(b"\x00\xff", b"(2 bytes of binary) 00 ff\r\n"), ("00 ff", b"00 ff\r\n")], ids=repr
)
def test_at_a_terminal_bytes_are_told_from_a_text(message, shown) -> None:
    import pty

    ours, theirs = pty.openpty()
    with EchoServer(handler=lambda connection: connection.send(message)) as server:
        command = [sys.executable, "-m", "wslab", "connect", server.url, "--message", "?"]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=theirs, timeout=DEADLINE)
    assert os.read(ours, 100) == shown
    os.close(ours)
    os.close(theirs)


@needs_terminals
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


def test_a_server_that_stops_is_a_success() -> None:
    with EchoServer(handler=lambda connection: connection.close(1001, "bye")) as server:
        result = wslab("connect", server.url)
    assert (result.returncode, result.stderr) == (0, "")


def test_one_message_is_sent_and_one_is_printed() -> None:
    with EchoServer() as server:
        result = wslab("connect", server.url, "--message", "/Hello")
        assert (result.returncode, result.stdout, result.stderr) == (0, "/Hello\n", "")
        result = wslab("connect", server.url, "--message", "/hex 00 ff", "--slash")
        assert (result.returncode, result.stdout, result.stderr) == (0, "/hex 00 ff\n", "")


def test_one_message_to_which_none_comes_is_one_sentence() -> None:
    with EchoServer(handler=lambda connection: list(connection)) as server:
        result = wslab("connect", server.url, "--message", "Hello", "--wait", "0.2")
    assert (result.returncode, result.stderr) == (1, "wslab connect: no message came within 0.2 s\n")
    with EchoServer(handler=lambda connection: connection.close(1000)) as server:
        result = wslab("connect", server.url, "--message", "Hello")
    assert (result.returncode, result.stderr) == (
        1,
        "wslab connect: no message came: the connection closed with 1000 normal closure\n",
    )


def test_lines_with_a_slash_are_texts_in_a_pipe_unless_commands_are_asked_for() -> None:
    typed = "/ping\n/hex 00 ff\n//etc\n/nope\n"
    with EchoServer() as server:
        assert wslab("connect", server.url, typed=typed).stdout == typed
        result = wslab("connect", server.url, "--slash", typed=typed)
        assert result.stdout == "/hex 00 ff\n//etc\n"
        assert "there is no /nope" in result.stderr
        result = wslab("connect", server.url, "--slash", typed="/close 4000 why\n")
    assert (result.returncode, result.stderr) == (1, "wslab connect: the connection closed with 4000\n")


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


def test_headers_are_sent_and_what_is_none_is_refused() -> None:
    with EchoServer(handler=lambda connection: connection.send(connection.request.headers["X-A"])) as server:
        assert wslab("connect", server.url, "--header", "X-A: b: c").stdout == "b: c\n"
    for wrong in ("X-A", "X A: b", ": b"):
        result = wslab("connect", server.url, "--header", wrong)
        assert (result.returncode, "a header is written 'Name: value'" in result.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--ca", "--insecure"])
def test_a_certificate_is_trusted_on_demand(option, tmp_path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "empty.pem").touch()
    more = [str(tmp_path / "ca.pem")] if option == "--ca" else []
    with EchoServer(ssl=context) as server:
        assert wslab("connect", server.url, option, *more, "--message", "Hello").stdout == "Hello\n"
    for name, why in (("nowhere.pem", "No such file"), ("empty.pem", "there is no certificate in it")):
        result = wslab("connect", server.url, "--ca", str(tmp_path / name))
        assert is_one_sentence(result.stderr)
        assert f"{name}: {why}" in result.stderr


def test_a_redirection_is_told_with_its_target() -> None:
    def talk(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/?token=sesame\r\nContent-Length: 0\r\n\r\n")

    with tiny_server(talk) as url:
        result = wslab("connect", url)
    assert is_one_sentence(result.stderr)
    assert "refused with 302 Found, and points to ws://elsewhere/?token=[redacted]" in result.stderr


@needs_signals
@pytest.mark.parametrize("number", ENDS)
def test_a_connect_that_is_ended_closes_with_1001_and_leaves_no_traceback(number: signal.Signals) -> None:
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
            process.send_signal(number)
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
    assert f"nobody listens on 127.0.0.1 port {port}: is the server running" in result.stderr


@pytest.mark.parametrize("user", ["user:sesame", "user:sesame seed", "user:a/sesame", "sesame", "user:sesame@"])
def test_a_password_in_an_address_is_not_shown_whatever_is_in_it(user) -> None:
    result = wslab("connect", f"ws://{user}@127.0.0.1:1/")
    assert is_one_sentence(result.stderr)
    assert result.stderr.startswith("wslab connect: cannot connect to ws://[redacted]@127.0.0.1:1/: ")
    assert "ses" not in result.stderr


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
        (False, r"the server's certificate is not to be trusted: \w.*; --ca names one that is"),
        (True, r"the server's certificate is not to be trusted: .*127\.0\.0\.1'"),
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
    assert re.search(f"cannot connect to wss://127.0.0.1:{server.port}/: {reason}\n", result.stderr)


def test_a_server_without_tls_is_one_sentence() -> None:
    with EchoServer() as server:
        result = wslab("connect", f"wss://127.0.0.1:{server.port}/")
    assert result.returncode == 1
    where = f"wslab connect: cannot connect to wss://127.0.0.1:{server.port}/"
    assert result.stderr == f"{where}: TLS failed: no TLS is spoken there: try ws:// instead of wss://\n"
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
