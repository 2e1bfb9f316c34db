"""echo: serve until interrupted, and send every message back as it came."""

import argparse
import contextlib
import logging

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import show
from wslab.protocol.limits import Limits
from wslab.sockets.server import EchoServer

HELP = "serve: send every message back as it came"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=arguments.port, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument(
        "--max-size", type=arguments.size, default=Limits.max_size, metavar="N", help="bytes of the largest message"
    )
    parser.add_argument("--no-deflate", action="store_true", help="decline permessage-deflate")
    parser.add_argument("--origin", action="append", metavar="ORIGIN", help="let only pages of this origin connect")
    parser.add_argument("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to agree to")
    parser.add_argument("--verbose", action="store_true", help="log refusals and faults on standard error")


def run(options: argparse.Namespace) -> int:
    """Print the address of the server, then serve until interrupted."""
    if options.verbose:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    server = EchoServer(
        options.host,
        options.port,
        limits=Limits(max_size=options.max_size),
        deflate=not options.no_deflate,
        origins=options.origin,
        subprotocols=options.subprotocol,
    )
    try:
        server.start()
    except (ValueError, OSError) as error:  # a ValueError for what is no name of a host
        raise CommandError(f"cannot listen on {options.host} port {options.port}: {reason(error)}") from error
    with contextlib.suppress(KeyboardInterrupt), server:  # Ctrl-C may come before the server waits for it
        show(f"Listening on {server.url}")
        server.serve_forever()
    return 0
