"""capstone: a file with the parts of all lessons in; which of them stand, what is next, and how its server does out.

The server is tried with the cases of the Autobahn test suite, which kosoku runs.
"""

import ast
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wslab.exercises.checking import UNATTEMPTED, check
from wslab.exercises.checks import isolation
from wslab.exercises.checks.exercise import Case
from wslab.exercises.checks.report import Report
from wslab.exercises.sets.catalogue import EXERCISES
from wslab.protocol.errors import HandshakeError
from wslab.sockets.client import connect

# What a whole server needs, in the order of the lessons.
PARTS = (
    *("wants_websocket", "accept_key", "answer_deflate", "serialize_frame", "parse_frame", "apply_mask"),
    *("join_messages", "parse_close", "serialize_close", "deflate_message", "inflate_message"),
)
CHAPTERS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "10": "miscellaneous",
}
CHAPTER_POINTS = 5
# What would do the work in place of the file: a server of wslab, or another library.
BORROWED = {"Codec", "EchoServer", "Protocol", "aiohttp", "autobahn", "picows", "tornado", "websockets", "wsproto"}
GREETING = 5.0  # seconds for a handshake
START = 10.0  # seconds in which a server must say where it listens
LISTENING = "Listening on "
MOST_SHOWN = 80  # characters of a line


@dataclass(frozen=True)
class Chapter:
    """The cases of one chapter that were passed, and the first that was not."""

    number: str
    passed: int
    cases: int
    first_failed: str = ""

    @property
    def points(self) -> int:
        """Points for the share of the cases that were passed; all of them only for all cases."""
        return CHAPTER_POINTS * self.passed // self.cases

    def __str__(self) -> str:
        failed = f"  first failed: {self.first_failed}" if self.first_failed else ""
        return f"{self.number:>4}  {CHAPTERS[self.number]:16}{self.passed:4} of {self.cases}{failed}"


@dataclass(frozen=True, repr=False)
class Score:
    """What is there of the file: a report for each part, and the chapters, or why there are none (`problem`).

    Of a file that cannot be loaded there is the problem alone.
    """

    parts: tuple[Report, ...]
    missing: tuple[str, ...]
    chapters: tuple[Chapter, ...] = ()
    problem: str = ""

    @property
    def next(self) -> str:
        """The first part that is missing or fails; empty if all stand."""
        failed = {report.name for report in self.parts if not report.passed}
        return next((name for name in PARTS if name in failed or name in self.missing), "")

    @property
    def passed(self) -> bool:
        """Whether all parts stand and all cases are passed."""
        return not self.next and not self.problem and all(it.passed == it.cases for it in self.chapters)

    def points(self, chapter: str) -> int:
        """The points that the server has earned in a chapter, by its number: at most 5."""
        return next((it.points for it in self.chapters if it.number == chapter), 0)

    def __str__(self) -> str:
        if not self.parts and not self.missing:
            return self.problem  # nothing is known of the parts
        reports = {report.name: report for report in self.parts}
        lines = ["The parts:"]
        for name in PARTS:
            report = reports.get(name)
            found = "missing" if report is None else f"{report.points} of {report.max_points} points"
            lines.append(f"  {name:18}{found}")
        if self.next:
            lines.append(f"Next: {self.next} (lesson {EXERCISES[self.next].lesson[:2]})")
            lines += [f"  {line}" for line in _first_fault(reports.get(self.next))]
        lines.append("The server, by the cases of Autobahn:")
        lines += [str(chapter) for chapter in self.chapters] or [f"  {self.problem}"]
        return "\n".join(lines)

    __repr__ = __str__


def _first_fault(report: Report | None) -> list[str]:
    failed = [result for result in report.results if result.fault or result.skipped] if report else []
    return [failed[0].name, *failed[0].lines()] if failed else []


def judge_file(file: str | os.PathLike[str], chapters: Sequence[str] = tuple(CHAPTERS)) -> Score:
    """Check every part in a file, then run the cases against the server that the file starts as a program.

    Raises OSError if there is something of this name that cannot be read.
    """
    path = Path(file)
    try:
        source = path.read_bytes()  # Python knows how they are encoded
    except FileNotFoundError:
        return Score((), PARTS, problem=f"{UNATTEMPTED}: there is no {path.name} here")
    names, problem = _load(path, source)
    if problem:
        return Score((), (), problem=problem)
    found = [name for name in PARTS if name in names]
    reports = tuple(check(names[name], exercise=name) for name in found)
    missing = tuple(name for name in PARTS if name not in names)
    if problem := _why_not_tried(source, missing):
        return Score(reports, missing, problem=problem)
    try:
        with _server(path) as url:
            _shake_hands(url)
            return Score(reports, missing, tuple(_run_cases(url, chapters)))
    except TimeoutError as error:
        return Score(reports, missing, problem=str(error))


def _why_not_tried(source: bytes, missing: Sequence[str]) -> str:
    if missing:
        return "not tried while parts are missing"
    if borrowed := _borrowed(source):
        return f"not tried, as the file uses {borrowed}: this server is to be your own"
    if importlib.util.find_spec("kosoku") is None:
        return "the cases need kosoku: pip install kosoku"
    return ""


def _borrowed(source: bytes) -> str:
    """What the file takes from elsewhere, if it would do the work."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                if found := BORROWED & set(name.split(".")):
                    return found.pop()
            case ast.ImportFrom(module=str(module)) if found := BORROWED & set(module.split(".")):
                return found.pop()
    return ""


def _load(path: Path, source: bytes) -> tuple[dict[str, Any], str]:
    """What the file defines, and what went wrong with it. It is tried first where it can do no harm."""
    outcome = isolation.play(lambda: bool(_run(path, source)), [Case("")], frozenset(), isolation.LIMIT)[0]
    if outcome.ended:
        server = 'what starts the server belongs behind if __name__ == "__main__":'
        return {}, f"the file cannot be loaded: it {outcome.ended}; {server}"
    if outcome.raised:
        return {}, f"the file cannot be loaded: {outcome.raised}"
    return _run(path, source), ""


def _run(path: Path, source: bytes) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(source, str(path), "exec"), names)
    return names


@contextmanager
def _server(path: Path) -> Iterator[str]:
    """The address of the server that the file starts. Raises TimeoutError if it does not say where it listens."""
    command = [sys.executable, "-u", str(path)]  # what is printed comes at once, also without flush=True
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", errors="replace") as process,
    ):
        lines = process.stdout or iter(())
        # A pipe that nobody empties would stop a server which prints what it does.
        rest = threading.Thread(target=deque, args=(lines, 0), daemon=True)
        timer = threading.Timer(START, process.kill)
        timer.start()
        try:
            first = next(lines, "")
            timer.cancel()
            if not first.startswith(LISTENING):
                process.kill()
                process.wait()
                errors.seek(0)
                raise TimeoutError(_silence(first, errors.read()))
            rest.start()
            yield first.removeprefix(LISTENING).strip()
        finally:
            timer.cancel()
            process.kill()
            if rest.is_alive():
                rest.join(START)


def _silence(first: str, errors: str) -> str:
    """Why a server, whose first line is given, has not said where it listens."""
    if first:
        return f"the first line that the server prints is not '{LISTENING}ws://…', but {first.strip()[:MOST_SHOWN]!r}"
    last = (errors.strip().splitlines() or [""])[-1]
    said = f"the server has not said '{LISTENING}ws://…' within {START:g} seconds"
    return f"{said}; its last words were: {last}" if last else said


def _run_cases(url: str, chapters: Sequence[str]) -> Iterator[Chapter]:
    from wslab.labs.autobahn import cases_of, judge

    for number in chapters:
        verdicts = judge(url, cases_of(number))
        bad = [verdict.case for verdict in verdicts if not verdict.has_passed]
        yield Chapter(number, len(verdicts) - len(bad), len(verdicts), bad[0] if bad else "")


def _shake_hands(url: str) -> None:
    """Raises TimeoutError if nobody answers: every case would wait for that."""
    try:
        with connect(url, timeout=GREETING):
            pass
    except (OSError, HandshakeError) as error:
        raise TimeoutError(f"the server has not agreed to a handshake within {GREETING:g} seconds: {error}") from None
