"""names: what a student types in, the name that all others see out: short, unique, and nothing but text."""

import unicodedata
from collections.abc import Callable

MAX_NAME = 32  # characters
NOBODY = "guest"


def clean_name(typed: str) -> str:
    r"""The name without what moves a cursor, turns the direction of writing or piles up, and no longer than MAX_NAME.

    >>> clean_name("  Ada\u202e \n Lovelace ")
    'Ada Lovelace'
    """
    visible = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in unicodedata.normalize("NFC", typed))
    kept = ""
    for character in " ".join(visible.split()):
        if not (_is_mark(character) and (not kept or _is_mark(kept[-1]))):
            kept += character
    return unicodedata.normalize("NFC", kept)[:MAX_NAME].strip()


def unique_name(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """The name that is wanted, or where somebody has it already, the same with a number.

    >>> unique_name("Ada", {"Ada", "Ada 2"}.__contains__)
    'Ada 3'
    """
    name, number = wanted or f"{NOBODY} 1", 1
    while is_taken(name):
        number += 1
        end = f" {number}"
        name = (wanted or NOBODY)[: MAX_NAME - len(end)] + end
    return name


def key_of(name: str) -> str:
    r"""What two names have in common that look or sound the same.

    >>> key_of("ADA") == key_of("\uff41da")
    True
    """
    return unicodedata.normalize("NFKC", name).casefold()


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
