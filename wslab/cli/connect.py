"""connect: talk to a server: lines go out as text messages, what arrives is shown."""

import argparse
import re
import ssl

from wslab.cli import arguments
from wslab.cli.arguments import as_utf8
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import is_conversation, tell
from wslab.cli.talk import Sender, show_received, talk_between_pipes, talk_on_terminal
from wslab.cli.typed import LINES
from wslab.protocol.errors import CloseCode, ConnectionClosed, ProtocolError, describe_close
from wslab.sockets.client import connect
from wslab.sockets.connection import Connection

HELP = "talk to a server: send lines as text messages, show what arrives"
EXAMPLES = f"""\
  {{wslab}} connect ws://127.0.0.1:8765/
  {{wslab}} connect ws://127.0.0.1:8765/ --message Hello
  {{wslab}} connect wss://example.com/chat --header "X-Room: 7"
  echo /hex 00 ff | {{wslab}} connect ws://127.0.0.1:8765/ --slash

{LINES}

The status is 0 after a close with 1000, 1001 or without a code, else 1."""

# §7.1.4: all of them say that the closing handshake was done, and that nothing was wrong.
CLEAN = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RECEIVED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address, what to send in the request, and what to do then."""
    parser.add_argument("url", metavar="URL", help="ws://host:port/path or wss://…")
    parser.add_argument("--message", type=as_utf8, metavar="TEXT", help="send this, print the first answer, and close")
    parser.add_argument(
        "--wait",
        type=arguments.seconds,
        default=10.0,
        metavar="SECONDS",
        help="for that message (default: %(default)g)",
    )
    parser.add_argument(
        "--header",
        action="append",
        type=arguments.header,
        default=[],
        metavar="'NAME: VALUE'",
        help="a header of the request",
    )
    parser.add_argument(
        "--subprotocol", action="append", type=arguments.token, default=[], metavar="NAME", help="one to offer"
    )
    parser.add_argument("--origin", help="the Origin header to send")
    parser.add_argument("--no-deflate", action="store_true", help="do not offer permessage-deflate")
    parser.add_argument("--ca", metavar="FILE", help="for wss://: a certificate to trust, in PEM")
    parser.add_argument("--insecure", action="store_true", help="for wss://: trust every certificate")
    parser.add_argument(
        "--slash", action="store_true", help="lines with a slash are commands, and are printed, in pipes as well"
    )


def run(options: argparse.Namespace) -> int:
    """Talk until one side closes; a clean close is a success."""
    connection, is_typed = _connect(options), is_conversation() and options.message is None
    connection.timeout = None
    with connection:
        try:
            if options.message is not None:
                _exchange(connection, options)
            elif is_typed:
                tell(f"Connected to {_shown(options.url)}{_agreed(connection)} - /help tells what a line can do")
                talk_on_terminal(connection)
            else:
                talk_between_pipes(connection, options.slash)
        except KeyboardInterrupt:
            connection.close(CloseCode.GOING_AWAY)
            if is_typed:
                tell(f"The connection closed with {_closed(connection)}.")
            raise
    if connection.close_code not in CLEAN:
        raise CommandError(f"the connection closed with {connection.error or _closed(connection)}")
    if is_typed:
        tell(f"The connection closed with {_closed(connection)}.")
    return 0


def _closed(connection: Connection) -> str:
    return describe_close(connection.close_code, connection.close_reason)


def _connect(options: argparse.Namespace) -> Connection:
    try:
        return connect(
            options.url,
            deflate=not options.no_deflate,
            origin=options.origin,
            subprotocols=options.subprotocol,
            headers=options.header,
            ssl=_trust(options),
        )
    except (ValueError, OSError, ProtocolError) as error:
        raise CommandError(f"cannot connect to {_shown(options.url)}: {reason(error)}") from error


def _shown(url: str) -> str:
    """The address without user name and password, whatever is in these."""
    return re.sub(r"\A(\w+://)?.*@", r"\1[redacted]@", url, flags=re.DOTALL)


def _trust(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not (options.ca or options.insecure):
        return None
    try:
        context = ssl.create_default_context(cafile=options.ca)
    except OSError as error:
        why = "there is no certificate in it" if isinstance(error, ssl.SSLError) else reason(error)
        raise CommandError(f"cannot read {options.ca}: {why}") from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _agreed(connection: Connection) -> str:
    """What was agreed on in the handshake, in words."""
    extensions = connection.response.headers.get("Sec-WebSocket-Extensions") if connection.response else ""
    agreed = [f"subprotocol {connection.subprotocol}"] if connection.subprotocol else []
    agreed += [extensions] if extensions else []
    return f" ({', '.join(agreed)})" if agreed else ""


def _exchange(connection: Connection, options: argparse.Namespace) -> None:
    """Send one message, print the first that arrives, and close."""
    Sender(connection, tell if options.slash else None).send(options.message)
    try:
        message = connection.receive(options.wait)
    except TimeoutError as error:
        raise CommandError(f"no message came within {options.wait:g} s") from error
    except (ConnectionClosed, ProtocolError) as error:
        raise CommandError(f"no message came: the connection closed with {connection.error or error}") from error
    show_received(message, options.slash)
    connection.close()
