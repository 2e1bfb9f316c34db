"""names: whether what stands behind a name is secret, by the list in `secrets`."""

import re
from difflib import get_close_matches
from functools import lru_cache

from wslab.redaction.secrets import MANGLED, MISSPELT, PUBLIC_NAMES, PUBLIC_VALUES, SECRET_NAMES, Place

MOST_OF_A_NAME = 100  # characters, at its start and at its end

_PUBLIC = re.compile("|".join(pattern for pattern, _ in PUBLIC_NAMES))
_PUBLIC_VALUE = re.compile("|".join(pattern for pattern, _ in PUBLIC_VALUES), re.IGNORECASE)
_SECRET = {
    place: re.compile("|".join(known.pattern for known in SECRET_NAMES if place in known.places)) for place in Place
}
_MANGLED = re.compile(MANGLED)


def words_of(name: str) -> str:
    """A name as words in small letters.

    >>> words_of("xApi_Key")
    'x-api-key'
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return re.sub(r"[^A-Za-z0-9]+", "-", parted).strip("-").lower()


def is_secret(name: str, place: Place) -> bool:
    """Whether what stands behind this name is secret.

    >>> is_secret("X-Api-Key", Place.HEADER), is_secret("Sec-WebSocket-Key", Place.HEADER)
    (True, False)
    """
    if len(name) > 2 * MOST_OF_A_NAME:
        name = f"{name[:MOST_OF_A_NAME]} {name[-MOST_OF_A_NAME:]}"
    return _is_secret(name, place)


@lru_cache(4096)
def _is_secret(name: str, place: Place) -> bool:
    words = words_of(name)
    if _PUBLIC.search(words):
        return False
    if _SECRET[place].search(words):
        return True
    is_short = 4 < len(words) < 24  # comparing is slow
    return place is Place.HEADER and is_short and bool(get_close_matches(words.replace("-", ""), MISSPELT, 1, 0.8))


def is_public(value: str) -> bool:
    """Whether a value is no secret, whatever name stands before it.

    >>> is_public(" none"), is_public("sesame")
    (True, False)
    """
    return bool(_PUBLIC_VALUE.fullmatch(value.strip(" \t")))


def is_mangled(line: str) -> bool:
    """Whether a line begins as a header with a secret does, but for blanks, control characters or a missing colon."""
    name, colon, _ = line.partition(":")
    letters = re.sub("[^a-z]", "", name[:MOST_OF_A_NAME].lower())
    first = "".join(name.split(maxsplit=1)[:1])
    return bool(_MANGLED.match(letters)) or is_secret(name if colon else first, Place.HEADER)


def lists_subprotocols(name: str) -> bool:
    """Whether it is the name of the header in which a browser puts its token."""
    return name.strip().lower() == "sec-websocket-protocol"
