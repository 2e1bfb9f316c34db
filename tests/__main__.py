"""The long commands of this repository under short names: `python tests NAME`, in the environment of the README."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ("notebooks/*.ipynb", "notebooks/solutions/*.ipynb")
BARE_PLATFORM = ROOT / "tests/support/bare_platform"

BARE = "run the tests, or those that are named, as on Windows: without what it does not have"
EXERCISES = (
    "make the exercise sets anew from the catalogue: solutions, run, and what nbgrader hands out (needs nbgrader)"
)

# What each name does, and what Python runs for it; options behind the name are passed on.
OUTPUTS = "run the notebooks, or those that are named, and store their outputs in them"
PROGRAMS = {
    "efforts": ("count what there is to read and to do in each lesson, and how long that takes", ["tests/efforts.py"]),
    "onepage": ("draw the page of the whole protocol that can be printed", ["tests/draw_one_page.py"]),
    "badges": ("write the badges of the README, for the address in pyproject.toml", ["tests/badges.py"]),
    "pictures": ("take the pictures of the README, in JupyterLab and Chromium", ["tests/take_pictures.py"]),
    "solutions": ("try the checks of the exercises with wrong and right solutions", ["tests/try_solutions.py"]),
    "transcripts": ("record what Chromium reports about the scripts of the lessons", ["tests/record_transcripts.py"]),
    "lite": ("build the site that runs the lessons in a browser: `lite FOLDER` (needs npm)", ["tests/lite"]),
    "slow": ("run the tests that take minutes, such as the heavy cases of Autobahn", ["-m", "pytest", "-m", "slow"]),
    "fuzz": ("look for input that breaks a parser, a minute for each", ["tests/fuzz/run.py"]),
    "soak": ("attack a server in every way, and say what that cost", ["tests/soak.py"]),
    "binder": ("build what Binder builds, and run every lesson there in 2 GiB", ["tests/measure_binder.py"]),
    "hub": ("let a class work on a JupyterHub of this machine, and say what it needs", ["tests/measure_hub.py"]),
    "benchmarks": ("measure the speed, beside other implementations", ["tests/benchmarks"]),
}


def run(*arguments: str) -> int:
    """Run Python with these arguments at the top of the repository; return its status."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT).returncode


def run_bare(options: Sequence[str]) -> int:
    """Run the tests, or those that are named, as if this system were as bare as Windows."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(BARE_PLATFORM), *filter(None, [os.environ.get("PYTHONPATH")])])
    return run("-m", "pytest", *options)


def make_outputs(names: Sequence[str]) -> int:
    """Run the notebooks with nbconvert, the one tool that leaves nothing of the machine in their outputs."""
    chosen = [Path(name) for name in names] or [path for glob in NOTEBOOKS for path in sorted(ROOT.glob(glob))]
    convert = ("-m", "nbconvert", "--to", "notebook", "--inplace", *(str(path.resolve()) for path in chosen))
    status = run(*convert, "--execute", "--ExecutePreprocessor.record_timing=False")
    return status or run(*convert, "--coalesce-streams")  # what a busy machine prints in pieces is joined afterwards


def make_exercises() -> int:
    """Write the solutions, run them, and let nbgrader make the exercises of them."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from support import all_sets, exercise_sets

    all_sets.write_solutions()
    solutions = sorted(exercise_sets.SOLUTIONS.glob("*.ipynb"))
    if status := make_outputs([str(path) for path in solutions]):
        return status
    exercise_sets.release(solutions, exercise_sets.RELEASED)
    return 0


def usage() -> str:
    commands = {"outputs": OUTPUTS, "exercises": EXERCISES, "bare": BARE}
    commands |= {name: what for name, (what, _) in PROGRAMS.items()}
    lines = [f"  {name:12} {what}" for name, what in commands.items()]
    return "\n".join(["usage: python tests NAME [OPTION ...]", "", *lines])


def main(arguments: Sequence[str]) -> int:
    name, *options = arguments or [""]
    try:
        if name == "outputs":
            return make_outputs(options)
        if name == "exercises":
            return make_exercises()
        if name == "bare":
            return run_bare(options)
        if name in PROGRAMS:
            return run(*PROGRAMS[name][1], *options)
    except KeyboardInterrupt:
        return 130
    print(usage())
    return 0 if name in ("-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
