"""shown: whether somebody sees what this kernel shows, and how controls reach a notebook and are kept up to date.

Importing this module does not load ipywidgets; showing controls does.
"""

import contextvars
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipywidgets import Widget

JUPYTER = "JPY_SESSION_NAME"
COLAB = "COLAB_RELEASE_TAG"
HERE_IS_A_NOTEBOOK = (JUPYTER, "VSCODE_PID")  # set by programs that start a kernel for a reader


def is_seen() -> bool:
    """Return True if a notebook server started this kernel: without a reader, a widget would only be stored.

    Colab counts as none: nobody has tried the controls there.
    """
    return not is_colab() and (is_lite() or any(name in os.environ for name in HERE_IS_A_NOTEBOOK) or is_vs_code())


def is_colab(environment: Mapping[str, str] = os.environ) -> bool:
    """Return True if this is a machine of Google's Colab."""
    return COLAB in environment


def is_lite() -> bool:
    """Return True if this is JupyterLite: Python in the browser that shows the notebook."""
    return sys.platform == "emscripten"


def is_vs_code() -> bool:
    """Return True if VS Code runs this notebook: its Jupyter extension puts the name of the file into the kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "__vsc_ipynb_file__" in shell.user_ns


def bundle(box: "Widget", text: str, html: str) -> dict[str, object]:
    """What a cell shows, by media types: the controls in `box`, with a text and HTML for where they cannot be."""
    if JUPYTER in os.environ or is_lite():
        from wslab.display.place import Place

        return {"text/plain": text, "text/html": Place(box).html(html)}
    return {**(box._repr_mimebundle_() or {}), "text/plain": text, "text/html": html}


def thread_of_cell(act: Callable[..., None], *arguments: object, name: str) -> threading.Thread:
    """A thread that may change what the cell that is running shows.

    Jupyter keeps in the context which cell that is, and a thread has a context of its own, from which ipykernel 7.0
    sends nothing: it raises LookupError instead.
    """
    context = contextvars.copy_context()
    return threading.Thread(target=context.run, args=(act, *arguments), name=name, daemon=True)
