"""The command line: `python -m wslab echo`, `connect`, `tap`, `inspect`, `watch`, `accept` and `doctor`."""

import argparse
import contextlib
import errno
import io
import logging
import os
import signal
import ssl
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from wslab.cli.doctor import examine
from wslab.cli.tap_log import Feed, Lines
from wslab.display.inspector.inspect import CAPTURES, inspect
from wslab.display.netstat.terminal import keep_showing
from wslab.display.netstat.watch import watch
from wslab.protocol.errors import CloseCode, ConnectionClosed, ProtocolError, describe_close
from wslab.protocol.handshake import accept_key
from wslab.protocol.limits import Limits
from wslab.protocol.redaction import harmless, printable, redact_line
from wslab.recording.recording import Recording
from wslab.sockets.client import connect
from wslab.sockets.connection import Connection
from wslab.sockets.server import EchoServer
from wslab.tap.tap import Tap

INTERRUPTED = 130
RECORDINGS = (".pcapng", ".har")


class CommandError(Exception):
    """What went wrong, in one sentence for the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except CommandError as error:
        print(f"wslab {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone; Python must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m wslab", description="WebSocket, from the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    echo = commands.add_parser("echo", help="serve: send every message back as it came")
    echo.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    echo.add_argument("--port", type=_port, default=0, help="the port to listen on (default: any free one)")
    echo.add_argument(
        "--max-size", type=_size, default=Limits.max_size, metavar="N", help="bytes of the largest message"
    )
    echo.add_argument("--no-deflate", action="store_true", help="decline permessage-deflate")
    echo.add_argument("--origin", action="append", metavar="ORIGIN", help="let only pages of this origin connect")
    echo.add_argument("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to agree to")
    echo.add_argument("--verbose", action="store_true", help="log refusals and faults on standard error")
    echo.set_defaults(run=_echo)

    client = commands.add_parser("connect", help="send lines of standard input as text messages, print what arrives")
    client.add_argument("url", metavar="URL", help="ws://host:port/path or wss://…")
    client.add_argument("--no-deflate", action="store_true", help="do not offer permessage-deflate")
    client.add_argument("--origin", help="the Origin header to send")
    client.add_argument("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to offer")
    client.set_defaults(run=_connect)

    look = commands.add_parser("inspect", help="name every field of frames or of a handshake, or list a capture file")
    look.add_argument(
        "what",
        nargs="+",
        metavar="HEX | FILE | -",
        help="bytes in hex, `-` for those of standard input, or a .pcapng, .pcap or .har file",
    )
    look.add_argument("--start", type=_count, default=0, metavar="N", help="the first byte, of a file the first row")
    look.add_argument("--most", type=_size, metavar="N", help="how many rows to show at most (default: about 200)")
    look.set_defaults(run=_inspect)

    tap = commands.add_parser("tap", help="stand between clients and a server, and print what passes")
    tap.add_argument("--to", required=True, metavar="HOST:PORT", help="the server; a ws:// or http:// address will do")
    tap.add_argument("--port", type=_port, default=0, help="the port to listen on (default: any free one)")
    tap.add_argument("--save", metavar="FILE", help="at the end, save what passed: .pcapng for Wireshark, or .har")
    tap.set_defaults(run=_tap)

    view = commands.add_parser(
        "watch", help="list the TCP connections of this machine, as netstat does, again and again"
    )
    view.add_argument("--port", type=_port, help="only those with this port at one end")
    view.add_argument("--once", action="store_true", help="print one table as text, as where standard output is a file")
    view.set_defaults(run=_watch)

    accept = commands.add_parser("accept", help="print the Sec-WebSocket-Accept value for a key")
    accept.add_argument("key", metavar="KEY", help="the Sec-WebSocket-Key of a request")
    accept.set_defaults(run=_accept)

    doctor = commands.add_parser("doctor", help="check this machine and say what is missing and how to get it")
    doctor.set_defaults(run=_doctor)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _size(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a size is a positive number, not {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"bytes and rows are counted from 0, so not {text!r}")
    return int(text)


def _echo(options: argparse.Namespace) -> int:
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
    except OSError as error:
        raise CommandError(f"cannot listen on {options.host} port {options.port}: {_why(error)}") from error
    with contextlib.suppress(KeyboardInterrupt), server:  # Ctrl-C may come before the server waits for it
        print(f"Listening on {server.url}", flush=True)
        server.serve_forever()
    return 0


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):  # its errno is none of the system's
        return f"TLS failed: {(error.reason or 'the server ended it').replace('_', ' ').lower()}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "it is in use already; --port 0 takes a free one"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error)


def _connect(options: argparse.Namespace) -> int:
    try:
        connection = connect(
            options.url,
            deflate=not options.no_deflate,
            origin=options.origin,
            subprotocols=options.subprotocol,
        )
    except (ValueError, OSError, ProtocolError) as error:
        raise CommandError(f"cannot connect to {harmless(options.url)}: {_why(error)}") from error
    connection.timeout = None
    _allow_all_characters()
    threading.Thread(target=_send_lines, args=(connection, sys.stdin.fileno()), daemon=True).start()
    with connection:
        for message in connection:
            print(_for_output(message), flush=True)
    if connection.close_code == CloseCode.NORMAL_CLOSURE:
        return 0
    closed = describe_close(connection.close_code, connection.close_reason)
    raise CommandError(f"the connection closed with {connection.error or closed}")


def _allow_all_characters() -> None:
    """A terminal or a file may not know every character that passes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _for_output(message: str | bytes) -> str:
    """A message as a line; what would move the cursor of a terminal, or more, is shown in a terminal and not done."""
    if isinstance(message, bytes):
        return message.hex(" ")
    return printable(message) if sys.stdout.isatty() else message


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


def _inspect(options: argparse.Namespace) -> int:
    text = " ".join(options.what)
    is_file = text.lower().endswith(CAPTURES)
    data = _load(text) if is_file else _bytes_of_hex(_read_hex() if text == "-" else text)
    _allow_all_characters()
    print(inspect(data, options.start, options.most))
    return 0


def _read_hex() -> str:
    return sys.stdin.buffer.read().decode(errors="backslashreplace")


def _bytes_of_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CommandError(
            f"{redact_line(text)!r} is neither hex nor the name of a .pcapng, .pcap or .har file"
        ) from None


def _load(path: str) -> Recording:
    """A capture file; what is missing from it is told on standard error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            recording = Recording.load(path)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"cannot read {path}: {_why(error)}") from error
    for warning in told:
        print(f"wslab inspect: {warning.message}", file=sys.stderr)
    return recording


def _tap(options: argparse.Namespace) -> int:
    if options.save is not None:
        _check_file_to_save(Path(options.save))
    feed, lines = Feed(keeps=options.save is not None), Lines()
    try:
        tap = Tap(options.to, port=options.port, recording=feed, keep_delivered=False).start()
    except ValueError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"cannot listen on port {options.port}: {_why(error)}") from error
    _allow_all_characters()
    with contextlib.ExitStack() as at_the_end:
        if options.save is not None:  # also where nobody reads the lines any more
            at_the_end.callback(_save, feed, Path(options.save))
        try:
            with contextlib.suppress(KeyboardInterrupt), _ended_as_by_ctrl_c(signal.SIGTERM):
                target = f"{tap.target.host}:{tap.target.port}"
                print(f"Listening on {tap.host}:{tap.port}, forwarding to {target}", flush=True)
                _print_lines(lines, feed)
        finally:
            feed.close()
            tap.close()
        _print_lines(lines, feed)
    return 0


@contextlib.contextmanager
def _ended_as_by_ctrl_c(number: signal.Signals) -> Iterator[None]:
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _print_lines(lines: Lines, feed: Feed) -> None:
    for entry in feed:
        for line in lines.of(entry):
            print(line, flush=True)


def _check_file_to_save(path: Path) -> None:
    if path.suffix.lower() not in RECORDINGS:
        raise CommandError(f"cannot save to {path}: its name must end in {' or '.join(RECORDINGS)}")
    if not path.parent.is_dir():
        raise CommandError(f"cannot save to {path}: there is no folder {path.parent}")


def _save(feed: Feed, path: Path) -> None:
    try:
        feed.save(path)
    except (ValueError, OSError) as error:
        raise CommandError(f"cannot save to {path}: {_why(error)}") from error
    print(f"Saved to {path}", flush=True)


def _watch(options: argparse.Namespace) -> int:
    try:
        if options.once or not sys.stdout.isatty():
            print(watch(options.port))
        else:
            with contextlib.suppress(KeyboardInterrupt):
                keep_showing(lambda: watch(options.port))
    except (ImportError, OSError) as error:
        raise CommandError(_why(error)) from error
    return 0


def _accept(options: argparse.Namespace) -> int:
    print(accept_key(options.key))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    findings = examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.fine for finding in findings if finding.required) else 1


if __name__ == "__main__":
    sys.exit(main())
