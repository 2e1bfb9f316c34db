"""Scripts of learners in the tests' own Chromium: to start one for each would take long."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from wslab.exercises.judges import scripts


def share(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the check of a script open its page in a tab of `browser`, whether it was recorded or not."""

    @contextmanager
    def opened(_executable: str, address: str) -> Iterator[None]:
        with browser.new_page() as page:
            page.goto(address)
            yield

    monkeypatch.setattr(scripts, "_ran", {})
    monkeypatch.setattr(scripts, "find_recording", lambda _name: None)
    monkeypatch.setattr(scripts, "find_chromium", lambda: "the tests' own")
    monkeypatch.setattr(scripts, "open_without_window", opened)
