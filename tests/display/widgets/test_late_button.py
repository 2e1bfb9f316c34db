"""A press in a browser counts when the browser has sent what was changed before; a press by a program, at once."""

import pytest

from wslab.display.widgets.late_button import Echo, LateButton

CLICK = {"event": "click"}


@pytest.fixture
def sent(monkeypatch):
    """What is sent to the browser."""
    messages = []
    monkeypatch.setattr(Echo, "send", lambda echo, content: messages.append((echo, content)))
    return messages


@pytest.fixture
def button():
    button = LateButton(description="Send")
    button.presses = 0

    def count(pressed):
        pressed.presses += 1

    button.on_click(count)
    return button


def arrive(widget, content):
    """Hand the widget a message of the browser."""
    widget._handle_custom_msg(content, [])


def test_a_press_waits_for_its_echo(button, sent):
    button._echo.is_there = True
    arrive(button, CLICK)
    assert button.presses == 0
    [(echo, content)] = sent
    arrive(echo, content)
    assert button.presses == 1


def test_of_the_echoes_of_two_pages_one_counts_and_none_that_was_not_asked_for(button, sent):
    button._echo.is_there = True
    arrive(button._echo, {"number": 0})
    arrive(button._echo, {})
    assert button.presses == 0
    for presses in (1, 2):
        arrive(button, CLICK)
        for _ in range(2):
            arrive(*sent[-1])
        assert button.presses == presses


def test_without_a_browser_that_echoes_a_press_counts_at_once(button, sent):
    arrive(button, CLICK)
    button.click()
    assert (button.presses, sent) == (2, [])
