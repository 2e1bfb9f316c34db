"""The command line as a whole: its commands, and how it is used."""

import pkgutil

from support.command_line import wslab

from wslab import cli
from wslab.cli.main import COMMANDS


def test_no_command_and_unknown_commands_show_how_it_is_used() -> None:
    assert "usage" in wslab().stderr
    assert "usage" in wslab("frobnicate").stderr
    assert wslab().returncode == 2


def test_every_module_with_a_help_is_a_command() -> None:
    modules = [pkgutil.resolve_name(f"{cli.__name__}.{module.name}") for module in pkgutil.iter_modules(cli.__path__)]
    assert {module for module in modules if hasattr(module, "HELP")} == set(COMMANDS)


def test_the_help_says_what_each_command_does() -> None:
    listed = " ".join(wslab("--help").stdout.split())
    for command in COMMANDS:
        assert f" {command.__name__.rpartition('.')[2].removesuffix('_')} {command.HELP}" in listed
