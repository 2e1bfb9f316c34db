"""echo, run as a user runs it: its one line, its options, and what it says when it cannot start."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.command_line import DEADLINE, ENDS, is_one_sentence, needs_signals, needs_terminals, wslab

from wslab import CloseCode, ConnectionClosed, EchoServer, HandshakeError, connect
from wslab.cli.addresses import addresses_for_others
from wslab.cli.echo import _tell_of


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


def test_echo_tells_its_address_in_one_line_and_serves() -> None:
    with started() as (_, url), connect(url) as connection:
        connection.send("Hello")
        assert connection.receive() == "Hello"


@needs_signals
@pytest.mark.parametrize("number", ENDS)
def test_an_echo_that_is_ended_says_goodbye_and_ends_with_status_0(number: signal.Signals) -> None:
    with started() as (process, url):
        connection = connect(url)
        process.send_signal(number)
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


def test_a_host_that_does_not_exist_is_one_sentence() -> None:
    result = wslab("echo", "--host", "nowhere.invalid")
    assert result.stderr == (
        "wslab echo: cannot listen on nowhere.invalid port 0: there is no host of that name: is it spelled right?\n"
    )


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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--subprotocol", "a b"], "the name of a subprotocol has no blanks and no commas"),
        (["--origin", "foo"], "an origin is http://host:port without a path, or null"),
        (["--origin", "http://localhost/"], "an origin is http://host:port without a path"),
    ],
)
def test_names_that_no_client_can_send_are_refused(arguments, words):
    result = wslab("echo", *arguments)
    assert result.returncode == 2
    assert words in " ".join(result.stderr.split())


def test_who_listens_for_others_is_warned_and_told_where_they_find_the_server():
    with started("--host", "0.0.0.0") as (process, url):
        warning = process.stderr.readline()
    assert warning.startswith("Warning: everybody who reaches this machine can connect")
    port = url.rpartition(":")[2]
    for address in addresses_for_others("0.0.0.0"):
        assert f"ws://{address}:{port}" in warning


@needs_terminals
def test_at_a_terminal_it_is_told_where_the_page_is_and_how_it_ends():
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "wslab", "echo"], stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        told = ""
        while told.count("\n") < 2:
            told += os.read(ours, 1000).decode()
        process.send_signal(signal.SIGINT)
        assert os.read(ours, 1000) == b"\r\n"  # a prompt that comes now does not stand behind the terminal's ^C
    os.close(ours)
    found = re.match(
        r"Listening on ws://(127\.0\.0\.1:\d+)/\r\n(?:\x1b\[2m)?Echo test page: http://([^/]+)/ - Ctrl-C", told
    )
    assert found[1] == found[2]


@pytest.mark.parametrize("is_opened", [True, False])
def test_the_page_is_opened_on_demand_and_its_address_told_where_that_fails(is_opened, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda page: opened.append(page) or is_opened)
    with EchoServer() as server:
        _tell_of(server, is_to_be_opened=True)
    page = f"http://127.0.0.1:{server.port}/"
    assert opened == [page]
    assert capsys.readouterr().err == ("" if is_opened else f"No browser could be opened; the page is {page}\n")


def test_verbose_echo_tells_of_each_connection():
    with started("--verbose") as (process, url):
        with connect(f"{url}chat?token=sesame") as connection:
            port = connection.local_address[1]
        lines = [process.stderr.readline() for _ in range(2)]
    assert lines == [
        f"connection 1 opened: /chat?token=[redacted] from 127.0.0.1 port {port}\n",
        "connection 1 closed: 1000\n",
    ]
