"""report: what a check has found, as text and as HTML that says the same."""

from dataclasses import dataclass
from html import escape

from wslab.display.html import TINT, paragraph
from wslab.exercises.checks.diagnosis import Fault

RFC = {
    "RFC 6455": "rfc6455",
    "RFC 7692": "rfc7692",
    "RFC 6454": "rfc6454",
    "RFC 9112": "rfc9112",
    "RFC 9293": "rfc9293",
}
CELL = "text-align:left;vertical-align:top;padding:1px 8px"


@dataclass(frozen=True)
class Result:
    """What became of one aspect: its points, and the first fault; `skipped` says why it was not tried."""

    name: str
    points: int
    max_points: int
    section: str
    tried: int = 0
    fault: Fault | None = None
    skipped: str = ""

    @property
    def word(self) -> str:
        """In one word."""
        return "skipped" if self.skipped else "failed" if self.fault else "passed"

    def lines(self) -> list[str]:
        """What happened, a line for each thing that is to be known."""
        if self.skipped:
            return [self.skipped]
        fault = self.fault
        if fault is None:
            return []
        told = {
            "tried": fault.situation,
            "given": fault.given,
            "came": fault.came,
            "expected": fault.expected,
            "meaning": fault.meaning,
            "rule": link_to(self.section),
        }
        return [f"{name + ':':10}{text}" for name, text in told.items() if text]


def link_to(section: str) -> str:
    """`RFC 6455 §5.2` with its address."""
    document, _, number = section.partition(" §")
    number = number.partition(" ")[0].rstrip(",")
    anchor = f"#section-{number}" if number else ""
    address = RFC.get(document)
    return f"{section}, https://www.rfc-editor.org/rfc/{address}{anchor}" if address else section


def hints_help(name: str) -> str:
    """A sentence that says how to get a hint to the exercise."""
    return f'wslab.exercises.hint("{name}") helps.'


@dataclass(frozen=True, repr=False)
class Report:
    """What a check has found: `passed`, `points` of `max_points`, and as text what was tried and what went wrong.

    `problem` says why nothing could be tried; `seed` is None where nothing is drawn; `attempted` is False for a stub.
    """

    name: str
    results: tuple[Result, ...] = ()
    seed: int | None = 0
    problem: str = ""
    attempted: bool = True
    notes: tuple[str, ...] = ()
    max_points: int = 0
    has_hints: bool = True

    @property
    def points(self) -> int:
        """The points of the aspects that hold."""
        return sum(result.points for result in self.results)

    @property
    def passed(self) -> bool:
        """Whether all aspects hold."""
        return self.max_points > 0 and self.points == self.max_points

    @property
    def _title(self) -> str:
        end = ": all aspects hold" if self.passed else ""
        return f"{self.name}: {self.points} of {self.max_points} points{end}"

    @property
    def _after(self) -> list[str]:
        after = [*([self.problem] if self.problem else []), *self.notes]
        if self.results and self.seed is None:
            after += [hints_help(self.name)] if self.has_hints and not self.passed else []
        elif self.results and not self.passed:
            again = f"wslab.exercises.check({self.name}, seed={self.seed})"
            after.append(f"{again} draws the same inputs again; {hints_help(self.name)}")
        elif self.results:
            after.append(f"The inputs were drawn with seed {self.seed}.")
        return after

    def __str__(self) -> str:
        lines = [self._title]
        for result in self.results:
            lines.append(f"  {result.word:8}{result.points}/{result.max_points}  {result.name}")
            lines += [f"      {line}" for line in result.lines()]
        return "\n".join([*lines, *self._after])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [_row(result) for result in self.results]
        heading = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in ("aspect", "points", "result"))
        table = f"<thead><tr>{heading}</tr></thead><tbody>{''.join(rows)}</tbody>"
        caption = f'<caption style="text-align:left"><b>{escape(self._title)}</b></caption>'
        after = "".join(paragraph(line) for line in self._after)
        return f'<table style="border-collapse:collapse">{caption}{table if rows else ""}</table>{after}'


def _row(result: Result) -> str:
    told = "<br>".join(escape(line) for line in result.lines())
    what = f"<b>{result.word}</b>" + (f"<br>{told}" if told else "")
    cells = [escape(result.name), f"{result.points} of {result.max_points}", what]
    style = "" if result.word == "passed" else f' style="background-color:{TINT}"'
    return f"<tr{style}>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells) + "</tr>"
