"""The README's pictures: there, fit to be seen, and taken by one command."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from draw_one_page import PDF, PNG
from PIL import Image
from support import notebook_rules as rules
from support.chromium import find_browser
from take_pictures import FOLDER, NAMES

ROOT = FOLDER.parent.parent
README = ROOT / "README.md"
PICTURES = [ROOT / target for target in rules.IMAGE.findall(README.read_text(encoding="utf-8"))]
MOST_BYTES = 150_000
FEWEST_COLOURS = 100  # text alone has as many, since its edges are smooth


def faults(file: Path) -> Iterator[str]:
    """One sentence for each reason not to show the picture on a page."""
    if file.stat().st_size > MOST_BYTES:
        yield f"{file.name} has more than {MOST_BYTES} bytes"
    with Image.open(file) as picture:
        if picture.format != "PNG":
            yield f"{file.name} is in truth a {picture.format}"
        if not (600 <= picture.width <= 1200 and 400 <= picture.height <= 1300):
            yield f"{file.name} has {picture.width} by {picture.height} pixels"
        if len(set(picture.convert("RGB").get_flattened_data())) < FEWEST_COLOURS:
            yield f"{file.name} is blank"


def test_every_picture_stands_in_the_readme_once_and_none_is_left_over():
    assert sorted(PICTURES) == sorted(FOLDER / name for name in NAMES)
    assert {file.name for file in FOLDER.iterdir()} == {*NAMES, PNG, PDF}  # the one page is on a page of its own


def test_every_picture_of_the_readme_is_in_the_repository():
    notebook = {"cells": [{"cell_type": "markdown", "source": README.read_text(encoding="utf-8")}]}
    assert list(rules.has_pictures_that_need_no_network(notebook, README)) == []


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.stem)
def test_a_picture_is_fit_to_be_seen(file):
    assert list(faults(file)) == []


GRADIENT = Image.linear_gradient("L")  # 256 pixels wide and high, of 256 greys


@pytest.mark.parametrize(
    ("picture", "form", "fault"),
    [
        pytest.param(Image.effect_noise((800, 600), 64), "PNG", "has more than 150000 bytes", id="too heavy"),
        pytest.param(GRADIENT.resize((800, 600)), "JPEG", "is in truth a JPEG", id="another format"),
        pytest.param(GRADIENT, "PNG", "has 256 by 256 pixels", id="too small"),
        pytest.param(Image.new("L", (800, 600), "white"), "PNG", "is blank", id="blank"),
    ],
)
def test_a_picture_that_is_not_fit_is_found(tmp_path, picture, form, fault):
    picture.save(tmp_path / "picture.png", form)
    assert list(faults(tmp_path / "picture.png")) == [f"picture.png {fault}"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_command_takes_all_pictures(tmp_path):
    find_browser()  # or skip
    command = [sys.executable, "tests/take_pictures.py", str(tmp_path / "pictures"), "--port=0"]

    subprocess.run(command, cwd=ROOT, check=True, timeout=500)

    files = sorted((tmp_path / "pictures").iterdir())
    assert [file.name for file in files] == sorted(NAMES)
    assert [fault for file in files for fault in faults(file)] == []
