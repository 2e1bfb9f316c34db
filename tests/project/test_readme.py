"""The README promises what the repository holds: two commands, and each lesson with its title and its minutes."""

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

import badges
import pytest
from support import notebook_rules as rules

from wslab.cli.lessons import FOLDER

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))


ADDRESS = "https://github.com/ada/lovelace.course"


def commands(start):
    return [line for line in README.splitlines() if line.startswith(start)]


def test_there_is_one_command_for_the_lessons_and_one_for_the_tests():
    lessons, tests = commands("python3 -m venv .venv && ")
    assert lessons.endswith("-r requirements.txt && .venv/bin/python -m wslab lessons --open")
    assert "-r requirements.txt -r tests/requirements.txt && .venv/bin/python -m pytest" in tests


def test_the_windows_spelling_does_the_same():
    for windows, unix in zip(commands("py -m venv"), commands("python3 -m venv"), strict=True):
        spelled = windows.replace("py -m", "python3 -m", 1).replace("\\", "/").replace(".venv/Scripts/", ".venv/bin/")
        assert spelled == unix


@pytest.mark.timeout(100)
def test_the_command_for_the_lessons_tells_the_address_of_the_first_one(tmp_path):
    [command] = re.findall(r"/python (-m wslab .*)", commands("python3")[0])
    places = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    settings = {"ServerApp": {"open_browser": False, "port": 0}, "IdentityProvider": {"token": secrets.token_hex()}}
    (tmp_path / "CONFIG").mkdir()
    (tmp_path / "CONFIG/jupyter_server_config.json").write_text(json.dumps(settings))
    with subprocess.Popen(
        [sys.executable, *shlex.split(command)],
        cwd=tmp_path,
        env=os.environ | places | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as lab:
        try:
            address = next(found[1] for line in lab.stderr if (found := re.search(r"http://127.0.0.1:\d+(/\S+)", line)))
        finally:
            lab.kill()
    assert address.startswith(f"/lab/tree/{FOLDER}/00-start-here.ipynb?token=")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_lesson_stands_in_the_table_with_its_title_and_its_minutes(path):
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    number, title = re.match(r"# (\d\d) · (.+)", first).groups()
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", first)[1]
    row = re.compile(rf"^\| {number} \| \[{title}\]\(notebooks/{path.name}\) \|.* \| {minutes} \|$", re.MULTILINE)
    assert len(row.findall(README)) == 1


def test_the_table_lists_no_lesson_that_is_not_there():
    assert len(re.findall(r"^\| \d\d \| ", README, re.MULTILINE)) == len(LESSONS)


def test_every_folder_of_the_package_stands_on_the_map():
    folders = {path.parent.name for path in (ROOT / "wslab").glob("*/__init__.py")}
    assert {folder for folder in folders if f"](wslab/{folder})" not in README} == set()


def test_every_module_stands_on_the_map_of_its_folder():
    described = (ROOT / "wslab/README.md").read_text(encoding="utf-8")
    modules = {path.relative_to(ROOT / "wslab") for path in (ROOT / "wslab").rglob("*.py")}
    hidden = {module for module in modules if not module.name.startswith("__") and f"]({module})" not in described}
    assert hidden == set()


def test_the_badges_are_those_of_the_repository_that_pyproject_names():
    assert badges.with_badges(README, badges.repository()) == README, "run: python tests badges"


def test_the_badges_follow_the_address():
    plain = badges.with_badges(README, "")
    there = badges.with_badges(README, ADDRESS)
    title, empty, *lines = there.split("\n")
    links = [re.fullmatch(r"\[!\[[^]]+\]\(https://\S+\.svg\)\]\((\S+)\)", line)[1] for line in lines[:2]]
    assert links == [
        "https://mybinder.org/v2/gh/ada/lovelace.course/HEAD?urlpath=lab/tree/notebooks/00-start-here.ipynb",
        "https://ada.github.io/lovelace.course/lab/index.html?path=00-start-here.ipynb",
    ]
    assert "\n".join([title, empty, *lines[3:]]) == plain
    assert "badge" not in plain
    assert badges.with_badges(badges.with_badges(there, "https://github.com/o/n"), ADDRESS) == there
    assert badges.with_badges(there, "") == plain


@pytest.mark.parametrize(
    "address", ["https://example.org/ada/course", "https://github.com/ada", f"{ADDRESS}/tree/main"]
)
def test_badges_lead_to_github_alone(address):
    with pytest.raises(ValueError, match=r"is no https://github\.com/OWNER/REPOSITORY"):
        badges.with_badges(README, address)


PAGES = ["README.md", "wslab/README.md", "tests/README.md", "tests/benchmarks/README.md"]


@pytest.mark.parametrize("page", [*PAGES, ".github/CONTRIBUTING.md", ".github/SECURITY.md"])
def test_every_link_leads_somewhere(page):
    notebook = {"cells": [{"cell_type": "markdown", "source": (ROOT / page).read_text(encoding="utf-8")}]}
    assert list(rules.has_links_that_lead_somewhere(notebook, ROOT / page)) == []
