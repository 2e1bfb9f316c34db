"""inspect: name every field of frames or of a handshake in hex, or list what is in a capture file."""

import argparse
import os
import sys

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import complaining_of_warnings, show
from wslab.cli.pasted import read_pasted
from wslab.display.inspector.inspect import CAPTURES, inspect
from wslab.recording.recording import Recording
from wslab.redaction.redact import redact_line

HELP = "name every field of frames or of a handshake, or list a capture file"
EXAMPLES = """\
  {wslab} inspect 81 05 48 65 6c 6c 6f
  {wslab} inspect "b'\\x89\\x00'"
  {wslab} inspect recording.pcapng --start 200
  tail --bytes 7 file | {wslab} inspect -

Bytes are read as people paste them: hex in any spelling, literals of C, Python
and JSON, lists of numbers, lines of Wireshark, xxd, hexdump and od."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to look at, and how much of it to show."""
    parser.add_argument(
        "what",
        nargs="+",
        metavar="HEX | FILE | -",
        help="bytes (hex, a literal, a list, a dump), `-` for standard input, or a .pcapng, .pcap or .har file",
    )
    parser.add_argument(
        "--start", type=arguments.count, default=0, metavar="N", help="the first byte, of a file the first row"
    )
    parser.add_argument(
        "--most", type=arguments.size, metavar="N", help="how many rows to show at most (default: about 200)"
    )


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    text = " ".join(options.what)
    is_file = text.lower().endswith(CAPTURES) or os.path.isfile(text)  # the bytes of a file say what it is
    data = _load(text) if is_file else _read_bytes(_read_input() if text == "-" else text)
    show(inspect(data, options.start, options.most))
    return 0


def _read_input() -> str:
    return sys.stdin.buffer.read().decode(errors="backslashreplace")


def _read_bytes(text: str) -> bytes:
    try:
        return read_pasted(text)
    except ValueError:
        raise CommandError(
            f"{redact_line(text)!r} is neither hex nor the name of a .pcapng, .pcap or .har file"
        ) from None


def _load(path: str) -> Recording:
    """Load a capture file; say on standard error what is missing from it."""
    try:
        with complaining_of_warnings("inspect"):
            return Recording.load(path)
    except ValueError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"cannot read {path}: {reason(error)}") from error
