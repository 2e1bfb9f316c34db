"""What pip has installed: a script, and a package that is found wherever Python is started."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("wslab.exe" if sys.platform == "win32" else "wslab")


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_beside_a_folder_named_wslab_the_package_is_found_and_not_the_folder(tmp_path):
    (tmp_path / "wslab").mkdir()  # such as a clone of that name
    result = run(sys.executable, "-c", "import wslab; wslab.EchoServer", folder=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("command", "name"),
    [([SCRIPT], "wslab"), ([sys.executable, "-m", "wslab"], "python -m wslab")],
    ids=["script", "-m"],
)
def test_the_commands_have_a_script_and_each_way_is_called_by_its_name(command, name, tmp_path):
    assert run(*command, "--version", folder=tmp_path).stdout == f"wslab {version('wslab')}\n"
    assert run(*command, "--help", folder=tmp_path).stdout.startswith(f"usage: {name} [-h] [--version] COMMAND")
