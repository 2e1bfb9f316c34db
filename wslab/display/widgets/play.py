"""play: a recorded conversation, step by step: what happened, what was complete, and the state of both ends."""

from typing import TYPE_CHECKING

from wslab.display.figures.selection import check_is_recording
from wslab.display.table import Table
from wslab.display.widgets.moments import MOST_MOMENTS, Moment, Moments, SideThen
from wslab.display.widgets.shown import paragraph
from wslab.display.widgets.widget import NotebookWidget
from wslab.protocol.states import Role
from wslab.recording.recording import Recording

if TYPE_CHECKING:
    from wslab.display.widgets.player_controls import PlayerControls

MOST_ROWS = 60
NOTHING = "Nothing was recorded."
HEADING = ("step", "what happened", "complete with it", "client, its bytes", "server, its bytes")


class Player(NotebookWidget["PlayerControls"]):
    """Shows one connection at a time of those that `recording` had when it was made: its `timeline`."""

    def __init__(self, recording: Recording, connection: int | None, most: int, start: int = 0) -> None:
        super().__init__()
        self._recording = recording
        self._most = most
        self._start = start
        self.connections = recording.connections
        first = self.connections[0] if self.connections else 1
        self.choose(first if connection is None else connection)

    def choose(self, connection: int) -> None:
        """Go to the first step of another connection."""
        self.timeline = Moments(self._recording, connection, self._most, self._start)

    def _make_controls(self) -> "PlayerControls":
        from wslab.display.widgets.player_controls import PlayerControls

        return PlayerControls(self)

    def html_of_step(self, step: int) -> str:
        """One step, the first is 1, with all that is known of both ends then."""
        moments, numbers = self.timeline.all, self.timeline.numbers
        if not moments:
            return paragraph(self._nothing)
        step = min(max(numbers[0], step), numbers[-1])
        moment = moments[numbers.index(step)]
        time = f"{moment.time * 1000:.1f} ms after the first"
        completed = "".join(paragraph(f"Complete: {line}") for line in moment.completed)
        rows = tuple((str(role), *_cells(moment.sides[role])) for role in Role)
        both = Table(("end", "state", "bytes sent", "used", "waiting"), rows, "Both ends then")
        return (
            paragraph(f"Step {step} of {self.timeline.count}, {time}: {moment.what}") + completed + both._repr_html_()
        )

    @property
    def table(self) -> Table:
        """The steps, or the first of them, without their times."""
        moments, others = self.timeline.all, len(self.connections) - 1
        rows = tuple(
            (str(step), *_summary(moment))
            for step, moment in zip(self.timeline.numbers, moments[:MOST_ROWS], strict=False)
        )
        more = max(0, len(moments) - MOST_ROWS) + self.timeline.left_out
        notes = [f"{self._start} steps before these are not shown."] if self._start else []
        following = self._start + min(len(moments), MOST_ROWS)
        notes += [f"{more} more steps are not shown: start={following} shows them."] if more else []
        notes += [f"{others} more connections were recorded."] if others > 0 else []
        caption = f"Connection {self.timeline.connection}, step by step"
        return Table(HEADING, rows, caption, more=" ".join(notes))

    def __repr__(self) -> str:
        return repr(self.table) if self.timeline.all else self._nothing

    def _repr_html_(self) -> str:
        return self.table._repr_html_() if self.timeline.all else paragraph(self._nothing)

    @property
    def _nothing(self) -> str:
        """A sentence where there is no step to show."""
        count = self.timeline.count
        return f"No step {self._start + 1} was recorded: the last one is step {count}." if count else NOTHING


def _cells(side: SideThen) -> tuple[str, ...]:
    waiting = f"{side.unread}, not read" if side.unread else f"{side.waiting}: {side.shown}" if side.shown else "0"
    return side.state.name, str(side.sent), str(side.used), waiting


def _summary(moment: Moment) -> tuple[str, ...]:
    return moment.what, "; ".join(moment.completed), *(_side(moment.sides[role]) for role in Role)


def _side(side: SideThen) -> str:
    notes = {"waiting": side.waiting, "not read": side.unread}
    return ", ".join([f"{side.state.name} {side.sent}", *(f"{count} {note}" for note, count in notes.items() if count)])


def play(recording: Recording, connection: int | None = None, *, start: int = 0, most: int = MOST_MOMENTS) -> Player:
    """Step through a recording: reads, calls, heads, frames, messages, and the states of both ends after each.

    It begins with `connection`, or with the first one; at most `most` steps of each are there, the first of them with
    `start` before it. Raises ValueError for a connection that was not recorded and for numbers below 0, TypeError for
    what is no recording.
    """
    check_is_recording(recording)
    if connection is not None and connection not in recording.connections:
        raise ValueError(f"connection {connection} was not recorded; these were: {recording.connections}")
    if start < 0 or most < 1:
        raise ValueError("start counts from 0; most is 1 or more")
    return Player(recording, connection, most, start)
