"""Jupyter: the server that shows the notebook, its kernels, and its proxy, for a WebSocket client made by hand."""

import contextlib
import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.error import HTTPError
from urllib.parse import urlsplit

from wslab.browser.frontend import find_frontend, find_jupyter_server

TIMEOUT = 10.0  # seconds; a hub may be slow


@dataclass(frozen=True)
class JupyterServer:
    """A running Jupyter server: its address, such as `http://127.0.0.1:8888/user/ada/`, and the token that it wants.

    `proxy` is the path of its jupyter-server-proxy, empty if it has none.
    """

    url: str
    token: str = field(default="", repr=False)
    proxy: str = ""

    @property
    def target(self) -> str:
        """Its host and port, for a tap."""
        return urlsplit(self.url).netloc

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What lets a client in. A hub accepts no token in the address."""
        return [("Authorization", f"token {self.token}")]

    def channels(self, kernel: str) -> str:
        """The path of a kernel's WebSocket."""
        return f"{urlsplit(self.url).path}api/kernels/{kernel}/channels?session_id=wslab"

    def behind_proxy(self, port: int) -> str:
        """The address of a WebSocket server on `port` of this machine, by way of jupyter-server-proxy."""
        return f"ws://{self.target}{self.proxy}{port}/"

    @contextlib.contextmanager
    def kernel(self) -> Iterator[str]:
        """Start a kernel of its own; its id, until the end of the `with` block. Raises OSError if there is none."""
        kernel = str(json.loads(self.ask("POST", "api/kernels"))["id"])
        try:
            yield kernel
        finally:
            self.ask("DELETE", f"api/kernels/{kernel}")

    def ask(self, method: str, path: str) -> bytes:
        """Return what the server answers to this request. Raises OSError if it refuses."""
        headers = dict(self.headers) | {"Content-Type": "application/json"}
        body = b"{}" if method == "POST" else None
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                content: bytes = answer.read()
            return content
        except HTTPError as error:
            error.close()
            raise


def find_server(environment: Mapping[str, str] = os.environ) -> JupyterServer | None:
    """The Jupyter server that started this kernel, or None (in a script, nbconvert, VS Code or a test)."""
    found, frontend = find_jupyter_server(environment), find_frontend(environment)
    if found is None or frontend is None or not str(found["url"]).startswith("http://"):
        return None
    return JupyterServer(str(found["url"]), str(found.get("token", "")), frontend.proxy)
