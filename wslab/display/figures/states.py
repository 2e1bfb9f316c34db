"""draw_states: the states of a connection as boxes, and the steps between them as arrows, drawn from the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wslab.display.figures.canvas import BLUE, GREY, ORANGE, WIDTH, Canvas, width_of
from wslab.display.figures.figure import DescribedFigure, draw_described
from wslab.protocol.states import TRANSITIONS, State, Step

BOX = 116.0  # points: the width of a box
LOWEST = 34.0  # the height of a box at which few arrows begin and end
LINE = 13.0  # the height of a line of text
ENTRY = 12.0  # of an arrow that ends
LANE = 14.0  # between two arrows that run beside each other
TOP = 8.0

Side = Literal[-1, 1]  # left, right


@dataclass(frozen=True)
class _Arrow:
    """All steps that lead from one state to another, or back to itself."""

    start: State
    end: State
    steps: tuple[str, ...]

    @property
    def down(self) -> int:
        """How many boxes down it leads."""
        return self.end.value - self.start.value

    @property
    def side(self) -> Side:
        """On the right if it passes boxes on its way down, on the left if it leads back."""
        return 1 if self.down > 0 else -1


def draw_states(
    state: State | None = None, *, transitions: Mapping[tuple[State, Step], State] = TRANSITIONS
) -> DescribedFigure:
    """The state machine of a connection, drawn from the table that it obeys (RFC 6455 §4.1, §7.1).

    `draw_states(connection.state)` marks where a connection stands.
    """
    lines = [f"{start.name} ── {step.value} ──▶ {end.name}" for (start, step), end in transitions.items()]
    lines += [f"now: {state.name}"] if state is not None else []
    return draw_described(
        lambda: _Picture(transitions, state).draw().figure, "\n".join(lines), "States of a connection"
    )


class _Picture:
    """The boxes stand one below the other. Each arrow beside them has a height and a lane of its own."""

    def __init__(self, transitions: Mapping[tuple[State, Step], State], state: State | None) -> None:
        self._now = state
        pairs = dict.fromkeys((start, end) for (start, _), end in transitions.items())
        self._arrows = [_Arrow(*pair, _steps(transitions, *pair)) for pair in pairs]
        self._bypasses = sorted((arrow for arrow in self._arrows if arrow.down != 1), key=lambda arrow: abs(arrow.down))
        self._room = max((width_of(step) for arrow in self._arrows for step in arrow.steps), default=0) + 20
        lanes = {side: sum(arrow.side == side for arrow in self._bypasses) for side in (-1, 1)}
        left, right = (self._room + LANE * lanes[side] if lanes[side] else 0 for side in (-1, 1))
        self._left = (WIDTH - left - BOX - right) / 2 + left
        self._boxes: dict[State, tuple[float, float]] = {}  # the upper and the lower edge of each
        self._exits: dict[_Arrow, float] = {}
        self._entries: dict[_Arrow, float] = {}
        self._height = self._place()

    def _place(self) -> float:
        """Find a place for everything, and return the height of it all."""
        y = TOP
        for state in State:
            lowest = max(y + LOWEST, *(self._place_beside(state, side, y) for side in (-1, 1)))
            self._boxes[state] = (y, lowest)
            steps = next((arrow.steps for arrow in self._arrows if arrow.start is state and arrow.down == 1), ())
            y = lowest + LINE * len(steps) + 18
        return lowest + TOP

    def _place_beside(self, state: State, side: Side, y: float) -> float:
        """Find the heights at which arrows begin and end beside a box, so that none crosses another there."""
        beside = [arrow for arrow in self._bypasses if arrow.side == side]
        ends = [arrow for arrow in beside if arrow.end is state and arrow.down]
        starts = [arrow for arrow in reversed(beside) if arrow.start is state]
        for arrow in ends:
            y += ENTRY
            self._entries[arrow] = y
        for arrow in starts:
            y += LINE * len(arrow.steps) + 6
            self._exits[arrow] = y
            if not arrow.down:
                y += ENTRY
                self._entries[arrow] = y
        return y + 8 if ends or starts else y

    def draw(self) -> Canvas:
        canvas = Canvas(self._height)
        for state, (upper, lower) in self._boxes.items():
            is_now = state is self._now
            fill, width = (ORANGE, 2.5) if is_now else ("white", 1.2)
            canvas.box(self._left, upper, (BOX, lower - upper), fill=fill, width=width)
            middle, name = (upper + lower) / 2 + 3.5, f"{state.name} (now)" if is_now else state.name
            canvas.write(self._left + BOX / 2, middle, name, align="center", weight="bold")
        for arrow in self._arrows:
            if arrow.down == 1:
                self._draw_straight(canvas, arrow)
        for side in (-1, 1):
            beside = [arrow for arrow in self._bypasses if arrow.side == side]
            for lane, arrow in enumerate(beside):
                self._draw_around(canvas, arrow, self._room + LANE * lane)
        return canvas

    def _draw_straight(self, canvas: Canvas, arrow: _Arrow) -> None:
        x, y = self._left + BOX / 2, self._boxes[arrow.start][1]
        canvas.line((x, y), (x, self._boxes[arrow.end][0] - 3), color=BLUE, width=1.4, marker="v")
        for line, step in enumerate(arrow.steps, 1):
            canvas.write(x + 8, y + 4 + LINE * line, step)

    def _draw_around(self, canvas: Canvas, arrow: _Arrow, distance: float) -> None:
        side = arrow.side
        edge = self._left + (BOX if side == 1 else 0)
        start, end, lane = self._exits[arrow], self._entries[arrow], edge + side * distance
        canvas.line((edge, start), (lane, start), color=GREY, width=1.4)
        canvas.line((lane, start), (lane, end), color=GREY, width=1.4)
        canvas.line((lane, end), (edge + side * 4, end), color=GREY, width=1.4, marker="<" if side == 1 else ">")
        for line, step in enumerate(reversed(arrow.steps)):
            canvas.write(edge + side * 8, start - 4 - LINE * line, step, align="left" if side == 1 else "right")


def _steps(transitions: Mapping[tuple[State, Step], State], start: State, end: State) -> tuple[str, ...]:
    return tuple(step.value for (before, step), after in transitions.items() if (before, after) == (start, end))
