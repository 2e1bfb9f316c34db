"""doctor: what this machine has and lacks for the course, and how to get what is missing."""

import argparse
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from wslab.cli.errors import reason
from wslab.cli.output import show
from wslab.protocol.errors import ConnectionClosed, ProtocolError
from wslab.sockets.client import connect
from wslab.sockets.server import EchoServer

HELP = "check this machine and say what is missing and how to get it"

OLDEST_PYTHON = (3, 11)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox-esr", "firefox")
PACKAGES = [
    ("jupyterlab", "to open the notebooks"),
    ("ipykernel", "to run the notebooks"),
    ("ipywidgets", "for the interactive parts"),
    ("anywidget", "to keep their keys to themselves"),
    ("matplotlib", "for the plots"),
    ("nbval", "to check the notebooks"),
    ("psutil", "to list connections"),
    ("rich", "to keep that list up to date in a terminal"),
]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: what was found, what to do if it is not fine, and whether the course needs it."""

    subject: str
    fine: bool
    found: str
    remedy: str = ""
    required: bool = True

    def __str__(self) -> str:
        mark = "ok     " if self.fine else "MISSING" if self.required else "without"
        return f"{mark}  {self.subject}: {self.found}" + ("" if self.fine else f" - {self.remedy}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: it checks everything."""


def run(options: argparse.Namespace) -> int:
    """Print a line for each check; return 1 if something is missing that the course needs."""
    findings = examine()
    for finding in findings:
        show(finding)
    return 0 if all(finding.fine for finding in findings if finding.required) else 1


def examine() -> list[Finding]:
    """Run all checks, in the order in which a reader should see them."""
    return [
        _check_python(),
        *(_check_package(name, purpose) for name, purpose in PACKAGES),
        _check_echo("127.0.0.1"),
        _check_echo("::1", required=False),
        _check_program("a browser", BROWSERS, "any browser will do: Debian's package is called chromium"),
        _check_program(
            "Node.js", ("node",), "only a test against Node's ws needs it: Debian's package is called nodejs"
        ),
    ]


def _check_python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= OLDEST_PYTHON, found, "install Python 3.11 or later from python.org")


def _check_package(name: str, purpose: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, f"not installed, {purpose}", "run: pip install -r requirements.txt")


def _check_echo(host: str, *, required: bool = True) -> Finding:
    subject = f"echo over {host}"
    try:
        with EchoServer(host) as server, connect(server.url, timeout=5) as connection:
            connection.send("Hello")
            answer = connection.receive()
    except (OSError, ConnectionClosed, ProtocolError) as error:
        remedy = "look for a firewall that blocks connections of this machine to itself"
        return Finding(subject, False, reason(error), remedy, required)
    return Finding(subject, answer == "Hello", "a message came back as it went", "", required)


def _check_program(subject: str, names: tuple[str, ...], remedy: str) -> Finding:
    found = next((name for name in names if shutil.which(name)), None)
    return Finding(subject, found is not None, found or "not on the PATH", remedy, required=False)
