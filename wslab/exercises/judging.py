"""judging: a Codec in, what three judges say of it out, each of whom talks to its live server and its live client."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from wslab.browser.console import BrowserRun
from wslab.browser.frontend import find_frontend
from wslab.display.figures.figure import DescribedFigure
from wslab.display.figures.ladder import draw_ladder
from wslab.display.html import wrapped
from wslab.exercises.checks import isolation
from wslab.exercises.checks.exercise import Case
from wslab.exercises.judges import browser, library, raw_bytes
from wslab.exercises.judges.finding import Finding
from wslab.protocol.codec import Codec

LIMIT = 15.0  # seconds for a judge; each wait in it is shorter
Judge = Callable[[Codec], Finding]


@dataclass(frozen=True, repr=False)
class Verdict:
    """What the judges have found: a `Finding` of each, and the conversation of the first that is not satisfied."""

    findings: tuple[Finding, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether all judges that were there are satisfied; one that is missing is not counted."""
        asked = [it for it in self.findings if not it.missing]
        return bool(asked) and all(it.is_satisfied for it in asked)

    @property
    def satisfied(self) -> tuple[str, ...]:
        """The names of the judges that are satisfied."""
        return tuple(it.judge for it in self.findings if it.is_satisfied)

    @property
    def broken(self) -> str:
        """Where the conversation with the first judge that is not satisfied broke; empty if all are."""
        return next((it.broken for it in self.findings if it.broken), "")

    @property
    def ladder(self) -> DescribedFigure | None:
        """The conversation in which it broke, if one did and anything passed."""
        found = next((it for it in self.findings if it.broken and it.said), None)
        return draw_ladder(found.recording, times=False) if found else None

    def _lines(self) -> list[str]:
        if self.problem:
            return [self.problem]
        asked = sum(not it.missing for it in self.findings)
        return [f"{len(self.satisfied)} of {asked} judges are satisfied", *(f"  {it}" for it in self.findings)]

    def __str__(self) -> str:
        ladder = self.ladder
        return "\n".join([*self._lines(), *([] if ladder is None else ["", ladder.text])])

    __repr__ = __str__

    def _ipython_display_(self) -> None:
        from IPython.display import display

        lines = "\n".join(self._lines())
        display({"text/plain": lines, "text/html": wrapped(lines)}, raw=True)  # type: ignore[no-untyped-call]
        if (ladder := self.ladder) is not None:
            ladder._ipython_display_()


def judge(codec: Any) -> Verdict:
    """Let three judges talk to a live server and a live client with the parts of `codec`, and say what they have found.

    They are raw bytes, the library websockets, and a browser: your own where this notebook is open in one, else what
    was recorded of Chromium. It neither prints nor raises, and ends within a minute, whatever the parts do.
    """
    if not isinstance(codec, Codec):
        return Verdict((), f"judge takes a wslab.Codec with your parts in it, not {type(codec).__name__}.")
    silent = logging.NullHandler()
    logging.getLogger("wslab").addHandler(silent)
    try:
        return Verdict(tuple(_findings(codec)))
    finally:
        logging.getLogger("wslab").removeHandler(silent)


def _findings(codec: Codec) -> list[Finding]:
    found = [_judge_apart(raw_bytes.NAME, raw_bytes.judge, codec), _judge_apart(library.NAME, library.judge, codec)]
    live = None
    if find_frontend() is not None and all(it.is_satisfied or it.missing for it in found):
        live = browser.judge_live(codec, _show)
    return [*found, live or _judge_apart(browser.NAME, browser.judge_by_recording, codec)]


def _judge_apart(name: str, judge: Judge, codec: Codec) -> Finding:
    """Have it judged where the parts can do no harm: in a process of its own, if there can be one."""
    case = Case(name, play=partial(_as_data, judge))
    player: Any = codec  # what a case is played with
    outcome = isolation.play(player, [case], frozenset(), LIMIT)[0]
    if outcome.ended:
        return Finding(name, f"a part {outcome.ended}, and with it the conversation")
    if outcome.raised:
        return Finding(name, f"the conversation could not be held: {outcome.raised}")
    return Finding.from_data(outcome.value)


def _as_data(judge: Judge, codec: Codec) -> Any:
    return judge(codec).to_data()


def _show(run: BrowserRun) -> None:
    from IPython.display import display

    display(run)  # type: ignore[no-untyped-call]
