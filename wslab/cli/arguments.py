"""arguments: numbers and names on the command line, and what is said of text that is none."""

import argparse
import math
import os
import re

from wslab.protocol.http import TOKEN

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+|null", re.IGNORECASE)


def as_utf8(text: str) -> str:
    """What somebody has typed, as UTF-8 whatever the locale; what is none is replaced, as in lines from a pipe."""
    return os.fsencode(text).decode(errors="replace")


def port(text: str) -> int:
    """Read the number of a TCP port."""
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def size(text: str) -> int:
    """Read the largest number of bytes or rows."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a size is a positive number, not {text!r}")
    return int(text)


def count(text: str) -> int:
    """Read the number of the first byte or row."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"bytes and rows are counted from 0, so not {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """Read a time."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"a time is a number of seconds from 0 on, not {text!r}")
    return value


def header(text: str) -> tuple[str, str]:
    """Read a header line."""
    name, colon, value = as_utf8(text).partition(":")
    if not (colon and TOKEN.fullmatch(name)):
        raise argparse.ArgumentTypeError("a header is written 'Name: value', and its name has no blanks")
    return name, value.strip()


def token(text: str) -> str:
    """Read the name of a subprotocol."""
    if not TOKEN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"the name of a subprotocol has no blanks and no commas, so not {text!r}")
    return text


def origin(text: str) -> str:
    """Read an origin, as browsers send it (RFC 6454 §6.2)."""
    if not _ORIGIN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"an origin is http://host:port without a path, or null, not {text!r}")
    return text
