"""output: standard output, which may be a terminal, a file or a pipe."""

import io
import sys


def allow_all_characters() -> None:
    """Write what the encoding of standard output does not know as escapes, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
