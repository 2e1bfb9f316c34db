"""Frontends: where the reader's browser is, and the address under which it finds a port of this machine."""

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError

from wslab.display.shown import is_colab, is_vs_code

TIMEOUT = 2.0
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1", ""}


@dataclass(frozen=True)
class Frontend:
    """The program that shows the notebook. `proxy` is the path of its jupyter-server-proxy, empty if it has none.

    `is_public` says that the browser may be on any machine, and asks for a name that is not known here.
    """

    name: str
    proxy: str = ""
    is_public: bool = False

    def address_of(self, port: int, scheme: str = "http") -> str:
        """Return where the browser finds the server on `port`: through the proxy, or on its own machine.

        >>> Frontend("JupyterLab", proxy="/user/ada/proxy/").address_of(8765)
        '/user/ada/proxy/8765/'
        >>> Frontend("JupyterLab").address_of(8765)
        'http://127.0.0.1:8765/'
        """
        return f"{self.proxy}{port}/" if self.proxy and scheme == "http" else f"{scheme}://127.0.0.1:{port}/"


def find_frontend(environment: Mapping[str, str] = os.environ) -> Frontend | None:
    """Return the program that shows the notebook of this kernel; None in a script, nbconvert or a test.

    None in Colab, too: its browser finds no port of the machine of its kernel.
    """
    if is_colab(environment):
        return None
    server = find_jupyter_server(environment)
    if server is not None:
        base = str(server.get("base_url", "/"))
        is_public = bool(environment.get("JUPYTERHUB_SERVICE_PREFIX")) or server.get("hostname") not in LOCAL_NAMES
        return Frontend("JupyterLab", f"{base}proxy/" if _has_proxy(server) else "", is_public)
    return Frontend("VS Code") if is_vs_code() else None


def find_jupyter_server(environment: Mapping[str, str]) -> Mapping[str, object] | None:
    """Return what the Jupyter server that started this kernel says of itself; None if it was nbconvert or nobody."""
    process = environment.get("JPY_PARENT_PID", "")
    if not process.isdecimal() or find_spec("jupyter_server") is None:
        return None
    is_handle = environment.get("OS") == "Windows_NT" and "JPY_SESSION_NAME" in environment  # is JPY_PARENT_PID
    if not (is_handle or _has_told(process)):  # nbconvert, most often: to import Jupyter's server takes seconds
        return None
    from jupyter_server.serverapp import list_running_servers

    servers = list(list_running_servers())
    if is_handle:
        return servers[0] if len(servers) == 1 else None
    return next((server for server in servers if server["pid"] == int(process)), None)


def _has_told(process: str) -> bool:
    """Return True if this process has left the file in which a Jupyter server says where it is."""
    from jupyter_core.paths import jupyter_runtime_dir

    return (Path(jupyter_runtime_dir()) / f"jpserver-{process}.json").exists()


def _has_proxy(server: Mapping[str, object]) -> bool:
    """Return True if this server runs jupyter-server-proxy, or does not answer and it is installed."""
    address = f"{server['url']}server-proxy/servers-info"
    try:
        # In a header, because a hub accepts no token in the address.
        request = urllib.request.Request(address, headers={"Authorization": f"token {server.get('token', '')}"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return isinstance(json.load(answer), dict)
    except HTTPError as error:
        error.close()
        if error.code == 404:
            return False
    except (OSError, ValueError):
        pass
    return find_spec("jupyter_server_proxy") is not None
