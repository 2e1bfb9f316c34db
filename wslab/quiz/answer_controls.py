"""answer_controls: the controls of the test of knowledge."""

from typing import Protocol as Interface

from ipywidgets import HTML, Button, Layout, RadioButtons, VBox

from wslab.display.html import announced, marked_up, scrolled
from wslab.quiz.items import ITEMS
from wslab.quiz.sitting import LETTERS, Sitting, shuffled


class Test(Interface):
    """What the controls need of the test that they belong to."""

    sitting: Sitting

    def answer(self, number: int, letter: str) -> None:
        """Answer a question with a letter."""

    def html_of_result(self) -> str:
        """Keep the result, and say what it is."""


class AnswerControls:
    """For each question its text and its answers, and below them a button that shows the result; `box` holds them."""

    def __init__(self, test: Test) -> None:
        self._test = test
        self.questions = [self._question(number) for number in range(1, len(ITEMS) + 1)]
        as_wide_as_its_words = Layout(width="auto", align_self="flex-start")
        self.show = Button(description="Show my result", button_style="primary", layout=as_wide_as_its_words)
        self.show.on_click(lambda _button: self._show_result())
        self.shown = HTML()
        rows = [control for question in self.questions for control in question]
        self.box = VBox([*rows, self.show, self.shown])

    def _question(self, number: int) -> tuple[HTML, RadioButtons]:
        item = ITEMS[number - 1]
        texts = [option.text.replace("`", "") for option in shuffled(item, self._test.sitting.occasion)]
        answers = RadioButtons(
            options=list(zip(texts, LETTERS, strict=True)),
            value=None,
            tooltip=f"The answers to question {number}",
            layout=Layout(width="auto"),
        )
        answers.observe(lambda change: self._test.answer(number, change["new"]), "value")
        return HTML(f'<p style="line-height:1.4"><b>{number}.</b> {marked_up(item.question)}</p>'), answers

    def _show_result(self) -> None:
        self.shown.value = announced(scrolled(self._test.html_of_result(), "Result"))
