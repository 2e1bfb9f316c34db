"""What the programs of this folder that are written in Python share: lines of standard input to messages, and back."""

import sys
from collections.abc import Iterator


def messages_to_send() -> Iterator[str | bytes]:
    """The messages that standard input asks for, one a line."""
    for line in sys.stdin:
        kind, _, digits = line.rstrip("\n").partition(" ")
        data = bytes.fromhex(digits)
        yield data.decode() if kind == "text" else data


def tell(message: str | bytes) -> None:
    """Say what has come back."""
    kind, data = ("text", message.encode()) if isinstance(message, str) else ("binary", message)
    say(f"{kind} {data.hex()}")


def say(line: object) -> None:
    """Write a line to standard output at once."""
    print(line, flush=True)
