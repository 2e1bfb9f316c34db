"""output: what a command says, on standard output or standard error, without what a terminal would obey.

Nothing else in this folder prints, so that neither a peer nor a file nor an argument can move the cursor, and no secret
in one of them is shown.
"""

import contextlib
import errno
import io
import os
import sys
import warnings
from collections.abc import Iterator

from wslab.redaction.redact import harmless, printable

GONE = {errno.EPIPE, errno.EIO}  # the program that read our output has ended, or the terminal was closed


def allow_all_characters() -> None:
    """Write what the encoding of standard output does not know as escapes, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def show(text: object) -> None:
    """Print lines on standard output, at once."""
    print("\n".join(map(printable, str(text).split("\n"))), flush=True)


def show_message(text: str) -> None:
    """Print a message as a line: as it is for a program, and for a terminal without what would move its cursor."""
    print(printable(text) if sys.stdout.isatty() else text, flush=True)


def complain(command: str, problem: object) -> None:
    """Print one sentence about what went wrong on standard error."""
    print(f"wslab {command}: {harmless(str(problem))}", file=sys.stderr)


@contextlib.contextmanager
def complaining_of_warnings(command: str) -> Iterator[None]:
    """At the end of the `with` block, print what was warned of in it, a sentence each."""
    with warnings.catch_warnings(record=True, action="always") as told:
        yield
    for warning in told:
        complain(command, warning.message)


def drop_output() -> None:
    """Print nothing more: the reader of our output has gone, of which Python must not complain at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
