"""live: a table in a notebook that a thread keeps up to date while the kernel runs other cells."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from wslab.display.html import close_lines
from wslab.display.shown import bundle, is_seen, thread_of_cell

if TYPE_CHECKING:
    from ipywidgets import HTML


class Snapshot(Interface):
    """A table at one moment; `is_over` is True if no later one can differ."""

    @property
    def is_over(self) -> bool:
        """Return True if what is watched has come to its end."""

    def _repr_html_(self) -> str: ...


class LiveTable:
    """Shows what `look` returns, again and again, until it is over, `seconds` have passed, or `close` is called.

    `table` is the last snapshot. As the value of a cell this is a widget where a reader can see it move, and everywhere
    else (GitHub, tests, an untrusted notebook) the table as text and as HTML, as it was at that moment. Nothing is
    printed, and no cell waits for it. Raises TypeError for `seconds` or an `interval` that is not a number, ValueError
    for one out of range.
    """

    def __init__(
        self, look: Callable[[], Snapshot], seconds: float, interval: float = 0.5, widget: bool | None = None
    ) -> None:
        for name, time_span in (("seconds", seconds), ("interval", interval)):
            if not isinstance(time_span, int | float):
                raise TypeError(f"{name} is a number of seconds, not {time_span!r}")
        if not seconds >= 0 or not interval > 0:  # also true of nan
            raise ValueError(f"seconds is 0 or more and interval more than 0, not {seconds} and {interval}")
        self.table = look()
        self.error: Exception | None = None
        self._look = look
        self._until = time.monotonic() + seconds
        self._interval = interval
        self._widget = _new_widget(self.table) if (is_seen() if widget is None else widget) else None
        self._stopped = threading.Event()
        self._thread = thread_of_cell(self._keep_looking, name="wslab-watch")
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Return True if the table is still kept up to date."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop updating, and wait until the thread has ended."""
        self._stopped.set()
        self._thread.join()

    def __enter__(self) -> "LiveTable":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_mimebundle_(self, **options: object) -> dict[str, object]:
        text, html = repr(self.table), self.table._repr_html_()
        return {"text/plain": text, "text/html": html} if self._widget is None else bundle(self._widget, text, html)

    def _keep_looking(self) -> None:
        was_there = not self.table.is_over
        while not self._stopped.wait(min(self._interval, max(0.0, self._until - time.monotonic()))):
            try:
                self.table = self._look()
            except (OSError, ImportError) as error:  # a thread prints nothing
                self.error = error
                return
            was_there = was_there or not self.table.is_over
            if self._widget is not None:
                if self._widget.comm is None:  # it was closed
                    return
                self._widget.value = close_lines(self.table._repr_html_())
            if (was_there and self.table.is_over) or time.monotonic() >= self._until:
                return


def _new_widget(table: Snapshot) -> "HTML | None":
    with contextlib.suppress(ImportError):
        from ipywidgets import HTML

        return HTML(close_lines(table._repr_html_()))
    return None
