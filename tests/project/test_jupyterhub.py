"""JupyterHub with its real proxy: the console of a notebook finds its way through both proxies."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.console_notebook import are_as_recorded, outputs_of, write_console_notebook
from support.jupyterlab import LAB_TIMEOUT, Lab, run_notebook, write_settings
from support.waiting import PATIENCE

MISSING = (
    "needs JupyterHub and its proxy: `pip install jupyterhub`, `npm install configurable-http-proxy` somewhere, and "
    "set WSLAB_NODE_MODULES to the node_modules that it makes"
)
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{bind}/"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password, c.Authenticator.allow_all = "sesame", True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.cmd = {server!r}
c.Spawner.environment = {places!r}
c.JupyterHub.cookie_secret_file, c.JupyterHub.db_url = "cookie_secret", "sqlite:///hub.sqlite"
"""


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def find_proxy() -> str | None:
    """The executable of configurable-http-proxy."""
    folders = [Path(modules) / ".bin" for modules in filter(None, [os.environ.get("WSLAB_NODE_MODULES")])]
    return shutil.which("configurable-http-proxy", path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))


@pytest.fixture
def hub(tmp_path):
    """A JupyterHub where anybody may log in with `sesame`, and the notebook waits for everybody."""
    proxy = find_proxy()
    if proxy is None or importlib.util.find_spec("jupyterhub") is None:
        pytest.skip(MISSING)
    write_console_notebook(tmp_path / "notebooks")
    write_settings(tmp_path)
    bind, hub, api = free_ports(3)
    places = {f"JUPYTER_{name.upper()}_DIR": str(tmp_path / name) for name in ("config", "data", "runtime")}
    server = [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"]
    config = CONFIG.format(
        bind=bind, hub=hub, api=api, proxy=[proxy], home=str(tmp_path / "notebooks"), server=server, places=places
    )
    (tmp_path / "jupyterhub_config.py").write_text(config)
    with subprocess.Popen(
        [sys.executable, "-m", "jupyterhub"], cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        try:
            wait_until_running(process)
            yield Lab(f"http://127.0.0.1:{bind}/user/ada/", "", tmp_path / "notebooks")
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_until_running(process: subprocess.Popen[str]) -> None:
    """Read what JupyterHub logs until it runs; what it logs afterwards is read so that it never waits."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "JupyterHub is now running" in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return
    pytest.fail("JupyterHub did not start:\n" + "".join(lines))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_console_works_under_jupyterhub(browser, hub):
    with browser.new_context() as reader:
        page = reader.new_page()
        page.set_default_timeout(LAB_TIMEOUT)
        page.goto(hub.address.replace("/user/ada/", "/hub/login"))
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("sesame")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{hub.address}lab**")
        page.close()
        page = run_notebook(reader, hub, "console.ipynb")
        assert are_as_recorded(outputs_of(page, hub, is_proxied=True))
