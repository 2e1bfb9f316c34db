"""Fuzz wslab under atheris, target by target, and keep the inputs that reach most: `python tests/fuzz/run.py`."""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
if str(TESTS) not in sys.path:  # when it is run as a script
    sys.path.insert(0, str(TESTS))

from fuzz.inputs import MAX_SIZE, corpus_file, crash_file, dictionary, read_inputs, seeds, write_inputs  # noqa: E402
from fuzz.targets import TARGETS  # noqa: E402

INSTALL = f"atheris is missing; it exists for Linux and Python 3.11 to 3.13: {sys.executable} -m pip install atheris"
FAILURES = ("crash-", "timeout-", "oom-")


@dataclass(frozen=True)
class Result:
    """What came of fuzzing one target: a line of figures, the inputs that it failed with, and the log of that."""

    figures: str
    failures: list[bytes]
    log: str
    failed: bool


def fuzz(target: str, seconds: int, keep: bool, seed: int) -> Result:
    """Fuzz one target, starting from its seeds and its corpus; with `keep`, its corpus is what reaches most.

    The inputs are the same at every run with one `seed`, as far as the seconds reach; 0 takes others each time.
    """
    with tempfile.TemporaryDirectory(prefix="wslab-fuzz-") as scratch:
        start, found, merged, failed = (Path(scratch, name) for name in ("start", "found", "merged", "failed"))
        for folder in (start, found, merged, failed):
            folder.mkdir()
        _lay_out(start, {*seeds(target), *read_inputs(corpus_file(target))})
        options = ["-timeout=10", "-rss_limit_mb=2048", f"-max_len={MAX_SIZE}", f"-artifact_prefix={failed}{os.sep}"]
        options.append(f"-seed={seed}")
        words = f"-dict={dictionary(target)}"
        run = _run_target(target, seconds, *options, words, f"-max_total_time={seconds}", found, start)
        log = run.stdout
        if keep:
            merge = _run_target(target, 0, *options, "-set_cover_merge=1", merged, start, found)
            if merge.returncode:
                return Result("its corpus could not be merged", [], log + merge.stdout, True)
            write_inputs(corpus_file(target), _contents(merged.iterdir()))
        failures = _contents(path for path in failed.iterdir() if path.name.startswith(FAILURES))
        return Result(_figures(log), failures, log, bool(run.returncode))


def _lay_out(folder: Path, inputs: Iterable[bytes]) -> None:
    for number, data in enumerate(inputs):
        (folder / str(number)).write_bytes(data)


def _contents(paths: Iterable[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def _run_target(target: str, seconds: int, *options: object) -> subprocess.CompletedProcess[str]:
    """Start libFuzzer, which is to end by itself after so many seconds, or as soon as it has merged."""
    return subprocess.run(
        [sys.executable, "-m", "fuzz.instrumented", target, *map(str, options)],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=seconds + 600,
        check=False,
    )


def _figures(log: str) -> str:
    progress = re.findall(r"^#(\d+)\s.* cov: (\d+) ft: (\d+) corp: (\S+)", log, re.MULTILINE)
    if not progress:
        return "did not run"
    runs, coverage, features, corpus = progress[-1]
    return f"{runs:>9} runs, {coverage:>4} edges, {features:>5} features, corpus {corpus}"


def main(arguments: Sequence[str]) -> int:
    """Fuzz the targets that are named, or all; 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--seconds", type=int, default=60, help="how long to fuzz each target (default: 60)")
    parser.add_argument("--read-only", action="store_true", help="leave the corpus as it is")
    parser.add_argument("--seed", type=int, default=0, help="the same inputs at each run (default: others each time)")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") is None:
        parser.error(INSTALL)
    failed = False
    targets = options.targets or list(TARGETS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda target: fuzz(target, options.seconds, not options.read_only, options.seed), targets)
        for target, result in zip(targets, results, strict=True):
            print(f"{target:18}{result.figures}", flush=True)
            failed = failed or result.failed
            if result.failed:
                write_inputs(crash_file(target), [*read_inputs(crash_file(target)), *result.failures])
                print(result.log, f"What {target} failed with is in {crash_file(target)}", sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
