"""player_controls: the controls of a player of recordings."""

import threading
from typing import Protocol as Interface

from ipywidgets import HTML, BoundedIntText, Button, Dropdown, HBox, Layout, Play, VBox, jslink

from wslab.display.html import announced
from wslab.display.widgets.field_controls import AS_WIDE_AS_ITS_LABEL
from wslab.display.widgets.playback import Playback

INTERVAL = 1000  # milliseconds
PLAY, STOP = "Play", "Stop"


class Steps(Interface):
    """What the controls need of the player that they belong to."""

    connections: list[int]
    playback: Playback

    def choose(self, connection: int) -> None:
        """Go to the first step of another connection."""

    def html_of_step(self, step: int) -> str:
        """What happened in a step."""


class PlayerControls:
    """The number of the step, buttons to the steps around it, one to play, and the connection; `box` holds them all.

    The slider and the play buttons of ipywidgets have no names that a screen reader could read, so the number is typed
    or turned with the arrow keys, and the clock of `Play` works unseen behind a button with a name.
    """

    def __init__(self, player: Steps) -> None:
        self._player = player
        self._lock = threading.RLock()
        self.first = _button("First", "Go to the first step")
        self.previous = _button("Previous", "Go one step back")
        self.next = _button("Next", "Go one step forward")
        self.last = _button("Last", "Go to the last step")
        self.playing = _button(PLAY, "One step each second, or stop")
        self.step = BoundedIntText(
            description="Step",
            tooltip="The number of the step: type it, or turn it with the arrow keys",
            style=AS_WIDE_AS_ITS_LABEL,
            layout=Layout(width="9em"),
        )
        self.connection = _connections(player.connections or [1], player.playback.connection)
        self._clock = Play(interval=INTERVAL, layout=Layout(display="none"))
        self._shown = HTML()
        buttons = [self.first, self.previous, self.next, self.last, self.playing, self.step, self.connection]
        self.box = VBox([HBox([*buttons, self._clock], layout=Layout(flex_flow="row wrap")), self._shown])
        self._begin()
        self._listen()

    def _listen(self) -> None:
        self._links = [jslink((self._clock, "value"), (self.step, "value"))]
        self._clock.observe(self._on_playing, "playing")
        self.playing.on_click(self._on_play)
        self.step.observe(lambda _change: self._show(), "value")
        self.connection.observe(self._on_connection, "value")
        self.first.on_click(lambda _button: self._go(self.step.min))
        self.previous.on_click(lambda _button: self._go(self.step.value - 1))
        self.next.on_click(lambda _button: self._go(self.step.value + 1))
        self.last.on_click(lambda _button: self._go(self.step.max))

    def _begin(self) -> None:
        numbers = self._player.playback.numbers or range(1, 2)
        for control in (self.step, self._clock):
            control.min = 0  # below the new maximum, whatever that is
            control.max, control.min, control.value = numbers[-1], numbers[0], numbers[0]
        self._show()

    def _on_connection(self, _change: object) -> None:
        with self._lock:
            self._player.choose(self.connection.value)
            self._begin()

    def _on_play(self, _button: object) -> None:
        if not self._clock.playing and self.step.value == self.step.max:
            self.step.value = self.step.min
        self._clock.playing = not self._clock.playing

    def _on_playing(self, _change: object) -> None:
        self.playing.description = STOP if self._clock.playing else PLAY

    def _go(self, step: int) -> None:
        self.step.value = step

    def _show(self) -> None:
        with self._lock:
            self._shown.value = announced(self._player.html_of_step(self.step.value))


def _button(description: str, tooltip: str) -> Button:
    return Button(description=description, tooltip=tooltip, layout=Layout(width="auto"))


def _connections(numbers: list[int], chosen: int) -> Dropdown:
    return Dropdown(
        options=numbers,
        value=chosen,
        description="Connection",
        tooltip="Which connection is shown",
        style=AS_WIDE_AS_ITS_LABEL,
        layout=Layout(width="auto"),
    )
