"""The benchmark: it runs, its results are whole, and the page beside them says what they say."""

import json
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "tests" / "benchmarks" / "results.json"
MEASURES = ["echo", "compressed echo", "wss", "many clients", "crowd", "clients", "codec"]
README = RESULTS.with_name("README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+ [KM]?i?B, \d+ in flight)" + r" \| ([\d.]+)" * 4 + r" \|$", re.MULTILINE)
PEERS = ["raw socket", "websockets", "picows"]
PROMISED = {  # of a bare socket, times websockets, times picows
    "32 B, 1 in flight": (0.80, 1.3, 0.9),
    "32 B, 64 in flight": (0.15, 2.5, 1.0),
    "1 KiB, 16 in flight": (0.0, 2.0, 0.9),
    "64 KiB, 1 in flight": (0.60, 1.3, 0.80),
    "1 MiB, 1 in flight": (0.48, 1.7, 0.6),
}


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def ratio(row, name, to):
    """The median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(row["rounds"][name], row["rounds"][to], strict=True))


def benchmark(*options):
    command = [sys.executable, "tests/benchmarks", "--quick", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_can_be_measured():
    printed = benchmark().stdout

    assert [line.partition(":")[0] for line in printed.splitlines() if line.startswith(tuple(MEASURES))] == MEASURES
    assert printed.count("| 32 B, 64 in flight, messages/s |") == 2
    assert printed.count("| 100 clients, µs, 99th percentile |") == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_another_checkout_takes_part(tmp_path):
    shutil.copytree(ROOT / "wslab", tmp_path / "wslab")
    with (tmp_path / "wslab" / "__init__.py").open("a") as package:
        package.write(f"import sys; print(*sys.argv[1:], file=open({str(tmp_path / 'programs')!r}, 'a'))")

    printed = benchmark("--only", "wss", "--only", "codec", "--against", tmp_path).stdout

    programs = (tmp_path / "programs").read_text().splitlines()
    assert programs.count("wslab 0 tls") == programs.count("wslab, one by one 0 tls") == 3
    assert programs.count("wslab.Protocol codec parse 32 0") == 1
    assert "| websockets | wslab | wslab, one by one | wslab before | wslab, one by one before |" in printed
    assert printed.count("times as good as before") == 2
    assert printed.count("| parse, 32 B, frames/s | wslab.Protocol |") == 1


def test_another_checkout_must_have_a_wslab(tmp_path):
    refused = benchmark("--against", tmp_path)

    assert refused.returncode == 2
    assert refused.stderr.endswith(f"argument --against: there is no wslab in {tmp_path}\n")


def test_the_committed_results_are_whole_and_name_the_machine(results):
    assert list(results["measures"]) == MEASURES
    assert {"processor", "cores", "python", "system", "date", "websockets", "picows"} <= set(results["machine"])
    rounds = {
        len(figures) for rows in results["measures"].values() for row in rows for figures in row["rounds"].values()
    }
    assert rounds == {7, 25}
    assert RESULTS.with_suffix(".png").stat().st_size > 50_000


def of_the_crowd(results, what, to="websockets"):
    [row] = [row for row in results["measures"]["crowd"] if row["name"].endswith(f": {what}")]
    return row, ratio(row, "wslab", to)


@pytest.mark.parametrize("name", PROMISED)
def test_the_echo_is_as_fast_as_promised(name, results):
    [row] = [row for row in results["measures"]["echo"] if row["name"] == name]
    reached = [ratio(row, "wslab", peer) for peer in PEERS]

    assert all(figure >= promised for figure, promised in zip(reached, PROMISED[name], strict=True)), reached


def test_a_crowd_costs_as_little_as_promised(results):
    assert of_the_crowd(results, "memory of each")[1] <= 0.75
    assert of_the_crowd(results, "opening handshakes")[1] >= 1.5
    assert of_the_crowd(results, "a message from each answered")[1] <= 0.3
    assert of_the_crowd(results, "threads of each", to="raw socket")[1] == 1.0


def test_the_page_says_what_was_measured(results):
    written = {name: tuple(map(float, figures)) for name, *figures in ROW.findall(README)}
    measured = {
        row["name"]: (
            round(ratio(row, "wslab", "raw socket"), 2),
            round(ratio(row, "wslab", "websockets"), 1),
            round(ratio(row, "wslab", "picows"), 1),
            round(ratio(row, "wslab, one by one", "websockets"), 1),
        )
        for row in results["measures"]["echo"]
    }

    assert written == measured


def test_the_page_says_where_and_with_whom(results):
    machine = results["machine"]

    assert f"{machine['python']}, {machine['processor']} with {machine['cores']} cores" in README
    for peer in ("websockets", "picows"):
        assert re.search(rf"\[{peer}\]\([^)]*\) {re.escape(machine[peer])}, ", README)


def test_the_page_says_what_a_crowd_costs(results):
    memory, threads, handshakes, answers = (
        of_the_crowd(results, what)
        for what in ("memory of each", "threads of each", "opening handshakes", "a message from each answered")
    )
    each, theirs = (statistics.median(memory[0]["rounds"][name]) for name in ("wslab", "websockets"))
    many = statistics.median(threads[0]["rounds"]["websockets"])

    assert f"one thread and {each:.0f} KiB of memory (websockets: {many:.0f} threads and {theirs:.0f} KiB)" in README
    assert f"opening handshakes come {handshakes[1]:.1f} times as fast as with websockets" in README
    assert f"a message from each of them {1 / answers[1]:.1f} times as fast" in README


def test_the_page_says_what_threads_cost(results):
    rows = {(row["name"].partition(",")[0], row["unit"]): row for row in results["measures"]["many clients"]}
    for clients in ("1 client", "10 clients", "100 clients"):
        rate, late = rows[clients, "messages/s"], rows[clients, "µs, 99th percentile"]
        cells = [
            f"{ratio(rate, name, 'raw socket'):.2f}, {ratio(late, name, 'raw socket'):.1f}"
            for name in ("wslab", "websockets", "aiohttp", "picows")
        ]
        assert f"| {clients} | {' | '.join(cells)} |" in README


def test_the_page_says_what_tls_costs(results):
    said = [f"{row['name']}: {ratio(row, 'wslab', 'websockets'):.2f}" for row in results["measures"]["wss"]]

    assert f"as websockets: {'; '.join(said)}." in README


def test_the_page_says_where_websockets_is_faster(results):
    names = {"compressed echo": "compressed echo", "clients": "client,", "codec": "codec,"}
    behind = [
        f"{names[measure]} {row['name']}: {best:.2f}"
        for measure in names
        for row in results["measures"][measure]
        if row["unit"] != "MB/s" and (best := max_ratio(row)) < 0.95
    ]

    assert f"({'; '.join(behind)})" in README


def max_ratio(row):
    """That of the faster of the two ways that wslab has, where it has two."""
    ours = [name for name in row["rounds"] if name.startswith("wslab") and name != "wslab, one by one"]
    return max(ratio(row, name, "websockets") for name in ours)
