"""tasks: the bugs as exercises: to diagnose one from its capture, and to write the probe that tells it from a good one.

A set has some of them; the others can be tried in the same way.
"""

import inspect
import random
import re
from collections.abc import Iterator
from functools import partial

from wslab.exercises.checks.exercise import Aspect, Case, Exercise
from wslab.exercises.zoo.bug import Bug
from wslab.exercises.zoo.probing import guilty_row, trial
from wslab.exercises.zoo.residents import BUGS, PREFIX, PROBES

LESSON = "19-the-bug-zoo"
DIAGNOSIS = "diagnosis_of_"
FORM = "Return two values: the number of a row, and a section such as '§5.2'."
IN_THE_SET = (
    "arduino_websockets_208",
    "websocket_for_python_263",
    "em_websocket_86",
    "alchemy_websockets_4",
    "embedded_websocket_31",
    "websocket4net_38",
    "userver_1308",
    "kitura_websocket_nio_22",
)


def _row(bug: Bug, said: object) -> str:
    match said:
        case (int(row), _) if row == guilty_row(bug.name):
            return ""
        case (int(row), _):
            return f"Row {row} is what a good {bug.role.value} sends or gets, too; look for the first that is not."
    return FORM


def _section(bug: Bug, said: object) -> str:
    match said:
        case (_, str(section)) if plain_section(section) in map(plain_section, bug.sections):
            return ""
        case (_, str(section)):
            return f"{section} is about something else. Which section says what should have stood in that row?"
    return FORM


def plain_section(section: str) -> str:
    """A section without what may be written in several ways: 'RFC6455 section 5.2', '§5.2' and '5.2' are one."""
    return re.sub(r"^(RFC ?6455\b)?\W*(section\b)?\W*|\W+$|\s", "", section, flags=re.IGNORECASE)


def _asked(judge: partial[str], _source: random.Random) -> Iterator[Case]:
    yield Case("your diagnosis", judge=judge, given="the capture")


def diagnosis(bug: Bug) -> Exercise:
    """To find the row in which a bug shows, and the section that it breaks."""

    def reference() -> tuple[int | None, str]:
        return guilty_row(bug.name), bug.sections[0]

    return Exercise(
        f"{DIAGNOSIS}{bug.name}",
        LESSON,
        f"{DIAGNOSIS}{bug.name}() -> (int, str)",
        f"Return the number of the first row in the capture that a good {bug.role.value} would not have sent, and the "
        "section that says so.",
        "`return 7, '§4.4'` means row 7, and what §4.4 says.",
        (
            Aspect("the row", 1, "", partial(_asked, partial(_row, bug))),
            Aspect("the section", 1, "", partial(_asked, partial(_section, bug))),
        ),
        (
            f"Only the {bug.role.value} has a bug. What is due for each row that it gets?",
            "`wslab.inspect(capture).row(n)` shows the bytes of a row; the map of rules finds a section.",
            f"{bug.story} Which row shows that first?",
        ),
        reference,
        (),
        draws=False,
        solution=_diagnosis_source,
        explanation=str(bug),
    )


def _diagnosis_source(exercise: Exercise) -> str:
    row, section = exercise.reference()
    doc = "The row that shows the bug, and the section."
    return f'def {exercise.name}() -> tuple[int, str]:\n    """{doc}"""\n    return {row}, "{section}"\n'


def _tried(bug: Bug, source: random.Random) -> Iterator[Case]:
    """The good one and the bad one, and both again in an order that a probe which does not look cannot know."""
    for it in (None, bug, *source.sample([None, bug, bug], 3)):
        yield trial(it, bug.role)


def probe(bug: Bug) -> Exercise:
    """To write a probe that passes the good one and fails the bad one."""
    who = bug.role.value
    begin = "dial(server)" if who == "server" else "answer(client)"
    return Exercise(
        f"{PREFIX}{bug.name}",
        LESSON,
        f"{PREFIX}{bug.name}({who}) -> bool",
        f"Talk to a {who}. Return True if it is good, and False if it has the bug in the capture of `{bug.name}`.",
        f"`with {begin} as line:` begins; `line.send(frame, …)` sends, `line.receive()` gives the next frame or None.",
        (Aspect(f"passes the good {who} and fails the bad one", 2, "", partial(_tried, bug)),),
        (
            "What is the least that you have to send, so that good and bad answer differently?",
            "Compare the whole frame with the one that is due: what else may come is wrong as well. "
            "`line.read(count)` gives bytes where frames would hide the fault.",
            "The reference asks w" + (inspect.getdoc(PROBES[bug.name]) or "").partition("\n")[0].removeprefix("W"),
        ),
        PROBES[bug.name],
        (who,),
        draws=False,
        solution=_probe_source,
        explanation=str(bug),
    )


def _probe_source(exercise: Exercise) -> str:
    return inspect.getsource(exercise.reference)


TASKS = {task.name: task for bug in BUGS.values() for task in (diagnosis(bug), probe(bug))}
