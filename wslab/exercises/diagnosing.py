"""diagnosing: a seed in, a capture with one fault, the check of an answer and the teacher's key out."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from wslab.display.table import Table
from wslab.exercises.captures.faults import FAULTS, Fault
from wslab.exercises.captures.innocents import ALWAYS, WITH_DEFLATE, Sent, farewell
from wslab.exercises.checking import check_by
from wslab.exercises.checks.exercise import Aspect, Case, Exercise
from wslab.exercises.checks.report import Report
from wslab.exercises.sets.inputs import some_handshake_key
from wslab.exercises.zoo.line import DEFLATE
from wslab.exercises.zoo.tasks import plain_section
from wslab.protocol.handshake import build_request, build_response
from wslab.protocol.states import DIRECTIONS, Role
from wslab.recording.recording import Recording

POINTS = {"row": 2, "field": 1, "section": 1}
FIELDS = sorted({fault.field for fault in FAULTS})
HEADS = 2  # rows of the handshake
SHOWN = 24  # bytes of a frame
ASK = (
    "One frame breaks a rule. Return the number of its row, the field that is wrong "
    f"({', '.join(FIELDS)}), and the section that says so."
)
FORM = "Return three values: the number of a row, the name of a field, and a section such as '§5.2'."


@dataclass(frozen=True)
class Key:
    """The answer that earns all points; each of `sections` says what is wrong."""

    row: int
    field: str
    sections: tuple[str, ...]
    sentence: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.field}, {' or '.join(self.sections)}: {self.sentence}"


@dataclass(frozen=True, repr=False)
class CaptureTask:
    """A conversation of which one frame breaks a rule: a notebook shows its rows, `check` takes an answer.

    `key` is for the teacher.
    """

    seed: str
    rows: tuple[Sent, ...]
    key: Key

    @property
    def recording(self) -> Recording:
        """The capture for every other view of wslab, which may well tell what is wrong; its times are an order."""
        recording = Recording(clock=itertools.count().__next__)
        for role, data in self.rows:
            recording.add(1, DIRECTIONS[role], data)
        return recording

    def row(self, number: int) -> bytes:
        """All bytes of a row."""
        return self.rows[number][1]

    def check(self, answer: Any) -> Report:
        """A report on a function without arguments that returns row, field and section; it does not raise."""
        return check_by(answer, self._exercise(), 0)

    def _exercise(self) -> Exercise:
        aspects = tuple(
            Aspect(f"the {name}", points, "", partial(_asked, name, self.key)) for name, points in POINTS.items()
        )
        name = f"capture_task({self.seed!r})"
        signature = "answer() -> (int, str, str)"
        return Exercise(name, "", signature, ASK, "", aspects, (), self._answer, (), draws=False)

    def _answer(self) -> tuple[int, str, str]:
        return self.key.row, self.key.field, self.key.sections[0]

    @property
    def _table(self) -> Table:
        rows = tuple((str(n), str(DIRECTIONS[role]), _shown(n, data)) for n, (role, data) in enumerate(self.rows))
        return Table(("row", "direction", "bytes"), rows, f"the capture of {self.seed}", more=ASK)

    def __repr__(self) -> str:
        return repr(self._table)

    def _repr_html_(self) -> str:
        return self._table._repr_html_()


def _shown(number: int, data: bytes) -> str:
    if number < HEADS:
        lines = data.decode().splitlines()
        return "; ".join([lines[0], *(line for line in lines if line.startswith("Sec-WebSocket-Extensions"))])
    more = f" … ({len(data)} bytes)" if len(data) > SHOWN else ""
    return data[:SHOWN].hex(" ") + more


def capture_task(seed: int | str) -> CaptureTask:
    """The task of a seed: the same seed gives the same capture, so a name or a number for each student is a good one.

    >>> capture_task("Ada 1").rows == capture_task("Ada 1").rows
    True
    """
    source = random.Random(f"capture {seed}")
    fault = source.choice(FAULTS)
    deflate = source.random() < 0.5 if fault.deflate is None else fault.deflate
    rows, guilty = _converse(source, fault, deflate)
    return CaptureTask(str(seed), tuple(rows), Key(guilty, fault.field, fault.sections, fault.sentence))


def _converse(source: random.Random, fault: Fault, deflate: bool) -> tuple[list[Sent], int]:
    """The rows of a conversation, and the number of the one that breaks the rule."""
    kinds = [*ALWAYS, *(WITH_DEFLATE if deflate else ())]
    exchanges = [kind(source) for kind in source.sample(kinds, source.randint(4, 6))]
    wrong, place = fault.make(source)
    at = len(exchanges) if fault.is_last else source.randrange(len(exchanges) + 1)
    exchanges.insert(at, wrong)
    if not fault.is_last:
        exchanges.append(farewell(source))
    before = sum(map(len, exchanges[:at]))
    return [*_handshake(source, deflate), *itertools.chain(*exchanges)], HEADS + before + place


def _handshake(source: random.Random, deflate: bool) -> list[Sent]:
    extensions = DEFLATE if deflate else ""
    request = build_request("localhost", key=some_handshake_key(source), extensions=DEFLATE)
    response = build_response(request, extensions=extensions)
    return [(Role.CLIENT, request.serialize()), (Role.SERVER, response.serialize())]


def _asked(name: str, key: Key, _source: random.Random) -> Iterator[Case]:
    yield Case("your answer", judge=partial(_judge, name, key), given="the capture")


def _judge(name: str, key: Key, said: object) -> str:
    match said:
        case (int(row), str(field), str(section)):
            right = {
                "row": row == key.row,
                "field": field.strip().lower() == key.field.lower(),
                "section": plain_section(section) in map(plain_section, key.sections),
            }
            told = {"row": f"{row} is another one", "field": f"not {field!r}", "section": f"not {section!r}"}
            return "" if right[name] else f"The {name}: {told[name]}."
    return FORM
