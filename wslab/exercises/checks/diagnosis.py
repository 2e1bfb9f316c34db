"""diagnosis: the outcome of a case in, what is wrong with it out, in the words of the protocol."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wslab.dissector.wording import how_many
from wslab.exercises.checks.exercise import Case, Exercise, Function, Mistake
from wslab.exercises.checks.outcome import NEVER_RETURNED, Outcome, Raised, try_case
from wslab.exercises.checks.values import Strange, same, show
from wslab.protocol.frames import Frame

PROTOCOL_ERROR = "wslab.protocol.errors.ProtocolError"
MOST_REMEMBERED = 500  # outcomes; a check has a hundred cases at most, and twenty mistakes
UNWRITTEN = "builtins.NotImplementedError"


@dataclass(frozen=True)
class Fault:
    """The first thing that went wrong: what was tried, what came of it, what was expected, and what that may mean."""

    situation: str
    given: str
    came: str
    expected: str
    meaning: str = ""


@lru_cache(maxsize=MOST_REMEMBERED)
def outcome_of(function: Function, case: Case) -> Outcome:
    """What a function of ours makes of a case: for one fault, the same cases are looked at again and again."""
    return try_case(function, case)


def expected_of(exercise: Exercise, case: Case) -> Outcome:
    """What the reference makes of a case."""
    return outcome_of(exercise.reference, case)


def is_right(exercise: Exercise, case: Case, outcome: Outcome) -> bool:
    """Whether an outcome is what the contract asks for."""
    if outcome.ended or outcome.changed or outcome.borrowed:
        return False
    if case.judge is not None:
        return outcome.raised is None and not case.judge(outcome.value)
    return _agree(expected_of(exercise, case), outcome)


def _agree(expected: Outcome, outcome: Outcome) -> bool:
    if expected.raised is not None:
        return outcome.raised is not None and outcome.raised.is_a(expected.raised)
    return outcome.raised is None and same(expected.value, outcome.value)


@dataclass(frozen=True)
class Evidence:
    """What else is known of a function: the cases that it does right, those that it does not, and how to play one."""

    right: Sequence[Case]
    wrong: Sequence[tuple[Case, Outcome]]
    alone: Callable[[], Outcome]


def find_fault(exercise: Exercise, case: Case, outcome: Outcome, evidence: Evidence) -> Fault:
    """Say what is wrong with an outcome."""
    given = case.given or ", ".join(show(argument) for argument in case.arguments)
    expected = Outcome() if case.judge is not None else expected_of(exercise, case)
    wanted = "" if case.judge is not None else _told(expected)
    came = _told(outcome)
    return Fault(case.situation, given, came, wanted, _meaning(exercise, case, outcome, expected, evidence))


def _told(outcome: Outcome) -> str:
    if outcome.ended:
        return f"the call {outcome.ended}"
    return str(outcome.raised) if outcome.raised is not None else show(outcome.value)


def _meaning(exercise: Exercise, case: Case, outcome: Outcome, expected: Outcome, evidence: Evidence) -> str:
    if outcome.ended == NEVER_RETURNED:
        return (
            f"{exercise.name} had not returned when the time was over: look for a loop that never ends, or for a "
            "wait for bytes that will not come."
        )
    if outcome.ended:
        return (
            f"{exercise.name} ended the whole program instead of returning (os._exit, or a crash), or it changed what "
            "Python itself needs (a builtin function, files that others have open)."
        )
    if outcome.borrowed:
        return f"wslab's own {outcome.borrowed} did the work here. This exercise is to write it yourself."
    if outcome.raised is None and outcome.changed:
        names = ", ".join(
            exercise.parameters[number] for number in outcome.changed if number < len(exercise.parameters)
        )
        return f"The call changed its argument {names or 'itself'}: the caller still needs it as it was."
    if mistaken := _known_mistake(exercise, case, outcome, evidence):
        return mistaken
    if case.judge is not None and outcome.raised is None:
        return case.judge(outcome.value) + _about_type(outcome.value)
    if is_right(exercise, case, evidence.alone()):
        return "Called for the first time it is right: something is kept from one call to the next."
    if outcome.raised is not None:
        return _about_error(outcome.raised, expected)
    if expected.raised is not None:
        return f"This must be refused: raise {_wanted(expected.raised)}." + _about_type(outcome.value)
    return _difference(expected.value, outcome.value)


def _known_mistake(exercise: Exercise, case: Case, outcome: Outcome, evidence: Evidence) -> str:
    """The mistake that makes the same of this case, and is right wherever the function is right.

    If there are several, it is the one that makes the same of most of the cases that went wrong.
    """
    here = [
        it
        for it in exercise.mistakes
        if _is_alike(it, case, outcome)
        and all(is_right(exercise, good, outcome_of(it.function, good)) for good in evidence.right)
    ]
    if len(here) < 2:
        return here[0].says if here else ""
    return max(here, key=lambda it: sum(_is_alike(it, *pair) for pair in evidence.wrong)).says


def _is_alike(mistake: Mistake, case: Case, outcome: Outcome) -> bool:
    """Whether the mistake makes the same of a case; of errors only a refusal counts, if no other is asked for."""
    mistaken = outcome_of(mistake.function, case)
    if mistaken.raised is None or outcome.raised is None:
        if mistaken.raised is not outcome.raised or outcome.ended:
            return False
        if case.judge is not None:
            return bool(case.judge(mistaken.value)) == bool(case.judge(outcome.value))
        return same(mistaken.value, outcome.value)
    return (mistake.by_error or PROTOCOL_ERROR in mistaken.raised.kinds) and outcome.raised.is_a(mistaken.raised)


def _wanted(raised: Raised) -> str:
    return f"{raised.name}(reason, {raised.code})" if raised.code is not None else raised.name


def _about_error(raised: Raised, expected: Outcome) -> str:
    if UNWRITTEN in raised.kinds:
        return "This part is not written yet: it raises NotImplementedError."
    where = f" in line {raised.line} of the function" if raised.line else ""
    if "builtins.SystemExit" in raised.kinds:
        return f"sys.exit ends the whole program{where}: use `return`, or raise what the contract names."
    if "builtins.RecursionError" in raised.kinds:
        return f"It calls itself again and again, deeper than Python lets it{where}."
    if expected.raised is None:
        if PROTOCOL_ERROR in raised.kinds:
            return f"This is legal and must not be refused; the error comes up{where or ' in the function'}."
        return f"The error comes up{where or ' in the call'}; the contract asks for an answer here, for no error."
    if expected.raised.kinds[0] in raised.kinds:
        return f"The refusal is right, its close code is not: {raised.code}, where {expected.raised.code} belongs."
    if raised.name == expected.raised.name:
        return f"That is another class of the name {raised.name}; take the one of wslab."
    return f"This must be refused with {_wanted(expected.raised)}; the error that comes up{where} is another one."


def _about_type(value: Any) -> str:
    return f" {_strange(value)}" if isinstance(value, Strange) else ""


def _strange(value: Strange) -> str:
    if "coroutine" in value.kind:
        return "`async def` makes a coroutine, which nobody awaits here: write `def`."
    if "generator" in value.kind:
        return "A function with `yield` gives a generator: collect the values and `return` them."
    shown = show(value)
    return f"{shown[0].upper()}{shown[1:]} is not what the contract names."


def _difference(expected: Any, came: Any) -> str:
    """How one value differs from the other."""
    if isinstance(came, Strange):
        return _strange(came)
    if came is None:
        return "None came back: is there a `return` on this way through the function?"
    match expected, came:
        case dict(), dict() if expected.keys() == came.keys():
            name = next(key for key in expected if not same(expected[key], came[key]))
            return f"{show(name) if type(name) is not str else name}: {_difference_inside(expected[name], came[name])}"
        case dict(), dict():
            return _difference_of_keys(expected, came)
        case bytes(), bytes():
            return _difference_of_bytes(expected, came)
        case bytes(), str():
            return "Text came back where bytes belong."
        case str(), bytes():
            return "Bytes came back where text (str) belongs: decode them."
        case bool(), _ if type(came) is not bool:
            return f"{type(came).__name__} came back where True or False belongs."
        case Frame(), Frame():
            return _difference_of_frames(expected, came)
        case (list() | tuple(), list() | tuple()):
            return _difference_of_lists(expected, came)
        case None, _:
            return "None was expected: there is no answer (yet)."
    if type(expected) is not type(came):
        return f"{type(came).__name__} came back where {type(expected).__name__} belongs."
    return ""


def _difference_of_bytes(expected: bytes, came: bytes) -> str:
    if len(expected) != len(came):
        return f"{how_many(len(came))} came back; {len(expected):,} were expected."
    at = next(n for n, (one, other) in enumerate(zip(expected, came, strict=True)) if one != other)
    return f"Byte {at} (counted from 0) is {came[at]:02x}; expected {expected[at]:02x}."


def _difference_of_frames(expected: Frame, came: Frame) -> str:
    for name in ("fin", "rsv1", "rsv2", "rsv3", "opcode"):
        if getattr(expected, name) != getattr(came, name):
            return f"The field {name} is {getattr(came, name)!r}; expected {getattr(expected, name)!r}."
    return f"The payload is another one. {_difference(expected.payload, came.payload)}"


def _difference_of_lists(expected: Any, came: Any) -> str:
    if len(expected) != len(came):
        return f"The number of values that came back is {len(came)}; expected {len(expected)}."
    for number, (one, other) in enumerate(zip(expected, came, strict=True), 1):
        if not same(one, other):
            return f"Value {number} of {len(expected)}: {_difference_inside(one, other)}"
    return ""


def _difference_of_keys(expected: Any, came: Any) -> str:
    missing = [show(key) for key in expected if key not in came]
    strange = [show(key) for key in came if key not in expected]
    told = [f"{', '.join(keys)} {what}" for keys, what in ((missing, "is missing"), (strange, "is too much")) if keys]
    return f"In the dict {'; '.join(told)}."


def _difference_inside(expected: Any, came: Any) -> str:
    """As `_difference`, of a part of what came back: nothing else shows the two."""
    alone = None if came is None else _difference(expected, came)
    return alone or f"It is {show(came)}; expected {show(expected)}."
