"""judge --watch goes on while its file is edited, whatever stands in it in between."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from support.command_line import DEADLINE, is_one_sentence, needs_signals, wslab

from wslab.exercises.progress import source_of

HASH = source_of("accept_key")


@contextlib.contextmanager
def watching(file):
    """The command as a process, and the lines that it prints as they come."""
    command = [sys.executable, "-u", "-m", "wslab", "judge", str(file), "--watch"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process, words):
    """Read what it prints until this comes; the test's own time limit ends the wait."""
    for line in process.stdout:
        if words in line:
            return
    pytest.fail(f"it ended before {words!r} came: {process.stderr.read()}")


@needs_signals
def test_it_judges_the_file_anew_whenever_it_has_changed(tmp_path):
    file, saved = tmp_path / "my_websocket.py", tmp_path / "saved.py"
    file.write_text("def accept_key(key): ...\n", encoding="utf-8")
    with watching(file) as process:
        wait_for(process, "accept_key        0 of 3 points")

        file.write_text(HASH[: HASH.index("return")] + "return (", encoding="utf-8")  # half-written
        wait_for(process, "the file cannot be loaded: SyntaxError")

        file.write_text(HASH.replace("258EAFA5", "258EAFA6"), encoding="utf-8")
        wait_for(process, "accept_key        0 of 3 points")

        saved.write_text(HASH, encoding="utf-8")  # an editor may save into another file, which takes the place of this
        file.unlink()
        saved.replace(file)
        wait_for(process, "accept_key        3 of 3 points")

        wait_for(process, "not tried while parts are missing")  # its last line
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, output, errors) == (130, "", "")


@pytest.mark.parametrize("options", [(), ("--watch",)])
def test_a_file_that_was_never_there_is_told(tmp_path, options):
    result = wslab("judge", str(tmp_path / "my_websocket.py"), *options)

    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
