"""A real browser: its WebSocket talks to our server, and its JupyterLab runs the lessons."""

import base64
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from wslab import Direction, EchoServer, Opcode, Pong, Recording, parse_frame

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"]
MISSING_BROWSER = (
    "needs Chromium, Chrome or Edge: install one (on Debian and Ubuntu `apt install chromium`) "
    "and, where it is not on PATH, set WSLAB_CHROMIUM to its executable"
)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
TIMEOUT = 20.0

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>A page that uses WebSocket</title>
<script>
const toBase64 = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const seen = {
  open: () => ({}),
  message: ({ data }) => (typeof data === "string" ? { text: data } : { binary: toBase64(data) }),
  error: () => ({}),
  close: ({ code, reason, wasClean }) => ({ code, reason, wasClean }),
};

// A WebSocket, and everything that happens to it in order.
class Conversation {
  constructor(url, protocols) {
    this.events = [];
    this.notify = () => {};
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = "arraybuffer";
    for (const type in seen)
      this.socket.addEventListener(type, (event) => {
        this.events.push({ type, ...seen[type](event) });
        this.notify();
      });
  }
  async next() {
    while (!this.events.length)
      await new Promise((resolve, reject) => {
        this.notify = resolve;
        setTimeout(() => reject(new Error("nothing happened to the WebSocket")), 20000);
      });
    return this.events.shift();
  }
}
</script>
"""


class BrowserSocket:
    """`new WebSocket(url, protocols)` in the page."""

    def __init__(self, page: Page, url: str, protocols: tuple[str, ...] = ()) -> None:
        self._handle = page.evaluate_handle("([url, protocols]) => new Conversation(url, protocols)", [url, protocols])

    def next(self) -> dict:
        """What happens next: open, message, error or close."""
        return self._handle.evaluate("(conversation) => conversation.next()")

    def attribute(self, name: str) -> object:
        return self._handle.evaluate(f"(conversation) => conversation.socket.{name}")

    def send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._handle.evaluate("(conversation, text) => conversation.socket.send(text)", message)
        else:
            binary = base64.b64encode(message).decode()
            self._handle.evaluate("(conversation, data) => conversation.socket.send(fromBase64(data))", binary)

    def receive(self) -> str | bytes:
        event = self.next()
        assert event["type"] == "message"
        return event["text"] if "text" in event else base64.b64decode(event["binary"])

    def close(self, code: int, reason: str) -> None:
        self._handle.evaluate("(conversation, close) => conversation.socket.close(...close)", [code, reason])


def find_browser() -> str:
    executable = os.environ.get("WSLAB_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(MISSING_BROWSER)
    return executable


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS)
        yield browser
        browser.close()


class PageHandler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    """The origin of a tiny web server that has one page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), PageHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(browser, origin):
    page = browser.new_page()
    page.goto(origin)
    yield page
    page.close()


def open_socket(page: Page, url: str, protocols: tuple[str, ...] = ()) -> BrowserSocket:
    opened = BrowserSocket(page, url, protocols)
    assert opened.next() == {"type": "open"}
    return opened


MESSAGES = {
    "text": "Zwölf Boxkämpfer 🥊",
    "binary": bytes(range(256)),
    "empty text": "",
    "empty binary": b"",
    "100 kB of text": "Frame " * 16_667,
    "100 kB of bytes": bytes(range(250)) * 400,
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "compressed"])
def test_a_page_gets_back_what_it_sends(page, deflate, message):
    with EchoServer(deflate=deflate) as server:
        browser_socket = open_socket(page, server.url)
        browser_socket.send(message)
        assert browser_socket.receive() == message


def test_a_browser_agrees_to_compression_and_uses_it(page):
    recording = Recording()
    with EchoServer(recording=recording) as server:
        browser_socket = open_socket(page, server.url)
        browser_socket.send("compressed " * 100)
        assert browser_socket.receive() == "compressed " * 100
        assert browser_socket.attribute("extensions") == "permessage-deflate"

    for direction in Direction:
        data = recording.bytes_sent(1, direction).partition(b"\r\n\r\n")[2]
        frame, _ = parse_frame(data)
        assert (frame.opcode, frame.rsv1) == (Opcode.TEXT, True)
        assert len(frame.payload) < 100


def test_a_browser_does_without_compression(page):
    with EchoServer(deflate=False) as server:
        assert open_socket(page, server.url).attribute("extensions") == ""


def test_a_browser_and_our_server_agree_on_a_subprotocol(page):
    with EchoServer(subprotocols=["log", "chat"]) as server:
        assert open_socket(page, server.url, ("superchat", "chat")).attribute("protocol") == "chat"


def test_a_browser_gives_up_if_none_of_its_subprotocols_is_spoken(page):
    with EchoServer(subprotocols=["log"]) as server:
        browser_socket = BrowserSocket(page, server.url, ("chat",))
        assert browser_socket.next() == {"type": "error"}
        assert browser_socket.next()["code"] == 1006


def test_a_browser_joins_our_fragments_and_answers_our_ping(page):
    events = []

    def send_fragments_around_a_ping(connection):
        connection.send_fragment("Hel")
        connection.ping(b"are you there?")
        connection.send_fragment("lo", fin=True)
        events.append(connection.receive_event(TIMEOUT))

    with EchoServer(handler=send_fragments_around_a_ping) as server:
        browser_socket = open_socket(page, server.url)
        assert browser_socket.receive() == "Hello"
        assert browser_socket.next() == {"type": "close", "code": 1000, "reason": "", "wasClean": True}

    assert events == [Pong(b"are you there?")]


def test_the_close_code_and_the_reason_of_a_page_arrive(page):
    with EchoServer() as server:
        browser_socket = open_socket(page, server.url)
        [connection] = server.connections
        browser_socket.close(4002, "müde")
        assert browser_socket.next() == {"type": "close", "code": 4002, "reason": "", "wasClean": True}

    assert (connection.close_code, connection.close_reason) == (4002, "müde")


def test_our_close_code_and_reason_arrive_at_a_page(page):
    with EchoServer(handler=lambda connection: connection.close(4001, "genügt")) as server:
        browser_socket = open_socket(page, server.url)
        assert browser_socket.next() == {"type": "close", "code": 4001, "reason": "genügt", "wasClean": True}


def test_a_page_is_told_that_the_server_stops(page):
    with EchoServer() as server:
        browser_socket = open_socket(page, server.url)

    event = browser_socket.next()
    assert (event["type"], event["code"], event["wasClean"]) == ("close", 1001, True)


def test_a_page_of_another_origin_is_refused_and_not_told_why(page):
    recording = Recording()
    with EchoServer(origins=["https://example.com"], recording=recording) as server:
        browser_socket = BrowserSocket(page, server.url)
        assert browser_socket.next() == {"type": "error"}
        assert browser_socket.next() == {"type": "close", "code": 1006, "reason": "", "wasClean": False}

    assert recording.bytes_sent(1, Direction.SERVER_TO_CLIENT).startswith(b"HTTP/1.1 403 Forbidden\r\n")


def test_a_page_of_the_right_origin_may_connect(page, origin):
    with EchoServer(origins=[origin]) as server:
        open_socket(page, server.url)


def test_a_page_may_have_several_sockets_to_one_server(page):
    with EchoServer() as server:
        browser_sockets = [open_socket(page, server.url) for _ in range(5)]
        assert len(server.connections) == 5
        for number, browser_socket in enumerate(browser_sockets):
            browser_socket.send(f"socket {number}")
        assert [browser_socket.receive() for browser_socket in browser_sockets] == [f"socket {n}" for n in range(5)]


# JupyterLab

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
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


@dataclass
class Lab:
    """A running JupyterLab."""

    address: str
    token: str
    folder: Path

    def stop(self) -> None:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.address}api/shutdown", headers=headers, method="POST")
        urllib.request.urlopen(request, timeout=TIMEOUT).close()


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """A JupyterLab of its own settings in `home`, with a copy of the notebooks, none of whose cells has run."""
    shutil.copytree(NOTEBOOKS[0].parent, home / "notebooks")
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in code_cells(notebook):
            cell |= {"execution_count": None, "outputs": []}
        (home / "notebooks" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    write_settings(home)
    with start_jupyterlab(home, token := secrets.token_hex()) as process:
        try:
            lab = Lab(wait_for_address(process), token, home / "notebooks")
            yield lab
            lab.stop()
            process.wait(TIMEOUT)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


def write_settings(home: Path) -> None:
    """What a reader would choose in JupyterLab's settings, for the Lab that has its folders in `home`."""
    for name, settings in SETTINGS.items():
        file = home / "config/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings))


def start_jupyterlab(home: Path, token: str, *settings: str) -> subprocess.Popen[str]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]  # JupyterLab takes a later one if somebody else has it by then
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}"]
    places = {f"JUPYTER_{name.upper()}_DIR": str(home / name) for name in ("config", "data", "runtime")}
    return subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, *settings, f"--ServerApp.root_dir={home / 'notebooks'}"],
        env=os.environ | places,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def wait_for_address(process: subprocess.Popen) -> str:
    """The address that JupyterLab logs once it listens; what it logs afterwards is read so that it never waits."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[0]
    pytest.fail("JupyterLab did not start:\n" + "".join(lines))


def wait_for_kernel(page: Page) -> None:
    page.locator("#jp-main-statusbar").get_by_text(KERNEL_IDLE).wait_for(timeout=LAB_TIMEOUT)


def open_notebook(browser: Browser, lab: Lab, name: str) -> Page:
    """The page of the notebook, when it has a kernel."""
    page = browser.new_page()
    page.goto(f"{lab.address}lab/tree/{name}?token={lab.token}&reset")
    wait_for_kernel(page)
    return page


def choose_run(page: Page, command: str) -> None:
    """Choose the command from the menu Run; return when the cells that it runs have run."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(f'.lm-Menu-item[data-command="{command}"]').click()
    page.wait_for_function(HAS_RUN, timeout=LAB_TIMEOUT)
    wait_for_kernel(page)


def run_notebook(browser: Browser, lab: Lab, name: str) -> Page:
    """Open the notebook and choose Run All; the page, when all cells have run."""
    page = open_notebook(browser, lab, name)
    choose_run(page, "runmenu:run-all")
    return page


def run_all_cells(browser: Browser, lab: Lab, name: str) -> list[tuple[str, str, str]]:
    """For each code cell, after Run All, its prompt, such as `[1]:`, its errors and its outputs.

    A cell that runs a script in the browser counts when the browser has reported all.
    """
    page = run_notebook(browser, lab, name)
    expect(page.locator(CONSOLE)).to_have_count(page.locator(".jp-CodeCell", has_text="browser.run(").count())
    for frame in page.locator(CONSOLE).all():
        expect(frame.content_frame.get_by_role("status")).to_contain_text("Done: Python has", timeout=LAB_TIMEOUT)
    shown = page.evaluate(WHAT_CELLS_SHOW, FAULT)
    page.close()
    return [tuple(cell) for cell in shown]


def write_notebook(lab: Lab, name: str, *sources: str, outputs: Sequence[nbformat.NotebookNode] = ()) -> None:
    """A notebook in the folder of JupyterLab, with a code cell for each source, and `outputs` of each."""
    cells = [nbformat.v4.new_code_cell(source, outputs=list(outputs)) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else JupyterLab asks for one
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), lab.folder / name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if number else [])
        for number, path in enumerate(NOTEBOOKS)
    ],
)
def test_every_cell_of_a_lesson_runs_in_jupyterlab(browser, lab, notebook):
    cells = code_cells(json.loads(notebook.read_text(encoding="utf-8")))
    shown = run_all_cells(browser, lab, notebook.name)

    for (prompt, fault, _), cell in zip(shown, cells, strict=True):
        source = "".join(cell["source"])
        assert bool(fault) is ("raises-exception" in cell["metadata"].get("tags", [])), f"{source}\n{fault}"
        assert re.fullmatch(r"\[\d+\]:", prompt), f"not run: {source}"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cell_that_fails_is_seen_to_fail(browser, lab):
    write_notebook(lab, "failing.ipynb", "1 + 1", "1 / 0", "2 + 2")

    shown = run_all_cells(browser, lab, "failing.ipynb")

    assert [prompt for prompt, _, _ in shown] == ["[1]:", "[2]:", "[ ]:"]
    assert ["ZeroDivisionError" in fault for _, fault, _ in shown] == [False, True, False]
