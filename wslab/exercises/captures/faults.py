"""faults: exchanges in which one frame breaks a rule, each and the field and the sections that say so."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from wslab.exercises.captures.innocents import Sent, from_client, from_server, text
from wslab.exercises.sets.inputs import some_key
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.states import Role

Guilty = tuple[list[Sent], int]  # an exchange, and which of its frames breaks the rule


@dataclass(frozen=True)
class Fault:
    """A rule that is broken. `is_last`: it belongs to the end of a conversation; `deflate`: what must be agreed on."""

    field: str
    sections: tuple[str, ...]
    sentence: str
    make: Callable[[random.Random], Guilty]
    is_last: bool = False
    deflate: bool | None = None


def _from_either(source: random.Random, frame: Frame) -> Sent:
    return source.choice([from_client, from_server])(source, frame)


def _alone(source: random.Random, frame: Frame) -> Guilty:
    return [_from_either(source, frame)], 0


def masked_by_server(source: random.Random) -> Guilty:
    """The echo of a server, masked."""
    frame = text(source)
    return [from_client(source, frame), (Role.SERVER, serialize_frame(frame, some_key(source)))], 1


def plain_from_client(source: random.Random) -> Guilty:
    """A frame of a client that is not masked."""
    frame = source.choice([text(source), Frame(Opcode.PING, b"x"), Frame(Opcode.TEXT)])
    return [(Role.CLIENT, serialize_frame(frame))], 0


def reserved_bit(source: random.Random) -> Guilty:
    """RSV2 or RSV3, which no extension here uses."""
    is_second = source.random() < 0.5
    return _alone(source, Frame(Opcode.TEXT, text(source).payload, rsv2=is_second, rsv3=not is_second))


def compressed_ping(source: random.Random) -> Guilty:
    """A ping with RSV1."""
    return _alone(source, Frame(Opcode.PING, source.randbytes(4), rsv1=True))


def compressed_without_agreement(source: random.Random) -> Guilty:
    """RSV1 on a message, although nothing was agreed on."""
    return _alone(source, Frame(Opcode.TEXT, text(source).payload, rsv1=True))


def rsv1_on_continuation(source: random.Random) -> Guilty:
    """RSV1 on the second fragment."""
    start, end = text(source).payload, text(source).payload
    frames = Frame(Opcode.TEXT, start, fin=False), Frame(Opcode.CONTINUATION, end, rsv1=True)
    return [from_client(source, frame) for frame in frames], 1


def reserved_opcode(source: random.Random) -> Guilty:
    """One of the opcodes that mean nothing yet."""
    role, data = _from_either(source, text(source))
    return [(role, bytes((0x80 | source.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]),)) + data[1:])], 0


def fragmented_control(source: random.Random) -> Guilty:
    """A ping or a pong without FIN."""
    return _alone(source, Frame(source.choice([Opcode.PING, Opcode.PONG]), source.randbytes(3), fin=False))


def long_control(source: random.Random) -> Guilty:
    """A ping of more than 125 bytes."""
    return _alone(source, Frame(Opcode.PING, source.randbytes(source.choice([126, 127, 200]))))


def long_form(source: random.Random) -> Guilty:
    """A length in more bytes than it needs."""
    payload = text(source).payload
    form = source.choice([b"\x7e" + len(payload).to_bytes(2, "big"), b"\x7f" + len(payload).to_bytes(8, "big")])
    return [(Role.SERVER, b"\x81" + form + payload)], 0


def orphan(source: random.Random) -> Guilty:
    """A continuation of nothing."""
    return _alone(source, Frame(Opcode.CONTINUATION, text(source).payload))


def message_in_message(source: random.Random) -> Guilty:
    """A text frame where the continuation of another one belongs."""
    sender = source.choice([from_client, from_server])
    start = sender(source, Frame(Opcode.TEXT, text(source).payload, fin=False))
    return [start, sender(source, text(source))], 1


def bad_text(source: random.Random) -> Guilty:
    """A text that ends in the middle of a character, or has a byte that no text has."""
    return _alone(source, Frame(Opcode.TEXT, b"caf" + source.choice([b"\xc3", b"\xff", b"\xe9!"])))


def no_deflate(source: random.Random) -> Guilty:
    """RSV1 on what is not DEFLATE: it begins with a block of the kind that does not exist."""
    return _alone(source, Frame(Opcode.TEXT, b"\x07" + source.randbytes(3), rsv1=True))


def _close(source: random.Random, payload: bytes) -> Guilty:
    answer = from_server(source, Frame(Opcode.CLOSE, b"\x03\xe8"))
    return [from_client(source, Frame(Opcode.CLOSE, payload)), answer], 0


def forbidden_code(source: random.Random) -> Guilty:
    """A code that stands for something that nobody sends, or that has no meaning."""
    return _close(source, source.choice([1005, 1006, 1015, 999, 1004, 2000, 5000]).to_bytes(2, "big"))


def half_a_code(source: random.Random) -> Guilty:
    """A close frame of one byte."""
    return _close(source, b"\x03")


def bad_reason(source: random.Random) -> Guilty:
    """A reason that is not UTF-8."""
    return _close(source, b"\x03\xe8by" + source.choice([b"\xe9", b"\xff", b"\xc3"]))


def late_message(source: random.Random) -> Guilty:
    """A message after the close frame of the same side."""
    close = Frame(Opcode.CLOSE, b"\x03\xe8")
    return [from_client(source, close), from_client(source, text(source)), from_server(source, close)], 1


FAULTS = (
    Fault("MASK", ("§5.1",), "a server masks no frame", masked_by_server),
    Fault("MASK", ("§5.1", "§5.3"), "a client masks every frame", plain_from_client),
    Fault("RSV1-3", ("§5.2",), "a bit is set that no extension uses", reserved_bit),
    Fault("RSV1-3", ("§5.2", "RFC 7692 §6.1"), "control frames are not compressed", compressed_ping),
    Fault("RSV1-3", ("§5.2",), "no compression was agreed on", compressed_without_agreement, deflate=False),
    Fault("RSV1-3", ("RFC 7692 §6.1", "§5.2"), "only the first fragment may have RSV1", rsv1_on_continuation),
    Fault("opcode", ("§5.2",), "the opcode is reserved", reserved_opcode),
    Fault("FIN", ("§5.5", "§5.4"), "a control frame is never cut", fragmented_control),
    Fault("payload length", ("§5.5",), "a control frame has at most 125 bytes", long_control),
    Fault("extended length", ("§5.2",), "a length takes its shortest form", long_form),
    Fault("opcode", ("§5.4",), "no message has begun that could go on", orphan),
    Fault("opcode", ("§5.4",), "the message before has not ended", message_in_message),
    Fault("payload", ("§8.1", "§5.6"), "the text is not UTF-8", bad_text),
    Fault("payload", ("RFC 7692 §7.2.2", "RFC 7692 §6.2"), "the payload is not DEFLATE", no_deflate, deflate=True),
    Fault("close code", ("§7.4", "§7.4.1", "§7.4.2"), "this code must not be sent", forbidden_code, is_last=True),
    Fault("close code", ("§5.5.1",), "a code has two bytes", half_a_code, is_last=True),
    Fault("close reason", ("§5.5.1", "§8.1"), "the reason is not UTF-8", bad_reason, is_last=True),
    Fault("opcode", ("§5.5.1",), "nothing but control frames follows a close frame", late_message, is_last=True),
)
