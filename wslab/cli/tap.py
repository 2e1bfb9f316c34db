"""tap: stand between clients and a server, print what passes, and save it."""

import argparse
import contextlib
import functools
import operator
from pathlib import Path

from wslab.cli import arguments
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import is_watched, show, tell, until_ctrl_c
from wslab.cli.saver import Saver
from wslab.cli.tap_log import LineFormatter, LiveRecording
from wslab.tap.faults import Fault, chop, cut, delay, silence
from wslab.tap.tap import Tap

HELP = "stand between clients and a server, and print what passes"
EXAMPLES = """\
  {wslab} tap --to 127.0.0.1:8765 --port 9000
  {wslab} tap --to 127.0.0.1:8765 --save talk.pcapng
  {wslab} tap --to 127.0.0.1:8765 --times --chop 1 --delay 0.01
  {wslab} tap --to 127.0.0.1:8765 --cut 200 --direction to-client"""

_RECORDINGS = (".pcapng", ".har")
_DIRECTIONS = ("both", "to-server", "to-client")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to listen, what to forward to, and where to save what passed."""
    parser.add_argument(
        "--to", required=True, metavar="HOST:PORT", help="the server; a ws:// or http:// address will do"
    )
    parser.add_argument("--port", type=arguments.port, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--times", action="store_true", help="begin each line with the time of day")
    parser.add_argument("--full", action="store_true", help="show texts to their end, and not only their beginning")
    parser.add_argument(
        "--save", metavar="FILE", help="save what passes, also meanwhile: .pcapng for Wireshark, or .har"
    )
    faults = parser.add_argument_group("faults", "what is done to the bytes that pass, in the direction that is chosen")
    faults.add_argument("--direction", choices=_DIRECTIONS, default="both", help="(default: %(default)s)")
    faults.add_argument("--chop", type=arguments.size, metavar="N", help="forward pieces of at most N bytes")
    faults.add_argument("--delay", type=arguments.seconds, metavar="SECONDS", help="wait before each piece")
    faults.add_argument("--cut", type=arguments.count, metavar="N", help="reset each connection after N bytes")
    faults.add_argument("--silence", type=arguments.count, metavar="N", help="forward nothing more after N bytes")


def run(options: argparse.Namespace) -> int:
    """Forward and print until interrupted, then save."""
    path = None if options.save is None else _path_to_save(options.save)
    recording, formatter = LiveRecording(keeps=path is not None), LineFormatter(options.times, options.full)
    tap = _tap(options, recording)
    with contextlib.ExitStack() as at_the_end:
        try:
            with until_ctrl_c():
                _start(tap)
                if path is not None:  # it is saved also where nobody reads the lines any more
                    at_the_end.enter_context(Saver(recording, path))
                target = f"{tap.target.host}:{tap.target.port}"
                show(f"Listening on {tap.host}:{tap.port}, forwarding to {target}")
                if is_watched():
                    tell(f"Clients connect to {tap.url} - Ctrl-C stops the tap")
                _print_lines(formatter, recording)
        finally:
            recording.close()
            tap.close()
        _print_lines(formatter, recording)
    return 0


def _tap(options: argparse.Namespace, recording: LiveRecording) -> Tap:
    fault = _fault(options)
    try:
        return Tap(
            options.to,
            host=options.host,
            port=options.port,
            to_server=None if options.direction == "to-client" else fault,
            to_client=None if options.direction == "to-server" else fault,
            recording=recording,
            keep_delivered=False,
        )
    except ValueError as error:
        raise CommandError(str(error)) from error


def _fault(options: argparse.Namespace) -> Fault | None:
    """All that is to be done, in an order in which every count is one of the bytes that the sender has sent."""
    wanted = {cut: options.cut, silence: options.silence, chop: options.chop, delay: options.delay}
    faults = [make(value) for make, value in wanted.items() if value is not None]
    return functools.reduce(operator.add, faults) if faults else None


def _colour(line: str) -> str:
    return "wrong" if " - illegal: " in line else "incoming" if " < " in line.partition('"')[0] else ""


def _start(tap: Tap) -> None:
    try:
        tap.start()
    except (ValueError, OSError) as error:
        raise CommandError(f"cannot listen on {tap.host} port {tap.port}: {reason(error)}") from error


def _print_lines(formatter: LineFormatter, recording: LiveRecording) -> None:
    for entry in recording:
        for line in formatter.lines(entry):
            show(line, _colour(line))


def _path_to_save(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() not in _RECORDINGS:
        raise CommandError(f"cannot save to {path}: its name must end in {' or '.join(_RECORDINGS)}")
    if not path.parent.is_dir():
        raise CommandError(f"cannot save to {path}: there is no folder {path.parent}")
    return path
