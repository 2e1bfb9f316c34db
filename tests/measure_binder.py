"""Binder without Binder: its environment built anew, and every lesson run there in 2 GiB: `python tests binder`."""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser
from support.binders import Binder, click_link, run_post_build, running_binder
from support.chromium import running_chromium
from support.jupyterlab import LAB_TIMEOUT, choose, open_notebook, run_cells, what_went_wrong, write_settings
from support.process_costs import peak_memory

ROOT = Path(__file__).parents[1]
LIMIT = 2 * 2**30  # bytes that Binder lets all processes of a session have
GROUPS = Path("/sys/fs/cgroup")
MIB = 2**20
# What is in the image that Binder builds on (that of October 2025), where requirements.txt asks for newer ones.
BASE_IMAGE = "jupyterlab==4.4.9", "notebook==7.4.7", "ipykernel==7.0.1", "ipywidgets==8.1.7", "jupyter-server==2.17.0"


@contextmanager
def memory_group() -> Iterator[tuple[Path, Path]]:
    """A control group of Linux that has LIMIT bytes of memory: its folder, and the file that says the most it had."""
    is_old = (GROUPS / "memory").is_dir()
    folder = (GROUPS / "memory" if is_old else GROUPS) / "wslab-binder"
    folder.mkdir()
    try:
        (folder / ("memory.limit_in_bytes" if is_old else "memory.max")).write_text(str(LIMIT))
        yield folder, folder / ("memory.max_usage_in_bytes" if is_old else "memory.peak")
    finally:
        left = [psutil.Process(int(number)) for number in (folder / "cgroup.procs").read_text().split()]
        for process in left:
            process.kill()
        psutil.wait_procs(left)
        folder.rmdir()


def build(folder: Path, python: str, instead: Sequence[str]) -> tuple[Path, Path]:
    """Make what Binder's image has: the folder of the repository, and the environment, with some versions `instead`."""
    source, environment = folder / "home", folder / "env"
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x"], cwd=source, input=archive, check=True)
    subprocess.run([python, "-m", "venv", environment], check=True)
    install = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", "binder/requirements.txt"], cwd=source, check=True)
    if instead:
        subprocess.run([*install, *instead], cwd=source, check=True)
    run_post_build(source, environment, environment / "bin")
    return source, environment


def size(folder: Path) -> float:
    """The MiB that the files in the folder take on the disk."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) * 512 / MIB


def first_output(browser: Browser, binder: Binder) -> None:
    """Follow the link, and run the first cell of the lesson that it opens."""
    with click_link(browser, binder) as page:
        page.locator(".jp-CodeCell").first.locator(".jp-InputArea-prompt").click()
        page.keyboard.press("Control+Enter")
        page.locator(".jp-CodeCell .jp-OutputArea-output").first.wait_for(timeout=LAB_TIMEOUT)
    binder.end_kernels()


def run_lesson(browser: Browser, binder: Binder, path: Path) -> tuple[float, int]:
    """Open the lesson and run it; the seconds until all has run, and the most memory that its kernel had."""
    began = time.monotonic()
    with open_notebook(browser, binder.lab, f"notebooks/{path.name}") as page:
        choose(page, "Edit", "editmenu:clear-all")
        if wrong := what_went_wrong(run_cells(page, to_the_end=True), path):
            raise SystemExit(f"{path.name}:\n" + "\n\n".join(wrong))
    seconds, memory = time.monotonic() - began, max(map(peak_memory, binder.kernels))
    binder.end_kernels()
    return seconds, memory


def measure(browser: Browser, folder: Path, source: Path, environment: Path) -> None:
    """Start JupyterLab as BinderHub does, open the link and run every lesson; print what that takes."""
    write_settings(folder)
    settings = {"JUPYTER_CONFIG_DIR": str(folder / "config")}
    with memory_group() as (group, peak):
        enter = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
        began = time.monotonic()
        with running_binder(environment / "bin/python", source, settings, enter) as binder:
            first_output(browser, binder)
            print(f"{time.monotonic() - began:.0f} s from the start of JupyterLab to the first output")
            print("seconds  MiB of its kernel, and of all that runs in the session at the most so far")
            for path in sorted((source / "notebooks").glob("*.ipynb")):
                seconds, memory = run_lesson(browser, binder, path)
                most = int(peak.read_text()) / MIB
                print(f"{seconds:7.0f}{memory / MIB:5.0f}{most:7.0f}  {path.stem}", flush=True)


def main() -> None:
    version = (ROOT / "binder/runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    parser = argparse.ArgumentParser(description="Build what Binder builds, and run every lesson there in Chromium.")
    parser.add_argument("--python", default=f"python{version}", help="Binder's Python (default: %(default)s)")
    parser.add_argument("--base-image", action="store_true", help="with the older Jupyter that Binder's image has")
    options = parser.parse_args()
    instead = BASE_IMAGE if options.base_image else ()
    with tempfile.TemporaryDirectory() as folder, running_chromium() as browser:
        source, environment = build(Path(folder), options.python, instead)
        print(f"MiB on the disk: {size(environment):.0f} in the environment, {size(source):.0f} in the repository")
        measure(browser, Path(folder), source, environment)


if __name__ == "__main__":
    main()
