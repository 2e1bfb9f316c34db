"""widget: what a reader touches in a notebook, with a text and an HTML table where no widget is shown.

Importing this module loads no ipywidgets: it takes a third of a second, and where nobody looks no widget is made.
"""

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar
from typing import Protocol as Interface

from wslab.display.netstat.live import is_seen

if TYPE_CHECKING:
    from ipywidgets import Widget


class Controls(Interface):
    """The ipywidgets of one widget; `box` holds them all."""

    box: "Widget"


C = TypeVar("C", bound=Controls)


class NotebookWidget(ABC, Generic[C]):
    """A plain object that works without a browser, with `controls` on top of it.

    A subclass says how its controls are made, and shows itself as text (`__repr__`) and as HTML (`_repr_html_`).
    Callbacks of controls may come in any thread: `_lock` may be taken again by the thread that holds it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._controls: C | None = None  # None as long as nobody has asked for them

    @property
    def controls(self) -> C:
        """The ipywidgets, made when they are first asked for."""
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
        # Where nobody looks, no widget is made: its state would be stored in the notebook.
        shown: dict[str, object] = dict(self.controls.box._repr_mimebundle_() or {}) if is_seen() else {}
        return {**shown, "text/plain": repr(self), "text/html": self._repr_html_()}
