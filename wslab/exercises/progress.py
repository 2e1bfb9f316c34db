"""progress: hints in turn, and the reference after the exercise is solved or three honest tries have been made."""

import inspect
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wslab.display.html import wrapped
from wslab.exercises.checks.exercise import Exercise
from wslab.exercises.checks.outcome import code_of
from wslab.exercises.checks.report import hints_help
from wslab.exercises.sets.catalogue import EXERCISES, find, name_of

HONEST_TRIES = 3


@dataclass
class Progress:
    """What a learner has done for one exercise since the kernel started."""

    tries: set[str] = field(default_factory=set)
    passed: bool = False
    hints: int = 0


_progress: dict[str, Progress] = {}


def of(name: str) -> Progress:
    """The progress with an exercise."""
    return _progress.setdefault(name, Progress())


def remember(name: str, function: Any, passed: bool) -> None:
    """Count a try; the same code twice is one try."""
    of(name).tries.add(_code_of(function))
    of(name).passed |= passed


def _code_of(function: Any) -> str:
    if isinstance(function, type):
        return " ".join(_code_of(it) for it in vars(function).values() if inspect.isfunction(it))
    code = code_of(function)
    return (
        "" if code is None else repr((code.co_code, code.co_names, code.co_varnames, list(map(repr, code.co_consts))))
    )


@dataclass(frozen=True, repr=False)
class Note:
    """A text to read."""

    text: str

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return wrapped(self.text)


def hint(function: Any) -> Note:
    """The next hint to an exercise, by its function or its name: a question, a pointer, then nearly the code."""
    name = function if isinstance(function, str) else name_of(function)
    exercise = find(name)
    if exercise is None:
        return Note(f"There is no exercise of the name {name!r}. There are: {', '.join(EXERCISES)}.")
    progress = of(name)
    number = progress.hints % len(exercise.hints)
    progress.hints += 1
    return Note(f"Hint {number + 1} of {len(exercise.hints)}. {exercise.hints[number]}")


def reference(name: Any) -> Note:
    """A solution of an exercise, explained, once yours passes or after three honest tries."""
    name = name if isinstance(name, str) else name_of(name)
    exercise = find(name)
    if exercise is None:
        return Note(f"There is no exercise of the name {name!r}. There are: {', '.join(EXERCISES)}.")
    progress = of(name)
    if not progress.passed and len(progress.tries) < HONEST_TRIES:
        left = HONEST_TRIES - len(progress.tries)
        tries = "one more try that differs" if left == 1 else f"{left} more tries that differ"
        opens = f"The reference of {name} opens when your function passes, or after {tries}."
        return Note(f"{opens} {hints_help(name)}")
    return Note(explained(name))


def source_of(name: str) -> str:
    """The code of a reference, without the explanation at its top."""
    exercise = _known(name)
    if exercise.solution is not None:
        return exercise.solution(exercise)
    path = inspect.getsourcefile(exercise.reference)
    text = Path(path).read_text(encoding="utf-8") if path else ""
    return _as_a_learner_writes(re.sub(r'\A""".*?"""\n+', "", text, flags=re.DOTALL))


def _known(name: str) -> Exercise:
    if (exercise := find(name)) is None:
        raise KeyError(name)
    return exercise


def _as_a_learner_writes(source: str) -> str:
    """The source with one import of `wslab` in place of those of its modules."""
    line = re.compile(r"^from wslab\.\S+ import (.*)\n", re.MULTILINE)
    names = sorted({name for names in line.findall(source) for name in names.split(", ")})
    return line.sub("", line.sub(f"from wslab import {', '.join(names)}\n", source, count=1))


def explained(name: str) -> str:
    """The code of a reference, then why it is so."""
    exercise = _known(name)
    why = exercise.explanation or inspect.getdoc(inspect.getmodule(exercise.reference))
    return f"{source_of(name)}\n{why}"
