"""probing: probes by the names of their bugs, tried on the good one and on the bad one where they can do no harm."""

import inspect
import itertools
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from wslab.exercises.checks import isolation
from wslab.exercises.checks.exercise import Case
from wslab.exercises.checks.outcome import Outcome
from wslab.exercises.zoo.bug import Bug, Probe, run
from wslab.exercises.zoo.residents import BUGS, PROBES
from wslab.protocol.states import SENDERS, Role
from wslab.recording.recorded_frames import dissect_recording
from wslab.recording.recording import Recording

LIMIT = 10.0  # seconds for one of many trials: a stall of the machine is no verdict


def role_of(probe: Any) -> Role:
    """Which side a probe tries: a client if its argument is called so, else a server."""
    return Role.CLIENT if next(iter(inspect.signature(probe).parameters), "") == "client" else Role.SERVER


def trial(bug: Bug | None, role: Role) -> Case:
    """The case in which a probe meets a bug, or the good one; its judge says what is wrong with the probe's answer."""
    who = f"a {role.value} with the bug {bug.name}" if bug else f"the good {role.value}"
    return Case(who, play=partial(_try, role, bug), judge=partial(_judge, role, bug))


def _try(role: Role, bug: Bug | None, probe: Probe) -> Any:
    return run(partial(_told, probe), role, bug)


def _told(probe: Probe, peer: Any) -> Any:
    """What a probe returns; what it raises, as a text."""
    try:
        return probe(peer)
    except NotImplementedError:
        raise
    except Exception as error:  # a learner's probe may raise anything
        return f"raised {type(error).__name__}: {error}"[:200]


def _judge(role: Role, bug: Bug | None, said: Any) -> str:
    if said is (not bug):
        return ""
    if isinstance(said, str) and said.startswith("raised "):
        return f"The probe {said}. A probe decides: what it cannot read is a reason to return False, not to raise."
    if type(said) is not bool:
        return "A probe returns True for a good one and False for a bad one."
    if bug:
        return f"The probe lets the bad {role.value} pass. What does a good one send that this one does not?"
    return f"The probe refuses the good {role.value}: it would refuse everything, or it expects what nobody promises."


def try_on(probe: Probe, bugs: Sequence[Bug | None]) -> list[Outcome | None]:
    """What a probe says of each of the bugs; None for those that were not tried as two trials never came to an end."""
    outcomes: list[Outcome | None] = []
    role, hangs = role_of(probe), 0
    while len(outcomes) < len(bugs) and hangs < 2:
        cases = [trial(bug, role) for bug in bugs[len(outcomes) :]]
        outcomes += isolation.play(probe, cases, frozenset(), LIMIT)
        hangs += bool(outcomes[-1] and outcomes[-1].ended)
    return [*outcomes, *[None] * (len(bugs) - len(outcomes))]


def capture(name: str) -> Recording:
    """A conversation in which a bug shows, as the server or the client that has it saw it; its times are an order."""
    return _record(BUGS[name], BUGS[name])


def _record(shown_by: Bug, bug: Bug | None) -> Recording:
    recording = Recording(clock=itertools.count().__next__)
    run(PROBES[shown_by.name], shown_by.role, bug, recording)
    return recording


@cache
def guilty_row(name: str) -> int | None:
    """The first row in the capture of a bug that differs from what the good one sends; None if no row does."""
    bug = BUGS[name]
    good = iter(text for _, text in _sent(_record(bug, None), bug.role))
    return next((row for row, text in _sent(_record(bug, bug), bug.role) if text != next(good, None)), None)


def _sent(recording: Recording, role: Role) -> list[tuple[int, str]]:
    """The rows of a recording that a side has sent, with their numbers."""
    rows = enumerate(dissect_recording(recording))
    return [(number, str(row.seen)) for number, row in rows if SENDERS[row.direction] is role]
