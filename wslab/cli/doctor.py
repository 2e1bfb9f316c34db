"""doctor: what this machine has and lacks for the course, and how to get what is missing."""

import argparse
import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wslab.cli.errors import reason
from wslab.cli.output import show
from wslab.protocol.errors import ConnectionClosed, ProtocolError
from wslab.sockets.client import connect
from wslab.sockets.failures import proxies_set
from wslab.sockets.server import EchoServer

HELP = "check this machine and say what is missing and how to get it"
EXAMPLES = """\
  {wslab} doctor"""

OLDEST_PYTHON = (3, 11)
WELL = "All is well. Next: {python} -m wslab lessons --open"
REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox-esr", "firefox")
PACKAGES = [
    ("wslab", "so that the notebooks find it"),
    ("jupyterlab", "to open the notebooks"),
    ("ipykernel", "to run the notebooks"),
    ("ipywidgets", "for the interactive parts"),
    ("anywidget", "to keep their keys to themselves"),
    ("matplotlib", "for the plots"),
    ("numpy", "for the plots, and to mask long messages fast"),
    ("nbval", "to check the notebooks"),
    ("psutil", "to list connections"),
    ("segno", "to draw the QR code of a class"),
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
    instead: str = "without"  # what is said of what is not fine and not required

    def __str__(self) -> str:
        mark = "ok     " if self.fine else "MISSING" if self.required else f"{self.instead:<7}"
        return f"{mark}  {self.subject}: {self.found}" + ("" if self.fine else f" - {self.remedy}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: it checks everything."""


def run(options: argparse.Namespace) -> int:
    """Print a line for each check, and what to do next; return 1 if something is missing that the course needs."""
    findings = examine()
    for finding in findings:
        show(finding)
    next_steps = WELL.format(python=this_python())
    missing = [finding.subject for finding in findings if finding.required and not finding.fine]
    show(f"Missing: {', '.join(missing)}. Do what stands behind it, then run this again." if missing else next_steps)
    return 1 if missing else 0


def examine() -> list[Finding]:
    """Run all checks, in the order in which a reader should see them."""
    return [
        _check_python(),
        *(_check_package(name, purpose) for name, purpose in PACKAGES),
        _check_echo("127.0.0.1"),
        _check_echo("::1", required=False),
        _check_proxy(),
        _check_program("a browser", BROWSERS, "any browser will do: Debian's package is called chromium"),
        _check_program("tshark", ("tshark",), "only to read encrypted captures: Debian's package is called tshark"),
        _check_program(
            "Node.js", ("node",), "only a test against Node's ws needs it: Debian's package is called nodejs"
        ),
    ]


def this_python() -> str:
    """What is typed for the Python that runs this, whether its environment is activated or not."""
    if shutil.which("python") == sys.executable:
        return "python"
    there, here = Path(sys.executable), Path.cwd()
    return str(there.relative_to(here) if there.is_relative_to(here) else there)


def _check_python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= OLDEST_PYTHON, found, "install Python 3.11 or later from python.org")


def _check_package(name: str, purpose: str) -> Finding:
    try:
        found, tested = version(name), _tested_versions(name)
        is_tested = not tested or found in tested
        with_which = "" if is_tested else f" (the course is tested with {' or '.join(tested)})"
        return Finding(name, True, found + with_which)
    except PackageNotFoundError:
        wanted = "-r requirements.txt" if REQUIREMENTS.exists() else "wslab[course]"
        return Finding(name, False, f"not installed, {purpose}", f"run: {this_python()} -m pip install {wanted}")


def _tested_versions(name: str) -> list[str]:
    """The versions that requirements.txt names, one for each range of Pythons, if that file is there."""
    try:
        pins = REQUIREMENTS.read_text(encoding="utf-8")
    except OSError:
        return []
    return re.findall(rf"^{re.escape(name)}==([^\s;]+)", pins, re.MULTILINE)


def _check_proxy() -> Finding:
    """Name what may come between other programs and a server, though not between wslab and one."""
    if not (names := proxies_set()):
        return Finding("a proxy", True, "none is set")
    by_them, exempt = ", ".join(names), os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if {"localhost", "127.0.0.1"} <= set(re.split(r"[\s,]+", exempt)):
        return Finding("a proxy", True, f"set by {by_them}, but not for this machine")
    found = f"set by {by_them}: wslab does not use it; a browser, pip or curl may, even for this machine"
    return Finding("a proxy", False, found, "set NO_PROXY=localhost,127.0.0.1", False, "note")


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
