"""JupyterLab and its notebooks: a server of its own, opened in Chromium, and run as a reader runs it."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.waiting import PATIENCE, wait_until

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NO_NETWORK = Path(__file__).parent / "no_network"
BASE_URL = "/user/ada/"
LAB_TIMEOUT = 100_000  # milliseconds; a busy machine needs many seconds to start a kernel
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells out of sight are not in the page
}
CONSOLE = '.jp-OutputArea iframe[title^="Browser console"]'
KERNEL_IDLE = "| Idle"  # in the status bar; the circle of the notebook's toolbar says so before there is a kernel
HAS_RUN = """() => {
    const cells = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")];
    const prompts = cells.map((cell) => cell.innerText);
    return prompts.some((prompt) => /\\d/.test(prompt)) && !prompts.some((prompt) => prompt.includes("*"));
}"""
HAS_RUN_ALL = """() =>
    [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")]
        .every((prompt) => /\\d/.test(prompt.innerText))"""
WHAT_CELLS_SHOW = """(fault) =>
    [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")].map((cell) => [
        cell.querySelector(".jp-InputArea-prompt").innerText,
        [...cell.querySelectorAll(fault)].map((output) => output.innerText).join("\\n"),
        [...cell.querySelectorAll(".jp-OutputArea-output")].map((output) => output.innerText).join("\\n"),
    ])"""
# JupyterLab shows a traceback as it shows what goes to standard error.
FAULT = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'


def code_cells(notebook: dict) -> list[dict]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


class ShownCell(NamedTuple):
    """What a code cell shows: its prompt, such as `[1]:`, its errors, and its outputs."""

    prompt: str
    fault: str
    outputs: str


@dataclass
class Lab:
    """A running JupyterLab."""

    address: str
    token: str
    folder: Path

    def address_of(self, notebook: str) -> str:
        return f"{self.address}lab/tree/{notebook}?token={self.token}&reset"

    def stop(self) -> None:
        self.ask("POST", "api/shutdown")

    def ask(self, method: str, path: str) -> Any:
        """What the server answers to this request, which is JSON or nothing."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.address}{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """A JupyterLab without a network, of its own settings in `home`, with a copy of the notebooks, which have not run.

    The file `asked` in `home` has whom its Python processes would have asked.
    """
    shutil.copytree(NOTEBOOKS[0].parent, home / "notebooks")
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in code_cells(notebook):
            cell |= {"execution_count": None, "outputs": []}
        (home / "notebooks" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    write_settings(home)
    (home / "asked").touch()
    path = os.pathsep.join([str(NO_NETWORK), *filter(None, [os.environ.get("PYTHONPATH")])])
    with running_jupyter(home, environment={"PYTHONPATH": path, "WSLAB_ASKED": str(home / "asked")}) as lab:
        yield lab
        lab.stop()


def write_settings(home: Path) -> None:
    """What a reader would choose in JupyterLab's settings, for the Lab that has its folders in `home`."""
    for name, settings in SETTINGS.items():
        file = home / "config/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings))


@contextmanager
def running_jupyter(home: Path, *settings: str, environment: Mapping[str, str] | None = None) -> Iterator[Lab]:
    """A JupyterLab below a path, as on a hub, which has its settings and its folder of notebooks in `home`."""
    token, folder = secrets.token_hex(), home / "notebooks"
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={free_port()}"]
    options += [f"--IdentityProvider.token={token}", f"--ServerApp.base_url={BASE_URL}"]
    options += [f"--ServerApp.root_dir={folder}", *settings]
    places = {f"JUPYTER_{name.upper()}_DIR": str(home / name) for name in ("config", "data", "runtime")}
    command = [sys.executable, "-m", "jupyterlab", *options]
    with running_server(command, os.environ | places | dict(environment or {})) as (address, _):
        yield Lab(address.removesuffix("/") + BASE_URL, token, folder)


def free_port() -> int:
    """A port that is free now; JupyterLab takes a later one if somebody else has it by then."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def running_server(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the Jupyter server that the command starts in the folder, and its process."""
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        try:
            yield wait_for_address(process), process
        finally:
            process.kill()


def wait_for_address(process: subprocess.Popen) -> str:
    """The address that JupyterLab logs, once it listens there; what it logs later is read so that it never waits."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            wait_until(lambda: is_listening(found[0]))
            return found[0]
    pytest.fail("JupyterLab did not start:\n" + "".join(lines))


def is_listening(address: str) -> bool:
    place = urlsplit(address)
    with suppress(ConnectionRefusedError), socket.create_connection((place.hostname, place.port)):
        return True
    return False


def wait_for_kernel(page: Page, timeout: int = LAB_TIMEOUT) -> None:
    page.locator("#jp-main-statusbar").get_by_text(KERNEL_IDLE).wait_for(timeout=timeout)


def open_notebook(browser: Browser, lab: Lab, name: str) -> Page:
    """The page of the notebook, when it has a kernel."""
    page = browser.new_page()
    page.goto(lab.address_of(name))
    wait_for_kernel(page)
    return page


def open_in_notebook_7(browser: Browser, lab: Lab, name: str) -> Page:
    """The page of the notebook in Notebook 7, which the same server has where it is installed."""
    page = browser.new_page()
    page.goto(f"{lab.address}notebooks/{name}?token={lab.token}")
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=LAB_TIMEOUT)
    wait_until(lambda: has_connected(lab, name))
    return page


def has_connected(lab: Lab, notebook: str) -> bool:
    """Whether a page has opened the WebSocket to the kernel of this notebook, which has nothing to do yet."""
    kernels = [session["kernel"] for session in lab.ask("GET", "api/sessions") if session["path"] == notebook]
    return any(kernel["connections"] and kernel["execution_state"] == "idle" for kernel in kernels)


def open_too(page: Page, name: str) -> Locator:
    """Open another notebook of the folder in the same page, by a double click on its name; its panel."""
    page.locator(".jp-DirListing-item", has_text=name).dblclick()
    panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    page.locator(".lm-TabBar-tab.lm-mod-current", has_text=name).wait_for()
    return panel


def choose(page: Page, menu: str, command: str) -> None:
    """Choose the command from a menu."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(f'.lm-Menu-item[data-command="{command}"]').click()


def choose_run(page: Page, command: str) -> None:
    """Choose the command from the menu Run; return when the cells that it runs have run."""
    choose(page, "Run", command)
    page.wait_for_function(HAS_RUN, timeout=LAB_TIMEOUT)
    wait_for_kernel(page)


def run_notebook(browser: Browser, lab: Lab, name: str) -> Page:
    """Open the notebook and choose Run All; the page, when all cells have run."""
    page = open_notebook(browser, lab, name)
    choose_run(page, "runmenu:run-all")
    return page


def run_all_cells(browser: Browser, lab: Lab, name: str, to_the_end: bool = False) -> list[ShownCell]:
    """What each code cell shows after Run All."""
    page = open_notebook(browser, lab, name)
    shown = run_cells(page, to_the_end)
    page.close()
    return shown


def run_cells(page: Page, to_the_end: bool = False) -> list[ShownCell]:
    """What each code cell of the open notebook shows after Run All.

    With `to_the_end`, each cell must have run, which a busy browser shows late for those that are far below.
    A cell that runs a script in the browser counts when the browser has reported all.
    """
    choose_run(page, "runmenu:run-all")
    if to_the_end:
        page.wait_for_function(HAS_RUN_ALL, timeout=LAB_TIMEOUT)
    expect(page.locator(CONSOLE)).to_have_count(page.locator(".jp-CodeCell", has_text="browser.run(").count())
    for frame in page.locator(CONSOLE).all():
        expect(frame.content_frame.get_by_role("status")).to_contain_text(": Python has", timeout=LAB_TIMEOUT)
    return [ShownCell(*cell) for cell in page.evaluate(WHAT_CELLS_SHOW, FAULT)]


def what_went_wrong(shown: Sequence[ShownCell], notebook: Path) -> list[str]:
    """The cells that have not run, that failed and should not, or should have failed by what the notebook says."""
    wrong = []
    for cell, told in zip(shown, code_cells(json.loads(notebook.read_text(encoding="utf-8"))), strict=True):
        must_fail = "raises-exception" in told["metadata"].get("tags", [])
        if not re.fullmatch(r"\[\d+\]:", cell.prompt) or bool(cell.fault) is not must_fail:
            wrong.append("\n".join([cell.prompt, *told["source"], cell.fault]))
    return wrong


def write_notebook(lab: Lab, name: str, *sources: str, outputs: Sequence[nbformat.NotebookNode] = ()) -> None:
    """A notebook in the folder of JupyterLab, with a code cell for each source, and `outputs` of each."""
    cells = [nbformat.v4.new_code_cell(source, outputs=list(outputs)) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else JupyterLab asks for one
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), lab.folder / name)
