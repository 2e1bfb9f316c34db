"""connect: lines of standard input go out as text messages, what arrives is printed."""

import argparse
import contextlib
import os
import sys
import threading

from wslab.cli.errors import CommandError, reason
from wslab.cli.output import show_message
from wslab.protocol.errors import CloseCode, ConnectionClosed, ProtocolError, describe_close
from wslab.sockets.client import connect
from wslab.sockets.connection import Connection

HELP = "send lines of standard input as text messages, print what arrives"

# §7.1.4: both say that the closing handshake was done; a close frame without a code is one, too.
CLEAN = (CloseCode.NORMAL_CLOSURE, CloseCode.NO_STATUS_RECEIVED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address, and what to offer there."""
    parser.add_argument("url", metavar="URL", help="ws://host:port/path or wss://…")
    parser.add_argument("--no-deflate", action="store_true", help="do not offer permessage-deflate")
    parser.add_argument("--origin", help="the Origin header to send")
    parser.add_argument("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to offer")


def run(options: argparse.Namespace) -> int:
    """Talk until one side closes; a close with 1000, or without a code, is a success."""
    try:
        connection = connect(
            options.url,
            deflate=not options.no_deflate,
            origin=options.origin,
            subprotocols=options.subprotocol,
        )
    except (ValueError, OSError, ProtocolError) as error:
        raise CommandError(f"cannot connect to {options.url}: {reason(error)}") from error
    connection.timeout = None
    threading.Thread(target=_send_lines, args=(connection, sys.stdin.fileno()), daemon=True).start()
    with connection:
        try:
            for message in connection:
                show_message(message if isinstance(message, str) else message.hex(" "))
        except KeyboardInterrupt:
            connection.close(CloseCode.GOING_AWAY)
            raise
    if connection.close_code in CLEAN:
        return 0
    closed = describe_close(connection.close_code, connection.close_reason)
    raise CommandError(f"the connection closed with {connection.error or closed}")


def _send_lines(connection: Connection, descriptor: int) -> None:
    """Send what is typed, line by line, and close at its end; unbuffered, so that the program can end meanwhile."""
    unfinished = b""
    with contextlib.suppress(ConnectionClosed):  # the main thread reports why
        while read := os.read(descriptor, 65536):
            *lines, unfinished = (unfinished + read).split(b"\n")
            for line in lines:
                connection.send(line.rstrip(b"\r").decode(errors="replace"))
        if unfinished:
            connection.send(unfinished.decode(errors="replace"))
    connection.close()
