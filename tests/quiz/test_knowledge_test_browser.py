"""The test of knowledge in a real JupyterLab, by keyboard alone, and as axe-core judges it."""

import pytest
from playwright.sync_api import expect
from support.axe import violations
from support.jupyterlab import run_notebook, write_notebook

pytestmark = pytest.mark.timeout(300)

ANSWERS = 5  # to each question


@pytest.fixture
def questions(browser, lab):
    """The output of a cell that asks all questions."""
    write_notebook(lab, "test-of-knowledge.ipynb", "import wslab\nwslab.knowledge_test('before')")
    page = run_notebook(browser, lab, "test-of-knowledge.ipynb")
    yield page.locator("wslab-place")
    page.close()


def test_arrows_stay_in_a_question_and_tab_leads_to_the_next(questions):
    answers, keyboard = questions.get_by_role("radio"), questions.page.keyboard
    answers.first.focus()
    for _ in range(ANSWERS):
        keyboard.press("ArrowDown")
    expect(answers.first).to_be_checked()
    expect(answers.first).to_be_focused()

    keyboard.press("Tab")
    expect(answers.nth(ANSWERS)).to_be_focused()
    keyboard.press("Space")
    expect(questions.get_by_role("radio", checked=True)).to_have_count(2)
    assert violations(questions) == []
