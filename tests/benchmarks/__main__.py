"""The benchmark: `python tests/benchmarks` measures wslab beside a bare socket and other libraries, all in one run."""

import argparse
import contextlib
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import psutil
from load import FULL, QUICK
from measures import MEASURES, Row
from plot import plot
from processes import BEFORE

RESULTS = Path(__file__).with_name("results.json")
COMPARED = ["wslab", "websockets", "aiohttp", "picows", "websocket-client", "wsproto", "numpy"]


def machine() -> dict[str, object]:
    """Where the figures come from."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": processor(),
        "cores": psutil.cpu_count(),
        "memory in GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: version(name) for name in COMPARED},
    }


def processor() -> str:
    """The name of the processor, where the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def tables(rows: list[Row]) -> str:
    """The rows as Markdown tables, one for those who are compared together.

    Each cell has the median, and in brackets the median of the ratios to the one that has 1.00.
    """
    lines: list[str] = []
    for names, group in itertools.groupby(rows, key=lambda row: tuple(row.rounds)):
        lines += ["", "| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for row in group:
            cells = [f"{rounded(row.median(name))} ({row.ratio(name):.2f})" for name in names]
            lines.append(f"| {row.name}, {row.unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rounded(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def compared_with_before(rows: list[Row]) -> str:
    """How fast wslab is beside that of the other checkout, the slowest row first, and the middle half of the rounds.

    A rate counts as it is, a time or an amount of memory upside down, so that more is always better.
    """
    lines = []
    for row in rows:
        for before in (name for name in row.rounds if name.endswith(BEFORE) and row.unit != "MB/s"):
            name = before.removesuffix(BEFORE)
            pairs = list(zip(row.rounds[name], row.rounds[before], strict=True))
            ratios = [now / then if row.unit.endswith("/s") else then / now for now, then in pairs]
            low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
            lines.append((middle, f"| {row.name}, {row.unit} | {name} | {middle:.2f} ({low:.2f} to {high:.2f}) |"))
    return "\n".join(["", "| | | times as good as before |", "|---|---|---|", *(line for _, line in sorted(lines))])


def checkout(text: str) -> Path:
    """The folder of another checkout, if `import wslab` finds it there."""
    path = Path(text).resolve()
    command = [sys.executable, "-P", "-c", "import wslab; print(wslab.__file__)"]
    found = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(path)}, capture_output=True, text=True)
    if not Path(found.stdout).is_relative_to(path):
        raise argparse.ArgumentTypeError(f"there is no wslab in {text}")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that everything runs: the figures mean nothing")
    parser.add_argument("--only", action="append", choices=MEASURES, help="measure this, and not all of it")
    parser.add_argument("--against", type=checkout, help="let the wslab of another checkout take part, as 'before'")
    parser.add_argument("--save", action="store_true", help="write results.json and results.png beside this program")
    options = parser.parse_args()
    plan = replace(QUICK if options.quick else FULL, against=options.against)
    here = machine()
    print("\n".join(f"{name}: {value}" for name, value in here.items()), flush=True)
    measured: dict[str, list[Row]] = {}
    for name in options.only or MEASURES:
        measured[name] = MEASURES[name](plan)
        print(f"\n{name}: {MEASURES[name].__doc__}\n{tables(measured[name])}", flush=True)
        if plan.against:
            print(compared_with_before(measured[name]), flush=True)
    if options.save:
        save(here, {name: [without_before(row) for row in rows] for name, rows in measured.items()})


def without_before(row: Row) -> Row:
    return replace(row, rounds={name: row.rounds[name] for name in row.rounds if not name.endswith(BEFORE)})


def save(here: dict[str, object], measured: dict[str, list[Row]]) -> None:
    """Write the results as data and as a picture."""
    rows = {name: [rounded_row(row) for row in measured[name]] for name in measured}
    RESULTS.write_text(json.dumps({"machine": here, "measures": rows}, indent=1) + "\n", encoding="utf-8")
    plot(measured, here, RESULTS.with_suffix(".png"))


def rounded_row(row: Row) -> dict[str, object]:
    """A row with four digits of each figure, which is more than can be measured."""
    rounds = {name: [float(f"{figure:.4g}") for figure in figures] for name, figures in row.rounds.items()}
    return asdict(row) | {"rounds": rounds}


if __name__ == "__main__":
    main()
