"""arguments: numbers on the command line, and what is said of text that is none."""

import argparse


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
