"""Files: which endings a recording can have."""

import pytest
from support.capture_files import small_talk

from wslab import Direction, Recording
from wslab.recording.errors import CaptureError


@pytest.mark.parametrize("name", ["talk.txt", "talk", "pcapng"])
def test_another_ending_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(CaptureError, match=f"^{name} cannot be written: "):
        small_talk().save(tmp_path / name)
    assert not (tmp_path / name).exists()

    (tmp_path / name).touch()
    with pytest.raises(CaptureError, match=f"^{name} cannot be read: "):
        Recording.load(tmp_path / name)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        Recording.load(tmp_path / "none.pcapng")


@pytest.mark.parametrize("name", ["talk.pcapng", "talk.har"])
def test_a_recording_that_cannot_be_saved_leaves_the_old_file(tmp_path, name):
    path = tmp_path / name
    small_talk().save(path)
    old = path.read_bytes()

    impossible = Recording(clock=lambda: -1e30)
    impossible.add(1, Direction.CLIENT_TO_SERVER, b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n")
    with pytest.raises(CaptureError, match="cannot hold a time"):
        impossible.save(path)
    assert path.read_bytes() == old
