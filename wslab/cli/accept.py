"""accept: print the Sec-WebSocket-Accept value for a key (RFC 6455 §4.2.2)."""

import argparse

from wslab.cli.output import show
from wslab.protocol.handshake import accept_key

HELP = "print the Sec-WebSocket-Accept value for a key"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the key."""
    parser.add_argument("key", metavar="KEY", help="the Sec-WebSocket-Key of a request")


def run(options: argparse.Namespace) -> int:
    """Print the value."""
    show(accept_key(options.key))
    return 0
