"""play: step through a recorded conversation: what happened, what it completed, and the state of both endpoints."""

from typing import TYPE_CHECKING

from wslab.display.figures.selection import MOST_NAMED, check_is_recording
from wslab.display.html import paragraph
from wslab.display.table import Table
from wslab.display.widgets.playback import MOST_MOMENTS, EndpointState, Moment, Playback
from wslab.display.widgets.widget import NotebookWidget
from wslab.protocol.states import Role
from wslab.recording.recording import Recording

if TYPE_CHECKING:
    from wslab.display.widgets.player_controls import PlayerControls

MOST_ROWS = 60
NOTHING = "Nothing was recorded."
HEADING = ("step", "what happened", "complete with it", "client, its bytes", "server, its bytes")


class Player(NotebookWidget["PlayerControls"]):
    """Shows one connection at a time, its `playback`, of those that `recording` had when the player was made."""

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
        self.playback = Playback(self._recording, connection, self._most, self._start)

    def _make_controls(self) -> "PlayerControls":
        from wslab.display.widgets.player_controls import PlayerControls

        return PlayerControls(self)

    def html_of_step(self, step: int) -> str:
        """One step, counted from 1, with everything that is known of both endpoints after it."""
        moments, numbers = self.playback.moments, self.playback.numbers
        if not moments:
            return paragraph(self._nothing)
        step = min(max(numbers[0], step), numbers[-1])
        moment = moments[numbers.index(step)]
        time = f"{moment.time * 1000:.1f} ms after the first"
        completed = "".join(paragraph(f"Complete: {line}") for line in moment.completed)
        rows = tuple((str(role), *_cells(moment.endpoints[role])) for role in Role)
        both = Table(("end", "state", "bytes sent", "used", "waiting"), rows, "Both ends then")
        heading = paragraph(f"Step {step} of {self.playback.count}, {time}: {moment.what}")
        return heading + completed + both._repr_html_()

    @property
    def table(self) -> Table:
        """The steps without their times, or the first of them where there are many."""
        playback, others = self.playback, len(self.connections) - 1
        numbered = zip(playback.numbers, playback.moments[:MOST_ROWS], strict=False)
        rows = tuple((str(step), *_summary(moment)) for step, moment in numbered)
        more = len(playback.moments) - len(rows) + playback.remaining
        notes = [f"{self._start} steps before these are not shown."] if self._start else []
        notes += [f"{more} more steps are not shown: start={self._start + len(rows)} shows them."] if more else []
        notes += [f"{others} more connections were recorded."] if others > 0 else []
        notes += filter(None, [self._recording.left_out])
        caption = f"Connection {playback.connection}, step by step"
        return Table(HEADING, rows, caption, more=" ".join(notes))

    def __repr__(self) -> str:
        return repr(self.table) if self.playback.moments else self._nothing

    def _repr_html_(self) -> str:
        return self.table._repr_html_() if self.playback.moments else paragraph(self._nothing)

    @property
    def _nothing(self) -> str:
        """The sentence that takes the place of a table without rows."""
        count = self.playback.count
        return f"No step {self._start + 1} was recorded: the last one is step {count}." if count else NOTHING


def _cells(endpoint: EndpointState) -> tuple[str, ...]:
    waiting = f"{endpoint.waiting}: {endpoint.preview}" if endpoint.preview else "0"
    if endpoint.unread:
        waiting = f"{endpoint.unread}, not read"
    return endpoint.state.name, str(endpoint.sent), str(endpoint.used), waiting


def _summary(moment: Moment) -> tuple[str, ...]:
    endpoints = (_summary_of(moment.endpoints[role]) for role in Role)
    return moment.what, "; ".join(moment.completed), *endpoints


def _summary_of(endpoint: EndpointState) -> str:
    notes = {"waiting": endpoint.waiting, "not read": endpoint.unread}
    counted = [f"{count} {note}" for note, count in notes.items() if count]
    return ", ".join([f"{endpoint.state.name} {endpoint.sent}", *counted])


def play(recording: Recording, connection: int | None = None, *, start: int = 0, most: int = MOST_MOMENTS) -> Player:
    """Step through a recording: reads, calls, heads, frames, messages, and the state of both endpoints after each step.

    It begins with `connection`, or with the first one. Of each connection it holds at most `most` steps, after the
    first `start` of them. Raises ValueError for a connection that was not recorded and for numbers below 0, TypeError
    for anything but a recording.
    """
    check_is_recording(recording)
    if connection is not None and connection not in (numbers := recording.connections):
        more = ", …" if len(numbers) > MOST_NAMED else ""
        raise ValueError(f"connection {connection} was not recorded; these were: {numbers[:MOST_NAMED]}{more}")
    if start < 0 or most < 1:
        raise ValueError("start counts from 0; most is 1 or more")
    return Player(recording, connection, most, start)
