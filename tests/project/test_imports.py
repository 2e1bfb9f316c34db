"""The folders of wslab are its storeys: a folder imports only folders below it, and bytes know no sockets.

Test modules do not import one another: what they share stands in tests/support.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wslab"
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}

# What would bring a socket, a thread, a clock or a display into a folder that says of itself "Bytes only".
NOT_FOR_BYTES = {
    *("asyncio", "concurrent", "multiprocessing", "select", "selectors", "signal", "subprocess", "threading"),
    *("socket", "socketserver", "ssl", "urllib.request"),
    *("datetime", "time"),
    *("IPython", "ipywidgets", "matplotlib"),
}


def imported_names(source: str) -> Iterator[str]:
    """The full name of everything that a module imports: at its top, in a function, or for the type checker only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str, modules: Iterable[str]) -> str | None:
    """The module of wslab that `name` is, or is in."""
    while name:
        for candidate in (name, f"{name}.__init__"):
            if candidate in modules:
                return candidate
        name = name.rpartition(".")[0]
    return None


def graph_of(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Which modules of `sources`, by their full names, each of them imports."""
    return {
        module: {
            found
            for name in imported_names(source)
            if (found := module_of(name, sources)) is not None and found != module
        }
        for module, source in sources.items()
    }


def folder_of(module: str, depth: int) -> str:
    """The folder at most `depth` levels below `wslab` in which a module stands; the package itself is on top."""
    folders = module.split(".")[1:-1]
    return "/".join(folders[:depth]) or "wslab"


def folder_graph(graph: Mapping[str, set[str]], depth: int) -> dict[str, set[str]]:
    folders: dict[str, set[str]] = {}
    for module, imported in graph.items():
        mine = folder_of(module, depth)
        folders.setdefault(mine, set()).update(folder_of(other, depth) for other in imported)
    return {folder: others - {folder} for folder, others in folders.items()}


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """A circle of imports, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def says_bytes_only(folder: str) -> bool:
    source = (PACKAGE / folder / "__init__.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").startswith("Bytes only")


def more_than_bytes(source: str) -> list[str]:
    return [
        imported
        for imported in imported_names(source)
        if any(f"{imported}.".startswith(f"{name}.") for name in NOT_FOR_BYTES)
    ]


SOURCES = {module: path.read_text(encoding="utf-8") for module, path in MODULES.items()}
GRAPH = graph_of(SOURCES)
# `wslab` itself, which offers every name to the user, may import everything, and nothing may import it.
INNER = {module: imported for module, imported in GRAPH.items() if module not in ("wslab.__init__", "wslab.__main__")}
BYTES_ONLY = {folder for folder in folder_graph(INNER, 1) if says_bytes_only(folder)}


def test_a_folder_imports_only_folders_below_it():
    assert circle_in(folder_graph(INNER, 1)) == []


def test_a_folder_inside_a_folder_does_so_too():
    # What stands in a folder itself, beside its folders, is a storey like them: `display/table`.
    assert circle_in(folder_graph(INNER, 2)) == []


def test_no_modules_import_one_another_in_a_circle():
    assert circle_in(INNER) == []


def test_nothing_inside_imports_the_package_as_a_whole():
    assert [module for module, imported in INNER.items() if "wslab.__init__" in imported] == []


def test_the_folders_of_bytes_are_known():
    assert {"protocol", "dissector", "page", "redaction"} == BYTES_ONLY


@pytest.mark.parametrize("module", [m for m in INNER if folder_of(m, 1) in BYTES_ONLY])
def test_bytes_know_no_sockets_threads_or_clocks(module):
    assert more_than_bytes(SOURCES[module]) == []


@pytest.mark.parametrize("folder", sorted(BYTES_ONLY))
def test_below_bytes_there_is_nothing_but_bytes(folder):
    assert folder_graph(INNER, 1)[folder] <= BYTES_ONLY


@pytest.mark.parametrize(
    ("module", "source", "depth"),
    [
        ("wslab.low.one", "from wslab.high.two import two", 1),
        ("wslab.low.one", "import wslab.high.two", 1),
        ("wslab.low.one", "from wslab.high import two", 1),
        ("wslab.low.one", "def late():\n    from wslab.high.two import two", 1),
        ("wslab.low.one", "if TYPE_CHECKING:\n    from wslab.high.two import two", 1),
        ("wslab.high.three", "from wslab.high.inner.four import four", 2),
    ],
)
def test_an_import_upwards_is_found(module, source, depth):
    sources = {
        "wslab.high.two": "from wslab.low.one import one",
        "wslab.high.three": "",
        "wslab.high.inner.four": "from wslab.high.three import three",
        "wslab.low.one": "",
    }
    assert circle_in(folder_graph(graph_of(sources), depth)) == []
    assert circle_in(folder_graph(graph_of(sources | {module: source}), depth)) != []


@pytest.mark.parametrize(
    "source", ["import socket", "from urllib import request", "import urllib.request", "def f():\n    import time"]
)
def test_what_is_more_than_bytes_is_found(source):
    assert len(more_than_bytes(source)) == 1


@pytest.mark.parametrize("source", ["import zlib, urllib.parse", "from wslab.protocol.errors import ProtocolError"])
def test_what_is_only_bytes_is_fine(source):
    assert more_than_bytes(source) == []


def test_importing_wslab_loads_nothing_heavy():
    command = "import sys, wslab; print(*{'IPython', 'ipywidgets', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (result.returncode, result.stdout) == (0, "\n"), result.stdout + result.stderr


TESTS = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


def imported_tests(source: str) -> list[str]:
    return [name for name in imported_names(source) if TESTS & set(name.split("."))]


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.stem)
def test_nothing_imports_a_test_module(path):
    assert imported_tests(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ["import test_imports", "from test_imports import TESTS", "from project import test_imports"]
)
def test_an_import_of_a_test_module_is_found(source):
    assert len(imported_tests(source)) == 1
