"""Chromium, driven by Playwright: where it is, and how it is started."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from wslab.browser.headless import find_chromium

MISSING_BROWSER = (
    "needs Chromium, Chrome or Edge: install one (on Debian and Ubuntu `apt install chromium`) "
    "and, where it is not on PATH, set WSLAB_CHROMIUM to its executable"
)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def find_browser() -> str:
    executable = find_chromium()
    if executable is None:
        pytest.skip(MISSING_BROWSER)
    return executable


@contextmanager
def running_chromium(*options: str) -> Iterator[Browser]:
    """A Chromium without a window, with more `options` of its command line."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_browser(), args=[*OPTIONS, *options]) as browser,
    ):
        yield browser


@contextmanager
def open_browser(playwright: Playwright, folder: Path, *, third_party_cookies: bool) -> Iterator[BrowserContext]:
    """A browser that sends third-party cookies or does not, whatever those who built it prefer."""
    settings = folder / "Default/Preferences"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"profile": {"cookie_controls_mode": 0 if third_party_cookies else 1}}))
    context = playwright.chromium.launch_persistent_context(folder, executable_path=find_browser(), args=OPTIONS)
    yield context
    context.close()
