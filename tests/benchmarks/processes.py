"""Processes: each server, client and codec has one of its own, with this wslab or with that of another checkout."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"
BEFORE = " before"  # ends the names of those that run the wslab of the other checkout


def with_before(names: list[str], against: Path | None) -> list[str]:
    """The names, and those of the same wslab in the other checkout, if there is one."""
    return names + [name + BEFORE for name in names if against and name.startswith("wslab")]


class Process:
    """`with Process(program, name, against):` runs a program of this folder that is told its name and arguments.

    If the name ends with BEFORE, it imports the wslab of the checkout `against`.
    """

    def __init__(self, program: str, name: str, against: Path | None, *arguments: object) -> None:
        self._command = [sys.executable, program, name.removesuffix(BEFORE), *map(str, arguments)]
        self._environment = os.environ | ({"PYTHONPATH": str(against)} if name.endswith(BEFORE) else {})

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()
