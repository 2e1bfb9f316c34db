"""short_tracebacks: in a notebook, an error shows the cell, where it was raised and what to do, and nothing else."""

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from wslab.display.advice import advice

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
HIDDEN = "__tracebackhide__"  # IPython counts frames with a variable of this name, and shows the last one even so


def shorten_tracebacks() -> None:
    """Let IPython hide the frames of this package, if this is IPython and nothing else handles its errors.

    `%xmode` and `%debug` work as before; `%tb` shows the last traceback again.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((BaseException,), _show)


def _show(
    shell: "InteractiveShell",
    kind: type[BaseException],
    error: BaseException,
    tb: TracebackType,
    tb_offset: int | None = None,
) -> None:
    if (told := advice(error)) and told not in getattr(error, "__notes__", []):
        error.add_note(told)
    for shown in _chain(error):
        for frame, _ in traceback.walk_tb(shown.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGE):
                frame.f_locals[HIDDEN] = True
    shell.showtraceback((kind, error, tb), tb_offset=tb_offset)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those of which it is said that they led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
