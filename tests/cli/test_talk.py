"""`python -m wslab connect` at a terminal: what a user sees there, and what the server gets."""

import contextlib
import errno
import io
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support.command_line import DEADLINE, needs_terminals
from support.looked_at import grows_linearly
from support.waiting import wait_until

from wslab import Connection, EchoServer, connect
from wslab.cli.talk import Sender, _lines, _start, talk_between_pipes

pytestmark = needs_terminals

SEQUENCES = re.compile(r"\x1b(?:\[[0-9;?]*[a-zA-Z]|[78])|\r")


class User:
    """Who sits at the terminal: `seen` is all that was shown, without colours and what moves the cursor."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._terminal = terminal
        self.raw = ""

    @property
    def seen(self) -> str:
        return SEQUENCES.sub("", self.raw)

    def read_to(self, words: str) -> None:
        end = time.monotonic() + DEADLINE
        while words not in self.seen:
            assert time.monotonic() < end, self.raw
            if select.select([self._terminal], [], [], 1)[0]:
                self.raw += os.read(self._terminal, 65536).decode(errors="replace")

    def type(self, keys: str, then: str) -> None:
        """Press keys, and wait until this is shown."""
        os.write(self._terminal, keys.encode())
        self.read_to(then)

    def end(self) -> int:
        """The exit status, when all was read."""
        with contextlib.suppress(OSError):  # the end of what a pseudo-terminal shows
            while piece := os.read(self._terminal, 65536):
                self.raw += piece.decode()
        return self.process.wait(DEADLINE)


@contextlib.contextmanager
def at_a_terminal(*arguments: str, **environment: str) -> Iterator[User]:
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "wslab", "connect", *arguments]
    known = {"TERM": "xterm", "NO_COLOR": "", "COLUMNS": "80"}
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=own_terminal,
        env=os.environ | known | environment,
    )
    os.close(theirs)
    try:
        yield User(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def own_terminal() -> None:
    """Make the terminal on standard input the one whose Ctrl-C is for this session."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextlib.contextmanager
def served(handler: Callable[[Connection], None] | None = None) -> Iterator[tuple[EchoServer, list[int]]]:
    """A server that notes how its connections were closed."""
    codes: list[int] = []

    def handle(connection: Connection) -> None:
        if handler is not None:
            handler(connection)
        for message in connection:
            connection.send(message)
        codes.append(connection.close_code)

    with EchoServer(handler=handle) as server:
        yield server, codes


def test_a_user_sees_a_greeting_a_prompt_both_directions_and_a_goodbye():
    with served() as (server, codes), at_a_terminal(f"{server.url}?token=sesame", "--no-deflate") as user:
        user.read_to("> ")
        assert user.seen.startswith(f"Connected to {server.url}?token=[redacted] - /help tells what a line can do\n")
        user.type("Hello\n", then="< Hello")
        user.type("/hex 00 ff\n", then="< (2 bytes of binary) 00 ff")
        user.type("/ping hi\n", then=" ms) 68 69")
        assert re.search(r"< \(a pong after \d+\.\d ms\) 68 69", user.seen)
        user.type("//etc\n", then="< /etc")
        user.type("/nope\n", then="there is no /nope; /help tells what there is")
        # The next prompt, too: a Ctrl-D pressed before readline has the terminal again is lost in every program.
        user.type("/help\n", then="Ctrl-D closes with 1000, Ctrl-C with 1001.> ")
        user.type("\x04", then="The connection closed with 1000 normal closure.")
        assert user.end() == 0
    assert codes == [1000]


def test_what_arrives_is_shown_above_what_is_being_typed():
    with served() as (server, _), at_a_terminal(server.url) as user:
        user.read_to("> ")
        user.type("half", then="half")
        (connection,) = server.connections
        connection.send("news\x1b[2J")
        user.read_to("< news\\x1b[2J")
        assert "\x1b7\r\n\x1b[A\x1b[L\x1b[36m< news\\x1b[2J\x1b[0m\x1b8\x1b[B" in user.raw
        user.type(" done\n", then="< half done")


def test_what_is_wider_than_the_terminal_takes_none_of_the_line_that_is_being_typed():
    with served() as (server, _), at_a_terminal(server.url, NO_COLOR="1") as user:
        user.read_to("> ")
        (connection,) = server.connections
        connection.send("w" * 100)
        user.read_to("\n" + "w" * 22)  # the first line has a sign before its letters
        assert f"\x1b[L< {'w' * 78}\x1b8\x1b[B\x1b7\r\n\x1b[A\x1b[L{'w' * 22}" in user.raw


def test_what_is_typed_in_another_encoding_is_replaced():
    with served() as (server, _), at_a_terminal(server.url) as user:
        user.read_to("> ")
        os.write(user._terminal, b"h\xff\n")
        user.read_to("< h\ufffd")


def test_a_ping_of_the_server_is_shown():
    with served(lambda connection: connection.ping(b"\x01")) as (server, _), at_a_terminal(server.url) as user:
        user.read_to("< (a ping, answered) 01")


def test_a_close_with_a_code_is_told_to_the_server_and_is_the_status():
    with served() as (server, codes), at_a_terminal(server.url) as user:
        user.read_to("> ")
        user.type("/close 4000 why\n", then="wslab connect: the connection closed with 4000")
        assert user.end() == 1
    assert user.seen.endswith("> /close 4000 why\nwslab connect: the connection closed with 4000\n")
    assert codes == [4000]


def test_ctrl_c_closes_with_1001_and_leaves_the_terminal_as_it_was():
    import termios

    with served() as (server, codes), at_a_terminal(server.url) as user:
        before = termios.tcgetattr(user._terminal)
        user.read_to("> ")
        user.type("half", then="half")
        user.type("\x03", then="The connection closed with 1001 going away.")
        assert user.process.wait(DEADLINE) == 130
        assert termios.tcgetattr(user._terminal) == before
    assert codes == [1001]


def test_a_server_that_goes_ends_the_prompt():
    with served(lambda connection: connection.close(1001, "bye")) as (server, _), at_a_terminal(server.url) as user:
        user.read_to("The connection closed with 1001 going away: bye.")
        assert user.end() == 0


@pytest.mark.parametrize(("environment", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_left_out_where_they_are_not_wanted(environment, is_coloured):
    with served() as (server, _), at_a_terminal(server.url, **environment) as user:
        user.read_to("> ")
        user.type("Hello\n", then="< Hello")
        assert ("\x1b[36m< Hello" in user.raw) is is_coloured
        assert ("m" in "".join(SEQUENCES.findall(user.raw))) is is_coloured


def test_a_terminal_that_cannot_move_its_cursor_is_treated_as_a_pipe():
    with served() as (server, _), at_a_terminal(server.url, TERM="dumb") as user:
        user.type("Hello\n", then="Hello\nHello\n")
        assert "\x1b" not in user.raw


# The lines of a pipe


def pieces(*read: bytes) -> Iterator[str]:
    """The lines in what is read piece by piece."""
    left = [*read, b""]
    return _lines(lambda size: left.pop(0))


def test_lines_are_joined_however_they_come():
    assert list(pieces(b"one\r\ntw", b"o", b"\n\nth", b"ree\r")) == ["one", "two", "", "three\r"]


class Console(io.RawIOBase):
    """As that of Windows: Python reads UTF-8 from it, and who reads its file descriptor something else."""

    def __init__(self, line: str, descriptor: int) -> None:
        self._left = [line.encode(), b""]
        self._descriptor = descriptor

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self._left.pop(0)
        buffer[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        return self._descriptor


def test_what_is_typed_into_a_console_of_windows_is_read_as_utf_8(monkeypatch, capsys):
    with tempfile.TemporaryFile() as file, served() as (server, _), connect(server.url) as connection:
        file.write("Grüße\n".encode("cp850"))
        file.seek(0)
        console = io.BufferedReader(Console("Grüße\n", file.fileno()))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(console))
        talk_between_pipes(connection, has_commands=False)

    assert capsys.readouterr().out == "Grüße\n"


def test_a_long_line_is_looked_at_once():
    assert grows_linearly(lambda count: lambda: list(pieces(*[b"x" * 1000] * count)), 20)


def test_a_line_without_an_end_is_told_and_is_no_success(monkeypatch, capsys):
    monkeypatch.setattr("wslab.cli.talk.MAX_LINE", 1999)
    is_back = threading.Event()

    def lines() -> Iterator[str]:
        yield "one"
        assert is_back.wait(DEADLINE)
        yield from pieces(b"x" * 1000, b"x" * 1000, b"\n")

    with served() as (server, _), connect(server.url) as connection:
        _start(connection, lines(), Sender(connection, None))
        for message in connection:
            assert message == "one"
            is_back.set()
        assert connection.close_code == 1006
    assert capsys.readouterr().err == "wslab connect: a line of more than 1,999 bytes is too long for a message\n"


@pytest.mark.parametrize("is_over", [False, True])
def test_input_that_cannot_be_read_is_told_unless_the_connection_is_over(capsys, is_over):
    def read_some(_: int) -> bytes:
        if is_over:
            connection.abort()
        raise OSError(errno.EISDIR, "Is a directory")

    with served() as (server, _), connect(server.url) as connection:
        _start(connection, _lines(read_some), Sender(connection, None))
        assert list(connection) == []
        assert connection.close_code == 1006
    wait_until(lambda: "wslab-typed" not in {thread.name for thread in threading.enumerate()})
    told = "" if is_over else "wslab connect: standard input cannot be read: Is a directory\n"
    assert capsys.readouterr().err == told
