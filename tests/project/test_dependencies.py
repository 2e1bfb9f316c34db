"""What pyproject.toml asks for: all that is imported and nothing else, each with its reason and a licence that fits."""

import ast
import json
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, files, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
SETTINGS = tomllib.loads(PYPROJECT)
RUNTIME = SETTINGS["project"]["dependencies"]
COURSE = SETTINGS["project"]["optional-dependencies"]["course"]
GROUPS = SETTINGS["dependency-groups"]
DECLARED = [*RUNTIME, *COURSE, *(requirement for group in GROUPS.values() for requirement in group)]
CALLED_OTHERWISE = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "markdown_it": "markdown-it-py",
    "websocket": "websocket-client",
    "yaml": "pyyaml",
}
# wslab does without them and says what to install: the servers of others judge yours, and names beyond ASCII are rare.
# pyodide is there in a browser only.
WITHOUT = {"idna", "pyodide", "websockets"}

FREE = re.compile(r"(?i)\b(MIT|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Zlib|CC0|DFSG)\b")
# What must be given away with it as well, or may not be sold.
STRICT = re.compile(r"(?i)(?<!L)\bA?GPL|General Public|proprietary|non-?commercial|SSPL|BUSL")


def package(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower()


def imported_by(source):
    """The top-level names that Python code imports; the magics of IPython are no Python."""
    for node in ast.walk(ast.parse(re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", source))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def sources(pattern):
    for path in ROOT.glob(pattern):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            yield text
        else:
            yield from ("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")


@cache
def packages_imported_by(*patterns):
    ours = {path.stem for path in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("tests/*/")]} | {"wslab"}
    names = {name for pattern in patterns for source in sources(pattern) for name in imported_by(source)}
    return {
        CALLED_OTHERWISE.get(name, name.lower().replace("_", "-")) for name in names - ours - sys.stdlib_module_names
    }


def of_the_course():
    return packages_imported_by("wslab/**/*.py", "notebooks/**/*.ipynb")


def of_the_tests():
    return packages_imported_by("tests/**/*.py")


def reasons(requirement):
    """The comment behind each place that asks for it."""
    return re.findall(rf'^.*"{re.escape(requirement)}"[^#\n]*# (.+)$', PYPROJECT, re.MULTILINE)


@pytest.mark.parametrize("requirement", sorted({*DECLARED}))
def test_a_package_is_asked_for_with_a_reason_wherever_it_is(requirement):
    assert len([why for why in reasons(requirement) if " " in why]) == DECLARED.count(requirement)


def test_all_that_the_course_imports_is_asked_for():
    assert of_the_course() - {package(it) for it in [*RUNTIME, *COURSE]} == WITHOUT


def test_all_that_the_tests_import_is_asked_for():
    assert of_the_tests() - {package(it) for it in DECLARED} == set()


def uses():
    """All text in which a program or a plugin can be used."""
    paths = [ROOT / "README.md", ROOT / ".ci/run", *ROOT.glob("tests/**/*.py"), *ROOT.glob("wslab/**/*.py")]
    return "\n".join([*(path.read_text(encoding="utf-8") for path in paths), PYPROJECT.partition("[tool.pytest")[2]])


def is_used(requirement, text):
    # A program or a plugin is not imported: its reason quotes how it is used.
    quoted = re.findall(r"`(.+?)`", " ".join(reasons(requirement)))
    return package(requirement) in of_the_course() | of_the_tests() or any(use in text for use in quoted)


def test_nothing_is_asked_for_that_is_not_used():
    text = uses()
    assert [requirement for requirement in DECLARED if not is_used(requirement, text)] == []


def licence_of(name):
    """The licence of an installed package, as its metadata names it, or else the first line of its text."""
    about = metadata(name)
    classifiers = [it.rpartition(" :: ")[2] for it in about.get_all("Classifier", []) if it.startswith("License ::")]
    if named := about.get("License-Expression") or ", ".join(classifiers) or about.get("License"):
        return named.splitlines()[0]
    texts = (path for path in files(name) if "licen" in path.name.lower())
    return next(texts).read_text(encoding="utf-8").splitlines()[0]


def pinned():
    for path in (ROOT / "requirements.txt", ROOT / "tests/requirements.txt", ROOT / "binder/requirements.txt"):
        yield from re.findall(r"^([\w.-]+)==", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_licence_lets_us_use_the_package_and_learners_do_what_they_like():
    licences = {}
    for name in sorted(set(pinned())):
        try:
            licences[name] = licence_of(name)
        except PackageNotFoundError:
            continue  # of another system
    assert len(licences) > 100
    assert {name: found for name, found in licences.items() if not is_free(found)} == {}


def is_free(licence):
    return bool(FREE.search(licence)) and not STRICT.search(licence)


@pytest.mark.parametrize(
    "licence", ["GPL-3.0-only", "AGPLv3", "GNU General Public License v2 (GPLv2)", "Proprietary", "UNKNOWN"]
)
def test_a_licence_that_does_not_fit_is_found(licence):
    assert not is_free(licence)
