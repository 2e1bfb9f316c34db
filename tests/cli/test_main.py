"""The command line as a whole: its commands, and how it is used."""

import os
import pkgutil
import re
import shlex
import subprocess
import sys

import pytest
from support.command_line import wslab

from wslab import EchoServer, cli
from wslab.cli import main as main_module
from wslab.cli.main import COMMANDS


def test_no_command_shows_which_there_are_and_an_unknown_one_how_it_is_used() -> None:
    result = wslab()
    assert (result.returncode, result.stdout, result.stderr) == (2, "", wslab("--help").stdout)
    assert "usage" in wslab("frobnicate").stderr


def test_every_module_with_a_help_is_a_command() -> None:
    modules = [pkgutil.resolve_name(f"{cli.__name__}.{module.name}") for module in pkgutil.iter_modules(cli.__path__)]
    assert {module for module in modules if hasattr(module, "HELP")} == set(COMMANDS)


def test_the_help_says_what_each_command_does() -> None:
    listed = " ".join(wslab("--help").stdout.split())
    for command in COMMANDS:
        assert f" {main_module.name_of(command)} {command.HELP}" in listed


def test_the_help_of_a_command_has_examples_that_fit_80_columns_and_are_commands() -> None:
    parser = main_module._parser()
    for command in COMMANDS:
        name = main_module.name_of(command)
        told = wslab(name, "--help").stdout
        assert max(map(len, told.splitlines())) <= 80
        examples = re.findall(r"^  (?:.*\| )?python -m wslab (.*)$", told, re.MULTILINE)
        assert examples
        for example in examples:
            assert parser.parse_args(shlex.split(example)).command == name


@pytest.mark.parametrize("command", [["echo"], ["tap", "--to", "localhost:1"], ["class"]], ids=" ".join)
@pytest.mark.parametrize("host", ["nowhere..invalid", "x" * 64])
def test_what_cannot_be_the_name_of_a_host_is_one_sentence(command, host) -> None:
    told = wslab(*command, "--host", host).stderr
    assert told == (
        f"wslab {command[0]}: cannot listen on {host} port 0: there is no host of that name: is it spelled right?\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are no bytes there")
def test_an_argument_that_is_not_utf_8_is_sent_as_lines_of_a_pipe_are() -> None:
    with EchoServer() as server:
        assert wslab("connect", server.url, "--message", os.fsdecode(b"h\xff")).stdout == "h\ufffd\n"
        plain = {
            **os.environ,
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONIOENCODING": "utf-8",
        }
        command = [sys.executable, "-m", "wslab", "connect", server.url, "--message", "h\xe9".encode()]
        assert subprocess.run(command, env=plain, capture_output=True).stdout == "h\xe9\n".encode()


def test_the_help_can_be_printed_where_few_characters_are_known() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run([sys.executable, "-m", "wslab", "connect", "--help"], env=environment, capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a file that is always full")
@pytest.mark.parametrize("command", ["accept dGhlIHNhbXBsZSBub25jZQ==", "inspect 8100", "echo"])
def test_where_there_is_no_more_room_a_sentence_says_so(command) -> None:
    with open("/dev/full", "w") as full:
        result = _run_with(command, stdout=full, stderr=subprocess.PIPE)
    told = f"wslab {command.split()[0]}: there is no more room where the output goes\n"
    assert (result.returncode, result.stderr.decode()) == (1, told)


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX can close a stream")
@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-"])
def test_a_command_does_without_a_stream_that_the_shell_has_closed(stream) -> None:
    with EchoServer() as server:
        connect = f"connect {server.url} --message Hello"
        for command, said in ((connect, "Hello"), ("inspect 8900", "FIN")):
            result = _run_with(f"{command} {stream}", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            assert (result.returncode, result.stderr) == (0, b"")
            assert (said in result.stdout.decode()) is (stream != ">&-")


def _run_with(command: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    line = f"{shlex.quote(sys.executable)} -m wslab {command}"
    return subprocess.run(line, shell=True, stdin=subprocess.DEVNULL, timeout=30, **streams)
