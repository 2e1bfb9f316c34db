"""shown: where nobody looks nothing is shown; Jupyter gets HTML, and other notebooks a view of the widget."""

import sys
from types import SimpleNamespace

import pytest
from ipywidgets import HTML

from wslab.display.shown import HERE_IS_A_NOTEBOOK, JUPYTER, bundle, is_seen

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def nobody_looks(monkeypatch):
    for name in HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", HERE_IS_A_NOTEBOOK)
def test_programs_that_show_notebooks_leave_their_mark(name, monkeypatch):
    assert not is_seen()
    monkeypatch.setenv(name, "here")
    assert is_seen()


def test_in_jupyterlite_where_python_runs_in_the_browser_that_shows_it_it_is_as_in_jupyter(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert is_seen()
    assert set(bundle(HTML("live"), "Hello", "<p>Hello</p>")) == {"text/plain", "text/html"}


def test_colab_shows_what_is_stored(monkeypatch):
    monkeypatch.setenv(JUPYTER, "here")
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert not is_seen()


def test_vs_code_is_known_wherever_its_kernel_runs(monkeypatch):
    shell = SimpleNamespace(user_ns={})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert not is_seen()
    shell.user_ns["__vsc_ipynb_file__"] = "lesson.ipynb"
    assert is_seen()


def test_in_jupyter_no_output_refers_to_a_widget_that_may_be_gone_when_it_is_opened_again(monkeypatch):
    monkeypatch.setenv(JUPYTER, "lesson.ipynb")
    shown = bundle(HTML("live"), "Hello", "<p>Hello</p>")
    assert set(shown) == {"text/plain", "text/html"}
    assert shown["text/plain"] == "Hello"
    assert "<p>Hello</p>" in shown["text/html"]


def test_elsewhere_the_widget_stands_beside_its_text_and_html():
    box = HTML("live")
    shown = bundle(box, "Hello", "<p>Hello</p>")
    assert shown.pop(VIEW)["model_id"] == box.model_id
    assert shown == {"text/plain": "Hello", "text/html": "<p>Hello</p>"}
