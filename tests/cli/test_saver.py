"""saver: a recording is there as a file while it grows and at the end, for work in proportion to its length."""

import pytest
from support.heads_and_frames import request
from support.waiting import wait_until

from wslab import Direction, Recording
from wslab.cli import saver as module
from wslab.cli.errors import CommandError
from wslab.cli.saver import Saver


class Counted(Recording):
    """A recording that counts the bytes of all files that it was saved to."""

    written = 0

    def save(self, path, *, secrets=False) -> None:
        super().save(path, secrets=secrets)
        self.written += path.stat().st_size


def say(recording: Recording, data: bytes = request()) -> None:
    recording.add(1, Direction.CLIENT_TO_SERVER, data)


def say_and_interrupt(recording: Recording, path) -> None:
    with Saver(recording, path):
        say(recording)
        raise KeyboardInterrupt


def saved(path) -> bytes:
    return Recording.load(path).bytes_sent(1, Direction.CLIENT_TO_SERVER)


def test_what_is_recorded_is_saved_at_the_end(tmp_path, capsys):
    recording, path = Recording(), tmp_path / "it.pcapng"
    with Saver(recording, path):
        say(recording)
        assert not path.exists()
    assert saved(path) == request()
    assert capsys.readouterr().out == f"Saved to {path}\n"


def test_it_is_saved_however_the_with_block_ends(tmp_path):
    recording, path = Recording(), tmp_path / "it.pcapng"
    with pytest.raises(KeyboardInterrupt):
        say_and_interrupt(recording, path)
    assert saved(path) == request()


def test_what_is_killed_after_a_second_has_saved_what_came_before():
    assert module.INTERVAL == 1.0


def test_it_is_saved_while_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    recording, path = Recording(), tmp_path / "it.pcapng"
    with Saver(recording, path):
        for count in range(1, 4):
            say(recording)
            wait_until(lambda count=count: path.exists() and saved(path) == count * request())


@pytest.mark.parametrize("size", [1, 1000])
def test_all_files_together_are_in_proportion_to_the_last_one(tmp_path, size):
    path = tmp_path / "it.pcapng"
    for count in (50, 100, 200):
        recording = Counted()
        saver = Saver(recording, path)
        for _ in range(count):
            say(recording, request() + bytes(size))
            saver.save_if_grown()
        assert recording.written < 6 * path.stat().st_size
        assert len(saved(path)) > 0.75 * len(recording.bytes_sent(1, Direction.CLIENT_TO_SERVER))


def test_nothing_is_saved_again_while_nothing_new_is_recorded(tmp_path):
    recording = Counted()
    saver = Saver(recording, tmp_path / "it.pcapng")
    say(recording)
    saver.save_if_grown()
    once = recording.written
    saver.save_if_grown()
    assert recording.written == once > 0


def test_what_the_recording_has_left_out_is_told_at_the_end(tmp_path, capsys):
    recording, path = Recording(limit=1000), tmp_path / "it.pcapng"
    with Saver(recording, path) as saver:
        for _ in range(10):
            say(recording)
        saver.save_if_grown()
        assert capsys.readouterr() == ("", "")
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert told.err.startswith("wslab tap: ")
    assert "was full at 1,000 bytes" in told.err


def test_what_cannot_be_saved_meanwhile_is_told_and_tried_again_at_the_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "INTERVAL", 0.001)
    recording, path, told = Recording(), tmp_path / "it.pcapng", []
    path.mkdir()
    with Saver(recording, path):
        say(recording)
        wait_until(lambda: told.append(capsys.readouterr().err) or "cannot save to" in "".join(told))
        path.rmdir()
    assert saved(path) == request()

    path.unlink()
    path.mkdir()
    with pytest.raises(CommandError, match=r"cannot save to .*it\.pcapng: "), Saver(recording, path):
        pass
