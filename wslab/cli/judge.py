"""judge: check the parts in a learner's file, and run the Autobahn cases against its server."""

import argparse
import time
from pathlib import Path

from wslab.cli.errors import CommandError, reason
from wslab.cli.output import show
from wslab.exercises.capstone import judge_file

HELP = "say which parts stand in my_websocket.py, what is next, and how its server does"
EXAMPLES = """\
  {wslab} judge my_websocket.py
  {wslab} judge my_websocket.py --watch"""

INTERVAL = 0.5  # seconds between two looks at the file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and whether to go on."""
    parser.add_argument("file", type=Path, help="the file with your parts, such as my_websocket.py")
    parser.add_argument(
        "--watch", action="store_true", help="judge it again whenever it has changed, until interrupted"
    )


def run(options: argparse.Namespace) -> int:
    """Print the score; return 1 if something is missing or fails. With --watch, go on until it is interrupted."""
    seen = None
    while True:
        try:
            status = options.file.stat()
            changed = (status.st_ino, status.st_size, status.st_mtime_ns)
            if changed != seen:
                score = judge_file(options.file)
                show(score)
                seen = changed
        except OSError as error:
            if seen is None or not isinstance(error, FileNotFoundError):  # an editor may take it away to save it anew
                raise CommandError(f"{options.file} cannot be read: {reason(error)}") from None
        if not options.watch:
            return 0 if score.passed else 1
        time.sleep(INTERVAL)
