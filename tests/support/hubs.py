"""A JupyterHub with its real proxy on this machine: its users with a folder of notebooks each, and their browsers."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, TimeoutError

from support.jupyterlab import LAB_TIMEOUT, Lab, write_settings
from support.waiting import PATIENCE

MISSING = (
    "needs JupyterHub, nbgitpuller and the hub's proxy: `pip install jupyterhub nbgitpuller`, "
    "`npm install configurable-http-proxy` somewhere, and set WSLAB_NODE_MODULES to the node_modules that it makes"
)
PASSWORD = "sesame"
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{bind}/"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password, c.Authenticator.allow_all = {password!r}, True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/{{username}}/notebooks"
c.Spawner.cmd = {server!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
c.Spawner.environment = {{
    f"JUPYTER_{{name.upper()}}_DIR": lambda spawner, name=name: f"{home}/{{spawner.user.name}}/{{name}}"
    for name in ("config", "data", "runtime")
}}
c.JupyterHub.cookie_secret_file, c.JupyterHub.db_url = "cookie_secret", "sqlite:///hub.sqlite"
"""


@dataclass(frozen=True)
class Hub:
    """A running JupyterHub: the number of its `process`, and how many milliseconds its users may have to wait."""

    address: str
    home: Path
    process: int
    patience: int

    def lab_of(self, user: str) -> Lab:
        """The JupyterLab of the user, who needs no token after signing in."""
        return Lab(f"{self.address}user/{user}/", "", self.home / user / "notebooks")


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def find_proxy() -> str:
    """The executable of configurable-http-proxy; the test is skipped if that or JupyterHub is missing."""
    folders = [Path(modules) / ".bin" for modules in filter(None, [os.environ.get("WSLAB_NODE_MODULES")])]
    proxy = shutil.which("configurable-http-proxy", path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    if proxy is None or None in map(importlib.util.find_spec, ("jupyterhub", "nbgitpuller")):
        pytest.skip(MISSING)
    return proxy


@contextlib.contextmanager
def running_hub(
    home: Path, users: Sequence[str], fill: Callable[[Path], object], patience: int = LAB_TIMEOUT
) -> Iterator[Hub]:
    """A JupyterHub where anybody may log in with PASSWORD; `fill` has put notebooks into the folder of each user."""
    proxy = find_proxy()
    for user in users:
        (home / user).mkdir()
        fill(home / user / "notebooks")
        write_settings(home / user)
    bind, hub, api = free_ports(3)
    server = [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"]
    places = {"home": home, "bind": bind, "hub": hub, "api": api}
    config = CONFIG.format(**places, proxy=[proxy], server=server, password=PASSWORD, patience=patience // 1000)
    (home / "jupyterhub_config.py").write_text(config)
    with subprocess.Popen(
        [sys.executable, "-m", "jupyterhub"], cwd=home, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        try:
            wait_until_running(process)
            yield Hub(f"http://127.0.0.1:{bind}/", home, process.pid, patience)
        finally:
            kill_with_all_it_started(process)


def kill_with_all_it_started(process: subprocess.Popen[str]) -> None:
    """End the hub, its proxy, and the servers and kernels of all users; to ask each to end would take a minute."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.kill()  # first, so that it starts none of them again
    for child in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(started, PATIENCE)


def wait_until_running(process: subprocess.Popen[str]) -> None:
    """Read what JupyterHub logs until it runs; what it logs afterwards is read so that it never waits."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "JupyterHub is now running" in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return
    pytest.fail("JupyterHub did not start:\n" + "".join(lines))


def sign_in(browser: Browser, hub: Hub, users: Sequence[str], notebook: str) -> dict[str, Page]:
    """Let all users follow a link to the notebook and sign in, at once; the page of each, in a browser of its own."""
    pages = {}
    for user in users:
        page = pages[user] = browser.new_context().new_page()
        page.set_default_timeout(hub.patience)
        page.goto(f"{hub.address}hub/user-redirect/lab/tree/{notebook}?reset")
        page.get_by_label("Username").fill(user)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click(no_wait_after=True)
    for user, page in pages.items():
        arrive(page, f"{hub.lab_of(user).address}lab/tree/{notebook}**", hub.patience)
    return pages


def arrive(page: Page, address: str, patience: int) -> None:
    """Wait for the user's server, and ask again now and then: the page that waits for it may miss that it is there."""
    with contextlib.suppress(TimeoutError):
        page.wait_for_url(address, wait_until="commit", timeout=patience / 4)
        return
    page.reload(wait_until="commit")
    page.wait_for_url(address, wait_until="commit")
