"""late_button: a button that is pressed after all that was typed before, and not in the middle of it.

A browser tells of a press at once, but while the kernel is busy with one change of a control, it keeps the next one
back: the press would overtake it. So this button asks the browser for an answer, which comes after those changes.
"""

from itertools import count

from anywidget import AnyWidget
from ipywidgets import Button
from traitlets import Bool

ECHO = """export default {
    initialize({ model }) {
        model.on("msg:custom", (press) => model.send(press));
        model.set("is_there", true);
        model.save_changes();
    },
};"""


class Echo(AnyWidget):
    """What the browser sends back as it came, once it `is_there`."""

    _esm = ECHO
    is_there = Bool(default_value=False).tag(sync=True)


class LateButton(Button):  # type: ignore[misc]
    """A button whose `on_click` comes after the changes that a reader has made before."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self._numbers = count()
        self._due: int | None = None  # the number of the press that waits for its echo: several pages may send one
        self._echo = Echo()
        self._echo.on_msg(self._on_echo)

    def _handle_button_msg(self, _button: object, content: dict[str, object], buffers: object) -> None:
        if content.get("event") == "click" and self._echo.is_there:
            self._due = next(self._numbers)
            self._echo.send({"number": self._due})
        else:
            super()._handle_button_msg(self, content, buffers)

    def _on_echo(self, _echo: object, content: dict[str, object], _buffers: object) -> None:
        if self._due is not None and content.get("number") == self._due:
            self._due = None
            self.click()
