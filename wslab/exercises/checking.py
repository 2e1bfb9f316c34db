"""checking: a learner's function in, a report of what holds of its contract out."""

import dis
import inspect
import random
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from wslab.exercises import progress
from wslab.exercises.checks import isolation
from wslab.exercises.checks.diagnosis import UNWRITTEN, Evidence, find_fault, is_right
from wslab.exercises.checks.exercise import Aspect, CannotJudge, Case, Exercise
from wslab.exercises.checks.outcome import NEVER_RETURNED, Outcome, code_of
from wslab.exercises.checks.report import Report, Result
from wslab.exercises.sets.catalogue import EXERCISES, find, name_of

MOST_SEEDS = 1_000_000
MOST_HANGS = 2  # calls that never return, before the rest is left untried
UNATTEMPTED = "not attempted yet"
# What a body of `...` or `pass`, with or without a docstring, is compiled to.
CONSTANT = {"LOAD_CONST", "RETURN_CONST", "LOAD_COMMON_CONSTANT"}  # 3.11, 3.12 and 3.13, 3.15
EMPTY_BODY = CONSTANT | {"RESUME", "NOP", "RETURN_VALUE", "COPY_FREE_VARS", "MAKE_CELL"}


class Try(NamedTuple):
    """A case, what the function made of it, and whether that is right."""

    case: Case
    outcome: Outcome
    right: bool


def check(function: Any, *, seed: int | None = None, exercise: str = "") -> Report:
    """Try the function that solves an exercise; the report says what holds and how the first fault shows.

    The exercise is found by the name of the function or the class (`exercise` names it for one that has another, as a
    lambda has). The inputs are drawn anew each time, unless `seed` is given. It neither prints nor raises.
    """
    name = exercise or _name(function)
    found = find(name)
    if found is None:
        return Report(str(name)[:60] or "check", problem=_unknown(name))
    return check_by(function, found, secrets.randbelow(MOST_SEEDS) if seed is None else seed)


def check_by(function: Any, exercise: Exercise, seed: int) -> Report:
    """As `check`, with the exercise itself and the seed to draw from."""
    if problem := _unfit(function, exercise):
        return _report(exercise, seed, _untried(exercise, problem), problem=problem)
    if is_stub(function):
        return _unattempted(exercise, seed)
    try:
        report = try_aspects(function, exercise, seed)
    except CannotJudge as reason:
        return _report(exercise, seed, _untried(exercise, str(reason)), problem=str(reason))
    if report.attempted:
        progress.remember(exercise.name, function, report.passed)
    return report


def _name(function: Any) -> str:
    try:
        return name_of(function)
    except (Exception, SystemExit):  # a learner's __getattr__ may do anything
        return type(function).__name__


def _unknown(name: str) -> str:
    if name == "<lambda>":
        return "A lambda has no name to find its exercise by: write it with def, or say check(..., exercise='name')."
    return f"There is no exercise of the name {name!r}. There are: {', '.join(EXERCISES)}."


def _report(exercise: Exercise, seed: int, results: tuple[Result, ...], **more: Any) -> Report:
    told, has_hints = seed if exercise.draws else None, bool(exercise.hints)
    return Report(exercise.name, results, told, max_points=exercise.points, has_hints=has_hints, **more)


def _unattempted(exercise: Exercise, seed: int) -> Report:
    return _report(exercise, seed, _untried(exercise, UNATTEMPTED), problem=UNATTEMPTED, attempted=False)


def _untried(exercise: Exercise, why: str) -> tuple[Result, ...]:
    return tuple(Result(it.name, 0, it.points, it.section, skipped=why) for it in exercise.aspects)


def _unfit(function: Any, exercise: Exercise) -> str:
    """Why the function cannot even be called as the contract says, if it cannot."""
    if exercise.is_class and not isinstance(function, type):
        return f"{exercise.name} is to be a class: give the class itself to check, not one of its objects."
    if not exercise.is_class and isinstance(function, type) and "__new__" not in vars(function):
        return (
            f"{exercise.name} is to be a function: write def, or give an object of the class, with a method __call__."
        )
    if not callable(function):
        return f"{type(function).__name__} cannot be called: give the function itself to check, without brackets."
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C do not tell
        return ""
    except (Exception, SystemExit) as error:  # a learner's __signature__ may do anything
        return f"Its signature cannot be read: {type(error).__name__}."
    try:
        signature.bind(*exercise.parameters)
    except TypeError as error:
        return f"It must be possible to call it as {exercise.signature}: {error}."
    return ""


def is_stub(function: Any) -> bool:
    """Whether nothing stands in the body of the function, or of the methods of the class."""
    if isinstance(function, type):
        methods = [it for name, it in inspect.getmembers(function, inspect.isfunction) if not name.startswith("__")]
        return bool(methods) and all(is_stub(method) for method in methods)
    code = code_of(function)
    if code is None or code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
        return False
    body = list(dis.get_instructions(code))
    constants = [it.argval for it in body if it.opname in CONSTANT]
    return {it.opname for it in body} <= EMPTY_BODY and all(it is None or it is ... for it in constants)


def try_aspects(function: Any, exercise: Exercise, seed: int) -> Report:
    """Play the cases of all aspects, then say what has come of them."""
    played = list(_play(function, exercise, seed))
    tried = [it for _, tries in played for it in tries]
    errors = [tries[0].outcome.raised for _, tries in played if tries]
    if errors and all(it is not None and it.kinds[0] == UNWRITTEN for it in errors):
        return _unattempted(exercise, seed)
    results = tuple(_judge(function, exercise, aspect, tries, tried) for aspect, tries in played)
    return _report(exercise, seed, results, notes=_notes(tried))


def _play(function: Any, exercise: Exercise, seed: int) -> Iterator[tuple[Aspect, list[Try]]]:
    """Each aspect with what was tried; nothing after some calls that have not returned."""
    hangs = 0
    for aspect in exercise.aspects:
        cases = list(aspect.cases(random.Random(f"{seed} {aspect.name}"))) if hangs < MOST_HANGS else []
        outcomes = isolation.play(function, cases, exercise.same, isolation.LIMIT) if cases else []
        hangs += sum(outcome.ended == NEVER_RETURNED for outcome in outcomes)
        pairs = zip(cases, outcomes, strict=False)
        yield aspect, [Try(case, outcome, is_right(exercise, case, outcome)) for case, outcome in pairs]


def _judge(function: Any, exercise: Exercise, aspect: Aspect, tries: Sequence[Try], every: Sequence[Try]) -> Result:
    if not tries:
        why = f"not tried, as {MOST_HANGS} calls have not returned"
        return Result(aspect.name, 0, aspect.points, aspect.section, skipped=why)
    bad = next((it for it in tries if not it.right), None)
    if bad is None:
        return Result(aspect.name, aspect.points, aspect.points, aspect.section, len(tries))

    def alone() -> Outcome:
        return isolation.play(function, [bad.case], exercise.same, isolation.LIMIT)[0]

    right = [it.case for it in every if it.right]
    wrong = [(it.case, it.outcome) for it in every if not it.right]
    fault = find_fault(exercise, bad.case, bad.outcome, Evidence(right, wrong, alone))
    return Result(aspect.name, 0, aspect.points, aspect.section, len(tries), fault)


def _notes(tries: Sequence[Try]) -> tuple[str, ...]:
    printed = sum(it.outcome.printed for it in tries)
    threads = sum(it.outcome.threads for it in tries)
    notes = (
        (printed, f"It printed {printed:,} characters, which the check has swallowed."),
        (threads, f"Threads that it has started run on after its return: {threads:,}."),
    )
    return tuple(text for count, text in notes if count)
