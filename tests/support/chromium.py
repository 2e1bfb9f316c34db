"""Chromium, driven by Playwright: where it is, and how it is started."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"]
MISSING_BROWSER = (
    "needs Chromium, Chrome or Edge: install one (on Debian and Ubuntu `apt install chromium`) "
    "and, where it is not on PATH, set WSLAB_CHROMIUM to its executable"
)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def find_browser() -> str:
    executable = os.environ.get("WSLAB_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(MISSING_BROWSER)
    return executable


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A Chromium without a window."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS) as browser,
    ):
        yield browser
