"""Bundles: several files in, one page out that loads nothing, and comes with the package."""

import re
import tomllib
from pathlib import Path

import pytest

from wslab.browser import console_endpoint
from wslab.page import echo_page
from wslab.page.bundle import bundle

PACKAGE = Path(__file__).parents[2] / "wslab"
PAGES = pytest.mark.parametrize("page", [echo_page.FILE, console_endpoint.FILE], ids=lambda page: page.name)

HTML = """<link rel="icon" href="data:,">
<link rel="stylesheet" href="shared/all.css">
<link rel="stylesheet" href="one.css">
<p>Hello</p>
<script type="module" src="shared/all.js"></script>
<script type="module" src="one.js"></script>
"""
BUNDLED = """<link rel="icon" href="data:,">
<style>
all {}
one {}
</style>
<p>Hello</p>
<script type="module">
all("\\1");
one();
</script>
"""


def test_styles_and_scripts_stand_in_the_page_in_their_order_and_as_they_are(tmp_path):
    (tmp_path / "shared").mkdir()
    files = {"shared/all.css": "all {}", "one.css": "one {}", "shared/all.js": 'all("\\1");', "one.js": "one();"}
    for name, text in files.items():
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "page.html").write_text(HTML)
    assert bundle(tmp_path / "page.html") == BUNDLED


@PAGES
def test_a_page_loads_nothing(page):
    assert re.findall(r'(?:href|src)="(?!data:)[^"]*', bundle(page)) == []


@PAGES
def test_what_a_page_is_made_of_comes_with_the_package(page):
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    packed = {file for it in settings["tool"]["setuptools"]["package-data"]["wslab"] for file in PACKAGE.glob(it)}
    linked = re.findall(r'(?:href|src)="(?!data:)([^"]*)', page.read_text(encoding="utf-8"))
    assert len(linked) >= 4
    assert {page, *((page.parent / name).resolve() for name in linked)} <= packed
