"""watch: list the TCP connections of this machine, as netstat does, again and again."""

import argparse
import contextlib
import functools
import sys

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import GONE, show
from wslab.display.netstat.terminal import keep_showing
from wslab.display.netstat.watch import watch

HELP = "list the TCP connections of this machine, as netstat does, again and again"
EXAMPLES = """\
  {wslab} watch
  {wslab} watch --port 8765 --once"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which connections to list, and whether only once."""
    parser.add_argument("--port", type=arguments.port, help="only those with this port at one end")
    parser.add_argument(
        "--once", action="store_true", help="print one table as text, as where standard output is a file"
    )


def run(options: argparse.Namespace) -> int:
    """Show the table until interrupted, or print it once."""
    look = functools.partial(watch, options.port, processes=True)
    try:
        if options.once or not sys.stdout.isatty():
            show(look())
        else:
            with contextlib.suppress(KeyboardInterrupt):
                keep_showing(look)
    except (ImportError, OSError) as error:
        if isinstance(error, OSError) and error.errno in GONE:  # who reads the table, not who lists the sockets
            raise
        raise CommandError(reason(error)) from error
    return 0
