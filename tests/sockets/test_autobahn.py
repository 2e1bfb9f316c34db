"""The cases of the Autobahn test suite, run by kosoku: its client tries our server, and our client tries its server.

Nothing but OK counts, and INFORMATIONAL where the RFC leaves the choice. The light cases run by default; what is left
(megabytes and thousands of compressed messages) runs with the slow tests.
"""

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import pytest
from kosoku import FailureError, run_fuzzingclient, run_fuzzingserver
from kosoku._kosoku import CaseResult

import wslab
from wslab.labs.autobahn import CASES

# The compression cases leave the files that they read to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*kosoku:ResourceWarning")

ALL = list(CASES)
HEAVY = [case for case in ALL if case.startswith(("9.", "12.", "13."))]  # big messages, and thousands compressed
SAMPLE = [case for case in HEAVY if case.endswith(".1")]
FRAGMENTED_AND_COMPRESSED = ["12.1.11", "13.7.11"]
LIGHT = [case for case in ALL if case not in HEAVY or case in SAMPLE + FRAGMENTED_AND_COMPRESSED]
REST = [case for case in ALL if case not in LIGHT]
# These run only if the client offers to do without context takeover.
NO_CONTEXT_TAKEOVER = ("13.2.", "13.5.", "13.6.")

MAX_SIZE = 16 * 1024 * 1024
TIMEOUT = 60.0
PROCESSES = 2
GOOD = {"OK", "INFORMATIONAL"}


def test_there_are_517_cases_and_the_light_ones_are_half_of_them():
    assert len(ALL) == 517
    assert len(LIGHT) == 269


light_and_rest = pytest.mark.parametrize(
    "cases",
    [
        pytest.param(LIGHT, id="light"),
        pytest.param(REST, id="rest", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)


@light_and_rest
def test_our_server_does_what_every_case_expects(cases):
    assert_all_good(try_our_server(cases), cases)


@light_and_rest
def test_our_client_does_what_every_case_expects(cases):
    raised = {}
    assert_all_good(try_our_client(cases, raised), cases, raised)


def try_our_server(cases: list[str]) -> list[CaseResult]:
    with our_server() as url:
        try:
            return asyncio.run(run_fuzzingclient(url, cases, concurrency=PROCESSES))
        except FailureError as failure:
            return failure.results


@contextmanager
def our_server() -> Iterator[str]:
    """An echo server in a process of its own, so that it and kosoku have a core each."""
    command = [sys.executable, "-m", "wslab", "echo", "--max-size", str(MAX_SIZE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def try_our_client(cases: list[str], raised: dict[str, str]) -> list[CaseResult]:
    """The results; what our client raised goes into `raised`."""

    async def serve():
        async with run_fuzzingserver(cases, port=0) as server:
            await asyncio.to_thread(run_our_client, f"ws://{server.address}:{server.port}", cases, raised)
            return await server.get_result()

    try:
        return asyncio.run(serve())
    except FailureError as failure:
        return failure.results


def run_our_client(url: str, cases: list[str], raised: dict[str, str]) -> None:
    with wslab.connect(f"{url}/getCaseCount") as connection:
        assert int(connection.receive()) == len(cases)
    urls = [f"{url}/runCase?case={number}&agent=wslab" for number in range(1, len(cases) + 1)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as clients:
        raised |= zip(cases, clients.map(echo, cases, urls), strict=True)
    with wslab.connect(f"{url}/updateReports?agent=wslab"):
        pass


def echo(case: str, url: str) -> str:
    """Send back what comes; return what was raised, if anything was."""
    offer = wslab.PermessageDeflate(client_no_context_takeover=case.startswith(NO_CONTEXT_TAKEOVER))
    try:
        with wslab.connect(url, deflate=offer, max_size=MAX_SIZE, timeout=TIMEOUT) as connection:
            wslab.echo(connection)
    except Exception:
        return traceback.format_exc()
    return ""


def assert_all_good(results: list[CaseResult], cases: list[str], raised: dict[str, str] | None = None) -> None:
    assert [result.case_id for result in results] == cases
    raised = raised or {}
    bad = [
        describe(result, raised.get(result.case_id, ""))
        for result in results
        if not {result.behavior.value, result.behavior_close.value} <= GOOD or raised.get(result.case_id)
    ]
    assert not bad, f"{len(bad)} of {len(cases)} cases are not OK\n\n" + "\n\n".join(bad)


def describe(result: CaseResult, raised: str) -> str:
    """What the case expects and what it got, with the end of kosoku's log: what it sent (T) and received (R)."""
    lines = [
        f"case {result.case_id}: {result.behavior.value}, closing {result.behavior_close.value}",
        f"expected: {' '.join(result.expectation.split())}",
        f"result:   {result.result} {result.result_close} {result.was_not_clean_reason or ''}",
        *(str(entry)[:160] for entry in result.wirelog[-8:]),
        *raised.splitlines(),
    ]
    return "\n    ".join(lines)
