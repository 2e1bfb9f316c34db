"""playback: a recorded connection, step by step: what happened, and the state of both endpoints after it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, islice

from wslab.dissector.frames import DissectedFrame
from wslab.dissector.messages import MessageJoiner
from wslab.dissector.opaque import Body, Opaque
from wslab.dissector.wording import how_many, in_hex
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Request, Response
from wslab.protocol.states import SENDERS, TRANSITIONS, Role, State, Step
from wslab.recording.log import Call, Chunk
from wslab.recording.recorded_frames import RecordedFrame, RecordingDissector
from wslab.recording.recording import Recording
from wslab.redaction.redact import harmless, printable, redact_stream

MOST_MOMENTS = 1000
MOST_HEX = 24  # bytes
MOST_LINE = 60  # characters
MOST_FRAMES = 20_000  # in the moments that are shown
MOST_COMPLETED = 20  # heads and frames that are told of a step; the others are counted
LOOKED_AT = 256  # bytes of a head that has not come to its end
KEPT = 300  # bytes of a payload
PEERS = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}


@dataclass(frozen=True)
class EndpointState:
    """One endpoint after a step: its state, and what became of the bytes that it has sent so far.

    `used` of them belong to heads and frames that are complete; `waiting` need more bytes after them, and `preview`
    shows how they begin, in hex, or as the first line of a head. Where nothing can be read any more, no bytes wait:
    they are `unread`.
    """

    state: State
    used: int
    waiting: int = 0
    unread: int = 0
    preview: str = ""

    @property
    def sent(self) -> int:
        """How many bytes it has sent."""
        return self.used + self.waiting + self.unread


@dataclass(frozen=True)
class Moment:
    """One step: its time in seconds since the first, what happened, what it completed, and both endpoints after it."""

    time: float
    what: str
    completed: tuple[str, ...]
    endpoints: dict[Role, EndpointState]


@dataclass
class _Endpoint:
    """What one endpoint has sent so far, and how to read what it sends next."""

    state: State = State.CONNECTING
    used: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    has_head: bool = False
    has_frames: bool = False
    is_unread: bool = False
    has_ended: bool = False
    messages: MessageJoiner = field(default_factory=lambda: MessageJoiner(KEPT))

    def use(self, position: int) -> None:
        """Count all bytes before `position` as used."""
        if position > self.used:
            del self.waiting[: position - self.used]
            self.used = position

    def snapshot(self) -> EndpointState:
        """Its state at this moment."""
        if self.is_unread:
            return EndpointState(self.state, self.used, unread=len(self.waiting))
        preview = self._preview() if self.waiting else ""
        return EndpointState(self.state, self.used, len(self.waiting), preview=preview)

    def _preview(self) -> str:
        if self.has_frames:
            return in_hex(self.waiting, MOST_HEX, counted=False)
        if self.has_head:
            return "not to be read before the answer"
        first, line_end, _ = redact_stream(bytes(self.waiting[:LOOKED_AT])).partition(b"\r\n")
        if not line_end:  # the @ that tells a password may come yet
            first = re.sub(rb"//\S*\Z", b"//", first)
        is_cut = line_end or len(first) > MOST_LINE
        return f"{printable(first[:MOST_LINE].decode('latin-1'))}{' …' if is_cut else ''}"


class Playback:
    """The `moments` of one connection of a recording: at most `most` of them, after the first `start`.

    `count` is how many the connection has in all, and `remaining` how many come after the last one.

    All were recorded in one place, so both endpoints take a step when the bytes pass there. The end of TCP is known
    only where a tap recorded it.
    """

    def __init__(self, recording: Recording, connection: int, most: int = MOST_MOMENTS, start: int = 0) -> None:
        self.connection = connection
        self._dissector = RecordingDissector(kept=KEPT)
        self._endpoints = {role: _Endpoint() for role in Role}
        events = list(recording.events(connection))
        times = list(accumulate((event.time for event in events), max))  # a clock may have been set back
        self._began = times[0] if times else 0.0
        self.start = start
        self.count = len(events)
        self._frames = 0  # that have been read
        self.moments = tuple(self._read_moments(zip(times, events, strict=True), start, most))
        self.remaining = max(0, self.count - start - len(self.moments))

    def _read_moments(self, events: Iterable[tuple[float, Chunk | Call]], start: int, most: int) -> Iterator[Moment]:
        """At most `most` moments after the first `start`, and no more of them than have `MOST_FRAMES` in them."""
        before = 0
        for number, event in enumerate(islice(events, start + most)):
            if number == start:
                before = self._frames
            if self._frames - before > MOST_FRAMES:
                return
            moment = self._moment(*event)
            if number >= start:
                yield moment

    @property
    def numbers(self) -> range:
        """The numbers of the moments; the connection's first moment is number 1."""
        return range(self.start + 1, self.start + 1 + len(self.moments))

    def _moment(self, time: float, event: Chunk | Call) -> Moment:
        what, completed = self._read(event) if isinstance(event, Chunk) else (self._take_call(event), [])
        endpoints = {role: endpoint.snapshot() for role, endpoint in self._endpoints.items()}
        return Moment(time - self._began, what, tuple(completed), endpoints)

    # Bytes

    def _read(self, chunk: Chunk) -> tuple[str, list[str]]:
        self._endpoints[SENDERS[chunk.direction]].waiting += chunk.data
        recorded = self._dissector.feed(chunk)
        self._open(recorded)
        completed: list[str] = []
        self._frames += len(recorded)
        for place, one in enumerate(recorded):
            completed += self._complete(one, is_told=place < MOST_COMPLETED)
        if (left := len(recorded) - MOST_COMPLETED) > 0:
            completed.append(f"and {left} more")
        return f"{how_many(len(chunk.data))}, {chunk.direction}", completed

    def _open(self, recorded: list[RecordedFrame]) -> None:
        """Finish the handshake where a response agrees to it: frames follow."""
        seen = [one.seen for one in recorded]
        for answer, following in zip(seen, [*seen[1:], None], strict=False):
            is_refused = following is not None and isinstance(following.what, Opaque) and not following.illegal
            if isinstance(answer.what, Response) and answer.what.status == 101 and not is_refused:
                for endpoint in self._endpoints.values():
                    endpoint.has_frames = True
                self._step(Role.SERVER, Step.HANDSHAKE_DONE)
                if not answer.illegal:
                    self._step(Role.CLIENT, Step.HANDSHAKE_DONE)

    def _complete(self, recorded: RecordedFrame, is_told: bool) -> Iterator[str]:
        """Take in a head or a frame, and say what is complete with it, if that is to be told."""
        seen = recorded.seen
        sender = self._endpoints[seen.sender]
        sender.use(seen.end)
        if is_told:
            yield str(seen)
        for message in sender.messages.feed(seen):
            if is_told and message.is_whole and message.frames > 1:
                name = message.frame.kind.name.lower()
                yield f"a {name} message of {how_many(message.frame.length)} in {message.frames} frames"
        if isinstance(seen.what, DissectedFrame):
            if seen.what.header.opcode is Opcode.CLOSE:
                self._step(seen.sender, Step.CLOSE_SENT)
                if not seen.illegal:
                    self._step(PEERS[seen.sender], Step.CLOSE_RECEIVED)
        elif isinstance(seen.what, Request):
            sender.has_head = True
        elif isinstance(seen.what, Response):  # if it refuses, another request may follow
            self._endpoints[Role.CLIENT].has_head = False
        elif not isinstance(seen.what, Body):
            for endpoint in [sender] if sender.has_frames else self._endpoints.values():
                endpoint.is_unread = True

    # Calls

    def _take_call(self, call: Call) -> str:
        """Take in a call, and say what it was."""
        sender = SENDERS[call.direction]
        if call.name == "end":
            self._endpoints[sender].has_ended = True
            if all(endpoint.has_ended for endpoint in self._endpoints.values()):
                self._end_tcp()
            return f"{sender} ends TCP"
        if call.name in ("reset", "unreachable"):
            self._end_tcp()
        argument = harmless(call.argument)
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
        endpoint = self._endpoints[role]
        endpoint.state = TRANSITIONS.get((endpoint.state, step), endpoint.state)
