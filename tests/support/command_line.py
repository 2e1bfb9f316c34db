"""The command line, run as a user runs it: `python -m wslab` as a process."""

import os
import signal
import subprocess
import sys

import pytest

try:
    import termios
except ImportError:
    termios = None

DEADLINE = 30  # seconds
# What ends a program from outside.
ENDS = [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
needs_terminals = pytest.mark.skipif(termios is None, reason="needs pseudo-terminals, as Unix has them")
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")


def wslab(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wslab", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("wslab ") and "Traceback" not in text
