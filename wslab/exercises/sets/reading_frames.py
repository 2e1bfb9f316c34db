"""Lesson 06, reading frames: parse_frame (RFC 6455 §5.2, §5.5)."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.sets.inputs import KINDS, some_bytes, some_key
from wslab.exercises.solutions.parse_frame import parse_frame
from wslab.exercises.solutions.serialize_frame import serialize_frame
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, Opcode

SECTION, CONTROL = "RFC 6455 §5.2", "RFC 6455 §5.5"
DATA = (Opcode.TEXT, Opcode.BINARY)
Parsed = tuple[Frame, int] | None


def short_frames(source: random.Random) -> Iterator[Case]:
    """Up to 125 bytes, unmasked."""
    yield Case("Hello, as in RFC 6455 §5.7", (bytes.fromhex("810548656c6c6f"),))
    for opcode in Opcode:
        yield Case(f"a {opcode.name.lower()} frame", (serialize_frame(Frame(opcode, some_bytes(source, 4))),))
    yield Case("a fragment: FIN is 0", (serialize_frame(Frame(Opcode.TEXT, b"Hel", fin=False)),))
    for bits in (0xC1, 0xA2, 0x91, 0x41, 0x30):
        yield Case(f"first byte {bits:02x}", (bytes([bits, 2]) + b"Hi",))
    for count in (0, 125):
        frame = Frame(source.choice(DATA), some_bytes(source, count))
        yield Case(f"a payload of {how_many(count)}", (serialize_frame(frame),))
    yield Case("a ping of 125 bytes", (serialize_frame(Frame(Opcode.PING, some_bytes(source, 125))),))


def long_frames(source: random.Random) -> Iterator[Case]:
    """Two and eight bytes of length."""
    for count in (126, 127, 128, 255, 256, source.randrange(1000, 60_000), 65535, 65536):
        frame = Frame(source.choice(DATA), some_bytes(source, count))
        yield Case(f"a payload of {how_many(count)}", (serialize_frame(frame),))


def masked(source: random.Random) -> Iterator[Case]:
    """As a client sends them."""
    yield Case("Hello, masked as in RFC 6455 §5.7", (bytes.fromhex("818537fa213d7f9f4d5158"),))
    for count in (0, 1, 6, source.randrange(10, 126), 126, 300):
        frame = Frame(source.choice(DATA), some_bytes(source, count))
        data = serialize_frame(frame, some_key(source))
        yield Case(how_many(count, "masked byte"), (data,))


def cut_short(source: random.Random) -> Iterator[Case]:
    """Frames of which the end has not arrived."""
    for count, key in ((5, None), (5, some_key(source)), (126, None), (65536, some_key(source)), (0, some_key(source))):
        data = serialize_frame(Frame(Opcode.TEXT, some_bytes(source, count)), key)
        header = len(data) - count
        yield Case(f"a whole frame of {count} bytes", (data,))
        for at in sorted({*range(min(header + 1, len(data))), len(data) - 1}):
            yield Case(f"the first {how_many(at)} of a frame of {len(data)}", (data[:at],))
    yield Case("the header of a frame of 2^62 bytes", (b"\x82\x7f" + (1 << 62).to_bytes(8, "big") + b"Hi",))


def more_behind(source: random.Random) -> Iterator[Case]:
    """The next frame, or a part of it."""
    kinds = cycle(KINDS)
    for count, key in ((5, None), (3, some_key(source)), (126, None), (0, None), (200, some_key(source))):
        kind = next(kinds)
        data = serialize_frame(Frame(Opcode.BINARY, some_bytes(source, count)), key)
        behind = serialize_frame(Frame(Opcode.TEXT, b"next"))[: source.randrange(1, 6)]
        told = f"a frame of {how_many(len(data))} and {how_many(len(behind))} of the next, in a {kind.__name__}"
        yield Case(told, (kind(data + behind),))


def forbidden_frames(source: random.Random) -> Iterator[Case]:
    """Reserved opcodes and bad control frames."""
    yield Case("a good ping", (b"\x89\x02Hi",))
    for opcode in (3, 7, 11, 15):
        yield Case(f"opcode {opcode:x} is reserved", (bytes([0x80 | opcode, 2]) + b"Hi",))
    for control in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
        name = control.name.lower()
        yield Case(f"a fragmented {name}", (bytes([control, 2]) + b"Hi",))
        yield Case(f"a {name} of 126 bytes", (bytes([0x80 | control, 126, 0, 126]) + some_bytes(source, 126),))
    yield Case("a ping with a length of eight bytes", (b"\x89\x7f" + (65536).to_bytes(8, "big") + bytes(65536),))


def forbidden_lengths(source: random.Random) -> Iterator[Case]:
    """Lengths that are not in their shortest form, or too large for any form."""
    yield Case("126 bytes in the form with two", (b"\x82\x7e\x00\x7e" + some_bytes(source, 126),))
    for count in (0, 5, 125):
        yield Case(f"{count} bytes, told in two bytes", (bytes([0x82, 126, 0, count]) + bytes(count),))
    for count in (5, 126, 65535):
        yield Case(f"{count} bytes, told in eight bytes", (b"\x82\x7f" + count.to_bytes(8, "big") + bytes(count),))
    for length in (1 << 63, (1 << 64) - 1):
        yield Case("a length with its top bit set", (b"\x82\x7f" + length.to_bytes(8, "big") + bytes(5),))


class _Lengths:
    """parse_frame that reads the longer lengths in another way."""

    def __init__(self, two: int = 2, eight: int = 8, little: bool = False) -> None:
        self.two, self.eight, self.little = two, eight, little

    def __call__(self, data: bytes) -> Parsed:
        data = bytes(data)
        length, used = data[1] & 0x7F, 2
        if length > 125:
            size = self.two if length == 126 else self.eight
            length = int.from_bytes(data[2 : 2 + size], "little" if self.little else "big")
            used += size
        masked = serialize_frame(Frame(Opcode.BINARY, data[used : used + length]))
        found = parse_frame(bytes([data[0] & 0xFF, *masked[1:]]))
        return found and (found[0], used + length)


def _still_masked(data: bytes) -> Parsed:
    found = parse_frame(data)
    if found is None:
        return None
    frame, used = found
    return replace(frame, payload=bytes(data)[used - len(frame.payload) : used]), used


def _whole_is_missing(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found if found and found[1] < len(data) else None


def _empty_is_missing(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found if found and found[0].payload else None


def _key_not_used(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found and (found[0], found[1] - (4 if data[1] & 0x80 else 0))


def _rest_in_payload(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found and (replace(found[0], payload=found[0].payload + bytes(data[found[1] :])), found[1])


def _all_used(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found and (found[0], len(data))


def _payload_used(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found and (found[0], len(found[0].payload))


def _rest_too(data: bytes) -> Parsed:
    found = parse_frame(data)
    if found is None:
        return None
    frame, used = found
    return Frame(frame.opcode, frame.payload + bytes(data[used:]), frame.fin), len(data)


def _rest(data: bytes) -> Any:
    found = parse_frame(data)
    return found and (found[0], bytes(data[found[1] :]))


def _always_fin(data: bytes) -> Parsed:
    found = parse_frame(data)
    return found and (Frame(found[0].opcode, found[0].payload), found[1])


def _cut_payload(data: bytes) -> Parsed:
    data = bytes(data)
    length, used = data[1] & 0x7F, 2 + (4 if data[1] & 0x80 else 0)
    if data[1] & 0x80:
        key = data[2:6]
        payload = bytes(byte ^ key[n % 4] for n, byte in enumerate(data[used : used + length]))
    else:
        payload = data[used : used + length]
    return Frame(Opcode(data[0] & 15), payload), used + length


def _no_refusals(data: bytes) -> Parsed:
    """What comes out if nothing is refused."""
    data = bytes(data)
    length, used = data[1] & 0x7F, 2
    if length > 125:
        used += 2 if length == 126 else 8
        length = int.from_bytes(data[2:used], "big")
    if len(data) < used + length:
        return None
    return Frame(Opcode(data[0] & 15), data[used : used + length], bool(data[0] & 0x80)), used + length


def _refuses_rsv(data: bytes) -> Parsed:
    if data[0] & 0x70:
        raise ProtocolError("RSV bits")
    return parse_frame(data)


EXERCISES = (
    Exercise(
        "parse_frame",
        "06-reading-frames",
        "parse_frame(data) -> (Frame, used) | None",
        "Return the frame at the start of `data`, with its payload unmasked, and how many bytes it has; None while "
        "bytes are missing. Leave the bytes after it alone. Raise `ProtocolError(reason, 1002)` for a reserved "
        "opcode, a control frame that is fragmented or longer than 125 bytes, and a length that is not in its "
        "shortest form or has its top bit set. RSV bits are not yours to judge: keep them.",
        "`parse_frame(bytes.fromhex('81 05 48 65 6c 6c 6f'))` is `(Frame(Opcode.TEXT, b'Hello'), 7)`; of its first "
        "six bytes it is `None`.",
        (
            Aspect("frames of up to 125 bytes", 1, SECTION, short_frames),
            Aspect("lengths of 16 and of 64 bits", 2, SECTION, long_frames),
            Aspect("masked frames", 2, "RFC 6455 §5.3", masked),
            Aspect("None while bytes are missing", 2, SECTION, cut_short),
            Aspect("the bytes after the frame", 1, SECTION, more_behind),
            Aspect("reserved opcodes and bad control frames are refused", 1, CONTROL, forbidden_frames),
            Aspect("lengths in the wrong form are refused", 1, SECTION, forbidden_lengths),
        ),
        (
            "After which byte do you know how long the header is? What can you do until then?",
            "Read step by step, and before each step ask `if len(data) < used: return None`. The masking key stands "
            "between "
            "the length and the payload, and is there only if the top bit of the second byte is set.",
            "length = data[1] & 0x7f; if 126: int.from_bytes(data[2:4], 'big'), if 127: data[2:10]; then the key if "
            "data[1] & 0x80; then payload = data[used:used + length]; return Frame(Opcode(data[0] & 15), payload, "
            "...), "
            "used + length.",
        ),
        parse_frame,
        ("data",),
        (
            Mistake(
                "The length has its bytes in the wrong order: the most significant one comes first.",
                _Lengths(little=True),
            ),
            Mistake("After 127 come eight bytes of length, not four.", _Lengths(eight=4)),
            Mistake("After 126 come two bytes of length, not eight.", _Lengths(two=8)),
            Mistake("After 127 come eight bytes of length, not two.", _Lengths(eight=2)),
            Mistake("The 7 bits were taken for the length itself: 126 and 127 say that it follows.", _Lengths(0, 0)),
            Mistake("The payload came back as it travelled: it is still masked.", _still_masked),
            Mistake(
                "The frame is whole with its last byte: nothing is missing any more (<, not <=).", _whole_is_missing
            ),
            Mistake(
                "A frame without payload is whole: a length of 0 does not say that bytes are missing.",
                _empty_is_missing,
            ),
            Mistake("The key was not counted: the four bytes of it are used, too.", _key_not_used),
            Mistake("What follows the frame is not its payload: that ends where the length says.", _rest_in_payload),
            Mistake("All bytes are reported as used: what follows the frame is the next one.", _all_used),
            Mistake("Only the payload is counted: the header was used too.", _payload_used),
            Mistake(
                "The payload goes on into the next frame: it ends after as many bytes as the length says.", _rest_too
            ),
            Mistake("The rest came back where the number of bytes used belongs.", _rest),
            Mistake("FIN or the RSV bits are lost: keep them as they are in the first byte.", _always_fin),
            Mistake(
                "The frame is not complete: bytes of it are missing, so the answer is None and not a shorter payload.",
                _cut_payload,
            ),
            Mistake("This frame breaks a rule and was accepted: it must be refused with ProtocolError.", _no_refusals),
            Mistake("RSV bits belong to extensions: keep them, whoever negotiated decides.", _refuses_rsv),
        ),
        frozenset({"parse_frame", "parse_header", "parse_messages"}),
    ),
)
