"""knowledge_test: fourteen questions before and after the course, and which lesson to read again."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from wslab.display.html import marked_up, paragraph
from wslab.display.table import Table
from wslab.display.widgets.widget import NotebookWidget
from wslab.quiz.items import DO_NOT_KNOW, ITEMS
from wslab.quiz.sitting import LETTERS, Kept, Sitting, load, save, shuffled

if TYPE_CHECKING:
    from wslab.quiz.answer_controls import AnswerControls

OCCASIONS = ("before", "after")


class KnowledgeTest(NotebookWidget["AnswerControls"]):
    """The questions, to be answered with the mouse, the keyboard or `answer`; `result` says what each answer means.

    Where nobody can answer (on GitHub, in a test) it is the text of the questions, each with its answer below a fold.
    """

    def __init__(self, occasion: str, path: Path) -> None:
        super().__init__()
        self.sitting = Sitting(occasion)
        self._path = path

    def _make_controls(self) -> "AnswerControls":
        from wslab.quiz.answer_controls import AnswerControls

        return AnswerControls(self)

    def answer(self, number: int, letter: str) -> None:
        """Answer question `number` with a letter, "a" to "e". Raises ValueError for what is not there."""
        self.sitting.answer(number, letter)

    @property
    def result(self) -> Table:
        """The score by concept: what each answer says about what you think, and the lesson that treats it."""
        rows, faulty = [], set()
        for number, item in enumerate(ITEMS, 1):
            given = self.sitting.answers.get(number, DO_NOT_KNOW)
            if given in item.wrong:
                faulty.add(number - 1)
            rows.append((item.concept, "right" if given is item.right else given.text, given.why, item.lesson))
        caption = f"{self.sitting.score} of {len(ITEMS)} are right"
        heading = ("concept", "your answer", "what it says", "lesson")
        return Table(heading, tuple(rows), caption, frozenset(faulty), more=self._progress)

    @property
    def _progress(self) -> str:
        """What an earlier test of this person says, if it was before the course and this one is after it."""
        earlier: list[Kept] = []
        if self.sitting.occasion != OCCASIONS[0]:
            with contextlib.suppress(OSError, ValueError):  # `save` says what is wrong with the file
                earlier = [one for one in load(self._path) if one["occasion"] == OCCASIONS[0]]
        return f"Before the course {sum(earlier[-1]['right'].values())} were right." if earlier else ""

    def save(self) -> None:
        """Keep the result in a file of this computer. Raises OSError, and ValueError for a file of something else."""
        save(self.sitting, self._path)

    def __repr__(self) -> str:
        lines = []
        for number, item in enumerate(ITEMS, 1):
            lines.append(f"{number}. {item.question}")
            options = shuffled(item, self.sitting.occasion)
            lines += [f"   {letter}) {option.text}" for letter, option in zip(LETTERS, options, strict=True)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "\n".join(self._html_of_item(number) for number in range(1, len(ITEMS) + 1))
        return f"<div>\n{items}\n</div>"

    def _html_of_item(self, number: int) -> str:
        item = ITEMS[number - 1]
        options = shuffled(item, self.sitting.occasion)
        right = {item.right: "Right. "}
        return (
            f"<p><b>{number}.</b> {marked_up(item.question)}</p>\n{_lettered([option.text for option in options])}\n"
            "<details><summary>What each answer says</summary>"
            f"{_lettered([right.get(option, '') + option.why for option in options])}"
            f'<p>Lesson: <a href="{item.lesson}.ipynb">{item.lesson}</a></p></details>'
        )

    def html_of_result(self) -> str:
        """The score and what each answer says, as HTML; also when the result could not be kept."""
        try:
            self.save()
            kept = "The result is kept in a file of this computer, and nowhere else."
        except (OSError, ValueError) as error:
            kept = f"The result could not be kept: {error}"
        return self.result._repr_html_() + paragraph(kept)


def _lettered(texts: list[str]) -> str:
    rows = (f"<li>{letter}) {marked_up(text)}</li>" for letter, text in zip(LETTERS, texts, strict=True))
    return f'<ul style="list-style:none">{"".join(rows)}</ul>'


def path_of_results() -> Path:
    """Where the results are kept: in the folder of Jupyter's data, which stays on this computer."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "wslab" / "knowledge.json"


def knowledge_test(occasion: str) -> KnowledgeTest:
    """The test of knowledge, "before" or "after" the course: 14 questions, each about one misconception.

    It is a widget where a reader can answer, and text everywhere else. Its result says for each concept what the answer
    means and which lesson treats it, and is kept in a file of this computer. Raises ValueError for another occasion.
    """
    if occasion not in OCCASIONS:
        raise ValueError(f"the occasion is {' or '.join(map(repr, OCCASIONS))}, and not {occasion!r}")
    return KnowledgeTest(occasion, path_of_results())
