"""moments: a recording in, what happened on a connection out, step by step, with the state of both ends after each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import TypeVar

from wslab.display.figures.trace import rank
from wslab.dissector.frames import Body, SeenFrame, Unread
from wslab.dissector.messages import MessageJoiner
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Request, Response
from wslab.protocol.redaction import printable, redact_body, redact_target
from wslab.protocol.states import SENDERS, TRANSITIONS, Role, State, Step
from wslab.recording.log import Call, Chunk
from wslab.recording.recorded_frames import RecordedFrame, RecordingDissector
from wslab.recording.recording import Recording

MOST_MOMENTS = 1000
MOST_SHOWN = 24  # bytes
KEPT = 300  # bytes of a payload
Event = TypeVar("Event", Chunk, Call)
PEERS = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}


@dataclass(frozen=True)
class SideThen:
    """One end after a step: its state, and of the bytes that it has sent those used and those waiting for more.

    `shown` is the beginning of those that wait: in hex, or of a head its first line. Where nothing can be made of what
    comes, no bytes wait: those are `unread`.
    """

    state: State
    used: int
    waiting: int = 0
    unread: int = 0
    shown: str = ""

    @property
    def sent(self) -> int:
        """How many bytes it has sent."""
        return self.used + self.waiting + self.unread


@dataclass(frozen=True)
class Moment:
    """A step: its time in seconds since the first, what happened, what was complete with it, and both ends then."""

    time: float
    what: str
    completed: tuple[str, ...]
    sides: dict[Role, SideThen]


@dataclass
class _Side:
    """What one end has sent so far, and how it is to be read."""

    state: State = State.CONNECTING
    used: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    has_head: bool = False
    has_frames: bool = False
    is_unread: bool = False
    has_ended: bool = False
    messages: MessageJoiner = field(default_factory=lambda: MessageJoiner(KEPT))

    def use(self, position: int) -> None:
        """Everything up to `position` has been made something of."""
        if position > self.used:
            del self.waiting[: position - self.used]
            self.used = position

    def then(self) -> SideThen:
        """What is to be told of it."""
        if self.is_unread:
            return SideThen(self.state, self.used, unread=len(self.waiting))
        return SideThen(self.state, self.used, len(self.waiting), shown=self._shown() if self.waiting else "")

    def _shown(self) -> str:
        if self.has_frames:
            return in_hex(self.waiting)
        if self.has_head:
            return "not to be read before the answer"
        first, line_end, _ = redact_body(bytes(self.waiting)).partition(b"\r\n")
        return f"{printable(first[:60].decode('latin-1'))}{' …' if line_end or len(first) > 60 else ''}"


class Moments:
    """Moments of one connection of a recording: at most `most` of them, the first with `start` before it.

    `count` says how many there are in all, and `left_out` how many of them come behind the last one.

    One place has recorded them, so both ends take a step when the bytes pass there. The end of TCP is known only where
    a tap has recorded.
    """

    def __init__(self, recording: Recording, connection: int, most: int = MOST_MOMENTS, start: int = 0) -> None:
        self.connection = connection
        self._dissector = RecordingDissector(kept=KEPT)
        self._sides = {role: _Side() for role in Role}
        events = list(_events(recording, connection))
        self._began = events[0][0] if events else 0.0
        self.start = start
        self.count = len(events)
        self.all = tuple(islice((self._moment(*event) for event in events), start, start + most))
        self.left_out = max(0, self.count - start - len(self.all))

    @property
    def numbers(self) -> range:
        """The numbers of the moments, the first of all is 1."""
        return range(self.start + 1, self.start + 1 + len(self.all))

    def _moment(self, time: float, event: Chunk | Call) -> Moment:
        what, completed = self._read(event) if isinstance(event, Chunk) else (self._take_call(event), [])
        sides = {role: side.then() for role, side in self._sides.items()}
        return Moment(time - self._began, what, tuple(completed), sides)

    # Bytes

    def _read(self, chunk: Chunk) -> tuple[str, list[str]]:
        sender = SENDERS[chunk.direction]
        side = self._sides[sender]
        side.waiting += chunk.data
        passed = self._dissector.feed(chunk)
        self._open(passed)
        completed = [line for one in passed for line in self._complete(one)]
        what = f"{len(chunk.data)} bytes, {chunk.direction}"
        return what, completed

    def _open(self, passed: list[RecordedFrame]) -> None:
        """Whether the handshake is done: where the answer agrees to WebSocket, frames are read from then on."""
        seen = [one.seen for one in passed]
        for answer, following in zip(seen, [*seen[1:], None], strict=False):
            is_refused = following is not None and isinstance(following.what, Unread) and not following.illegal
            if isinstance(answer.what, Response) and answer.what.status == 101 and not is_refused:
                for side in self._sides.values():
                    side.has_frames = True
                self._step(Role.SERVER, Step.HANDSHAKE_DONE)
                if not answer.illegal:
                    self._step(Role.CLIENT, Step.HANDSHAKE_DONE)

    def _complete(self, passed: RecordedFrame) -> Iterator[str]:
        seen = passed.seen
        side = self._sides[seen.sender]
        side.use(seen.end)
        yield str(seen)
        for message in side.messages.feed(seen):
            if message.is_whole and message.frames > 1:
                name = message.frame.kind.name.lower()
                yield f"a {name} message of {message.frame.length} bytes in {message.frames} frames"
        if isinstance(seen.what, SeenFrame):
            if seen.what.header.opcode is Opcode.CLOSE:
                self._step(seen.sender, Step.CLOSE_SENT)
                if not seen.illegal:
                    self._step(PEERS[seen.sender], Step.CLOSE_RECEIVED)
        elif isinstance(seen.what, Request):
            side.has_head = True
        elif isinstance(seen.what, Response):  # where it refuses, another request may follow
            self._sides[Role.CLIENT].has_head = False
        elif not isinstance(seen.what, Body):
            for one in [side] if side.has_frames else self._sides.values():
                one.is_unread = True

    # Calls

    def _take_call(self, call: Call) -> str:
        sender = SENDERS[call.direction]
        if call.name == "end":
            self._sides[sender].has_ended = True
            if all(side.has_ended for side in self._sides.values()):
                self._end_tcp()
            return f"{sender} ends TCP"
        if call.name in ("reset", "unreachable"):
            self._end_tcp()
        argument = printable(redact_target(call.argument))
        match call.name:
            case "reset":
                return f"{sender} resets TCP"
            case "unreachable":
                return f"the server cannot be reached: {argument}"
            case "receive":
                return f"{PEERS[sender]} gets from receive(): {argument}"
        return f"{sender} calls {call.name}({argument})"

    def _end_tcp(self) -> None:
        for role in Role:
            self._step(role, Step.TCP_CLOSED)

    def _step(self, role: Role, step: Step) -> None:
        side = self._sides[role]
        side.state = TRANSITIONS.get((side.state, step), side.state)


def in_hex(data: bytes | bytearray) -> str:
    """The beginning of `data` in hex."""
    return data[:MOST_SHOWN].hex(" ") + (" …" if len(data) > MOST_SHOWN else "")


def _events(recording: Recording, connection: int) -> Iterator[tuple[float, Chunk | Call]]:
    """Reads and calls of a connection with their times, in one order."""
    events: list[tuple[float, Chunk | Call]] = [
        *_in_order(recording.chunks, connection),
        *_in_order(recording.calls, connection),
    ]
    yield from sorted(events, key=lambda event: (event[0], rank(event[1])))


def _in_order(events: Iterable[Event], connection: int) -> list[tuple[float, Event]]:
    """A clock may be set back; what was recorded later is later."""
    ours = [event for event in events if event.connection == connection]
    return list(zip(accumulate((event.time for event in ours), max), ours, strict=True))
