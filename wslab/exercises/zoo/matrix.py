"""matrix: which probes catch which bugs, as a table."""

from collections.abc import Sequence
from typing import Any

from wslab.display.table import Table
from wslab.exercises.checks.outcome import Outcome
from wslab.exercises.zoo.probing import role_of, try_on
from wslab.exercises.zoo.residents import BUGS, PREFIX

CAUGHT, PASSED = "caught", "passes"
GOOD = "the good one"


def matrix(*probes: Any) -> Table:
    """Try each probe on the good one and on every bug of its side; how many bugs are caught stands below.

    A word for each pair: `caught` is False, `passes` is True, and all others are no verdict. What a probe is not for
    is left empty.
    """
    columns = [_column(probe) for probe in probes]
    rows = tuple((bug, *(column.get(bug, "") for column in columns)) for bug in [GOOD, *BUGS])
    caught = [row for row in rows[1:] if _counts(row, rows[0])]
    heading = ("bug", *(probe.__name__.removeprefix(PREFIX) for probe in probes))
    more = f"{len(caught)} of {len(BUGS)} bugs are caught by a probe that the good one passes."
    return Table(heading, rows, "probes and bugs", more=more)


def _counts(row: Sequence[str], good: Sequence[str]) -> bool:
    return any(word == CAUGHT and passed == PASSED for word, passed in zip(row, good, strict=True))


def _column(probe: Any) -> dict[str, str]:
    role = role_of(probe)
    bugs = [bug for bug in BUGS.values() if bug.role is role]
    words = map(_word, try_on(probe, [None, *bugs]))
    return dict(zip([GOOD, *(bug.name for bug in bugs)], words, strict=True))


def _word(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not tried"
    if outcome.ended:
        return outcome.ended
    words = {False: CAUGHT, True: PASSED}
    said = outcome.value if outcome.raised is None else outcome.raised.name
    return words[said] if type(said) is bool else str(said).partition(":")[0]


def bugs() -> Table:
    """All bugs: their names, who has them, since when the thread is open, and what goes wrong."""
    rows = tuple((bug.name, bug.role.value, str(bug.year), bug.story) for bug in BUGS.values())
    return Table(("bug", "who", "year", "what"), rows, "the bug zoo")
