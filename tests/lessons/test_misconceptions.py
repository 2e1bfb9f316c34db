"""Each misconception that the course is about has a false world, in which it is true, and a cell that tells them apart.

`misconceptions.csv` names them; the tests of the lesson run them.
"""

import ast
import csv
from functools import cache
from pathlib import Path

import pytest
from support.notebook_rules import read

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
# The false worlds of lesson 13 are those of its browser, too.
MODULES = {"13-what-the-browser-hides": "test_12_the_browsers_websocket"}

with (HERE / "misconceptions.csv").open(encoding="utf-8", newline="") as file:
    MISCONCEPTIONS = list(csv.DictReader(file))


@cache
def worlds_tried_in(lesson: str) -> tuple[ast.FunctionDef, ...]:
    module = MODULES.get(lesson, "test_" + lesson.replace("-", "_"))
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    return tuple(it for it in tree.body if isinstance(it, ast.FunctionDef) and it.name.startswith("test_"))


def places_of(lesson: str) -> str:
    """The ids of the cells, and their sources, in which the scripts of browsers have their names."""
    return "\n".join(cell["id"] + "\n" + cell["source"] for cell in read(NOTEBOOKS / f"{lesson}.ipynb")["cells"])


def tries(test: ast.FunctionDef, world: str, cell: str) -> bool:
    """Whether a test, or what it is parametrized with, names both."""
    names = {it.id for it in ast.walk(test) if isinstance(it, ast.Name)}
    texts = {it.value for it in ast.walk(test) if isinstance(it, ast.Constant)}
    return world in names and cell in texts


@pytest.mark.parametrize("row", MISCONCEPTIONS, ids=lambda row: row["misconception"])
def test_a_misconception_has_a_false_world_and_a_cell_that_notices(row):
    assert row["cell"] in places_of(row["lesson"])
    assert [it.name for it in worlds_tried_in(row["lesson"]) if tries(it, row["world"], row["cell"])] != []


def test_a_misconception_without_a_world_is_found():
    assert not any(tries(it, "NO_SUCH_WORLD", "recv-once") for it in worlds_tried_in("01-before-websocket"))
    assert not any(tries(it, "A_RECV_BRINGS_ONE_WORD", "no-such-cell") for it in worlds_tried_in("01-before-websocket"))
