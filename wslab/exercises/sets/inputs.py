"""inputs: bytes, texts and keys drawn at random, for the cases of all sets."""

import random
from base64 import b64encode
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"
KINDS: tuple[Any, ...] = (bytes, bytearray, memoryview)  # each is tried, and none by lot: a score is no luck
CHARACTERS = "aZ9 éßж漢字😀"


def some_bytes(source: random.Random, count: int) -> bytes:
    """So many random bytes."""
    return source.randbytes(count)


def some_text(source: random.Random, count: int) -> str:
    """So many characters of one to four bytes each."""
    return "".join(source.choice(CHARACTERS) for _ in range(count))


def some_name(source: random.Random, count: int = 6) -> str:
    """A word of so many small letters."""
    return "".join(source.choice(LETTERS) for _ in range(count))


def some_key(source: random.Random) -> bytes:
    """A masking key of four different bytes, none of them 0."""
    return bytes(source.sample(range(1, 256), 4))


def some_handshake_key(source: random.Random) -> str:
    """A value of Sec-WebSocket-Key."""
    return b64encode(source.randbytes(16)).decode()


def any_case(source: random.Random, word: str) -> str:
    """The word with some of its letters the other way, at least one."""
    at = source.randrange(len(word))
    return "".join(letter.swapcase() if n == at or source.random() < 0.5 else letter for n, letter in enumerate(word))
