"""echo: serve until interrupted, and send every message back as it came."""

import argparse
import logging
import webbrowser

from wslab.cli import arguments
from wslab.cli.addresses import EVERYWHERE, addresses_for_others, is_open_to_others, with_port
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import is_watched, show, tell, until_ctrl_c
from wslab.protocol.limits import Limits
from wslab.sockets.server import EchoServer

HELP = "serve: send every message back as it came"
EXAMPLES = """\
  {wslab} echo --port 8765
  {wslab} echo --open
  {wslab} echo --host 0.0.0.0 --port 8765 --verbose

A browser that opens the address by http:// gets the Echo test page."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=arguments.port, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument("--open", action="store_true", help="open the Echo test page in a browser")
    parser.add_argument(
        "--max-size",
        type=arguments.size,
        default=Limits.max_size,
        metavar="N",
        help="bytes of the largest message (default: %(default)s)",
    )
    parser.add_argument("--no-deflate", action="store_true", help="decline permessage-deflate")
    parser.add_argument(
        "--origin",
        action="append",
        type=arguments.origin,
        metavar="ORIGIN",
        help="let only pages of this origin connect, http://host:port",
    )
    parser.add_argument(
        "--subprotocol",
        action="append",
        type=arguments.token,
        default=[],
        metavar="NAME",
        help="a subprotocol to agree to",
    )
    parser.add_argument("--verbose", action="store_true", help="tell of each connection on standard error")


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
    except (ValueError, OSError) as error:
        raise CommandError(f"cannot listen on {options.host} port {options.port}: {reason(error)}") from error
    with until_ctrl_c(), server:  # Ctrl-C may come before the server waits for it
        show(f"Listening on {server.url}")
        _tell_of(server, options.open)
        server.serve_forever()
    return 0


def _tell_of(server: EchoServer, is_to_be_opened: bool) -> None:
    """Say where the page is and who may connect, and open the page."""
    page = f"http://{with_port(EVERYWHERE.get(server.host, server.host), server.port)}/"
    if is_watched():
        tell(f"Echo test page: {page} - Ctrl-C stops the server")
    if is_open_to_others(server.host):
        places = [f"ws://{with_port(host, server.port)}/" for host in addresses_for_others(server.host)]
        where = f", at {' or '.join(places)}" if places else ""
        tell(f"Warning: everybody who reaches this machine can connect{where}")
    if is_to_be_opened and not webbrowser.open(page):
        tell(f"No browser could be opened; the page is {page}")
