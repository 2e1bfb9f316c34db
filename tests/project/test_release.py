"""What pip installs without the repository: commands, pages, type marks and lessons, with numpy and nothing else."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_PACKAGED = {".git", ".venv", "build", "dist", "wslab.egg-info", "my-lessons", "node_modules"}
BUILD = "import sys; from setuptools import build_meta as build; getattr(build, 'build_' + sys.argv[1])(sys.argv[2])"
TALK = """
from urllib.request import Request, urlopen
import wslab
with wslab.EchoServer() as server, wslab.connect(server.url) as connection:
    connection.send("Hello")
    page = urlopen(Request(server.url.replace("ws", "http", 1), headers={"Accept": "text/html"})).read()
    print(connection.receive(), b"<title>" in page)
"""


def run(*command, folder, **environment):
    # Nothing of this environment: neither its packages nor the repository.
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("release")
    shutil.copytree(ROOT, folder / "source", ignore=lambda _, names: NOT_PACKAGED & {*names})
    [setuptools] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", "tools", setuptools, folder=folder)
    build = (sys.executable, "-S", "-c", BUILD)
    run(*build, "sdist", folder, folder=folder / "source", PYTHONPATH=str(folder / "tools"))
    [sdist] = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    [unpacked] = (folder / "unpacked").iterdir()
    run(*build, "wheel", folder, folder=unpacked, PYTHONPATH=str(folder / "tools"))
    [wheel] = folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(archives, tmp_path_factory):
    """A Python that has the wheel, and what the wheel asks for; and a folder to work in."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", "venv", folder=folder)
    [python] = [path for name in ("bin/python", "Scripts/python.exe") if (path := folder / "venv" / name).exists()]
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", archives[1], folder=folder)
    return python, folder


def files(folder):
    """The files below the folder that a package is made of, by their paths."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".md"))
    return {path.relative_to(folder).as_posix() for path in paths}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_files_of_the_package_are_installed_with_numpy_and_nothing_else(installed):
    python, folder = installed
    about = "import importlib.metadata as m, wslab; print(wslab.__path__[0], *{it.name for it in m.distributions()})"
    path, *packages = run(python, "-c", about, folder=folder).split()
    assert files(Path(path)) == files(ROOT / "wslab")
    assert {*packages} == {"numpy", "wslab"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_command_line_and_the_pages_work(installed):
    python, folder = installed
    assert run(python.with_name("wslab"), "--version", folder=folder) == f"wslab {PROJECT['version']}\n"
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    assert run(python, "-m", "wslab", "accept", key, folder=folder) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"
    assert run(python, "-c", TALK, folder=folder) == "Hello True\n"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_lessons_are_there_as_in_the_repository(installed):
    python, folder = installed
    run(python, "-m", "wslab", "lessons", "of-the-wheel", folder=folder)
    run(sys.executable, "-m", "wslab", "lessons", str(folder / "of-the-repository"), folder=ROOT)
    assert len(files(folder / "of-the-wheel")) > 40
    assert files(folder / "of-the-wheel") == files(folder / "of-the-repository")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_sdist_has_the_licence_and_no_tests(archives):
    with tarfile.open(archives[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "pyproject.toml", ".github/ABOUT.md", "wslab/py.typed"} <= names
    assert {name for name in names if name.startswith("tests")} == set()


def test_the_newest_changes_are_those_of_this_version():
    changes = (ROOT / ".github/CHANGES.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", changes, re.MULTILINE)[0] == PROJECT["version"]


def test_a_citation_names_the_course_as_its_package_does():
    cited = yaml.safe_load((ROOT / ".github/CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= {*cited}  # what the format asks for
    assert cited["authors"] == PROJECT["authors"]
    assert (cited["license"], cited["keywords"]) == (PROJECT["license"], PROJECT["keywords"])
    assert cited["abstract"] == f"{PROJECT['description']}."
