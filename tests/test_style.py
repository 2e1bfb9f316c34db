"""The shape of wslab: clean under ruff and mypy, imports that only go down, a light `import wslab`."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wslab"

BYTES_ONLY = {
    *("errors", "limits", "states", "redaction", "http", "frames", "events"),
    *("handshake", "deflate", "messages", "codec", "bulk", "writer", "protocol", "seen", "conversation"),
}
SOCKETS = {
    *("recording", "capture", "tally", "stream", "outbox", "link", "connection", "faults"),
    *("relay", "page", "server", "client", "tap", "labs"),
}

# What would bring a socket, a thread, a clock or a display into the storey that has only bytes.
NOT_FOR_BYTES = {
    *("asyncio", "concurrent", "multiprocessing", "select", "selectors", "signal", "subprocess", "threading"),
    *("socket", "socketserver", "ssl", "urllib.request"),
    *("datetime", "time"),
    *("IPython", "ipywidgets", "matplotlib"),
}


def storey(module: str) -> int:
    """0 for bytes only, 1 for sockets, 2 for everything else, which is also `wslab` itself."""
    part = module.removeprefix("wslab").removeprefix(".").partition(".")[0]
    if part in BYTES_ONLY:
        return 0
    return 1 if part in SOCKETS else 2


def imported_names(source: str) -> Iterator[str]:
    """The full name of everything that a module of wslab imports, at its top or in a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = ".".join(filter(None, ["wslab" if node.level else "", node.module]))
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def wrong_imports(module: str, source: str) -> list[str]:
    """One sentence for each import in `source` that goes up, or brings more than bytes into the bytes-only storey."""
    wrong = []
    for imported in imported_names(source):
        if imported.partition(".")[0] == "wslab":
            if storey(imported) > storey(module):
                wrong.append(f"{module} imports {imported}, which stands above it")
        elif storey(module) == 0 and any(f"{imported}.".startswith(f"{name}.") for name in NOT_FOR_BYTES):
            wrong.append(f"{module} imports {imported}, which is more than bytes")
    return wrong


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )


def test_ruff_finds_nothing():
    result = run("-m", "ruff", "check", ".")

    assert result.returncode == 0, result.stdout + result.stderr


def test_mypy_strict_finds_nothing_in_wslab():
    result = run("-m", "mypy", "--strict", "wslab")

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_name)
def test_imports_only_go_down(path):
    assert wrong_imports(module_name(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wslab.frames", "import socket"),
        ("wslab.frames", "def late():\n    from threading import Thread"),
        ("wslab.frames", "import urllib.request"),
        ("wslab.frames", "from urllib import request"),
        ("wslab.frames", "import wslab"),
        ("wslab.frames", "import wslab.server"),
        ("wslab.frames", "from wslab import link"),
        ("wslab.frames", "from . import link"),
        ("wslab.frames", "from .connection import Connection"),
        ("wslab.server", "from wslab.display import draw"),
        ("wslab.server", "def late():\n    from .display import draw"),
    ],
)
def test_an_import_that_goes_up_is_found(module, source):
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("wslab.frames", "import zlib, urllib.parse"),
        ("wslab.frames", "from wslab.errors import ProtocolError"),
        ("wslab.frames", "from . import errors"),
        ("wslab.server", "import socket\nfrom wslab import frames, link"),
    ],
)
def test_an_import_that_goes_down_is_fine(module, source):
    assert wrong_imports(module, source) == []


def test_importing_wslab_loads_nothing_heavy():
    result = run("-c", "import sys, wslab; print(*{'IPython', 'ipywidgets', 'matplotlib'} & set(sys.modules))")

    assert (result.returncode, result.stdout) == (0, "\n"), result.stdout + result.stderr
