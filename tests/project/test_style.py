"""The style of wslab: clean under ruff and mypy."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        pytest.param(("mypy", "--strict", "wslab"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_the_code_is_clean_under(command):
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
