"""Peers in other languages: builds and starts the programs in foreign/, and proxies in front of our server."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.waiting import wait_until

FOLDER = Path(__file__).parent / "foreign"
TIMEOUT = 60.0
TARGET = "TARGET"  # stands in a command for what is built
DEBIAN_GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}  # where Debian's packages of Go libraries are


class Missing(Exception):
    """What is needed is not installed; the message says what that is."""


def find(tool: str, needs: str) -> str:
    """The path of a tool, also of those that npm brings. Raises Missing."""
    modules = os.environ.get("WSLAB_NODE_MODULES")
    folders = [f"{modules}/.bin"] if modules else []
    found = shutil.which(tool, path=os.pathsep.join([*folders, os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        raise Missing(f"needs {needs}")
    return found


@dataclass(frozen=True)
class Program:
    """A program of the folder: what starts it, what to install, whether it can compress, and what builds it first.

    `module` is a Python module that it imports.
    """

    command: Sequence[str]
    needs: str
    deflates: bool
    build: Sequence[str] = ()
    module: str = ""

    def prepare(self, scratch: Path) -> list[str]:
        """Build it in the folder `scratch`, if it must be built; return the command that starts it. Raises Missing."""
        if self.module and importlib.util.find_spec(self.module) is None:
            raise Missing(f"needs {self.needs}")
        target = str(scratch / "program")
        if self.build:
            environment = os.environ | DEBIAN_GO | {"GOCACHE": str(scratch / "cache")}
            command = [find(self.build[0], self.needs), *(part.replace(TARGET, target) for part in self.build[1:])]
            built = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
            if built.returncode:
                raise Missing(f"needs {self.needs}: {built.stderr[:300]}")
        first, *rest = [part.replace(TARGET, target) for part in self.command]
        return [find(first, self.needs), *rest]


def _python(name: str, deflates: bool) -> Program:
    return Program([sys.executable, f"{name}_peer.py"], f"the Python package {name}", deflates, module=name)


CLIENTS = {
    "Boost.Beast": Program(
        [TARGET],
        "g++ and Boost.Beast (libboost-dev 1.81)",
        True,
        ["g++", "-std=c++17", "beast.cpp", "-pthread", "-o", TARGET],
    ),
    "gorilla": Program(
        [TARGET],
        "Go and gorilla/websocket (golang-github-gorilla-websocket-dev)",
        True,
        ["go", "build", "-o", TARGET, "gorilla.go"],
    ),
    "java.net.http": Program(["java", "JavaNetHttp.java"], "a JDK (default-jdk-headless)", False),
    "Bun": Program(["bun", "run", "standard.mjs"], "npm's bun", True),
    "Deno": Program(["deno", "run", "--allow-net", "standard.mjs"], "npm's deno", False),
    "libcurl": _python("pycurl", False),
    "Tornado": _python("tornado", True),
    "Autobahn|Python": _python("autobahn", True),
}
SERVERS = {name: program for name, program in CLIENTS.items() if name not in ("java.net.http", "libcurl")} | {
    "Uvicorn": _python("uvicorn", True)
}


def talk(command: Sequence[str], port: int, messages: Sequence[str | bytes]) -> list[str]:
    """Let a client send the messages to the echo server on `port`; return the lines that it writes."""
    result = subprocess.run(
        [*command, "client", "127.0.0.1", str(port)],
        cwd=FOLDER,
        input="".join(f"{as_line(message)}\n" for message in messages),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def as_line(message: str | bytes) -> str:
    """A message as the programs read and write it."""
    return f"text {message.encode().hex()}" if isinstance(message, str) else f"binary {message.hex()}"


@contextmanager
def serving(command: Sequence[str]) -> Iterator[str]:
    """Run an echo server; gives its address."""
    with subprocess.Popen([*command, "server"], cwd=FOLDER, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"ws://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


# Proxies in front of our server

PAGE = "/page/"  # what the server has at "/"; nginx asks for it by HTTP/1.0, as it does unless it is told otherwise
NGINX = """
daemon off; pid {scratch}/pid; error_log stderr; events {{}}
http {{
    access_log off;
    client_body_temp_path {scratch}/1; proxy_temp_path {scratch}/2; fastcgi_temp_path {scratch}/3;
    uwsgi_temp_path {scratch}/4; scgi_temp_path {scratch}/5;
    server {{
        listen 127.0.0.1:{port};
        location /page/ {{ proxy_pass http://127.0.0.1:{behind}/; }}
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }}
    }}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 30s
frontend all
    http-request set-path / if {{ path /page/ }}
    bind 127.0.0.1:{port}
    default_backend wslab
backend wslab
    server one 127.0.0.1:{behind}
"""
PROXIES = {
    "nginx": (NGINX, ["-p", "{scratch}", "-c", "{file}"], "nginx-light"),
    "haproxy": (HAPROXY, ["-db", "-f", "{file}"], "haproxy"),
}


@contextmanager
def in_front_of(behind: int, name: str, scratch: Path) -> Iterator[int]:
    """Run a proxy in front of the server on the port `behind`; gives the port on which the proxy listens."""
    configuration, arguments, package = PROXIES[name]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = scratch / f"{name}.conf"
    file.write_text(configuration.format(scratch=scratch, port=port, behind=behind), encoding="utf-8")
    command = [find(name, package), *(one.format(scratch=scratch, file=file) for one in arguments)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: _listens(port))
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
