"""Every lesson in a real JupyterLab: Run All runs all cells, those that fail are meant to, and nothing is fetched."""

import pytest
from support.jupyterlab import NOTEBOOKS, run_all_cells, what_went_wrong, write_notebook

ON_THIS_MACHINE = ("http://127.0.0.1:", "data:", "blob:")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_lesson_runs_in_jupyterlab(browser, lab, notebook):
    asked: list[str] = []
    asked_by_python = lab.folder.parent / "asked"
    asked_by_python.write_text("")
    with browser.new_context() as reader:
        reader.on("request", lambda request: asked.append(request.url))
        shown = run_all_cells(reader, lab, notebook.name, to_the_end=True)

    assert what_went_wrong(shown, notebook) == []
    assert lab.address in asked[0]
    assert [url for url in asked if not url.startswith(ON_THIS_MACHINE)] == [], "asked by the browser"
    assert asked_by_python.read_text() == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cell_that_fails_is_seen_to_fail(browser, lab):
    write_notebook(lab, "failing.ipynb", "1 + 1", "1 / 0", "2 + 2")

    shown = run_all_cells(browser, lab, "failing.ipynb")

    assert [prompt for prompt, _, _ in shown] == ["[1]:", "[2]:", "[ ]:"]
    assert ["ZeroDivisionError" in fault for _, fault, _ in shown] == [False, True, False]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cell_that_needs_a_network_is_seen_to_need_it(browser, lab):
    (lab.folder.parent / "asked").write_text("")
    write_notebook(lab, "asking.ipynb", "import urllib.request; urllib.request.urlopen('http://example.org/')")

    [(_, fault, _)] = run_all_cells(browser, lab, "asking.ipynb")

    assert "Network is unreachable" in fault
    assert (lab.folder.parent / "asked").read_text() == "example.org\n"
