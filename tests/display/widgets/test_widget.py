"""widget: the controls are made once, when they are first asked for, and shown only where somebody looks."""

import threading

import pytest
from ipywidgets import HTML
from support.waiting import running

from wslab.display import shown
from wslab.display.widgets.widget import NotebookWidget


class Greeting:
    """Controls that hold a greeting."""

    def __init__(self) -> None:
        self.box = HTML("Hello")


class Greeter(NotebookWidget[Greeting]):
    """A widget that counts how often its controls are made."""

    made = 0

    def _make_controls(self) -> Greeting:
        self.made += 1
        return Greeting()

    def __repr__(self) -> str:
        return "Hello"

    def _repr_html_(self) -> str:
        return "<p>Hello</p>"


def test_a_bundle_has_the_widget_only_where_somebody_looks(monkeypatch):
    for name in shown.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    greeter = Greeter()
    assert greeter._repr_mimebundle_() == {"text/plain": "Hello", "text/html": "<p>Hello</p>"}
    assert greeter.made == 0

    monkeypatch.setenv(shown.JUPYTER, "lesson.ipynb")
    data = greeter._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    assert "<wslab-place " in data["text/html"]
    assert greeter.made == 1


def test_two_threads_that_ask_at_once_get_the_same_controls():
    both, controls, greeter = threading.Barrier(2), [], Greeter()

    def ask() -> None:
        both.wait(20)
        controls.append(greeter.controls)

    with running(ask), running(ask):
        pass
    assert controls == [greeter.controls] * 2
    assert greeter.made == 1


def test_making_the_controls_may_ask_for_the_widget_again():
    class Eager(Greeter):
        def _make_controls(self) -> Greeting:
            with self._lock:
                return super()._make_controls()

    assert Eager().controls.box.value == "Hello"


def test_a_widget_must_say_how_it_is_made_and_shown():
    with pytest.raises(TypeError, match="abstract"):
        NotebookWidget()
