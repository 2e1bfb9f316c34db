"""watch: list the TCP connections of this machine, as netstat does, again and again."""

import argparse
import contextlib
import sys

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import show
from wslab.display.netstat.terminal import keep_showing
from wslab.display.netstat.watch import watch

HELP = "list the TCP connections of this machine, as netstat does, again and again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which connections to list, and whether only once."""
    parser.add_argument("--port", type=arguments.port, help="only those with this port at one end")
    parser.add_argument(
        "--once", action="store_true", help="print one table as text, as where standard output is a file"
    )


def run(options: argparse.Namespace) -> int:
    """Show the table until interrupted, or print it once."""
    try:
        if options.once or not sys.stdout.isatty():
            show(watch(options.port))
        else:
            with contextlib.suppress(KeyboardInterrupt):
                keep_showing(lambda: watch(options.port))
    except (ImportError, OSError) as error:
        raise CommandError(reason(error)) from error
    return 0
