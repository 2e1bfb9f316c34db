"""widget: what a reader touches in a notebook, with a text and an HTML table where no widget is shown.

Importing this module does not load ipywidgets; making the controls does. They are made only where a reader can see
them, or where a program asks for them.
"""

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar
from typing import Protocol as Interface

from wslab.display.shown import bundle, is_seen

if TYPE_CHECKING:
    from ipywidgets import Widget


class Controls(Interface):
    """The ipywidgets of one widget; `box` holds them all."""

    box: "Widget"


C = TypeVar("C", bound=Controls)


class NotebookWidget(ABC, Generic[C]):
    """A plain object that works without a browser, with `controls` on top of it.

    A subclass says how its controls are made, and how it looks as text (`__repr__`) and as HTML (`_repr_html_`).
    `_lock` is reentrant: while the controls are made, they read the widget.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._controls: C | None = None  # None until they are asked for

    @property
    def controls(self) -> C:
        """The ipywidgets, made when they are first asked for. Threads may ask at the same time."""
        with self._lock:
            if self._controls is None:
                self._controls = self._make_controls()
            return self._controls

    @abstractmethod
    def _make_controls(self) -> C:
        """Import the controls, and make them."""

    @abstractmethod
    def _repr_html_(self) -> str: ...

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        # Without a reader, no widget is made: its state would be stored in the notebook.
        text, html = repr(self), self._repr_html_()
        return bundle(self.controls.box, text, html) if is_seen() else {"text/plain": text, "text/html": html}
