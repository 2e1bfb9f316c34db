"""shown: whether somebody sees what this kernel shows, and in what form controls reach a notebook.

Importing this module does not load ipywidgets; showing controls does.
"""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipywidgets import Widget

JUPYTER = "JPY_SESSION_NAME"
HERE_IS_A_NOTEBOOK = (JUPYTER, "VSCODE_PID")  # set by programs that start a kernel for a reader


def is_seen() -> bool:
    """Return True if a notebook server started this kernel: without a reader, a widget would only be stored."""
    return any(name in os.environ for name in HERE_IS_A_NOTEBOOK) or is_vs_code()


def is_vs_code() -> bool:
    """Return True if VS Code runs this notebook: its Jupyter extension puts the name of the file into the kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "__vsc_ipynb_file__" in shell.user_ns


def bundle(box: "Widget", text: str, html: str) -> dict[str, object]:
    """What a cell shows, by media types: the controls in `box`, with a text and HTML for where they cannot be."""
    if JUPYTER in os.environ:
        from wslab.display.place import Place

        return {"text/plain": text, "text/html": Place(box).html(html)}
    return {**(box._repr_mimebundle_() or {}), "text/plain": text, "text/html": html}
