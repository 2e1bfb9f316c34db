"""replacing: whatever happens while a file is written, there is a whole one: the old one or the new one."""

import os
import stat
import sys

import pytest
from support.waiting import running

from wslab.recording.replacing import replacing

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor named pipes")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "it.pcapng"


def write_half(path, error) -> None:
    with replacing(path) as file:
        file.write(b"half")
        raise error


def names(folder) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_file_appears_when_it_is_whole(path, tmp_path):
    with replacing(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["it.pcapng"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [b"old", None], ids=["an old file", "no file"])
def test_an_error_leaves_what_was_there(path, tmp_path, before, error):
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(error):
        write_half(path, error)
    assert names(tmp_path) == ([] if before is None else ["it.pcapng"])
    assert before is None or path.read_bytes() == before


@needs_posix
def test_the_mode_is_that_of_the_old_file_or_of_any_new_one(path, tmp_path):
    (tmp_path / "any").touch()
    with replacing(path):
        pass
    assert path.stat().st_mode == (tmp_path / "any").stat().st_mode
    path.chmod(0o640)
    with replacing(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@needs_posix
def test_a_link_stays_a_link(path, tmp_path):
    target = tmp_path / "elsewhere.pcapng"
    for _ in range(2):  # the link leads nowhere at first
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        with replacing(path) as file:
            file.write(b"new")
        assert path.is_symlink()
        assert target.read_bytes() == b"new"


@needs_posix
def test_a_named_pipe_is_written_directly(path):
    os.mkfifo(path)

    def write() -> None:
        with replacing(path) as file:
            file.write(b"new")

    with running(write):
        assert path.read_bytes() == b"new"


def test_a_folder_is_an_error_of_the_system(path):
    path.mkdir()
    with pytest.raises(OSError, match=r"Is a directory|Permission denied"), replacing(path):
        pass
