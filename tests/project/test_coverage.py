"""Each module of bytes is covered, branches included, by its own test module alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

MODULES = [
    *sorted(
        f"{folder}/{path.stem}"
        for folder in ("protocol", "redaction")
        for path in (ROOT / "wslab" / folder).glob("*.py")
        if path.stem != "__init__"
    ),
    "dissector/conversation",
    "dissector/frames",
    "dissector/early_frames",
    "dissector/messages",
    "dissector/proxy_header",
]


def run(*command, **environment):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_test_module_cover_its_module_without_the_help_of_any_other(module, tmp_path):
    source, data = f"wslab/{module}.py", str(tmp_path / "coverage")
    # The properties are left out, as what they reach differs from run to run; most plugins, as they take long to load.
    folder, _, name = module.partition("/")
    options = [
        "-q",
        "-m",
        "not hypothesis and not slow",
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        f"tests/{folder}/test_{name}.py",
    ]
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_timeout,_hypothesis_pytestplugin"}

    command = ["coverage", "run", "--branch", f"--include={source}", "-m", "pytest", *options]
    tests = run(*command, COVERAGE_FILE=data, **plugins)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    report = run("coverage", "report", "--fail-under=100", f"--include={source}", COVERAGE_FILE=data)
    assert report.returncode == 0, report.stdout + report.stderr
