"""main: read the command line, run its command, and return an exit status.

To add a command, write a module as `Command` describes it, and add it to COMMANDS.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn
from typing import Protocol as Interface

from wslab.cli import accept, class_, connect, doctor, echo, inspect, judge, lessons, tap, watch
from wslab.cli.errors import CommandError
from wslab.cli.output import FULL, GONE, allow_all_characters, complain, drop_output, open_missing_streams
from wslab.cli.signals import ended_as_by_ctrl_c
from wslab.redaction.redact import harmless

WRONG_USAGE = 2  # as argparse says it
INTERRUPTED = 130  # as a shell says it of a program that Ctrl-C has ended


class Command(Interface):
    """What each module of a command has. The name of the module is that of the command (`class_`: class)."""

    __name__: str
    HELP: str
    EXAMPLES: str  # the name of the program stands in it as {wslab}

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what may stand after the name of the command."""

    def run(self, options: argparse.Namespace) -> int:
        """Run the command; return the exit status. Raises CommandError with a sentence for standard error."""


COMMANDS: tuple[Command, ...] = (echo, connect, inspect, tap, class_, watch, accept, judge, doctor, lessons)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    open_missing_streams()
    allow_all_characters()
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return WRONG_USAGE
    try:
        with ended_as_by_ctrl_c():
            status: int = options.run(options)
            return status
    except CommandError as error:
        complain(options.command, error)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in GONE | FULL:
            raise
        if error.errno in FULL:
            complain(options.command, "there is no more room where the output goes")
        drop_output()
        return 1


class _Parser(argparse.ArgumentParser):
    """A parser that repeats what is wrong with an argument without what a terminal would obey, and without secrets."""

    def error(self, message: str) -> NoReturn:
        super().error(harmless(message))


def _parser() -> argparse.ArgumentParser:
    name = "wslab" if Path(sys.argv[0]).stem == "wslab" else "python -m wslab"
    parser = _Parser(
        prog=name,
        description="WebSocket, from the command line.",
        epilog=f"{name} COMMAND --help has examples.",
    )
    parser.add_argument("--version", action="version", version=f"wslab {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(
            name_of(command),
            help=command.HELP,
            description=f"{command.HELP[0].upper()}{command.HELP[1:]}.",
            epilog="Examples:\n" + command.EXAMPLES.replace("{wslab}", name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def name_of(command: Command) -> str:
    """What is typed for it: the name of its module, without what keeps that from being a word of Python."""
    return command.__name__.rpartition(".")[2].removesuffix("_")


def _version() -> str:
    try:
        return version("wslab")
    except PackageNotFoundError:
        return "(not installed: python -m wslab doctor says how)"
