"""The switch of conftest.py that forbids skipping, tried on a small test suite of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SUITE = {
    "test_skips_itself.py": "import pytest\ndef test_it(): pytest.skip('no browser')",
    "test_needs_page.py": "import pytest\n@pytest.fixture\ndef page(): pytest.skip('no browser')\ndef test_it(page): 0",
    "test_is_marked.py": "import pytest\n@pytest.mark.skip('no browser')\ndef test_it(): pass",
    "test_module_skips.py": "import pytest\npytest.skip('no browser', allow_module_level=True)",
    "test_expected_failure.py": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False",
}


def run_suite(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).parents[1].joinpath("conftest.py"), folder)
    for name, source in SUITE.items():
        (folder / name).write_text(source, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name not in {"WSLAB_NO_SKIP", "PYTEST_ADDOPTS"}}
    command = [sys.executable, "-m", "pytest", "--continue-on-collection-errors", "--rootdir", str(folder), str(folder)]
    return subprocess.run(
        command, cwd=folder, env=inherited | environment, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_user_without_a_browser_sees_skipped_tests(tmp_path):
    result = run_suite(tmp_path)

    assert "4 skipped, 1 xfailed" in result.stdout.splitlines()[-1]
    assert result.returncode == 0


def test_where_nothing_may_skip_every_skip_fails_and_an_expected_failure_does_not(tmp_path):
    result = run_suite(tmp_path, WSLAB_NO_SKIP="1")

    assert "1 failed, 1 xfailed, 3 errors" in result.stdout.splitlines()[-1]
    assert result.stdout.count("no browser (WSLAB_NO_SKIP is set, so a skipped test is a failed one)") >= len(SUITE) - 1
    assert result.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_what_a_suite_in_the_background_or_under_nohup_starts_is_not_deaf_to_signals(tmp_path):
    (tmp_path / "test_signal.py").write_text(
        "import signal\ndef test_it():\n"
        "    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL"
    )
    shutil.copy(Path(__file__).parents[1].joinpath("conftest.py"), tmp_path)
    script = f'trap "" INT HUP; exec "{sys.executable}" -m pytest --rootdir "{tmp_path}" "{tmp_path}"'

    result = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )

    assert "1 passed" in result.stdout.splitlines()[-1], result.stdout
