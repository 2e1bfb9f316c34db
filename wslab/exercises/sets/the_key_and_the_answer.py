"""Lesson 03, the key and the answer: accept_key (RFC 6455 §4.2.2)."""

import random
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import md5, sha1, sha256

from wslab.exercises.checks.exercise import Aspect, Case, Exercise, Mistake
from wslab.exercises.sets.inputs import some_handshake_key
from wslab.exercises.solutions.accept_key import GUID, accept_key

SECTION = "RFC 6455 §4.2.2"


def samples(_source: random.Random) -> Iterator[Case]:
    """The key of the RFC, and one of 2014."""
    yield Case("the key in RFC 6455 §1.3", ("dGhlIHNhbXBsZSBub25jZQ==",))
    yield Case("a key that Chrome sent in 2014", ("j6MZV0bC4TBsmQHmnlsEyw==",))


def any_key(source: random.Random) -> Iterator[Case]:
    """Keys drawn at random."""
    for _ in range(5):
        key = some_handshake_key(source)
        yield Case("a key of 16 random bytes", (key,))
    yield Case("a key that base64 would write otherwise", (with_spare_bits(some_handshake_key(source)),))
    yield Case("a key that begins like the one before", (key[:12] + some_handshake_key(source)[12:],))


def with_spare_bits(key: str) -> str:
    """Another text for the same 16 bytes: the last letter before == has four bits that no byte needs."""
    return f"{key[:-3]}{chr(ord(key[-3]) + 1)}=="


def _hash(text: str) -> bytes:
    return sha1(text.encode()).digest()


EXERCISES = (
    Exercise(
        "accept_key",
        "03-the-key-and-the-answer",
        "accept_key(key: str) -> str",
        "Return the value of `Sec-WebSocket-Accept` that answers the `Sec-WebSocket-Key`: base64 of the SHA-1 of the "
        "key, "
        "as it stands in the request, followed by the GUID.",
        "`accept_key('dGhlIHNhbXBsZSBub25jZQ==')` is `'s3pPLMBiTxaQ9kYGzzhZRbK+xOo='`.",
        (
            Aspect("two keys that are known", 1, SECTION, samples),
            Aspect("any key", 2, SECTION, any_key),
        ),
        (
            "What stands in the request is text. Of what text is the hash taken: of the key alone?",
            "Join key and GUID, encode, `hashlib.sha1(...).digest()`, then base64. `digest` gives 20 bytes, "
            "`hexdigest` "
            "something else.",
            "b64encode(sha1((key + GUID).encode()).digest()) is bytes; a header value is str, so one step is left.",
        ),
        accept_key,
        ("key",),
        (
            Mistake("That is the hash of the key without the GUID.", lambda key: b64encode(_hash(key)).decode()),
            Mistake(
                "The GUID stands before the key; it belongs after it.",
                lambda key: b64encode(_hash(GUID + key)).decode(),
            ),
            Mistake(
                "Those are the hex digits of the hash; its 20 bytes go into base64 (digest, not hexdigest).",
                lambda key: sha1((key + GUID).encode()).hexdigest(),
            ),
            Mistake(
                "base64 was taken of the hex digits; take it of the 20 bytes (digest, not hexdigest).",
                lambda key: b64encode(sha1((key + GUID).encode()).hexdigest().encode()).decode(),
            ),
            Mistake(
                "The key was decoded from base64; it is hashed as the text that stands in the request.",
                lambda key: b64encode(sha1(b64decode(key) + GUID.encode()).digest()).decode(),
            ),
            Mistake(
                "The key was decoded and encoded again; it is hashed as the text that stands in the request.",
                lambda key: accept_key(b64encode(b64decode(key)).decode()),
            ),
            Mistake(
                "str() shows bytes as Python writes them, with b and quotation marks: decode them.",
                lambda key: f"b'{accept_key(key)}'",
            ),
            Mistake(
                "The key has capital and small letters: it is hashed as it stands.", lambda key: accept_key(key.lower())
            ),
            Mistake("That is the key itself; the answer must prove that it was read as WebSocket.", lambda key: key),
            Mistake(
                "The GUID is in small letters; its letters are capitals.",
                lambda key: b64encode(_hash(key + GUID.lower())).decode(),
            ),
            Mistake(
                "SHA-256 was taken; the RFC wants SHA-1.",
                lambda key: b64encode(sha256((key + GUID).encode()).digest()).decode(),
            ),
            Mistake(
                "MD5 was taken; the RFC wants SHA-1.",
                lambda key: b64encode(md5((key + GUID).encode()).digest()).decode(),
            ),
            Mistake("The base64 ends with a line end; a header value has none.", lambda key: accept_key(key) + "\n"),
            Mistake("The padding = is missing: it is part of base64.", lambda key: accept_key(key).rstrip("=")),
            Mistake(
                "That is the URL-safe base64, with - and _; the RFC wants + and /.",
                lambda key: accept_key(key).replace("+", "-").replace("/", "_"),
            ),
            Mistake(
                "The padding = of the key was cut off before it was hashed: the key is hashed as it stands.",
                lambda key: b64encode(_hash(key.rstrip("=") + GUID)).decode(),
            ),
            Mistake(
                "A blank or line end of the key was hashed, or one was put between key and GUID.",
                lambda key: b64encode(_hash(f"{key} {GUID}")).decode(),
            ),
        ),
        frozenset({"accept_key"}),
    ),
)
