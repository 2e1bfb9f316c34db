"""sitting: one person's answers to all items: their order, their score by concept, and the file that keeps them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypedDict

from wslab.quiz.items import DO_NOT_KNOW, ITEMS, Item, Option
from wslab.recording.replacing import replacing

LETTERS = "abcde"


class Kept(TypedDict):
    """A sitting as a file keeps it: when it was, and for each concept whether it was right. It names nobody."""

    occasion: str
    at: str
    right: dict[str, bool]


def shuffled(item: Item, occasion: str) -> tuple[Option, ...]:
    """The answers of an item in the order in which they are shown: another one each time, "I do not know" last."""
    options = list(item.options)
    Random(f"{occasion} {item.question}").shuffle(options)
    return (*options, DO_NOT_KNOW)


@dataclass
class Sitting:
    """The answers of one occasion, "before" or "after" the course, by the number of the question, counted from 1."""

    occasion: str
    answers: dict[int, Option] = field(default_factory=dict)

    def answer(self, number: int, letter: str) -> None:
        """Answer a question with a letter, as it is shown. Raises ValueError for what is not there."""
        if not 1 <= number <= len(ITEMS):
            raise ValueError(f"there are questions 1 to {len(ITEMS)}, and no {number}")
        options = shuffled(ITEMS[number - 1], self.occasion)
        if letter not in LETTERS or len(letter) != 1:
            raise ValueError(f"the answers are {', '.join(LETTERS)}, and not {letter!r}")
        self.answers[number] = options[LETTERS.index(letter)]

    def is_right(self, number: int) -> bool:
        """Return True if the question has its right answer."""
        return self.answers.get(number) == ITEMS[number - 1].right

    @property
    def score(self) -> int:
        """How many answers are right."""
        return sum(map(self.is_right, range(1, len(ITEMS) + 1)))

    def kept(self) -> Kept:
        """What a file keeps of it."""
        right = {item.concept: self.is_right(number) for number, item in enumerate(ITEMS, 1)}
        return {"occasion": self.occasion, "at": datetime.now(UTC).isoformat(timespec="seconds"), "right": right}


def load(path: Path) -> list[Kept]:
    """The sittings that a file keeps, oldest first; none if there is no file. Raises ValueError for another file."""
    if not path.exists():
        return []
    kept = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(kept, list) or not all(map(_is_kept, kept)):
        raise ValueError(f"{path.name} holds no results of the test of knowledge")
    return kept


def _is_kept(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == Kept.__annotations__.keys() and isinstance(value["right"], dict)


def save(sitting: Sitting, path: Path) -> None:
    """Add a sitting to the file. Raises OSError, and ValueError for a file that holds something else."""
    kept = [*load(path), sitting.kept()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(kept, indent=1).encode())
