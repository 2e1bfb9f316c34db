"""Lesson 15, compression: deflate_message and inflate_message (RFC 7692 §7.2)."""

import contextlib
import random
import zlib
from collections.abc import Iterator
from typing import Any

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Function, Mistake
from wslab.exercises.checks.outcome import peak_of
from wslab.exercises.checks.values import show
from wslab.exercises.sets.inputs import KINDS, some_bytes, some_text
from wslab.exercises.solutions.deflate_message import deflate_message
from wslab.exercises.solutions.inflate_message import inflate_message

DEFLATE, INFLATE = "RFC 7692 §7.2.1", "RFC 7692 §7.2.2"
TAIL = b"\x00\x00\xff\xff"
BOMB = 4 * 1024 * 1024  # bytes that a few kilobytes unfold to
# Pieces, what they are joined to, and a copy of it: three times what the contract allows to be held, and a bit.
MOST_HELD = 3 * 64 * 1024 + 128 * 1024


def deflate_case(situation: str, payload: Any) -> Case:
    """One message; any DEFLATE that unfolds to it is right."""
    plain = bytes(payload)

    def judge(came: Any) -> str:
        return what_is_wrong_with(came, plain)

    return Case(situation, (payload,), judge=judge)


def what_is_wrong_with(came: Any, payload: bytes) -> str:
    """Why this is not the payload, compressed as one message; nothing if it is."""
    if not isinstance(came, bytes):
        return f"{show(came)} came back where bytes belong."
    if came == payload and len(came) > 1:
        return "The payload came back as it was, not compressed."
    if came.endswith(TAIL):
        return "The message still ends with 00 00 ff ff, the four bytes that are left out."
    if came[:1] == b"\x78" and _inflated(came, 15) == payload:
        return "This has the two bytes of a zlib header: the extension wants raw DEFLATE (wbits=-15)."
    if came[:2] == b"\x1f\x8b":
        return "This is gzip, with a header: the extension wants raw DEFLATE (wbits=-15)."
    whole = came + TAIL + packed(b"the next message")
    try:
        result = _unfolded(whole)
    except zlib.error:
        if _is_final(whole):
            return (
                "The last block is marked as final (Z_FINISH): flush with zlib.Z_SYNC_FLUSH; 00 00 ff ff must follow."
            )
        return _about_end(came, payload) or "With 00 00 ff ff put back, this is not DEFLATE."
    if result != payload + b"the next message":
        return _about_end(came, payload) or f"With 00 00 ff ff put back, this unfolds to {show(result)}."
    return ""


def _unfolded(data: bytes) -> bytes:
    """What the bytes unfold to; blocks may follow a final one, from the next whole byte on (RFC 7692 §7.2.3.4)."""
    decompressor = zlib.decompressobj(wbits=-15)
    result = decompressor.decompress(data)
    return result + _unfolded(decompressor.unused_data) if decompressor.unused_data else result


def _is_final(data: bytes) -> bool:
    decompressor = zlib.decompressobj(wbits=-15)
    with contextlib.suppress(zlib.error):
        decompressor.decompress(data)
    return decompressor.eof


def _about_end(came: bytes, payload: bytes) -> str:
    for missing in (b"\x00", b"\x00\x00"):
        if _inflated(came + missing + TAIL, -15) == payload:
            return (
                "Too much was cut off at the end: only 00 00 ff ff is left out, exactly once (an empty message is 00)."
            )
    return ""


def _inflated(data: bytes, wbits: int) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=wbits).decompress(data)
    except zlib.error:
        return None


def hello(_source: random.Random) -> Iterator[Case]:
    """The example of RFC 7692 §7.2.3.1."""
    yield deflate_case("Hello", b"Hello")
    yield deflate_case("Hello again", b"Hello")


def payloads(source: random.Random) -> Iterator[Case]:
    """Random ones, text, and ones with zeros at the end."""
    for count, kind in zip((1, 7, source.randrange(100, 400), 70_000), (bytes, *KINDS), strict=True):
        yield deflate_case(f"{how_many(count, 'random byte')} in a {kind.__name__}", kind(some_bytes(source, count)))
    yield deflate_case("text", some_text(source, 40).encode())
    yield deflate_case("a payload that ends with 00 00 ff ff", some_bytes(source, 5) + TAIL)
    yield deflate_case("a payload with 00 00 ff ff in its middle", TAIL.join(some_bytes(source, 60) for _ in range(2)))
    yield deflate_case("zeros", bytes(source.randrange(5, 50)))


def empty(source: random.Random) -> Iterator[Case]:
    """An empty message."""
    yield deflate_case("an empty message", b"")
    yield deflate_case("one byte", some_bytes(source, 1))


def smaller(source: random.Random) -> Iterator[Case]:
    """What repeats gets shorter, and each message stands alone."""
    payload = some_bytes(source, 20) * 100

    def judge(came: Any) -> str:
        first, second = came
        if wrong := what_is_wrong_with(first, payload):
            return wrong
        if len(first) > 200:
            return f"2,000 bytes that repeat every 20 have become {len(first)}: they should be compressed."
        again = what_is_wrong_with(second, payload)
        return again and f"The second message needs the first one to be unfolded: a context was kept. {again}"

    yield Case("20 bytes, a hundred times, sent twice", (payload,), twice, judge)


def twice(function: Function, payload: bytes) -> Any:
    """The same message two times."""
    return [function(payload), function(payload)]


# inflate_message


def packed(payload: bytes, level: int = 6) -> bytes:
    """A message as another endpoint would compress it."""
    compressor = zlib.compressobj(level, wbits=-15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def messages(source: random.Random) -> Iterator[Case]:
    """Messages that are small enough."""
    yield Case("Hello, as in RFC 7692 §7.2.3.1", (bytes.fromhex("f248cdc9c90700"), 100))
    yield Case("Hello, not compressed, as in RFC 7692 §7.2.3.3", (bytes.fromhex("000500faff48656c6c6f00"), 100))
    yield Case("Hello in a final block, as in RFC 7692 §7.2.3.4", (bytes.fromhex("f348cdc9c9070000"), 100))
    yield Case("an empty message", (b"\x00", 100))
    for count, kind in zip((1, source.randrange(50, 500), 70_000), KINDS, strict=True):
        data = kind(packed(some_bytes(source, count)))
        yield Case(f"{how_many(count, 'random byte')}, packed in a {kind.__name__}", (data, 100_000))
    payload = some_bytes(source, 20_000)
    yield Case("20,000 random bytes, twice", (packed(payload * 2), 100_000))
    yield Case("two blocks", (packed(b"Hel") + TAIL + packed(b"lo"), 100))
    yield Case("a payload that ends with zeros", (packed(some_bytes(source, 5) + bytes(4)), 100))
    yield Case("text that repeats", (packed(some_text(source, 4).encode() * 50), 10_000))


def sizes(source: random.Random) -> Iterator[Case]:
    """At the limit, and above it."""
    for count in (source.randrange(20, 60), source.randrange(2000, 5000), 70_000):
        payload = some_bytes(source, 10) * (count // 10)
        yield Case(f"{len(payload)} bytes, where {len(payload)} are allowed", (packed(payload), len(payload)))
        yield Case(f"{len(payload)} bytes, where {len(payload) - 1} are allowed", (packed(payload), len(payload) - 1))
    yield Case("an empty message, where nothing else is allowed", (b"\x00", 0))
    yield Case("one byte, where none is allowed", (packed(b"a"), 0))


def held(function: Function, data: bytes, max_size: int) -> Any:
    """The close code that it is refused with, and how much memory was held at most."""
    result, peak = peak_of(lambda: function(data, max_size))
    return {"refused with": result if isinstance(result, int) else "nothing", "bytes held": peak}


def bombs(source: random.Random) -> Iterator[Case]:
    """A few kilobytes that unfold to megabytes."""
    bomb = packed(bytes([source.randrange(256)]) * BOMB, 9)
    max_size = source.randrange(500, 2000)

    def judge(came: Any) -> str:
        result, peak = came.values()
        if peak > MOST_HELD:
            return (
                f"{peak:,} bytes of it were held in memory before it was refused: ask zlib for a limited length, "
                "decompress(data, max_length)."
            )
        return "" if result == 1009 else f"A message that is too big is refused with 1009; here came {result}."

    given = f"{len(bomb):,} bytes that unfold to {BOMB:,}; {max_size}"
    yield Case("a bomb", (bomb, max_size), held, judge, given)
    yield Case("a bomb, where nothing is allowed", (bomb, 0), held, judge, given.replace(f"; {max_size}", "; 0"))


def not_deflate(source: random.Random) -> Iterator[Case]:
    """Bytes that are something else."""
    yield Case("Hello", (packed(b"Hello"), 100))
    yield Case("a block of the type that does not exist", (b"\xff\xff" + some_bytes(source, 3), 100))
    yield Case("a copy from before the beginning", (b"\x03\x02\x00" * 3 + b"\xff", 100))
    yield Case("a stored block whose length is wrong", (b"\x00\x05\x00\x00\x00Hello", 100))
    yield Case("Hello, after what was refused", (packed(b"Hello"), 100))


def _no_tail(data: bytes, max_size: int) -> bytes:
    return inflate_message(bytes(data)[:-1], max_size)


def _cut(data: bytes, max_size: int) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(bytes(data) + TAIL, max_size)


def _strict(data: bytes, max_size: int) -> bytes:
    return inflate_message(data, max(0, max_size - 1))


def _whole_stream(data: bytes, _max_size: int) -> bytes:
    return zlib.decompress(bytes(data) + TAIL, wbits=-15)


def _no_limit(data: bytes, max_size: int) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(bytes(data) + TAIL)


def _one_more(data: bytes, max_size: int) -> bytes:
    return inflate_message(data, max_size + 1)


EXERCISES = (
    Exercise(
        "deflate_message",
        "15-compression",
        "deflate_message(payload) -> bytes",
        "Return one message compressed with raw DEFLATE, without its last four bytes `00 00 ff ff`. No context is kept "
        "from "
        "one call to the next. An empty payload works too.",
        "`deflate_message(b'Hello').hex(' ')` may be `'f2 48 cd c9 c9 07 00'`.",
        (
            Aspect("Hello", 1, "RFC 7692 §7.2.3.1", hello),
            Aspect("any payload", 2, DEFLATE, payloads),
            Aspect("an empty payload", 1, "RFC 7692 §7.2.3.6", empty),
            Aspect("what repeats gets shorter, each message by itself", 1, "RFC 7692 §7.1.1", smaller),
        ),
        (
            "zlib.compress gives a header of two bytes and a checksum. Does the extension have them?",
            "`zlib.compressobj(wbits=-15)` makes raw DEFLATE; `flush(zlib.Z_SYNC_FLUSH)` ends on a byte border, always "
            "with "
            "the same four bytes.",
            "data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH); return data without the last "
            "four.",
        ),
        deflate_message,
        ("payload",),
        same=frozenset({"deflate", "new_compressor", "deflate_message"}),
    ),
    Exercise(
        "inflate_message",
        "15-compression",
        "inflate_message(data, max_size) -> bytes",
        "Return the message that `deflate_message` made `data` of. Raise `ProtocolError(reason, code)`: 1009 when it"
        " is longer than `max_size` bytes, without ever holding more than `max_size` + 64 KiB of it; 1007 for what "
        "is not DEFLATE.",
        "`inflate_message(bytes.fromhex('f2 48 cd c9 c9 07 00'), 100)` is `b'Hello'`.",
        (
            Aspect("messages", 2, INFLATE, messages),
            Aspect("one byte too many is refused: 1009", 2, "RFC 6455 §7.4.1", sizes),
            Aspect("a bomb is refused before it unfolds", 2, "RFC 7692 §8", bombs),
            Aspect("what is not DEFLATE is refused: 1007", 1, "RFC 6455 §7.4.1", not_deflate),
        ),
        (
            "How do you know that a message is too long, if you may not unfold it to measure it?",
            "`decompressobj(wbits=-15).decompress(data, max_length)` stops at max_length. Put 00 00 ff ff back first. "
            "Ask for "
            "one byte more than is allowed.",
            "payload = d.decompress(data + tail, max_size + 1); if len(payload) > max_size: raise ProtocolError(..., "
            "1009); "
            "zlib.error becomes ProtocolError(..., 1007).",
        ),
        inflate_message,
        ("data", "max_size"),
        (
            Mistake(
                "zlib.decompress waits for a final block, and a message has none: use zlib.decompressobj(wbits=-15).",
                _whole_stream,
                by_error=True,
            ),
            Mistake("The message was cut at max_size instead of refused: 1009.", _cut),
            Mistake("A message of exactly max_size bytes is small enough.", _strict),
            Mistake("The message is too long and was accepted: 1009.", _no_limit),
            Mistake("The message is one byte too long and was accepted: 1009.", _one_more),
        ),
        frozenset({"inflate", "inflate_message"}),
    ),
)
