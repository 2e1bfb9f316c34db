"""What a fold shows in a notebook, in plain text, and when its block fails."""

import subprocess
import sys

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from wslab import inspect

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAGUzW/gAAAABJRU5ErkJggg=="
CELLS = {
    "printed": "with wslab.fold():\n    print('1 < 2')\n    print('yes')",
    "named": "with wslab.fold('What <he> said'):\n    pass",
    "table": "with wslab.fold():\n    display(wslab.inspect(b'\\x81\\x05Hello'))\n    print('printed')",
    "picture": f"with wslab.fold():\n    display(Image(base64.b64decode({PIXEL!r}), format='png', alt='dot'))",
    "raises": "with wslab.fold():\n    print('before')\n    1 / 0",
}


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each cell in CELLS, run by a kernel."""
    first = new_code_cell("import base64, wslab\nfrom IPython.display import Image, display")
    cells = [new_code_cell(source) for source in CELLS.values()]
    notebook = new_notebook(cells=[first, *cells])
    NotebookClient(notebook, allow_errors=True).execute()
    return {name: cell["outputs"] for name, cell in zip(CELLS, cells, strict=True)}


def data_of(outputs, name):
    (output,) = outputs[name]
    assert output["output_type"] == "display_data"
    return output["data"]


def test_what_a_block_prints_is_below_a_closed_fold_and_its_text_is_whole(outputs):
    data = data_of(outputs, "printed")
    assert data["text/plain"] == "1 < 2\nyes"
    assert data["text/html"].startswith("<details><summary>Your prediction first; then open this.</summary>")
    assert "1 &lt; 2\nyes</pre>" in data["text/html"]


def test_a_fold_has_the_summary_that_it_is_given(outputs):
    assert "<summary>What &lt;he&gt; said</summary>" in data_of(outputs, "named")["text/html"]


def test_a_table_keeps_its_form_below_the_fold_and_its_text_stands_after_what_was_printed(outputs):
    data, table = data_of(outputs, "table"), inspect(b"\x81\x05Hello")
    assert table._repr_html_() in data["text/html"]
    assert data["text/plain"] == f"printed\n{table!r}"


def test_a_picture_is_shown_below_the_fold_and_named_for_those_who_do_not_see_it(outputs):
    data = data_of(outputs, "picture")
    assert f'<img src="data:image/png;base64,{PIXEL}" alt="' in data["text/html"]
    assert data["text/plain"] == "<IPython.core.display.Image object>"


def test_a_block_that_raises_shows_what_it_printed_and_its_traceback(outputs):
    shown, error = outputs["raises"]
    assert shown["data"]["text/plain"] == "before"
    assert error["ename"] == "ZeroDivisionError"


def test_a_program_prints_what_a_notebook_folds():
    program = "import wslab\nwith wslab.fold():\n    print('plain')"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "plain\n"
