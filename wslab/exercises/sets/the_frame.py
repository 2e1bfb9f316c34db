"""Lesson 05, the frame: serialize_frame (RFC 6455 §5.2)."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.sets.inputs import some_bytes, some_key
from wslab.exercises.solutions.serialize_frame import serialize_frame
from wslab.protocol.frames import Frame, Opcode

SECTION = "RFC 6455 §5.2"
DATA = (Opcode.TEXT, Opcode.BINARY)


def first_byte(source: random.Random) -> Iterator[Case]:
    """FIN, RSV and the opcode."""
    yield Case("a text frame", (Frame(Opcode.TEXT, b"Hello"),))
    for opcode in Opcode:
        yield Case(f"a {opcode.name.lower()} frame", (Frame(opcode, some_bytes(source, 3)),))
    yield Case("the first fragment of a text", (Frame(Opcode.TEXT, b"Hel", fin=False),))
    yield Case("a continuation, not the last", (Frame(Opcode.CONTINUATION, b"l", fin=False),))
    for number in (1, 2, 3):
        rsv1, rsv2, rsv3 = (number == bit for bit in (1, 2, 3))
        yield Case(f"RSV{number} set", (Frame(Opcode.BINARY, some_bytes(source, 2), True, rsv1, rsv2, rsv3),))


def lengths(source: random.Random) -> Iterator[Case]:
    """The three forms, and where one ends."""
    for count in (5, 0, 1, 124, 125, 126, 127, 128, 255, 256, source.randrange(1000, 60_000), 65535, 65536, 70_000):
        yield Case(f"a payload of {how_many(count)}", (Frame(source.choice(DATA), some_bytes(source, count)),))


def masked(source: random.Random) -> Iterator[Case]:
    """With a key, as a client sends it."""
    key = bytes.fromhex("37fa213d")
    yield Case("Hello, masked as in RFC 6455 §5.7", (Frame(Opcode.TEXT, b"Hello"), key))
    for count in (0, 1, 6, 125, 126, source.randrange(127, 500), 65536):
        frame = Frame(source.choice(DATA), some_bytes(source, count))
        yield Case(f"{how_many(count)} with a key", (frame, some_key(source)))
    yield Case("a key of zeros is a key", (Frame(Opcode.TEXT, b"Hi"), bytes(4)))


def kinds(source: random.Random) -> Iterator[Case]:
    """Without a key, whatever the frame remembers, and payloads of all kinds."""
    yield Case("no key is given: not masked", (Frame(Opcode.TEXT, b"Hello"), None))
    frame = Frame(Opcode.TEXT, b"Hello", masking_key=some_key(source))
    yield Case("it came masked, and is to go without a key", (frame, None))
    for kind in (bytearray, memoryview):
        payload = kind(some_bytes(source, 7))
        frame = Frame(Opcode.BINARY, payload)  # type: ignore[arg-type]
        yield Case(f"payload and key as {kind.__name__}", (frame, kind(some_key(source))))
    yield Case("a ping with a key", (Frame(Opcode.PING, b"x"), some_key(source)))


def _length(low: int, high: int) -> "_Variant":
    return _Variant(low, high)


class _Variant:
    """serialize_frame with other borders between the forms of the length, or other bytes in them."""

    def __init__(
        self, low: int = 126, high: int = 65536, order: str = "big", long: int = 8, mask: int = 0x80, extra: int = 0
    ) -> None:
        self.low, self.high, self.order, self.long, self.mask, self.extra = low, high, order, long, mask, extra

    def __call__(self, frame: Frame, masking_key: bytes | None = None) -> bytes:
        good = serialize_frame(frame, masking_key)
        length, order = len(frame.payload), "big" if self.order == "big" else "little"
        told = length + self.extra if length >= self.low else length
        body = good[len(good) - length - (4 if masking_key is not None else 0) :]
        bit = self.mask if masking_key is not None else 0
        if length < self.low:
            return bytes([good[0], bit | told]) + body
        if length < self.high:
            return bytes([good[0], bit | 126]) + told.to_bytes(2, "little" if order == "little" else "big") + body
        return bytes([good[0], bit | 127]) + told.to_bytes(self.long, "little" if order == "little" else "big") + body


def _empty_unmasked(frame: Frame, masking_key: bytes | None = None) -> bytes:
    return serialize_frame(frame, masking_key if frame.payload else None)


def _payload_plain(frame: Frame, masking_key: bytes | None = None) -> bytes:
    good = serialize_frame(frame, masking_key)
    return good[: len(good) - len(frame.payload)] + bytes(frame.payload)


def _key_missing(frame: Frame, masking_key: bytes | None = None) -> bytes:
    good = serialize_frame(frame, masking_key)
    if masking_key is None:
        return good
    at = len(good) - len(frame.payload)
    return good[: at - 4] + good[at:]


def _zeros_are_no_key(frame: Frame, masking_key: bytes | None = None) -> bytes:
    return serialize_frame(frame, masking_key if masking_key and any(masking_key) else None)


def _from_the_header(frame: Frame, masking_key: bytes | None = None) -> bytes:
    good = serialize_frame(frame, masking_key)
    if masking_key is None:
        return good
    at = len(good) - len(frame.payload)
    shift = at % 4
    turned = masking_key[shift:] + masking_key[:shift]
    return good[:at] + bytes(byte ^ turned[n % 4] for n, byte in enumerate(bytes(frame.payload)))


def _key_too_early(frame: Frame, masking_key: bytes | None = None) -> bytes:
    good = serialize_frame(frame, masking_key)
    if masking_key is None:
        return good
    at = len(good) - len(frame.payload) - 4
    return good[:2] + masking_key + good[2:at] + good[at + 4 :]


def _with(frame: Frame, masking_key: bytes | None, **changes: Any) -> bytes:
    return serialize_frame(replace(frame, **changes), masking_key)


EXERCISES = (
    Exercise(
        "serialize_frame",
        "05-the-frame",
        "serialize_frame(frame, masking_key=None) -> bytes",
        "Return the bytes of a `wslab.Frame`, with its length in the shortest form. With a `masking_key` of four "
        "bytes, "
        "set the MASK bit, put the key after the length and mask the payload (also an empty one counts as masked); "
        "without one, do neither, whatever `frame.masking_key` says.",
        "`serialize_frame(Frame(Opcode.TEXT, b'Hello')).hex(' ')` is `'81 05 48 65 6c 6c 6f'`.",
        (
            Aspect("the first byte: FIN, RSV bits, opcode", 2, SECTION, first_byte),
            Aspect("the length in its shortest form", 2, SECTION, lengths),
            Aspect("masked with a key", 2, "RFC 6455 §5.3", masked),
            Aspect("no key, and payloads of every kind", 1, SECTION, kinds),
        ),
        (
            "Which eight bits make the first byte? And what stands in the seven bits of the length if it is 126?",
            "`fin << 7 | rsv1 << 6 | … | opcode` is the first byte. Below 126 the length stands in the second byte; "
            "126 says "
            "that two bytes follow, 127 eight, the most significant byte first (`to_bytes(2, 'big')`).",
            "header = bytes([first, mask_bit | length]) below 126; bytes([first, mask_bit | 126]) + "
            "length.to_bytes(2, 'big') below 65536; then key and masked payload if the key is not None.",
        ),
        serialize_frame,
        ("frame", "masking_key"),
        (
            Mistake("The MASK bit is missing in the second byte, although there is a key.", _Variant(mask=0)),
            Mistake(
                "An empty payload is masked too: MASK bit and key are there, whatever the length.", _empty_unmasked
            ),
            Mistake("The payload is not masked, although MASK bit and key say so.", _payload_plain),
            Mistake("The masking key itself is missing: it travels before the payload.", _key_missing),
            Mistake(
                "A length of 125 still fits into the seven bits: this is not the shortest form.", _length(125, 65536)
            ),
            Mistake(
                "126 and 127 in the seven bits have another meaning: from 126 on two bytes follow.", _length(127, 65536)
            ),
            Mistake(
                "126 and 127 in the seven bits have another meaning: from 126 on two bytes follow.", _length(128, 65536)
            ),
            Mistake("A length of 65535 still fits into two bytes: this is not the shortest form.", _length(126, 65535)),
            Mistake(
                "The length has its bytes in the wrong order: the most significant one comes first.",
                _Variant(order="little"),
            ),
            Mistake("After 127 the length has eight bytes, not four.", _Variant(long=4)),
            Mistake("The length is that of the payload; the header does not count.", _Variant(extra=4)),
            Mistake(
                "FIN is always set: a fragment that is not the last has FIN 0.",
                lambda frame, masking_key=None: _with(frame, masking_key, fin=True),
            ),
            Mistake(
                "FIN is never set.",
                lambda frame, masking_key=None: _with(frame, masking_key, fin=False),
            ),
            Mistake(
                "The RSV bits of the frame are lost: RSV1 to RSV3 stand after FIN.",
                lambda frame, masking_key=None: _with(frame, masking_key, rsv1=False, rsv2=False, rsv3=False),
            ),
            Mistake(
                "RSV1 and RSV3 have changed places.",
                lambda frame, masking_key=None: _with(frame, masking_key, rsv1=frame.rsv3, rsv3=frame.rsv1),
            ),
            Mistake(
                "The key of the frame was used: `masking_key` alone says whether to mask.",
                lambda frame, masking_key=None: serialize_frame(frame, masking_key or frame.masking_key),
            ),
            Mistake("A key of zeros is a key: compare it with None, and set the MASK bit.", _zeros_are_no_key),
            Mistake("The key begins anew with the payload: byte 0 of it takes byte 0 of the key.", _from_the_header),
            Mistake("The key stands after the whole length, right before the payload.", _key_too_early),
            Mistake(
                "Without a key a frame is not masked: this one is, with a key of zeros.",
                lambda frame, masking_key=None: serialize_frame(frame, masking_key or bytes(4)),
            ),
        ),
        frozenset({"serialize_frame", "serialize_messages"}),
    ),
)
