"""What Binder makes of binder/: its Python, its packages, wslab itself, and the first lesson opened."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support.binders import FIRST_LESSON, click_link, run_post_build, running_binder
from support.echo_page import EchoPage
from support.jupyterlab import run_cells, what_went_wrong, write_settings

from wslab import EchoServer

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
REQUIREMENTS = ROOT / "requirements.txt"

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="Binder is Linux; repo2docker asks for Linux or macOS")


def pins(path: Path) -> set[str]:
    return {line for line in path.read_text(encoding="utf-8").splitlines() if "==" in line and not line.startswith("#")}


@pytest.fixture(scope="module")
def dockerfile() -> str:
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


@needs_posix
def test_binder_takes_the_python_of_runtime_txt(dockerfile):
    version = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")

    assert re.search(rf"^Building conda environment for python={re.escape(version)}$", dockerfile, re.MULTILINE)


@needs_posix
def test_binder_installs_its_requirements_before_the_repository_arrives_so_that_a_commit_does_not_repeat_it(dockerfile):
    install = dockerfile.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    copy_repository = dockerfile.index("src/ ${REPO_DIR}/\n")
    post_build = dockerfile.index("RUN ./binder/postBuild")

    assert install < copy_repository < post_build


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """What binder/postBuild makes, where pip only says what it was told."""
    prefix = tmp_path_factory.mktemp("prefix")
    pip = prefix / "pip"
    pip.write_text('#!/bin/sh\necho "pip $*"\n', encoding="utf-8")
    pip.chmod(0o755)
    (prefix / "said").write_text(run_post_build(ROOT, prefix, prefix), encoding="utf-8")
    return prefix


@needs_posix
def test_post_build_installs_wslab_and_opens_the_first_lesson(built):
    assert (built / "said").read_text(encoding="utf-8") == "pip install --no-cache-dir --no-deps -e .\n"
    settings = json.loads((built / "etc/jupyter/jupyter_lab_config.json").read_text(encoding="utf-8"))
    lesson = settings["LabApp"]["default_url"].removeprefix("/lab/tree/")
    assert (ROOT / lesson).is_file(), f"there is no {lesson}"


@needs_posix
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_click_opens_the_first_lesson_whose_console_and_echo_page_work_behind_the_proxy(browser, built, tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    write_settings(tmp_path)
    settings = {"JUPYTER_CONFIG_PATH": str(built / "etc/jupyter"), "JUPYTER_CONFIG_DIR": str(tmp_path / "config")}
    with running_binder(Path(sys.executable), tmp_path, settings) as binder:
        page = click_link(browser, binder)
        assert what_went_wrong(run_cells(page, to_the_end=True), tmp_path / FIRST_LESSON) == []
        with EchoServer() as server:
            echo = EchoPage(page).visit(f"{binder.lab.address}proxy/{server.port}/").open()
            echo.send("Zwölf Boxkämpfer")
            echo.has_logged("Zwölf Boxkämpfer")


def test_binder_has_every_pin_of_requirements_txt_and_the_proxy_besides():
    assert pins(REQUIREMENTS) < pins(BINDER / "requirements.txt")
    assert any(pin.startswith("jupyter-server-proxy==") for pin in pins(BINDER / "requirements.txt"))


@pytest.mark.parametrize("python", ["3.11", "3.14", "3.15"])
@pytest.mark.parametrize("folder", ["binder", "tests"])
def test_no_package_is_pinned_to_two_versions_for_one_python(folder, python):
    where = {"python_version": python, "python_full_version": f"{python}.0"}
    versions: dict[str, set[str]] = {}
    for pin in map(Requirement, pins(REQUIREMENTS) | pins(ROOT / folder / "requirements.txt")):
        if pin.marker is None or pin.marker.evaluate(where):
            versions.setdefault(pin.name, set()).add(str(pin.specifier))

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_requirements_txt_ends_by_installing_wslab_itself():
    assert REQUIREMENTS.read_text(encoding="utf-8").splitlines()[-1] == "-e ."
