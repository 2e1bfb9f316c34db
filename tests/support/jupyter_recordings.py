"""What lesson 18 shows of a Jupyter server, recorded for readers without one by the cells of the lesson themselves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.jupyterlab import BASE_URL, running_jupyter
from support.notebook_rules import read
from support.waiting import wait_until
from wslab import EchoServer, Recording
from wslab.labs.jupyter import JupyterServer

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
KERNEL = NOTEBOOKS / "recordings/kernel.pcapng"
PROXIED = NOTEBOOKS / "recordings/behind-the-proxy.json"


@contextmanager
def running_server(home: Path) -> Iterator[JupyterServer]:
    """A Jupyter server with a proxy, which has its folders in `home`, once it answers."""
    (home / "notebooks").mkdir()
    with running_jupyter(home) as lab:
        jupyter = JupyterServer(lab.address, lab.token, f"{BASE_URL}proxy/")
        wait_until(lambda: answers(jupyter))
        yield jupyter
        lab.stop()


def answers(jupyter: JupyterServer) -> bool:
    try:
        jupyter.ask("GET", "api")
    except OSError:
        return False
    return True


def lesson_names(*cells: str) -> dict[str, Any]:
    """What these cells of the lesson define."""
    sources = {cell["id"]: cell["source"] for cell in read(NOTEBOOKS / "18-the-world-outside.ipynb")["cells"]}
    names: dict[str, Any] = {}
    for cell in cells:
        exec(sources[cell], names)
    return names


def ask_kernel(jupyter: JupyterServer) -> Recording:
    """The conversation with a kernel that the lesson has."""
    return lesson_names("imports", "execute-request", "ask-kernel")["ask_kernel"](jupyter, "6 * 7")


def ask_behind_proxy(jupyter: JupyterServer) -> list[object]:
    """The facts that the lesson learns through jupyter-server-proxy."""
    names = lesson_names("imports", "behind-server")
    with EchoServer(handler=names["say_goodbye"], subprotocols=["chat.v1"]) as server:
        return names["facts"](jupyter.behind_proxy(server.port), jupyter.headers)


def record(jupyter: JupyterServer) -> None:
    """Write both recordings."""
    ask_kernel(jupyter).save(KERNEL)
    PROXIED.write_text(json.dumps(ask_behind_proxy(jupyter)) + "\n", encoding="utf-8")
