"""replacing: a file that is written beside the one that it replaces, so that there is always a whole one."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing, which takes the place of `path` at the end of the `with` block, unless that raises.

    What is no ordinary file, such as a named pipe, is written directly. Raises OSError.
    """
    path = path.resolve()  # a link stays a link
    is_there = path.exists()
    if is_there and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    beside = path.with_name(f".wslab-{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            if is_there:
                shutil.copymode(path, beside)
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
