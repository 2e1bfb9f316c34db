"""lessons: a working copy without outputs, which later copies add to and never overwrite."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import is_one_sentence, wslab

from wslab.cli.errors import CommandError
from wslab.cli.lessons import RECORD, SOURCE, Fate, _wait_for, copy_lessons, open_lab, without_outputs

CELL = {"cell_type": "code", "execution_count": 3, "id": "a", "metadata": {}, "outputs": [{"name": "x"}], "source": "1"}
NOTEBOOK = {"cells": [CELL], "metadata": {"widgets": {}}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def source(tmp_path):
    """Two lessons, a recording, a picture, a solution, and what a run has left there."""
    folder = tmp_path / "notebooks"
    for name in ("00-start.ipynb", "01-next.ipynb", "exercises/01-next.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(NOTEBOOK))
    for name in (
        "rules.csv",
        "recordings/a.pcapng",
        "pictures/a.png",
        "solutions/01-next.ipynb",
        ".ipynb_checkpoints/00-start.ipynb",
        "chopped.pcapng",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"bytes")
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_lessons_are_copied_without_outputs_and_with_what_they_need(source, tmp_path):
    copy_lessons(source, tmp_path / "mine")
    assert files(tmp_path / "mine") - {RECORD, ".gitignore"} == {
        "00-start.ipynb",
        "01-next.ipynb",
        "exercises/01-next.ipynb",
        "rules.csv",
        "recordings/a.pcapng",
        "pictures/a.png",
    }
    copied = json.loads((tmp_path / "mine/00-start.ipynb").read_text())
    assert copied["cells"] == [CELL | {"execution_count": None, "outputs": []}]
    assert copied["metadata"] == {}


def test_what_the_learner_has_changed_wins_and_everything_else_follows(source, tmp_path):
    mine = tmp_path / "mine"
    copy_lessons(source, mine)
    (mine / "00-start.ipynb").write_text("my own work")
    for name in "00-start.ipynb", "01-next.ipynb":
        (source / name).write_text(json.dumps(NOTEBOOK | {"metadata": {"kernelspec": {}}}))
    (source / "02-new.ipynb").write_text(json.dumps(NOTEBOOK))
    (mine / "pictures/a.png").unlink()

    fates = copy_lessons(source, mine)
    assert (mine / "00-start.ipynb").read_text() == "my own work"
    assert json.loads((mine / "01-next.ipynb").read_text())["metadata"] == {"kernelspec": {}}
    assert fates == {
        "00-start.ipynb": Fate.KEPT,
        "01-next.ipynb": Fate.UPDATED,
        "02-new.ipynb": Fate.NEW,
        "exercises/01-next.ipynb": Fate.SAME,
        "pictures/a.png": Fate.NEW,
        "recordings/a.pcapng": Fate.SAME,
        "rules.csv": Fate.SAME,
    }
    assert copy_lessons(source, mine)["00-start.ipynb"] is Fate.KEPT


def test_a_file_that_was_there_before_the_first_copy_is_kept(source, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "00-start.ipynb").write_text("something else")
    (mine / RECORD).write_text("no JSON")
    assert copy_lessons(source, mine)["00-start.ipynb"] is Fate.KEPT
    assert (mine / "00-start.ipynb").read_text() == "something else"


def test_a_lesson_that_has_run_is_kept_as_the_learner_has_it(source, tmp_path):
    mine = tmp_path / "mine"
    copy_lessons(source, mine)
    has_run = json.dumps(NOTEBOOK)
    (mine / "00-start.ipynb").write_text(has_run)
    assert copy_lessons(source, mine)["00-start.ipynb"] is Fate.YOURS
    assert (mine / "00-start.ipynb").read_text() == has_run


def test_inside_a_repository_git_takes_no_notice_of_it(source, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    copy_lessons(source, tmp_path / "mine")
    status = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "--", "mine"], capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_a_notebook_loses_nothing_but_its_outputs():
    path = min(SOURCE.glob("*.ipynb"))
    before, after = json.loads(path.read_bytes()), json.loads(without_outputs(path.read_bytes()))
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in before["cells"]]
    assert all(cell.get("outputs", []) == [] for cell in after["cells"])


def test_the_command_says_what_it_has_done(tmp_path):
    first = wslab("lessons", str(tmp_path / "mine"))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"{tmp_path / 'mine'}: ")
    assert first.stdout.endswith(" new\n")
    (tmp_path / "mine/00-start-here.ipynb").write_text("{}")
    second = wslab("lessons", str(tmp_path / "mine"))
    assert second.stdout.endswith(" up to date, 1 with your own changes\n")
    record = json.loads((tmp_path / "mine" / RECORD).read_text())
    (tmp_path / "mine" / RECORD).write_text(json.dumps(record | {"00-start-here.ipynb": "of an earlier lesson"}))
    third = wslab("lessons", str(tmp_path / "mine"))
    assert " newer here, but kept as you have changed them\n  kept 00-start-here.ipynb: " in third.stdout


@pytest.mark.parametrize("folder", [SOURCE, SOURCE / "mine"])
def test_the_folder_of_the_lessons_is_no_place_for_a_copy(folder):
    result = wslab("lessons", str(folder))
    assert result.returncode == 1
    assert "is where the lessons come from: name another folder" in result.stderr


def test_nothing_is_left_beside_a_file_that_windows_does_not_let_be_replaced(source, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError  # as another program has the file open

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(PermissionError):
        copy_lessons(source, tmp_path / "mine")
    assert files(tmp_path / "mine") == {".gitignore"}


def test_what_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    result = wslab("lessons", str(tmp_path / "file"))
    assert result.returncode == 1
    assert is_one_sentence(result.stderr)


def test_jupyterlab_that_is_missing_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("wslab.cli.lessons.find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"JupyterLab is missing: pip install 'wslab\[course\]'"):
        open_lab(tmp_path)


def test_jupyterlab_begins_with_the_first_lesson_of_a_folder_anywhere(monkeypatch, tmp_path):
    (tmp_path / "here").mkdir()
    begun = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.execv", lambda path, command: begun.append((command, Path.cwd())))
    open_lab(Path("here/my lessons"))

    [(command, place)] = begun
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--LabApp.default_url=/lab/tree/my%20lessons/00-start-here.ipynb" in command
    assert place == tmp_path / "here"


def test_on_windows_jupyterlab_is_waited_for_though_ctrl_c_tells_both(monkeypatch):
    interrupts = [KeyboardInterrupt]
    wait = subprocess.Popen.wait

    def wait_interrupted(process, timeout=None):
        if interrupts:
            raise interrupts.pop()
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_interrupted)
    assert _wait_for([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert interrupts == []
