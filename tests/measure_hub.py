"""A class on a JupyterHub: all sign in at once, open a lesson and run it. What that takes: `python tests hub`."""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from playwright.sync_api import Page, expect
from support.chromium import running_chromium
from support.hubs import Hub, running_hub, sign_in
from support.jupyterlab import CONSOLE, HAS_RUN_ALL, choose, wait_for_kernel
from support.process_costs import cpu_seconds, peak_memory

from wslab.cli.lessons import SOURCE, copy_lessons

CLASSES = (30, 100, 1000)
MINUTE = 60.0  # in which a whole class has run the lesson, in the table of what it needs
PATIENCE = 600_000  # milliseconds
MIB = 2**20


@dataclass(frozen=True)
class Student:
    """The processes of one student: a Jupyter server and its kernels."""

    server: psutil.Process

    @property
    def kernels(self) -> list[psutil.Process]:
        return self.server.children(recursive=True)

    @property
    def memory(self) -> int:
        """Bytes: the most that the server and each kernel have had, added up."""
        return peak_memory(self.server) + sum(map(peak_memory, self.kernels))

    @property
    def seconds(self) -> float:
        """Seconds of a core."""
        return cpu_seconds(self.server) + sum(map(cpu_seconds, self.kernels))


def students_of(hub: Hub) -> list[Student]:
    children = psutil.Process(hub.process).children()
    return [Student(child) for child in children if "jupyterhub.singleuser" in child.cmdline()]


def own_processes(hub: Hub) -> list[psutil.Process]:
    """The hub itself and its proxy."""
    process = psutil.Process(hub.process)
    servers = [student.server for student in students_of(hub)]
    return [process, *(child for child in process.children() if child not in servers)]


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the `with` block took."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)


def run_lesson(pages: dict[str, Page]) -> None:
    """Run all cells in all pages; a script in the browser counts when all it has seen has been reported."""
    for page in pages.values():
        choose(page, "Run", "runmenu:run-all")
    for page in pages.values():
        page.wait_for_function(HAS_RUN_ALL, timeout=PATIENCE)
        for frame in page.locator(CONSOLE).all():
            expect(frame.content_frame.get_by_role("status")).to_contain_text(": Python has", timeout=PATIENCE)


def knock_at_others(pages: dict[str, Page], hub: Hub) -> set[int]:
    """Let each student ask for what the next one has: files, and the console. The statuses that come back."""
    users = list(pages)
    statuses = set()
    for user, other in zip(users, users[1:] + users[:1], strict=True):
        console = pages[other].locator(CONSOLE).first.get_attribute("src").partition("#")[0]
        for path in (f"/user/{other}/api/contents", console):
            statuses.add(pages[user].request.get(hub.address.rstrip("/") + path).status)
    return statuses


def print_costs(hub: Hub, before: int) -> None:
    """What the students have cost, and what a class needs."""
    students, own = students_of(hub), own_processes(hub)
    servers = [peak_memory(student.server) / MIB for student in students]
    kernels = [peak_memory(kernel) / MIB for student in students for kernel in student.kernels]
    memory = max(student.memory for student in students)
    seconds = sum(student.seconds for student in students) / len(students)
    now = sum(map(peak_memory, own))
    more, busy = (now - before) / len(students), sum(map(cpu_seconds, own)) / len(students)
    print(f"\nMiB at the most: a server {max(servers):.0f}, a kernel {max(kernels):.0f}, a student {memory / MIB:.0f}")
    print(f"MiB of hub and proxy: {before / MIB:.0f} without students, {more / MIB:.1f} more for each")
    print(f"seconds of a core, for each: {seconds:.1f} in server and kernel, {busy:.2f} in hub and proxy")
    print(
        f"\nstudents   GiB = {before / MIB:.0f} MiB + students x {(memory + more) / MIB:.0f} MiB"
        f"   cores = students x {seconds + busy:.1f} s / {MINUTE:.0f} s"
    )
    for count in CLASSES:
        print(f"{count:8,}{(before + count * (memory + more)) / 2**30:7.1f}{count * (seconds + busy) / MINUTE:38.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Let a class work on a JupyterHub of this machine, and measure it.")
    parser.add_argument("--students", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--lesson", default="00-start-here.ipynb", help="which all run (default: the first)")
    options = parser.parse_args()
    users = [f"student-{number}" for number in range(options.students)]
    with (
        tempfile.TemporaryDirectory() as home,
        running_chromium() as browser,
        running_hub(Path(home), users, partial(copy_lessons, SOURCE), PATIENCE) as hub,
    ):
        before = sum(map(peak_memory, own_processes(hub)))
        print(f"{options.students} students at once, their browsers on this machine as well")
        with timed("until all have signed in, and have a server"):
            pages = sign_in(browser, hub, users, options.lesson)
        with timed("until all are shown the lesson, and have a kernel"):
            for page in pages.values():
                wait_for_kernel(page, PATIENCE)
        with timed("until all cells of all have run"):
            run_lesson(pages)
        print(f"each has reached her own console; for what another has she is told {knock_at_others(pages, hub)}")
        print_costs(hub, before)


if __name__ == "__main__":
    main()
