"""class, run as a teacher runs it: its addresses, its warning, what it saves, and what it says when it cannot start."""

import contextlib
import json
import re
import signal
import subprocess
import sys

import pytest
from support.command_line import DEADLINE, is_one_sentence, needs_signals, wslab
from support.waiting import wait_until

from wslab import connect
from wslab.classroom.room import Room
from wslab.cli.class_saver import ClassSaver
from wslab.cli.errors import CommandError
from wslab.cli.main import main


@contextlib.contextmanager
def started(*arguments):
    """A running `python -m wslab class`, and its first lines, up to the last one that it says at the beginning."""
    command = [sys.executable, "-m", "wslab", "class", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            while not (lines and lines[-1].startswith("For you alone")):
                lines.append(process.stdout.readline())
                assert lines[-1], process.stderr.read()
            yield process, lines
        finally:
            process.kill()


def address_in(line):
    return re.search(r"http(://\S+?/)", line)[1]


def test_it_tells_both_addresses_and_that_others_cannot_join():
    with started() as (process, [students, teacher]):
        assert re.fullmatch(r"Students join at http://127\.0\.0\.1:\d+/\n", students)
        assert re.fullmatch(r"For you alone    http://127\.0\.0\.1:\d+/#teacher=[\w-]{16}\n", teacher)
        assert process.stdout.readline() == "Only this computer can join; --host 0.0.0.0 lets others in.\n"
        with connect("ws" + address_in(students)) as ada:
            ada.send("Hello")


def test_on_all_interfaces_it_warns_and_lists_addresses():
    with started("--host", "0.0.0.0") as (process, lines):
        assert re.fullmatch(r"Students join at http://[\d.]+:\d+/\n", lines[0])
        assert "0.0.0.0" not in lines[0] or len(lines) == 2
        assert "everybody in this network can join" in process.stderr.readline()


@needs_signals
def test_ctrl_c_ends_it_and_saves(tmp_path):
    path = tmp_path / "class.json"
    with started("--save", str(path)) as (process, lines):
        with connect(f"ws{address_in(lines[0])}?name=Ada", subprotocols=["class.wslab"]) as connection:
            connection.receive()
            process.send_signal(signal.SIGINT)
            assert [json.loads(event)["kind"] for event in connection] == ["joined"]
        output, errors = process.communicate(timeout=DEADLINE)
    assert connection.close_reason == "the class is over"
    assert (process.returncode, errors) == (0, "")
    assert output.endswith(f"Saved to {path}\n")
    assert [student["name"] for student in json.loads(path.read_text(encoding="utf-8"))["students"]] == ["Ada"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--save", "class.txt"], "its name must end in .json"),
        (["--save", "no-such-folder/class.json"], "there is no folder no-such-folder"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, sentence):
    result = wslab("class", *arguments)
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)
    assert sentence in result.stderr


def test_without_segno_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "segno", None)
    assert main(["class"]) == 1
    said = capsys.readouterr().err
    assert said == "wslab class: drawing the QR code of the address needs segno; run: pip install segno\n"


def test_a_class_is_saved_meanwhile_only_if_something_has_happened(tmp_path):
    room, path = Room(), tmp_path / "class.json"
    saver = ClassSaver(room, path)
    saver.save_if_changed()
    assert not path.exists()
    room.join("Ada", "", "192.0.2.1", Nowhere(), has_page=True)
    saver.save_if_changed()
    saved = path.stat().st_mtime_ns
    assert len(json.loads(path.read_text(encoding="utf-8"))["students"]) == 1
    saver.save_if_changed()
    assert path.stat().st_mtime_ns == saved


def test_it_is_saved_by_itself_while_the_class_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("wslab.cli.class_saver.INTERVAL", 0.01)
    room, path = Room(), tmp_path / "class.json"
    room.join("Ada", "", "192.0.2.1", Nowhere(), has_page=True)
    with ClassSaver(room, path):
        wait_until(path.exists)


def test_a_file_that_cannot_be_written_is_told_and_tried_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("wslab.cli.class_saver.INTERVAL", 0.01)
    room, path = Room(), tmp_path / "gone" / "class.json"
    room.join("Ada", "", "192.0.2.1", Nowhere(), has_page=True)
    saver = ClassSaver(room, path)
    saver.__enter__()
    wait_until(lambda: "wslab class: cannot save to" in capsys.readouterr().err)
    with pytest.raises(CommandError, match="cannot save to"):
        saver.__exit__(None, None, None)


class Nowhere:
    def put(self, message):
        pass
