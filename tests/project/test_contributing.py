"""What a contributor is promised: short names for the long commands, and the limits that SECURITY.md lists."""

import dataclasses
import re
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from wslab.protocol.limits import Limits

ROOT = Path(__file__).parents[2]
PROGRAMS = runpy.run_path(str(ROOT / "tests/__main__.py"))["PROGRAMS"]


def run(*arguments, folder=ROOT):
    command = [sys.executable, str(ROOT / "tests"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=100, check=False)


@pytest.mark.parametrize("name", ["outputs", "bare", *PROGRAMS])
def test_every_short_name_is_told(name):
    told = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.search(rf"\.venv/bin/python tests {name}\b", told)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_short_name_has_its_program(name):
    _, [program, *_] = PROGRAMS[name]
    assert program == "-m" or (ROOT / program).exists()


def test_options_behind_a_short_name_reach_its_program():
    result = run("fuzz", "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: run.py ")


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["frobnicate"], 2), (["--help"], 0)])
def test_without_a_name_that_is_known_all_are_listed(arguments, status):
    result = run(*arguments)
    assert result.returncode == status
    assert all(f"\n  {name} " in result.stdout for name in ["outputs", "bare", *PROGRAMS])


def save(path, *sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)


@pytest.mark.slow
def test_outputs_are_stored_in_one_piece_without_times(tmp_path):
    pieces = "for piece in 'one', ' ', 'line':\n    print(piece, end='', flush=True)"
    save(tmp_path / "made.ipynb", "6 * 7", pieces)
    save(tmp_path / "left.ipynb", "6 * 7")
    result = run("outputs", "made.ipynb", folder=tmp_path)
    assert result.returncode == 0, result.stderr

    number, line = nbformat.read(tmp_path / "made.ipynb", as_version=4).cells
    assert [output["data"]["text/plain"] for output in number.outputs] == ["42"]
    assert [output["text"] for output in line.outputs] == ["one line"]
    assert number.metadata == line.metadata == {}
    assert nbformat.read(tmp_path / "left.ipynb", as_version=4).cells[0].outputs == []


@pytest.mark.parametrize("limit", dataclasses.fields(Limits), ids=lambda limit: limit.name)
def test_every_limit_is_told_with_its_default(limit):
    told = (ROOT / ".github/SECURITY.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{limit.name}` \| {limit.default:,.0f} \w", told, re.MULTILINE)
