"""inspect: name every field of frames or of a handshake in hex, or list what is in a capture file."""

import argparse
import difflib
import os
import re
import sys

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import complaining_of_warnings, show_table
from wslab.cli.pasted import NotBytes, begins_a_dump, read_pasted
from wslab.display.inspector.inspect import CAPTURES, inspect
from wslab.dissector.handshake_lines import begins_a_head
from wslab.dissector.wording import cut
from wslab.recording.recording import Recording
from wslab.redaction.redact import redact_target

HELP = "name every field of frames or of a handshake, or list a capture file"
EXAMPLES = """\
  {wslab} inspect 81 05 48 65 6c 6c 6f
  {wslab} inspect "b'\\x89\\x00'"
  {wslab} inspect recording.pcapng --start 200
  tail --bytes 7 file | {wslab} inspect -

Bytes are read as people paste them: hex in any spelling, literals of C, Python
and JSON, lists of numbers, lines of Wireshark, xxd, hexdump and od."""


MOST_SHOWN = 80  # characters of what is refused
MAX_INPUT = 16 * 1024 * 1024  # bytes
_FIRST_OF_SEVERAL = re.compile(rb"[\x01\x02]")  # how a frame begins that is not the last of its message
_DIGITS = re.compile(r"(?:0[xX])?[0-9a-fA-F]+(?:[ :,-][0-9a-fA-F]+)*")
_IN_THE_NAME_OF_A_FILE = re.compile(r"/|\\\w|\S\.[a-z]\w{0,7}\Z", re.IGNORECASE)


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
    data = _load(text) if is_file else _read_input() if text == "-" else _read_bytes(text)
    show_table(inspect(data, options.start, options.most))
    return 0


def _read_input() -> bytes:
    """The bytes that are written in standard input, or else those of which it consists, if it is no text."""
    data = sys.stdin.buffer.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT:
        raise CommandError(f"standard input has more than {MAX_INPUT:,} bytes: head --bytes {MAX_INPUT} cuts it")
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:  # as in every frame that is the last of its message
        return data
    is_head = begins_a_head(data) and b"\n" in data and not begins_a_dump(text)
    return data if is_head or _FIRST_OF_SEVERAL.match(data) else _read_bytes(text.strip())


def _read_bytes(text: str) -> bytes:
    try:
        return read_pasted(text)
    except NotBytes as error:
        raise CommandError(f"{_shown(text)} is {error}") from None
    except ValueError:
        raise CommandError(_what_is_wrong(text)) from None


def _shown(text: str) -> str:
    return repr(cut(redact_target(text), MOST_SHOWN))


def _what_is_wrong(text: str) -> str:
    shown = _shown(text)
    if _DIGITS.fullmatch(text):
        return f"{shown} has an odd number of hex digits, and a byte has two"
    if not re.search(r"\s", text) and _IN_THE_NAME_OF_A_FILE.search(text):
        folder, name = os.path.split(text)
        there = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
        near = difflib.get_close_matches(name, there, 1)
        return f"there is no file {shown}" + (f"; did you mean {os.path.join(folder, near[0])}?" if near else "")
    return f"{shown} is neither bytes in a form that is known nor the name of a capture file"


def _load(path: str) -> Recording:
    """Load a capture file; say on standard error what is missing from it."""
    try:
        with complaining_of_warnings("inspect"):
            return Recording.load(path)
    except ValueError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"cannot read {path}: {reason(error)}") from error
