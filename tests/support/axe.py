"""axe-core, which finds what a page denies to readers who cannot see it or use no mouse."""

import itertools
import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

MISSING_AXE = (
    "needs axe-core: `npm install axe-core` somewhere, and set WSLAB_NODE_MODULES to the node_modules that it makes"
)
VIOLATIONS = """(element, options) => axe.run(element, options).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))"""


def violations(element: Locator, **options: object) -> list[str]:
    """The rule and the place of each violation inside the element; `options` are those of `axe.run`."""
    if not element.page.evaluate("'axe' in window"):
        element.page.evaluate(axe_script())
    return element.evaluate(VIOLATIONS, {"resultTypes": ["violations"], **options})


def assert_good_in_every_look(page: Page) -> None:
    """That axe-core finds nothing in the page, light or dark, wide or narrow, and that nothing is wider than it is."""
    for scheme, width in itertools.product(("light", "dark"), (1280, 360)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page.locator("html")) == [], f"{scheme}, {width} pixels wide"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def axe_script() -> str:
    """What axe-core is."""
    for modules in filter(None, map(os.environ.get, ("WSLAB_NODE_MODULES", "NODE_PATH"))):
        if (script := Path(modules) / "axe-core/axe.min.js").is_file():
            return script.read_text(encoding="utf-8")
    pytest.skip(MISSING_AXE)
