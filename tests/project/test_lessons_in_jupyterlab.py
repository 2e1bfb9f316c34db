"""Every lesson in a real JupyterLab: Run All runs all of its cells, and those that fail are meant to fail."""

import json
import re

import pytest
from support.jupyterlab import NOTEBOOKS, code_cells, run_all_cells, write_notebook


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_lesson_runs_in_jupyterlab(browser, lab, notebook):
    cells = code_cells(json.loads(notebook.read_text(encoding="utf-8")))
    shown = run_all_cells(browser, lab, notebook.name, to_the_end=True)

    for (prompt, fault, _), cell in zip(shown, cells, strict=True):
        source = "".join(cell["source"])
        assert bool(fault) is ("raises-exception" in cell["metadata"].get("tags", [])), f"{source}\n{fault}"
        assert re.fullmatch(r"\[\d+\]:", prompt), f"not run: {source}"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cell_that_fails_is_seen_to_fail(browser, lab):
    write_notebook(lab, "failing.ipynb", "1 + 1", "1 / 0", "2 + 2")

    shown = run_all_cells(browser, lab, "failing.ipynb")

    assert [prompt for prompt, _, _ in shown] == ["[1]:", "[2]:", "[ ]:"]
    assert ["ZeroDivisionError" in fault for _, fault, _ in shown] == [False, True, False]
