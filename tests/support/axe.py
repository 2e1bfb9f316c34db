"""axe-core, which finds what a page denies to readers who cannot see it or use no mouse."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator

MISSING_AXE = (
    "needs axe-core: `npm install axe-core` somewhere, and set WSLAB_NODE_MODULES to the node_modules that it makes"
)
VIOLATIONS = """(element) => axe.run(element).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))"""


def violations(element: Locator) -> list[str]:
    """The rule and the place of each violation inside the element; `page.locator("html")` is the whole page."""
    element.page.evaluate(_axe())
    return element.evaluate(VIOLATIONS)


def _axe() -> str:
    for modules in filter(None, map(os.environ.get, ("WSLAB_NODE_MODULES", "NODE_PATH"))):
        if (script := Path(modules) / "axe-core/axe.min.js").is_file():
            return script.read_text(encoding="utf-8")
    pytest.skip(MISSING_AXE)
