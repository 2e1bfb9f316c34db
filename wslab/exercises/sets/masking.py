"""Lesson 07, masking: apply_mask (RFC 6455 §5.3)."""

import random
from collections.abc import Iterator

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.sets.inputs import some_bytes, some_key
from wslab.exercises.solutions.apply_mask import apply_mask

SECTION = "RFC 6455 §5.3"


def hello(_source: random.Random) -> Iterator[Case]:
    """The example of RFC 6455 §5.7, both ways."""
    key = bytes.fromhex("37fa213d")
    yield Case("Hello, masked as in RFC 6455 §5.7", (b"Hello", key))
    yield Case("Hello, unmasked again", (bytes.fromhex("7f9f4d5158"), key))


def all_lengths(source: random.Random) -> Iterator[Case]:
    """From no byte to a few hundred."""
    for count in (4, 8, 1, 2, 3, 0, 5, 6, 7, 9, source.randrange(10, 126), source.randrange(126, 400)):
        yield Case(f"a payload of {how_many(count)}", (some_bytes(source, count), some_key(source)))
    yield Case("a key with zeros", (some_bytes(source, 9), bytes([0, source.randrange(1, 256), 0, 0])))
    yield Case("a payload of zeros", (bytes(9), some_key(source)))
    key = some_key(source)
    yield Case("a payload that begins like the key", (key[:2] + bytes(5), key))
    yield Case("a payload that ends like the key", (bytes(6) + key[2:], key))


def long_payload(source: random.Random) -> Iterator[Case]:
    """64 KiB and a bit."""
    count = 65536 + source.randrange(1, 4)
    yield Case(f"a payload of {how_many(count)}", (some_bytes(source, count), some_key(source)))


def kinds(source: random.Random) -> Iterator[Case]:
    """What a socket or a buffer gives."""
    for kind in (bytearray, memoryview, bytes):
        data, key = kind(some_bytes(source, 11)), kind(some_key(source))
        yield Case(f"payload and key as {kind.__name__}", (data, key))


def _key_backwards(data: bytes, key: bytes) -> bytes:
    return apply_mask(data, bytes(key)[::-1])


def _one_byte(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[0] for byte in data)


def _only_four(data: bytes, key: bytes) -> bytes:
    return apply_mask(data[:4], key) + bytes(data[4:])


def _zip(data: bytes, key: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, key, strict=False))


def _added(data: bytes, key: bytes) -> bytes:
    return bytes((byte + key[n % 4]) % 256 for n, byte in enumerate(data))


def _or(data: bytes, key: bytes) -> bytes:
    return bytes(byte | key[n % 4] for n, byte in enumerate(data))


def _and(data: bytes, key: bytes) -> bytes:
    return bytes(byte & key[n % 4] for n, byte in enumerate(data))


def _whole_groups(data: bytes, key: bytes) -> bytes:
    return apply_mask(data[: len(data) // 4 * 4], key)


def _rest_plain(data: bytes, key: bytes) -> bytes:
    whole = len(data) // 4 * 4
    return apply_mask(data[:whole], key) + bytes(data[whole:])


def _padded(data: bytes, key: bytes) -> bytes:
    return apply_mask(bytes(data) + bytes(-len(data) % 4), key)


def _from_one(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[(n + 1) % 4] for n, byte in enumerate(data))


def _from_the_end(data: bytes, key: bytes) -> bytes:
    return apply_mask(bytes(data)[::-1], key)[::-1]


def _no_last_zeros(data: bytes, key: bytes) -> bytes:
    return apply_mask(data, key).rstrip(b"\0")


def _no_zeros(data: bytes, key: bytes) -> bytes:
    return apply_mask(data, key).lstrip(b"\0")


def _rest_from_the_end(data: bytes, key: bytes) -> bytes:
    whole = len(data) // 4 * 4
    return apply_mask(data[:whole], key) + apply_mask(data[whole:], bytes(key)[whole - len(data) :])


def _modulo_three(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[n % 3] for n, byte in enumerate(data))


EXERCISES = (
    Exercise(
        "apply_mask",
        "07-masking",
        "apply_mask(data, key) -> bytes",
        "Return `data` with byte number n XORed with byte n modulo 4 of the `key`. Bytes, bytearray and memoryview may "
        "come in, of any length, also 0.",
        "`apply_mask(b'Hello', bytes.fromhex('37fa213d')).hex(' ')` is `'7f 9f 4d 51 58'`.",
        (
            Aspect("Hello, as in the RFC", 1, "RFC 6455 §5.7", hello),
            Aspect("payloads of every length", 2, SECTION, all_lengths),
            Aspect("a long payload", 1, SECTION, long_payload),
            Aspect("bytes, bytearray and memoryview", 1, SECTION, kinds),
        ),
        (
            "The key has four bytes. Which of them belongs to byte 4 of the payload, and which to byte 5?",
            "XOR is `^` between numbers, and a byte of bytes is a number. `enumerate` counts, `% 4` starts over.",
            "bytes(byte ^ key[...] for n, byte in enumerate(data)), where n chooses the byte of the key.",
        ),
        apply_mask,
        ("data", "key"),
        (
            Mistake("The payload came back as it was: nothing was masked.", lambda data, key: bytes(data)),
            Mistake("Only the first byte of the key is used: byte n takes byte n modulo 4.", _one_byte),
            Mistake("The key is not repeated: after four bytes it starts over.", _only_four),
            Mistake("zip ends with the shorter one, the key of four bytes: it must be repeated.", _zip),
            Mistake("The bytes of the key are in the reverse order.", _key_backwards),
            Mistake("Key and payload were added; masking is XOR, the operator ^.", _added),
            Mistake("That is OR (|), which cannot be undone; masking is XOR, the operator ^.", _or),
            Mistake("That is AND (&), which cannot be undone; masking is XOR, the operator ^.", _and),
            Mistake("The last bytes are lost: the length need not be a multiple of 4.", _whole_groups),
            Mistake("The last bytes are not masked: the length need not be a multiple of 4.", _rest_plain),
            Mistake("More bytes came back than went in: nothing is padded to a multiple of 4.", _padded),
            Mistake("The key starts with its second byte: byte 0 of the payload takes byte 0 of the key.", _from_one),
            Mistake("The key starts at the end of the payload; it starts at its beginning.", _from_the_end),
            Mistake("A zero at the end is lost: the payload keeps its length.", _no_last_zeros),
            Mistake("A zero at the beginning is lost: a number has no leading zeros, the payload has.", _no_zeros),
            Mistake("The last bytes take the end of the key; they take its beginning.", _rest_from_the_end),
            Mistake("The key starts over after three bytes; it has four.", _modulo_three),
        ),
        frozenset({"apply_mask", "xor"}),
    ),
)
