"""Rules: what RFC 6455 and RFC 7692 forbid in frames, messages and close frames, each rule once, as data.

Each table is in the order in which an endpoint looks: the first rule that is broken is the one that the peer is told.
`parse_header` and `FrameReader` refuse by these rules, the inspector explains by them, in the same words.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from wslab.protocol.errors import CloseCode, ProtocolError, Violation
from wslab.protocol.opcodes import OPCODES, Opcode
from wslab.protocol.states import Role

MAX_CONTROL_PAYLOAD = 125


class Rule(NamedTuple):
    """A rule: the field that breaks it, the sentence that says how, its section, and the code to close with."""

    field: str
    sentence: str
    section: str
    code: int = CloseCode.PROTOCOL_ERROR

    def violation(self, place: int | None = None, **values: object) -> Violation:
        """This rule, broken: `values` are what its sentence names."""
        return Violation(self.field, self.sentence.format(**values), self.section, self.code, place)

    def broken(self, place: int | None = None, **values: object) -> ProtocolError:
        """The error by which an endpoint refuses what breaks this rule."""
        return self.violation(place, **values).error()


# The header, by itself: what no extension can make legal


class Start(NamedTuple):
    """The first two bytes of a frame, without the bits that have rules of their own."""

    opcode: int
    fin: bool
    length: int

    @property
    def is_control(self) -> bool:
        """Whether the opcode is one of a control frame that is known."""
        return self.opcode in OPCODES and OPCODES[self.opcode].is_control


class ExtendedLength(NamedTuple):
    """A length that is encoded in 2 or 8 bytes of its own."""

    size: int
    length: int


START_RULES: list[tuple[Rule, Callable[[Start], bool]]] = [
    (Rule("opcode", "opcode 0x{opcode:x} is reserved", "§5.2"), lambda start: start.opcode not in OPCODES),
    # "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
    (
        Rule("payload length", "a {name} frame of more than 125 bytes", "§5.5"),
        lambda start: start.is_control and start.length > MAX_CONTROL_PAYLOAD,
    ),
    (Rule("FIN", "a fragmented {name} frame", "§5.5"), lambda start: start.is_control and not start.fin),
]

LENGTH_RULES: list[tuple[Rule, Callable[[ExtendedLength], bool]]] = [
    # "the minimal number of bytes MUST be used to encode the length"
    (
        Rule("extended length", "length {length} is not in its shortest form", "§5.2"),
        lambda extended: extended.length <= (125 if extended.size == 2 else 0xFFFF),
    ),
    (
        Rule("extended length", "the most significant bit of a 64-bit length must be 0", "§5.2"),
        lambda extended: extended.length >= 2**63,
    ),
]


@cache
def broken_by_start(first: int, second: int) -> tuple[Violation, ...]:
    """What is wrong with the first two bytes of a frame, whoever sends it.

    >>> broken_by_start(0x83, 0x05)[0].reason
    'opcode 0x3 is reserved'
    """
    start = Start(first & 0b0000_1111, bool(first & 0b1000_0000), second & 0b0111_1111)
    name = _name(OPCODES.get(start.opcode))
    return tuple(rule.violation(opcode=start.opcode, name=name) for rule, breaks in START_RULES if breaks(start))


def broken_by_length(size: int, length: int) -> tuple[Violation, ...]:
    """What is wrong with a length that is encoded in `size` bytes, 2 or 8."""
    extended = ExtendedLength(size, length)
    return tuple(rule.violation(length=length) for rule, breaks in LENGTH_RULES if breaks(extended))


# The header, in its place: who sends it, and what came before it


class Situation(NamedTuple):
    """What the frames before it and the handshake allow a frame to be.

    `message` is the kind of the message that has begun and not ended, None between messages. `is_late` says that its
    beginning may not have been seen, `knows_bits` that no extension but permessage-deflate was agreed on.
    """

    sender: Role
    message: Opcode | None = None
    has_deflate: bool = False
    has_closed: bool = False
    is_late: bool = False
    knows_bits: bool = True


class FrameFacts(NamedTuple):
    """A frame, as far as the rules ask about it, after what came before it."""

    opcode: Opcode
    rsv1: bool
    rsv2: bool
    rsv3: bool
    is_masked: bool
    after: Situation

    @property
    def is_data(self) -> bool:
        """Whether it carries a part of a message."""
        return not self.opcode.is_control

    @property
    def continues(self) -> bool:
        """Whether it goes on with a message."""
        return self.opcode is Opcode.CONTINUATION

    @property
    def begins(self) -> bool:
        """Whether it begins a message."""
        return self.is_data and not self.continues


FRAME_RULES: list[tuple[Rule, Callable[[FrameFacts], bool]]] = [
    # "a client MUST mask all frames that it sends", "A server MUST NOT mask any frames"
    (
        Rule("MASK", "a masked frame from a server", "§5.1"),
        lambda frame: frame.is_masked and frame.after.sender is Role.SERVER,
    ),
    (
        Rule("MASK", "a frame from a client without a mask", "§5.1"),
        lambda frame: not frame.is_masked and frame.after.sender is Role.CLIENT,
    ),
    # "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values"
    (
        Rule("RSV1-3", "a reserved bit is set that no extension uses", "§5.2"),
        lambda frame: frame.after.knows_bits and (frame.rsv2 or frame.rsv3 or (frame.rsv1 and not frame.is_data)),
    ),
    # "The application MUST NOT send any more data frames after sending a Close frame."
    (
        Rule("opcode", "a {name} frame after a close frame", "§5.5.1"),
        lambda frame: frame.is_data and frame.after.has_closed,
    ),
    (
        Rule("opcode", "a continuation frame, but no message has begun", "§5.4"),
        lambda frame: frame.continues and frame.after.message is None and not frame.after.is_late,
    ),
    # "MUST NOT set this bit of non-first fragments"
    (
        Rule("RSV1-3", "RSV1 is set on a continuation frame", "RFC 7692 §6.1"),
        lambda frame: frame.continues and frame.rsv1 and frame.after.knows_bits,
    ),
    # "The fragments of one message MUST NOT be interleaved between the fragments of another message"
    (
        Rule("opcode", "a {name} frame inside a fragmented message", "§5.4"),
        lambda frame: frame.begins and frame.after.message is not None,
    ),
    (
        Rule("RSV1-3", "RSV1 is set, but no extension that uses it was agreed on", "§5.2"),
        lambda frame: (
            frame.begins
            and frame.rsv1
            and frame.after.message is None
            and frame.after.knows_bits
            and not frame.after.has_deflate
        ),
    ),
]


@cache
def broken_by_frame(
    opcode: Opcode, rsv1: bool, rsv2: bool, rsv3: bool, is_masked: bool, after: Situation
) -> tuple[Violation, ...]:
    """What is wrong with a frame after what came before it: looked up, as few different frames occur.

    >>> broken_by_frame(Opcode.TEXT, False, False, False, True, Situation(Role.SERVER))[0].reason
    'a masked frame from a server'
    """
    facts = FrameFacts(opcode, rsv1, rsv2, rsv3, is_masked, after)
    return tuple(rule.violation(name=_name(opcode)) for rule, breaks in FRAME_RULES if breaks(facts))


def _name(opcode: Opcode | None) -> str:
    return "" if opcode is None else opcode.name.lower()


# The payload: these rules are applied where the payload is read

# "a close code and a close reason": frames.parse_close
HALF_A_CLOSE_CODE = Rule("close code", "a close frame with half a close code", "§5.5.1")
FORBIDDEN_CLOSE_CODE = Rule("close code", "close code {code} must not be sent", "§7.4")
REASON_IS_NOT_UTF8 = Rule("close reason", "a close reason that is not UTF-8", "§5.5.1", CloseCode.INVALID_PAYLOAD_DATA)
# "invalid UTF-8 in a text message": messages.TextDecoder
TEXT_IS_NOT_UTF8 = Rule("payload", "the text is not UTF-8", "§8.1", CloseCode.INVALID_PAYLOAD_DATA)
TEXT_IS_A_SURROGATE = Rule("payload", "the text is not UTF-8: a surrogate", "§8.1", CloseCode.INVALID_PAYLOAD_DATA)
# Compression: deflate.Decompressor
NOT_DEFLATE = Rule("payload", "the payload is not DEFLATE data", "RFC 7692 §7.2.2", CloseCode.INVALID_PAYLOAD_DATA)

# Limits: legal, but more than this endpoint takes (§7.4.1: 1009 "is too big for it to process", 1008 "its policy")

MESSAGE_IS_TOO_BIG = Rule("payload", "a message of more than {limit} bytes", "§7.4.1", CloseCode.MESSAGE_TOO_BIG)
INFLATED_IS_TOO_BIG = Rule("payload", "the decompressed message is too big", "§7.4.1", CloseCode.MESSAGE_TOO_BIG)
TOO_MANY_FINAL_BLOCKS = Rule(
    "payload", "more than {limit} final blocks in one message", "§7.4.1", CloseCode.POLICY_VIOLATION
)
