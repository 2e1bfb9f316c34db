"""axe-core, which finds what a page denies to readers who cannot see it or use no mouse."""

import os
from pathlib import Path

import pytest

MISSING_AXE = (
    "needs axe-core: `npm install axe-core` somewhere, and set WSLAB_NODE_MODULES to the node_modules that it makes"
)


def axe() -> str:
    for modules in filter(None, map(os.environ.get, ("WSLAB_NODE_MODULES", "NODE_PATH"))):
        if (script := Path(modules) / "axe-core/axe.min.js").is_file():
            return script.read_text(encoding="utf-8")
    pytest.skip(MISSING_AXE)
