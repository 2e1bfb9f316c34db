"""Archives: a HAR with its messages beside it in a ZIP file, and files that have none."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import SMALL_TALK, load, small_talk

from wslab.recording.errors import CaptureError, CaptureWarning


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as written:
        for name, content in files.items():
            written.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """A HAR whose messages are beside it, as Playwright writes it."""
    small_talk().save(tmp_path / "talk.har")
    document = json.loads((tmp_path / "talk.har").read_bytes())
    [entry] = document["log"]["entries"]
    messages = entry.pop("_webSocketMessages")
    entry["response"]["content"]["_file"] = "messages.jsonl"
    lines = "".join(f"{json.dumps(message)}\n" for message in messages)
    return {"messages.jsonl": lines.encode(), "har.har": json.dumps(document).encode()}


@pytest.mark.parametrize("name", ["talk.zip", "talk.har.zip", "talk.har", "talk"])
def test_a_har_and_its_messages_are_read_from_an_archive(tmp_path, files, name):
    assert len(load(tmp_path, archive(files), name).chunks) == len(SMALL_TALK)


@pytest.mark.filterwarnings("ignore:.* has handshakes in it, but no WebSocket messages")
def test_messages_that_are_not_in_the_archive_are_told(tmp_path, files):
    del files["messages.jsonl"]
    with pytest.warns(CaptureWarning, match="has 1 file of messages that is not beside it"):
        load(tmp_path, archive(files), "talk.zip")


def test_an_archive_without_a_har_is_refused(tmp_path, files):
    whole = archive(files)
    damaged = bytearray(archive(files))
    damaged[damaged.index(b"har.har") + 10] ^= 0xFF
    for data in (
        archive({"readme.txt": b"Hello"}),
        archive(files, zipfile.ZIP_BZIP2),
        whole[:-30],
        whole[:50],
        bytes(damaged),
    ):
        with pytest.raises(CaptureError, match=r"^talk.zip is an archive without a HAR that can be read$"):
            load(tmp_path, data, "talk.zip")


@given(st.data())
def test_whatever_happened_to_an_archive_only_a_capture_error_comes_of_it(tmp_path_factory, data):
    damaged = bytearray(archive({"har.har": b'{"log": {"entries": []}}'}))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with pytest.raises(CaptureError):
        load(tmp_path_factory.mktemp("damaged"), bytes(damaged))
