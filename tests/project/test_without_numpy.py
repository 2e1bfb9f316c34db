"""numpy makes long masks faster, and nothing else: bytes, recordings and sockets do without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TALK = """
import sys, wslab
recording = wslab.Recording()
with wslab.EchoServer() as server, wslab.connect(server.url, recording=recording) as connection:
    connection.send("x" * 100_000)
    assert connection.receive() == "x" * 100_000
recording.save(sys.argv[1])
print(len(wslab.Recording.load(sys.argv[1]).chunks) > 4, "numpy" in sys.modules)
"""


@pytest.fixture
def without_numpy(tmp_path):
    """The environment of a Python that has no numpy."""
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy/__init__.py").write_text("raise ImportError('there is no numpy here')\n", encoding="utf-8")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}


def run(environment, *command, timeout=100):
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_a_server_and_a_client_talk_and_are_recorded(without_numpy, tmp_path):
    result = run(without_numpy, "-c", TALK, str(tmp_path / "talk.pcapng"))

    assert (result.returncode, result.stdout) == (0, "True False\n"), result.stdout + result.stderr


def test_the_doctor_is_at_hand(without_numpy):
    result = run(without_numpy, "-m", "wslab", "doctor")

    assert "Traceback" not in result.stderr
    assert "ok       echo" in result.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tests_of_bytes_pass(without_numpy):
    result = run(
        without_numpy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/protocol", "tests/dissector", timeout=580
    )

    assert result.returncode == 0, result.stdout
