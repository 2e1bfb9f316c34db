"""class: serve a class: the page on which students join, the room in which all get what one sends, and marks."""

import argparse
import contextlib
from pathlib import Path

from wslab.classroom.class_server import ClassServer
from wslab.classroom.limits import ClassLimits
from wslab.cli import arguments
from wslab.cli.class_saver import ClassSaver
from wslab.cli.errors import CommandError, reason
from wslab.cli.output import complain, show, until_ctrl_c

HELP = "serve a class: a page to join, a room for every client, and marks"
EXAMPLES = """\
  {wslab} class --port 8765
  {wslab} class --host 0.0.0.0 --port 8765 --save class.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to listen, for how many, and where to save."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address to listen on; 0.0.0.0 lets other computers in (default: %(default)s, which does not)",
    )
    parser.add_argument("--port", type=arguments.port, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument("--save", metavar="FILE", help="save students, marks and what passed, also meanwhile, as .json")
    parser.add_argument(
        "--per-address",
        type=arguments.size,
        default=ClassLimits.per_address,
        metavar="N",
        help="connections from one computer, or from all behind one proxy (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the addresses of the class, then serve until interrupted, and save."""
    path = None if options.save is None else _path_to_save(options.save)
    server = ClassServer(options.host, options.port, ClassLimits(per_address=options.per_address))
    with contextlib.ExitStack() as at_the_end, until_ctrl_c():
        _start(server)
        at_the_end.callback(server.close)
        if path is not None:
            at_the_end.enter_context(ClassSaver(server.room, path))
        _tell(server)
        server.serve_forever()
    return 0


def _start(server: ClassServer) -> None:
    try:
        server.start()
    except (ValueError, OSError) as error:
        host, port = server.server.host, server.server.port
        raise CommandError(f"cannot listen on {host} port {port}: {reason(error)}") from error
    except ImportError as error:
        raise CommandError(str(error)) from error


def _tell(server: ClassServer) -> None:
    show("\n".join(f"{'Students join at' if not n else 'or at':16} {one}" for n, one in enumerate(server.addresses)))
    show(f"{'For you alone':16} {server.teacher_address}")  # the only place where its token is told
    if server.is_open_to_others:
        complain(
            "class",
            "everybody in this network can join, see the names and read what is sent, as nothing is encrypted; "
            "Ctrl-C ends it",
        )
    else:
        show("Only this computer can join; --host 0.0.0.0 lets others in.")


def _path_to_save(name: str) -> Path:
    path = Path(name)
    if path.suffix.lower() != ".json":
        raise CommandError(f"cannot save to {path}: its name must end in .json")
    if not path.parent.is_dir():
        raise CommandError(f"cannot save to {path}: there is no folder {path.parent}")
    return path
