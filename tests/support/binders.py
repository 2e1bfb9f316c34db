"""JupyterLab as BinderHub starts it: in the folder of the repository, below a path, with what postBuild has set."""

import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page

from support.jupyterlab import BASE_URL, LAB_TIMEOUT, Lab, choose, free_port, running_server, wait_for_kernel

FIRST_LESSON = "notebooks/00-start-here.ipynb"


@dataclass(frozen=True)
class Binder:
    """A session on Binder: its JupyterLab, and the process of that."""

    lab: Lab
    process: psutil.Process

    @property
    def link(self) -> str:
        """Where BinderHub sends the reader whose link names no file."""
        return f"{self.lab.address}?token={self.lab.token}"

    @property
    def kernels(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def end_kernels(self) -> None:
        """Shut all kernels down, as a reader does in the list of what runs."""
        for kernel in self.lab.ask("GET", "api/kernels"):
            self.lab.ask("DELETE", f"api/kernels/{kernel['id']}")


def run_post_build(source: Path, prefix: Path, programs: Path) -> str:
    """Run binder/postBuild of the repository in `source` as a build does; what it prints. Its pip is in `programs`."""
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "NB_PYTHON_PREFIX": str(prefix)}
    command = ["bash", "binder/postBuild"]
    return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=True).stdout


@contextmanager
def running_binder(
    python: Path, source: Path, settings: Mapping[str, str], inside: Sequence[str] = ()
) -> Iterator[Binder]:
    """A session in `source`, by that Python, with these environment variables; `inside` is a program that starts it."""
    token = secrets.token_hex()
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={free_port()}", f"--ServerApp.token={token}"]
    options += [f"--ServerApp.base_url={BASE_URL}", "--ServerApp.allow_origin=*"]
    environment = os.environ | {"HOME": str(source)} | dict(settings)
    command = [*inside, python, "-m", "jupyterlab", *options]
    with running_server(command, environment, source) as (address, process):
        yield Binder(Lab(address.removesuffix("/") + BASE_URL, token, source), psutil.Process(process.pid))


def click_link(browser: Browser, binder: Binder) -> Page:
    """The page that a reader sees after one click, with a kernel, and without the outputs that are stored in it."""
    page = browser.new_page()
    page.set_default_timeout(LAB_TIMEOUT)
    page.goto(binder.link)
    page.wait_for_url(f"**/lab/tree/{FIRST_LESSON}**")
    wait_for_kernel(page)
    choose(page, "Edit", "editmenu:clear-all")
    return page
