"""messages: the frames of one direction in, the messages that they carry out; it never raises (RFC 6455 §5.4)."""

from dataclasses import dataclass, replace

from wslab.dissector.frames import KEPT, Dissected, DissectedFrame
from wslab.dissector.opaque import Missing
from wslab.protocol.frames import Opcode

MOST_FAULTS = 20  # of a message; a frame has fewer


@dataclass(frozen=True, slots=True)
class JoinedMessage:
    """A message, whether it came in one frame or in several.

    `frame` shows it as if it had come in one: it has the kind of the message, its length in bytes and the beginning of
    its payload. `seen` holds this frame, and spans the bytes from the start of the first frame to the end of the last,
    with the control frames between them; what is illegal in any of the frames is illegal in it. `frames` is how many
    frames there were. `is_whole` is False if the last of them did not come: another message began, TCP ended, or bytes
    are missing.
    """

    seen: Dissected
    frame: DissectedFrame
    frames: int
    is_whole: bool


@dataclass(slots=True)
class _Unfinished:
    """A message whose last frame has not come; `frame` is its first one, and `seen` grows with each that follows."""

    seen: Dissected
    frame: DissectedFrame
    payload: bytearray
    length: int = 0
    wire_length: int = 0  # as it travelled, compressed or not
    frames: int = 0
    is_deflated: bool = False

    def add(self, seen: Dissected, frame: DissectedFrame, kept: int) -> None:
        """Take in the next frame."""
        if self.length == len(self.payload):  # else there is a gap, and what comes after it does not follow
            self.payload += frame.payload[: max(0, kept - self.length)]
        self.length += frame.length
        self.wire_length += frame.header.payload_length
        self.frames += 1
        self.is_deflated |= frame.is_deflated
        if self.frames > 1:
            illegal, faults = self.seen.illegal or seen.illegal, (self.seen.faults + seen.faults)[:MOST_FAULTS]
            self.seen = replace(self.seen, end=seen.end, illegal=illegal, faults=faults)

    def joined(self, is_whole: bool) -> JoinedMessage:
        """What has come of it."""
        if self.frames == 1 and is_whole:
            return JoinedMessage(self.seen, self.frame, 1, is_whole)
        header = self.frame.header._replace(payload_length=self.wire_length, fin=True, rsv1=False)
        frame = replace(
            self.frame,
            header=header,
            payload=b"" if self.is_deflated else bytes(self.payload),
            length=self.length,
            is_inflated=self.frame.is_inflated and self.frames == 1,
            is_deflated=self.is_deflated,
        )
        return JoinedMessage(replace(self.seen, what=frame), frame, self.frames, is_whole)


class MessageJoiner:
    """Joins the frames of one direction of a connection to messages, and keeps at most `kept` bytes of each payload.

    Feed it everything that was seen in this direction, in order: heads, control frames and what could not be read
    belong to no message, nor does a continuation frame before which no message has begun.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._message: _Unfinished | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no message has begun that is not finished."""
        return self._message is None

    def feed(self, seen: Dissected) -> list[JoinedMessage]:
        """Take in what was seen, and return the message that it completes, after the one that it cuts short."""
        frame = seen.what
        if isinstance(frame, Missing):  # perhaps of the message that has begun
            return self.end()
        if not isinstance(frame, DissectedFrame) or frame.header.opcode.is_control:
            return []
        messages = []
        if frame.header.opcode is not Opcode.CONTINUATION:
            messages = self.end()
            self._message = _Unfinished(seen, frame, bytearray())
        if self._message is not None:
            self._message.add(seen, frame, self._kept)
            if frame.header.fin:
                messages.append(self._message.joined(is_whole=True))
                self._message = None
        return messages

    def end(self) -> list[JoinedMessage]:
        """Return the message that is not finished, if there is one: none of its frames is to come."""
        message, self._message = self._message, None
        return [] if message is None else [message.joined(is_whole=False)]
