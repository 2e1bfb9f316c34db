"""exercise: what an exercise asks, as data: its contract, its aspects with the calls that show them, and its hints."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Function = Callable[..., Any]


class CannotJudge(Exception):
    """What a judge needs is not here: nothing can be said of the function, and the text says why."""


def call(function: Function, *arguments: Any) -> Any:
    """Call the function; how most cases are played."""
    return function(*arguments)


@dataclass(frozen=True, eq=False)
class Case:
    """One thing that is tried.

    `play` calls the function with `arguments`, in a process of its own, and returns what is to be judged: what came
    back, or what was observed. It must be what the reference gives, unless `judge` says in a sentence what is wrong
    with it, or nothing if all is well; it may raise CannotJudge. `given` is shown in place of the arguments.
    """

    situation: str
    arguments: tuple[Any, ...] = ()
    play: Function = call
    judge: Callable[[Any], str] | None = None
    given: str = ""


@dataclass(frozen=True)
class Aspect:
    """A part of the contract that earns points by itself; `section` says where the RFC asks for it.

    Among its cases there is always one that a function without any idea fails.
    """

    name: str
    points: int
    section: str
    cases: Callable[[random.Random], Iterator[Case]]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A way to misread the contract: `function` does it, `says` explains it where the same comes out.

    The same refusal counts as the same; any other error only `by_error`, as it comes up for many reasons.
    """

    says: str
    function: Function
    by_error: bool = False


@dataclass(frozen=True)
class Exercise:
    """A function or a class that a learner writes.

    `parameters` are the names of its arguments; `same` names functions of wslab that would do the work for the learner.
    `solution` gives the source of a reference that does not stand in a file of its own, and `explanation` goes with it;
    `draws` says whether the inputs differ from seed to seed.
    """

    name: str
    lesson: str
    signature: str
    contract: str
    example: str
    aspects: tuple[Aspect, ...]
    hints: tuple[str, str, str] | tuple[()]
    reference: Function
    parameters: tuple[str, ...]
    mistakes: tuple[Mistake, ...] = ()
    same: frozenset[str] = field(default_factory=frozenset)
    is_class: bool = False
    draws: bool = True
    solution: Callable[["Exercise"], str] | None = None
    explanation: str = ""

    @property
    def points(self) -> int:
        """The points of all its aspects."""
        return sum(aspect.points for aspect in self.aspects)
