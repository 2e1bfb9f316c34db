"""The site for JupyterLite: served as files, opened in Chromium without a network, and its lessons run to the end."""

import contextlib
import functools
import http.server
import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from lite.notebooks import Needs, for_browser
from lite.packages import BROWSER, DISTRIBUTION, closure, needed_names
from playwright.sync_api import Page
from support.chromium import running_chromium
from support.jupyterlab import code_cells

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
RUN_AS_THEY_ARE = ["00", "03", "05", "06", "07", "09", "14", "15", "glossary", "one-page"]
SEED = re.compile(r"(?<=seed )\d+")
SETS = ["03", "05", "06", "07", "09", "14", "15"]
WIDGET = "wslab.edit_frame()"
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
LIMIT = 300_000  # milliseconds; a busy machine takes minutes to start Python in a browser
IS_OPEN = "(name) => window.jupyterapp?.shell.currentWidget?.context?.path === name"
RUN_ALL = """async () => {
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    await jupyterapp.commands.execute("notebook:run-all-cells");
    return panel.content.model.toJSON();
}"""


def file_of(start: str) -> Path:
    [path] = NOTEBOOKS.glob(f"{start}*.ipynb")
    return path


def solutions_of(start: str) -> list[dict]:
    [path] = NOTEBOOKS.glob(f"solutions/{start}*.ipynb")
    return code_cells(json.loads(path.read_text(encoding="utf-8")))


SOLVED = [cell for start in SETS for cell in solutions_of(start)]


def notebook_of(*sources: str) -> dict:
    cell = {"cell_type": "code", "outputs": [], "execution_count": 1, "metadata": {}}
    return {"cells": [cell | {"source": source, "outputs": []} for source in sources], "metadata": {}}


def lost(*sources: str) -> list[str]:
    needs = Needs({"wslab"})
    return [needs.missing(source) for source in sources]


def test_a_cell_is_lost_with_the_modules_that_it_imports():
    assert lost("import json, wslab", "import tornado.web", "from numpy import array") == ["", "tornado", "numpy"]


def test_what_uses_a_name_of_a_lost_cell_is_lost_until_the_name_is_given_anew():
    sources = [
        "import numpy as np\nx = 1",
        "def f():\n    return x",
        "f()",
        "x = 2",
        "[x for x in range(3)]",
        "print(x)",
    ]
    assert lost(*sources) == ["numpy", "numpy", "numpy", "", "", ""]


def test_a_name_inside_a_function_is_another_one():
    assert lost("import numpy\ntext = 1", "def f(text):\n    return text", "for text in 'ab':\n    print(text)") == [
        "numpy",
        "",
        "",
    ]


def test_a_lost_cell_becomes_text_with_its_code_and_its_outputs():
    notebook = notebook_of("import numpy\nprint(1)", "2")
    picture = {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "<Figure>"}, "metadata": {}}
    notebook["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}, picture]

    text, code = for_browser(notebook, {"wslab"})["cells"]
    assert (text["cell_type"], code["cell_type"]) == ("markdown", "code")
    assert "needs `numpy`" in text["source"]
    assert "```python\nimport numpy\nprint(1)\n```\n\n```\n1\n```" in text["source"]
    assert text["attachments"] == {"picture-0.png": {"image/png": "AAAA"}}


def test_a_cell_that_fails_on_purpose_says_so_and_stops_nothing():
    notebook = notebook_of("x = 1\nx / 0")
    notebook["cells"][0]["metadata"] = {"tags": ["raises-exception"]}
    [cell] = for_browser(notebook, ())["cells"]

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(cell["source"], {})
    assert said.getvalue() == "ZeroDivisionError: division by zero\n"


def test_only_what_a_browser_needs_is_installed_there():
    assert needed_names(
        ["a>1", "b; sys_platform == 'win32'", "C.d; extra == 'test'", "e_f; python_version >= '3.11'"]
    ) == {"a", "e-f"}
    assert BROWSER["sys_platform"] == "emscripten"


def test_with_the_distribution_packages_stand_at_its_address():
    packages = {
        "numpy": {"depends": [], "file_name": "numpy.whl"},
        "matplotlib": {"depends": ["numpy"], "file_name": "matplotlib.whl"},
        "other": {"depends": [], "file_name": "other.whl"},
    }
    found = closure(packages, ["matplotlib"])
    assert {name: entry["file_name"] for name, entry in found.items()} == {
        name: f"{DISTRIBUTION}{name}.whl" for name in ("numpy", "matplotlib")
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site."""
    folder = tmp_path_factory.mktemp("lite")
    command = [sys.executable, "tests", "lite", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served, as a static server does it."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def cut_off():
    """A Chromium that can reach this machine only."""
    with running_chromium(NO_NETWORK) as browser:
        yield browser


@contextlib.contextmanager
def running(browser, address: str, name: str) -> Iterator[tuple[Page, dict, set[str]]]:
    """The page of a notebook after all its cells have run in the browser, the notebook, and whom else it has asked."""
    with browser.new_context() as context:
        asked: set[str] = set()
        context.on("request", lambda request: asked.add(request.url))
        context.set_default_timeout(LIMIT)
        page = context.new_page()
        page.goto(f"{address}lab/index.html?path={name}")
        page.wait_for_function(IS_OPEN, arg=name)
        notebook = page.evaluate(RUN_ALL)
        yield page, notebook, {url for url in asked if url.startswith(("http", "ws")) and not url.startswith(address)}


def said(cell: dict) -> str:
    """What a cell has printed, and the text of its value, or the name of its error."""
    parts = []
    for output in cell["outputs"]:
        match output["output_type"]:
            case "stream":
                parts.append(output["text"])
            case "execute_result":
                parts.append(output["data"].get("text/plain", ""))
            case "error":
                parts.append(output["ename"])
    words = "".join("".join(part) for part in parts)
    return words.partition(":")[0] if "raises-exception" in cell["metadata"].get("tags", ()) else words


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", RUN_AS_THEY_ARE)
def test_a_lesson_runs_in_a_browser_as_it_does_elsewhere(address, cut_off, start):
    path = file_of(start)
    with running(cut_off, address, path.name) as (_, notebook, asked_of_others):
        assert asked_of_others == set()
    stored = {cell["id"]: cell for cell in code_cells(json.loads(path.read_text(encoding="utf-8")))}
    cells = code_cells(notebook)
    assert len(cells) > 0.9 * len(stored)
    assert [cell["source"] for cell in cells if cell["execution_count"] is None] == []
    assert {cell["id"]: said(cell) for cell in cells} == {cell["id"]: said(stored[cell["id"]]) for cell in cells}


@pytest.fixture(scope="module")
def solved(site, address, cut_off):
    """One notebook of all these exercise sets, solved, and a widget, when it has run in the browser: page and cells."""
    sources = ["".join(cell["source"]) for cell in SOLVED]
    path = site / "files/exercises/05-the-frame.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"] = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, [*sources, WIDGET]))).cells
    path.write_text(json.dumps(notebook), encoding="utf-8")
    with running(cut_off, address, f"exercises/{path.name}") as (page, ran, asked_of_others):
        assert asked_of_others == set()
        yield page, code_cells(ran)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_exercises_are_checked_in_a_browser_as_they_are_elsewhere(solved):
    assert len(SOLVED) > 5 * len(SETS)
    here, elsewhere = ([SEED.sub("", said(cell)) for cell in cells] for cells in (solved[1][: len(SOLVED)], SOLVED))
    assert here == elsewhere


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_widget_can_be_used_in_a_browser(solved):
    editor = solved[0].locator(".jp-CodeCell").last
    editor.get_by_label("FIN", exact=True).uncheck()
    editor.get_by_label("Opcode").select_option(label="0x3 reserved")

    editor.get_by_text("opcode 0x3 is reserved").first.wait_for()
    assert editor.get_by_role("textbox", name="Bytes").input_value() == "03 85 37 fa 21 3d 7f 9f 4d 51 58"
    editor.get_by_role("button", name="Send").click()
    editor.get_by_text("The server closed with 1002 protocol error: opcode 0x3 is reserved.").wait_for()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_cell_that_fails_is_seen(site, address, cut_off):
    path = site / "files/glossary.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code_cells(notebook)[0]["source"] = "import wslab\nwslab.connect('ws://example.com/')"
    path.write_text(json.dumps(notebook), encoding="utf-8")

    with running(cut_off, address, path.name) as (_, notebook, _):
        cells = code_cells(notebook)
    assert "no network in a browser" in cells[0]["outputs"][-1]["evalue"]
    assert cells[1]["execution_count"] is None
