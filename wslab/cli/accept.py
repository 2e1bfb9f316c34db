"""accept: print the Sec-WebSocket-Accept value for a key (RFC 6455 §4.2.2)."""

import argparse
import base64
import binascii

from wslab.cli.arguments import as_utf8
from wslab.cli.output import show, tell
from wslab.protocol.handshake import accept_key

HELP = "print the Sec-WebSocket-Accept value for a key"
EXAMPLES = """\
  {wslab} accept dGhlIHNhbXBsZSBub25jZQ=="""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the key."""
    parser.add_argument("key", type=as_utf8, metavar="KEY", help="the Sec-WebSocket-Key of a request")


def run(options: argparse.Namespace) -> int:
    """Print the value; warn of what is no key, for which no client asks."""
    if not _is_key(options.key):
        tell("Warning: that is no key: a Sec-WebSocket-Key is 16 bytes in base64 (RFC 6455 §4.1), 24 characters")
    show(accept_key(options.key))
    return 0


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):  # a ValueError for what is not ASCII
        return False
