"""What Binder makes of binder/: its Python, its packages, wslab itself, and the first lesson opened."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@needs_posix
def test_post_build_installs_wslab_and_opens_the_first_lesson(tmp_path):
    pip = tmp_path / "pip"
    pip.write_text('#!/bin/sh\necho "pip $*"\n', encoding="utf-8")
    pip.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NB_PYTHON_PREFIX": str(tmp_path)}

    command = ["bash", BINDER / "postBuild"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)

    assert result.stdout == "pip install --no-cache-dir --no-deps -e .\n"
    settings = json.loads((tmp_path / "etc/jupyter/jupyter_lab_config.json").read_text(encoding="utf-8"))
    lesson = settings["LabApp"]["default_url"].removeprefix("/lab/tree/")
    assert (ROOT / lesson).is_file(), f"there is no {lesson}"


def test_binder_has_every_pin_of_requirements_txt_and_the_proxy_besides():
    assert pins(REQUIREMENTS) < pins(BINDER / "requirements.txt")
    assert any(pin.startswith("jupyter-server-proxy==") for pin in pins(BINDER / "requirements.txt"))


@pytest.mark.parametrize("folder", ["binder", "tests"])
def test_no_package_is_pinned_to_two_versions(folder):
    versions: dict[str, set[str]] = {}
    for pin in pins(REQUIREMENTS) | pins(ROOT / folder / "requirements.txt"):
        name, _, rest = pin.partition("==")
        versions.setdefault(name, set()).add(rest.partition(" ")[0])

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_requirements_txt_ends_by_installing_wslab_itself():
    assert REQUIREMENTS.read_text(encoding="utf-8").splitlines()[-1] == "-e ."
