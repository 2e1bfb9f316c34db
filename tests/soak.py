"""Soak: all attacks one after the other, and a table of what each has cost: `python tests/soak.py`."""

import argparse
import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

import psutil
from support.attacks import ATTACKS
from support.measured_attack import Figures

HEAD = f"{'attack':46} {'s':>6} {'MiB':>6} {'threads':>7} {'files':>7} {'echoes':>6} {'slowest':>8}  what they got"
EXPLANATION = """
MiB: the most memory that the server took during the attack, over what it had before. Threads and files of the server:
before the attack, and after it. Echoes: what one polite client got meanwhile; slowest: how long it waited at the most.
"""


def machine() -> dict[str, object]:
    """Where the figures come from."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory in GiB": round(psutil.virtual_memory().total / 2**30, 1),
    }


def line(name: str, figures: Figures) -> str:
    f = figures
    threads, files = f"{f.threads_before}, {f.threads_after}", f"{f.files_before}, {f.files_after}"
    got = ", ".join(f"{what} x {count}" for what, count in sorted(f.told.items()))
    measured = f"{f.seconds:6.1f} {f.memory:6.1f} {threads:>7} {files:>7} {f.echoes:6} {1000 * f.slowest_echo:5.0f} ms"
    return f"{name.replace('_', ' '):46} {measured}  {got}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Attack an EchoServer in every way, and print what it cost.")
    names = [attack.__name__ for attack in ATTACKS]
    parser.add_argument("--only", action="append", choices=names, metavar="ATTACK", help="run this one, by its name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    report: dict[str, object] = {"machine": machine(), "attacks": {}}
    print(*(f"{name}: {value}" for name, value in machine().items()), sep="\n")
    print(EXPLANATION, HEAD, sep="\n")
    for attack in [attack for attack in ATTACKS if attack.__name__ in (options.only or names)]:
        figures = attack()
        report["attacks"][attack.__name__] = {k: v for k, v in asdict(figures).items() if k != "log"}
        print(line(attack.__name__, figures), flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
