"""output: what a command says, on standard output or standard error, without what a terminal would obey.

Nothing else in this folder prints, so that neither a peer nor a file nor an argument can move the cursor, and no secret
in one of them is shown.
"""

import contextlib
import errno
import io
import os
import re
import shutil
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from typing import TextIO

from wslab.cli.arguments import as_utf8
from wslab.display.table import Table
from wslab.redaction.redact import harmless, printable

# Colours that a terminal has, which never tell anything that words do not: https://no-color.org
COLOURS = {"incoming": "36", "remark": "2", "wrong": "31"}
# Keep the place of the cursor, make room for a line above that in which it stands, and come back (DEC, ECMA-48).
SAVE, NEXT_LINE, INSERT_LINE, BACK_AND_DOWN = "\x1b7", "\n\x1b[A", "\x1b[L", "\x1b8\x1b[B"
_ADVICE = re.compile(r"(?<=: )start=(\d+)\s+shows")
CLEAR_LINE = "\r\x1b[K"

SIGNS = {"→": "->", "…": "...", "§": "section "}

# The program that read our output has ended, or the terminal was closed; Windows calls the first an invalid argument.
GONE = {errno.EPIPE, errno.EIO} | ({errno.EINVAL} if sys.platform == "win32" else set())


# No more can be written where standard output goes to.
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def open_missing_streams() -> None:
    """Let nothing be read and written where the shell has closed a stream (`<&-`), for which Python has None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (as long as the program lives)


def allow_all_characters() -> None:
    """Write what the encoding of standard output does not know as escapes, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def show(text: object, colour: str = "") -> None:
    """Print lines on standard output, at once; in plain letters where its encoding does not know the signs in them."""
    shown = "\n".join(map(printable, str(text).split("\n"))).translate(_unknown_signs(sys.stdout))
    print(coloured(shown, colour, sys.stdout) if colour else shown, flush=True)


def _unknown_signs(place: TextIO) -> dict[int, str]:
    """What stands for the signs in tables that an encoding does not know."""
    encoding = getattr(place, "encoding", None) or "utf-8"
    return {ord(sign): plain for sign, plain in SIGNS.items() if not sign.encode(encoding, "ignore")}


def show_table(table: Table) -> None:
    """Print a table, at a terminal no wider than that; what Python would be given as `start`, the command line is."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    text = table.fitted(width) if width else repr(table)
    show(_ADVICE.sub(r"--start \1 shows", text))


def show_message(text: str) -> None:
    """Print a message as a line: as it is for a program, and for a terminal without what would move its cursor."""
    print(printable(text) if sys.stdout.isatty() else text, flush=True)


def tell(words: str) -> None:
    """Print a sentence for the user on standard error, so that standard output has messages only."""
    print(coloured(harmless(words), "remark", sys.stderr), file=sys.stderr, flush=True)


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


# At a terminal


def is_terminal(place: TextIO) -> bool:
    """Whether it is a terminal that can move its cursor."""
    is_old_windows = sys.platform == "win32" and "WT_SESSION" not in os.environ
    return place.isatty() and os.environ.get("TERM") != "dumb" and not is_old_windows


def is_conversation() -> bool:
    """Whether a user sits at both ends: types lines, and reads what is printed."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def is_watched() -> bool:
    """Whether a user reads what is told on standard error."""
    return sys.stderr.isatty()


@contextlib.contextmanager
def until_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the `with` block; what is shown next is not in the line in which a terminal shows `^C`."""
    with contextlib.suppress(KeyboardInterrupt):
        yield
    if is_watched():
        print(file=sys.stderr, flush=True)


def coloured(words: str, colour: str, place: TextIO) -> str:
    """The words in a colour where they can be, and where the environment does not forbid it."""
    if not is_terminal(place) or os.environ.get("NO_COLOR"):
        return words
    return f"\x1b[{COLOURS[colour]}m{words}\x1b[0m"


@contextlib.contextmanager
def keep_terminal() -> Iterator[None]:
    """At the end of the `with` block, leave the terminal as it was, although a thread may still wait for a line."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        print(CLEAR_LINE, end="", flush=True)


def ask(prompt: str) -> str:
    """Read a line, with the keys that readers of lines have. Raises EOFError at the end of the input."""
    with contextlib.suppress(ImportError):  # Windows has none
        import readline  # noqa: F401 (it is for its effect on `input`)
    return as_utf8(input(prompt))


def show_above_prompt(words: str, colour: str) -> None:
    """Print lines above that in which a user is typing, where room is made for one line of the terminal at a time."""
    width = shutil.get_terminal_size().columns
    for line in words.split("\n"):
        for piece in pieces(printable(line), width):
            shown = coloured(piece, colour, sys.stdout)
            print(f"{SAVE}{NEXT_LINE}{INSERT_LINE}{shown}{BACK_AND_DOWN}", end="", flush=True)


def pieces(line: str, width: int) -> Iterator[str]:
    """A line in pieces, none of which takes more than `width` columns of a terminal.

    >>> list(pieces("abcde", 2)), list(pieces("a\u65e5\u672c", 4))
    (['ab', 'cd', 'e'], ['a\u65e5', '\u672c'])
    """
    start = taken = 0
    for at, character in enumerate(line):
        columns = 1 if character.isascii() else _columns(character)
        if taken + columns > width:
            yield line[start:at]
            start, taken = at, 0
        taken += columns
    yield line[start:]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def drop_output() -> None:
    """Print nothing more: it cannot be written, of which Python must not complain at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
