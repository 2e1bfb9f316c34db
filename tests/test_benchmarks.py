"""The benchmark: it runs, its results are whole, and the README says of them what they say."""

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "tests" / "benchmarks" / "results.json"
MEASURES = ["echo", "compressed echo", "crowd", "clients", "codec"]
ROW = re.compile(r"^\| (\d+ [KM]?i?B, \d+ in flight) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def ratio(row, name, to):
    """The median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(row["rounds"][name], row["rounds"][to], strict=True))


@pytest.mark.slow
def test_everything_can_be_measured():
    command = [sys.executable, "tests/benchmarks", "--quick"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=True).stdout

    assert [line.partition(":")[0] for line in printed.splitlines() if line.startswith(tuple(MEASURES))] == MEASURES
    assert printed.count("| 32 B, 64 in flight, messages/s |") == 1


def test_the_committed_results_are_whole_and_name_the_machine(results):
    assert list(results["measures"]) == MEASURES
    assert {"processor", "cores", "python", "system", "date", "websockets", "picows"} <= set(results["machine"])
    rounds = {
        len(figures) for rows in results["measures"].values() for row in rows for figures in row["rounds"].values()
    }
    assert rounds == {3, 25}
    assert RESULTS.with_suffix(".png").stat().st_size > 50_000


def test_the_readme_says_what_was_measured(results):
    written = {
        name: tuple(map(float, figures)) for name, *figures in ROW.findall((ROOT / "README.md").read_text("utf-8"))
    }
    peers = ["raw socket", "websockets", "picows"]
    measured = {
        row["name"]: tuple(round(ratio(row, "wslab", peer), 1 + (peer == "raw socket")) for peer in peers)
        for row in results["measures"]["echo"]
    }

    assert written == measured
