"""Autobahn: the cases of the Autobahn test suite, run by kosoku against any echo server."""

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

_before = list(sys.path)
from kosoku import FailureError, run_fuzzingclient  # noqa: E402
from kosoku.cases import CASES  # noqa: E402

sys.path[:] = _before  # kosoku.cases puts directories of its own there
if "kosoku" in str(getattr(sys.modules.get("pkg_resources"), "__file__", "")):
    del sys.modules["pkg_resources"]  # and what it takes for this is not what others mean

CHAPTERS = {
    "1": "whole messages",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragments",
    "6": "UTF-8",
    "7": "closing",
}
SLOW = {"5.19", "5.20"}  # they wait
UTF8 = ["6.2.1", "6.2.2", "6.2.3", "6.2.4", "6.3.1", "6.3.2", "6.4.1"]  # of a hundred and fifty, some are enough
QUICK = [case for case in CASES if case.split(".")[0] in {*CHAPTERS} - {"6"} and case not in SLOW] + UTF8


@dataclass(frozen=True)
class Verdict:
    """What came of a case: `behavior` judges the messages, `closing` the end, each in a word of Autobahn."""

    case: str
    behavior: str
    closing: str
    description: str
    expectation: str

    @property
    def has_passed(self) -> bool:
        """True unless a rule was broken: OK, NON-STRICT and INFORMATIONAL are no failures."""
        return {self.behavior, self.closing} <= {"OK", "NON-STRICT", "INFORMATIONAL"}


def cases_of(chapter: str) -> list[str]:
    """The cases of a chapter, by its number."""
    return [case for case in CASES if case.split(".")[0] == chapter]


def describe(case: str) -> tuple[str, str]:
    """What a case does, and what it expects, in the words of Autobahn."""
    found: Any = CASES[case]
    return " ".join(found.DESCRIPTION.split()), " ".join(found.EXPECTATION.split())


def judge(url: str, cases: Sequence[str] = QUICK) -> list[Verdict]:
    """Run these cases against the echo server at `url`, and return a verdict for each."""
    with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has an event loop already
        results = thread.submit(asyncio.run, _run(url, cases)).result()
    return [Verdict(it.case_id, it.behavior.value, it.behavior_close.value, *describe(it.case_id)) for it in results]


async def _run(url: str, cases: Sequence[str]) -> Sequence[Any]:
    try:
        return await run_fuzzingclient(url, list(cases), concurrency=2)
    except FailureError as failure:
        return failure.results
