"""tap: stand between clients and a server, print what passes, and save it."""

import argparse
import contextlib
from pathlib import Path

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import show
from wslab.cli.saver import Saver
from wslab.cli.tap_log import LineFormatter, LiveRecording
from wslab.tap.tap import Tap

HELP = "stand between clients and a server, and print what passes"

_RECORDINGS = (".pcapng", ".har")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to listen, what to forward to, and where to save what passed."""
    parser.add_argument(
        "--to", required=True, metavar="HOST:PORT", help="the server; a ws:// or http:// address will do"
    )
    parser.add_argument("--port", type=arguments.port, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument(
        "--save", metavar="FILE", help="save what passes, also meanwhile: .pcapng for Wireshark, or .har"
    )


def run(options: argparse.Namespace) -> int:
    """Forward and print until interrupted, then save."""
    path = None if options.save is None else _path_to_save(options.save)
    recording, formatter = LiveRecording(keeps=path is not None), LineFormatter()
    try:
        tap = Tap(options.to, port=options.port, recording=recording, keep_delivered=False)
    except ValueError as error:
        raise CommandError(str(error)) from error
    with contextlib.ExitStack() as at_the_end:
        try:
            with contextlib.suppress(KeyboardInterrupt):
                _start(tap)
                if path is not None:  # it is saved also where nobody reads the lines any more
                    at_the_end.enter_context(Saver(recording, path))
                target = f"{tap.target.host}:{tap.target.port}"
                show(f"Listening on {tap.host}:{tap.port}, forwarding to {target}")
                _print_lines(formatter, recording)
        finally:
            recording.close()
            tap.close()
        _print_lines(formatter, recording)
    return 0


def _start(tap: Tap) -> None:
    try:
        tap.start()
    except OSError as error:
        raise CommandError(f"cannot listen on port {tap.port}: {reason(error)}") from error


def _print_lines(formatter: LineFormatter, recording: LiveRecording) -> None:
    for entry in recording:
        for line in formatter.lines(entry):
            show(line)


def _path_to_save(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() not in _RECORDINGS:
        raise CommandError(f"cannot save to {path}: its name must end in {' or '.join(_RECORDINGS)}")
    if not path.parent.is_dir():
        raise CommandError(f"cannot save to {path}: there is no folder {path.parent}")
    return path
