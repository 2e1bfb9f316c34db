"""terminal: `python -m wslab watch`, in a real terminal and in a pipe."""

import os
import re
import signal
import subprocess
import sys

import psutil
import pytest
from support.command_line import needs_terminals
from support.raw_peer import fresh_port, live_server

from wslab import connect, watch
from wslab.cli.main import main
from wslab.display.netstat import terminal as screen

COMMAND = [sys.executable, "-m", "wslab", "watch"]


def read_until(terminal: int, pattern: bytes) -> bytes:
    """What a program writes to its terminal, up to `pattern`."""
    shown = b""
    while not re.search(pattern, shown):
        shown += os.read(terminal, 65536)
    return shown


@needs_terminals
def test_in_a_terminal_the_table_moves_until_it_is_interrupted():
    ours, theirs = os.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with live_server(port=fresh_port()) as server:
        command = [*COMMAND, "--port", str(server.port)]
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
            os.close(theirs)
            assert b"ESTABLISHED" not in read_until(ours, b"LISTEN")
            with connect(server.url):
                read_until(ours, b"ESTABLISHED")
            process.send_signal(signal.SIGINT)
            rest = read_until_the_end(ours)
        os.close(ours)

    assert process.returncode == 0
    assert b"Traceback" not in rest
    assert rest.endswith(b"\x1b[?25h"), "the cursor is not to be seen any more"


def read_until_the_end(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # Linux tells in this way that the program has closed its end
            return shown
        if not more:
            return shown
        shown += more


@pytest.mark.parametrize("options", [[], ["--once"]])
def test_in_a_pipe_it_is_one_table_as_text(options):
    with live_server(port=fresh_port()) as server:
        command = [*COMMAND, "--port", str(server.port), *options]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert result.stdout.split() == [
        *("local", "remote", "TCP", "process", f"127.0.0.1:{server.port}", "*", "LISTEN"),
        *(psutil.Process().name(), f"({os.getpid()})"),
    ]
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_once_prints_the_table_also_to_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with live_server(port=fresh_port()) as server:
        assert main(["watch", "--once", "--port", str(server.port)]) == 0
        assert capsys.readouterr().out == f"{watch(server.port, processes=True)}\n"


def test_what_cannot_be_listed_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "psutil", None)

    assert main(["watch"]) == 1
    assert capsys.readouterr().err == "wslab watch: listing sockets needs psutil; run: pip install psutil\n"


def test_without_rich_one_sentence_tells_what_works(monkeypatch):
    for name in ("rich", "rich.console"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(ImportError, match=r"needs rich \(pip install rich\); --once shows one that does not"):
        screen.keep_showing(watch)


def test_nothing_in_a_cell_is_taken_for_markup():
    with live_server(port=fresh_port()) as server, connect(f"{server.url}[bold]") as connection:
        [path] = [column for column in screen._drawn(watch(connection)).columns if column.header == "path"]

        assert [str(cell) for cell in path.cells] == ["/%5Bbold%5D", "/%5Bbold%5D"]
