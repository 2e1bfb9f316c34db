"""box_heights: a script in JupyterLab, which makes the boxes of consoles as high as the pages in them.

Importing this module loads anywidget.
"""

from functools import cache
from pathlib import Path

from anywidget import AnyWidget


class BoxHeights(AnyWidget):
    """No cell shows it: it lives in the page of JupyterLab as long as the kernel, and hears what height a box needs."""

    _esm = Path(__file__).with_name("box_heights.js")


@cache
def follow_heights() -> BoxHeights:
    """Return the one of this kernel."""
    return BoxHeights()
