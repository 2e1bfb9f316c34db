"""capstone: a file with the parts of all lessons in; which of them stand, what is next, and how its server does out.

The server is tried with the cases of the Autobahn test suite, which kosoku runs.
"""

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wslab.exercises.checking import check
from wslab.exercises.checks.report import Report
from wslab.exercises.sets.catalogue import EXERCISES

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
START = 10.0  # seconds in which a server must say where it listens
LISTENING = "Listening on "


@dataclass(frozen=True)
class Chapter:
    """The cases of one chapter that were passed, and the first that was not."""

    number: str
    passed: int
    cases: int
    first_failed: str = ""

    def __str__(self) -> str:
        failed = f"  first failed: {self.first_failed}" if self.first_failed else ""
        return f"{self.number:>4}  {CHAPTERS[self.number]:16}{self.passed:4} of {self.cases}{failed}"


@dataclass(frozen=True, repr=False)
class Score:
    """What is there of the file: a report for each part, and the chapters, or why there are none (`problem`)."""

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

    def __str__(self) -> str:
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


def judge_file(path: Path, chapters: Sequence[str] = tuple(CHAPTERS)) -> Score:
    """Check every part in the file, then run the cases against the server that the file starts as a program.

    Raises OSError if there is no such file.
    """
    path.read_bytes()
    names, problem = _load(path)
    found = [name for name in PARTS if name in names]
    reports = tuple(check(names[name], exercise=name) for name in found)
    missing = tuple(name for name in PARTS if name not in names)
    if problem or missing:
        return Score(reports, missing, problem=problem or "not tried while parts are missing")
    if importlib.util.find_spec("kosoku") is None:
        return Score(reports, missing, problem="the cases need kosoku: pip install kosoku")
    try:
        with _server(path) as url:
            return Score(reports, missing, tuple(_run_cases(url, chapters)))
    except TimeoutError as error:
        return Score(reports, missing, problem=str(error))


def _load(path: Path) -> tuple[dict[str, Any], str]:
    """What the file defines, and what went wrong with it."""
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    except BaseException as error:  # a learner's file may raise anything, SystemExit too
        if isinstance(error, KeyboardInterrupt):
            raise
        return names, f"the file cannot be loaded: {type(error).__name__}: {error}"
    return names, ""


@contextmanager
def _server(path: Path) -> Iterator[str]:
    """The address of the server that the file starts. Raises TimeoutError if it does not say where it listens."""
    process = subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    timer = threading.Timer(START, process.kill)
    timer.start()
    try:
        with process:
            line = process.stdout.readline() if process.stdout else ""
            timer.cancel()
            if not line.startswith(LISTENING):
                process.kill()
                raise TimeoutError(f"the server has not said '{LISTENING}ws://…' within {START:g} seconds")
            try:
                yield line.removeprefix(LISTENING).strip()
            finally:
                process.kill()
    finally:
        timer.cancel()


def _run_cases(url: str, chapters: Sequence[str]) -> Iterator[Chapter]:
    from wslab.labs.autobahn import cases_of, judge

    for number in chapters:
        verdicts = judge(url, cases_of(number))
        bad = [verdict.case for verdict in verdicts if not verdict.has_passed]
        yield Chapter(number, len(verdicts) - len(bad), len(verdicts), bad[0] if bad else "")
