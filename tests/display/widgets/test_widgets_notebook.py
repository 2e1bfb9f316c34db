"""A notebook with widgets, run where nobody looks: none of them is stored, and its outputs are always the same."""

import subprocess
import sys

import nbformat
import pytest
from support import notebook_rules as rules

CELLS = [
    "import wslab",
    "server = wslab.EchoServer(recording=wslab.Recording()).start()\n"
    "frames = wslab.watch_frames(server)\n"
    "recording = wslab.Recording()",
    "frames",
    "connection = wslab.connect(server.url, recording=recording, deflate=False)\n"
    'connection.send("Hello")\n'
    "connection.receive()",
    "connection.close()\nframes",
    "wslab.play(recording)",
    "editor = wslab.edit_frame(server)\neditor",
    "editor.send()\neditor",
    "server.close()",
]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_notebook_with_widgets_passes_strict_nbval(tmp_path):
    path = tmp_path / "widgets.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS)), metadata=kernel), path)
    run("jupyter", "nbconvert", "--to=notebook", "--execute", "--inplace", str(path))

    notebook = rules.read(path)
    assert list(rules.stores_no_widget_state(notebook)) == []
    outputs = [output["data"] for _, output in rules.outputs(notebook)]
    assert {kind for data in outputs for kind in data} == {"text/plain", "text/html"}
    assert ["text/html" in data for data in outputs] == [True, False, True, True, True, True]
    assert 'text "Hello"' in outputs[2]["text/plain"]
    assert "127.0.0.1" not in path.read_text(encoding="utf-8")

    run("pytest", "-q", "--nbval", "--nbval-current-env", "-o", "addopts=", "-p", "no:cacheprovider", str(path))


def run(*command: str) -> None:
    result = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
