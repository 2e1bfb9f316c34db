"""Conversations: any bytes for a Protocol, whole and in pieces, with the checks that hold whatever they say."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from support.wire import KEY, OTHER, RFC_HANDSHAKE, outcome, pieces

from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import HandshakeError, ProtocolError
from wslab.protocol.events import Close, Event, Ping
from wslab.protocol.frames import Frame, Opcode, parse_frame, parse_header
from wslab.protocol.http import MAX_BODY_SIZE, Request
from wslab.protocol.limits import Limits
from wslab.protocol.states import Role, State

# The same function, but not the reference one: with it, every frame is read by itself.
ONE_BY_ONE = Codec(parse_header=lambda data: parse_header(data))
LIMITS = Limits(max_size=100, max_header_size=700, max_headers=12)


class Opening(Enum):
    """Where a conversation begins: with the handshake, or after it, without compression or with it."""

    HANDSHAKE = "handshake"
    PLAIN = "plain"
    DEFLATE = "deflate"


class Options:
    """The first three bytes of an input: one of yes and no, then the sizes of the pieces."""

    def __init__(self, data: bytes) -> None:
        choices, *sizes = data[:3].ljust(3, b"\0")
        self.takeover = not choices & 0b0001  # before the handshake: permessage-deflate is wished for
        self.closing = bool(choices & 0b0010)  # a close frame has been sent; before the handshake: as above
        self.sizes = tuple(max(1, size) for size in sizes)


@dataclass
class Heard:
    """What came of a conversation: the events, the error that ended it, and what was sent."""

    protocol: Protocol
    events: list[Event] = field(default_factory=list)
    error: ProtocolError | None = None
    sent: bytes = b""

    @property
    def ended(self) -> bool:
        """Whether nothing more may be heard or said."""
        return self.error is not None or any(isinstance(event, Close) for event in self.events)


def _begin(role: str, opening: Opening, options: Options, codec: Codec | None = None) -> Protocol:
    if opening is Opening.HANDSHAKE:
        wish = PermessageDeflate() if options.takeover else None
        protocol = Protocol(role, deflate=wish, limits=LIMITS, codec=codec)
        if role == Role.CLIENT:
            protocol.connect(RFC_HANDSHAKE.request)
        return protocol
    # Zlib reads beyond a smaller window while the output of one call allows it, so a cut would tell there.
    agreed = PermessageDeflate(not options.takeover, not options.takeover) if opening is Opening.DEFLATE else None
    protocol = Protocol(
        role, limits=LIMITS, masking_keys=lambda: KEY, state=State.OPEN, permessage_deflate=agreed, codec=codec
    )
    if options.closing:
        protocol.close(1001, "bye")
    return protocol


def _answer(protocol: Protocol) -> None:
    try:
        protocol.accept(subprotocols=["chat"])
    except HandshakeError as error:
        protocol.reject(error)
        raise


def _hear(protocol: Protocol, stream: bytes, sizes: tuple[int, ...]) -> Heard:
    """Feed the whole stream, as a server or a client does that answers with nothing but what it must."""
    heard = Heard(protocol, sent=protocol.data_to_send())
    for piece in pieces(stream, sizes):
        if heard.ended:
            assert protocol.receive_data(piece) == []
            assert (protocol.withheld, protocol.data_to_send()) == (False, b"")
            continue
        try:
            _feed(heard, piece)
        except ProtocolError as error:
            heard.error = error
        heard.sent += protocol.data_to_send()
    assert _held(protocol, set()) <= _most_held(protocol)
    return heard


def _feed(heard: Heard, piece: bytes) -> None:
    protocol, fed = heard.protocol, False
    while not fed or protocol.withheld:
        events = protocol.receive_data(b"" if fed else piece)
        fed = True
        # What comes before a close frame must be answered before it, so a close frame comes in a call of its own.
        assert not any(isinstance(event, Close) for event in events[1:])
        heard.events += events
        if any(isinstance(event, Request) for event in events):
            _answer(protocol)


def _most_held(protocol: Protocol) -> int:
    """A bound of what may be kept between two calls: a head with its body, or a frame and its message so far."""
    if protocol.request is None and protocol.state is State.OPEN:
        return 7 * LIMITS.max_size
    return 4 * LIMITS.max_header_size + 2 * MAX_BODY_SIZE * (protocol.role is Role.CLIENT)


def _held(value: object, seen: set[int]) -> int:
    """The bytes and characters that `value` keeps alive, itself and in all its parts that belong to wslab."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    match value:
        case bytes() | bytearray() | str():
            return len(value)
        case memoryview():
            return _held(value.obj, seen)
        case list() | tuple() | deque():
            return sum(_held(part, seen) for part in value)
    if type(value).__module__.startswith("wslab") and hasattr(value, "__dict__"):
        return sum(_held(part, seen) for part in vars(value).values())
    return 0


def _frames_sent(heard: Heard) -> list[Frame]:
    """The frames among what was sent, once it is certain that the other end understands every one of them."""
    protocol, rest = heard.protocol, heard.sent
    if head := protocol.request if protocol.role is Role.CLIENT else protocol.response:
        assert rest.startswith(head.serialize())
        rest = rest.removeprefix(head.serialize())
    peer = Protocol(OTHER[protocol.role], state=State.OPEN, permessage_deflate=protocol.permessage_deflate)
    events, fault = outcome(peer, rest)
    frames = []
    while rest:
        frame, used = parse_frame(rest)
        frames.append(frame)
        rest = rest[used:]
    # §5.5.1, §5.5.2: after its close frame an end still answers pings, which the peer reads no more.
    late = frames[len(events) :]
    assert fault is None
    assert not late or frames[len(events) - 1].opcode is Opcode.CLOSE
    assert {frame.opcode for frame in late} <= {Opcode.PONG}
    return frames


def _check_answers(heard: Heard, closing: bool) -> list[Frame]:
    """What was sent answers what was heard; the frames, without the close frame that tells the peer of a fault."""
    frames = _frames_sent(heard)
    pongs = [frame.payload for frame in frames if frame.opcode is Opcode.PONG]
    assert pongs == [event.payload for event in heard.events if isinstance(event, Ping)]
    if not heard.ended or isinstance(heard.error, HandshakeError):
        return frames
    if closing:
        assert [frame.opcode for frame in frames].count(Opcode.CLOSE) == 1
        return frames
    assert frames[-1].opcode is Opcode.CLOSE
    if heard.error is None:
        return frames
    assert frames[-1].payload[:2] == heard.error.code.to_bytes(2, "big")
    return frames[:-1]


def _fault(error: ProtocolError | None, opening: Opening, size: int) -> tuple[object, ...]:
    """An error without its words, and without what depends on the cuts where several things are wrong at once."""
    code, status = getattr(error, "code", None), getattr(error, "status", None)
    if opening is Opening.DEFLATE and code in (1007, 1008, 1009):
        code = 1007  # no DEFLATE data, no UTF-8, too big: all of it at once, or one after the other
    if size > LIMITS.max_header_size and status in (400, 505):
        status = 431  # a head that is too long, and wrong behind that
    return type(error), code, status


def check_conversation(role: str, opening: Opening) -> Callable[[bytes], None]:
    """A target: any stream for `role` gives the same, however it is cut, and whether or not the fast path reads it."""

    def check(data: bytes) -> None:
        options, stream = Options(data), data[3:]
        closing = options.closing and opening is not Opening.HANDSHAKE
        whole = _hear(_begin(role, opening, options), stream, ())
        cut = _hear(_begin(role, opening, options), stream, options.sizes)
        one_by_one = _hear(_begin(role, opening, options, ONE_BY_ONE), stream, ())
        for other in (cut, one_by_one):
            assert other.events == whole.events
            assert _fault(other.error, opening, len(stream)) == _fault(whole.error, opening, len(stream))
            for name in ("state", "close_code", "close_reason", "subprotocol", "permessage_deflate"):
                assert getattr(other.protocol, name) == getattr(whole.protocol, name), name
            assert _check_answers(other, closing) == _check_answers(whole, closing)

    return check
