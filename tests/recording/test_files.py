"""Files: which endings a recording can have, and that the bytes of a file say what it is, whatever its name."""

import gzip
import json

import pytest
from support.capture_files import SMALL_TALK, conversation_packets, is_small_talk, load, pcap, saved, small_talk

from wslab import Direction, Recording
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.exchanges import NO_ROOM, Room


@pytest.mark.parametrize("name", ["talk.txt", "talk", "pcapng"])
def test_another_ending_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(CaptureError, match=f"^{name} cannot be written: "):
        small_talk().save(tmp_path / name)
    assert not (tmp_path / name).exists()


NAMES = ["talk", "talk.pcap1", "talk.har.bin", "talk.pcapng.gz", "TALK.DMP", "talk.txt"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["as it is", "packed"])
@pytest.mark.parametrize("name", NAMES)
def test_a_capture_is_loaded_whatever_its_name_is(tmp_path, name, pack):
    assert is_small_talk(load(tmp_path, pack(pcap(conversation_packets())), name))
    assert is_small_talk(
        load(tmp_path, pack(saved(tmp_path, load(tmp_path, pcap(conversation_packets()))).read_bytes()))
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["as it is", "packed"])
@pytest.mark.parametrize("name", NAMES)
def test_a_har_is_loaded_whatever_its_name_and_encoding_are(tmp_path, name, encoding, pack):
    small_talk().save(tmp_path / "talk.har")
    document = json.dumps(json.loads((tmp_path / "talk.har").read_bytes()), indent=2)
    recording = load(tmp_path, pack(document.encode(encoding)), name)

    assert recording.chunks[0].data == SMALL_TALK[0][1]
    assert len(recording.chunks) == len(SMALL_TALK)


@pytest.mark.parametrize("data", [b"", b"Hello", b"\x1f", b"PK"])
def test_what_is_neither_is_refused(tmp_path, data):
    with pytest.raises(CaptureError, match=r"^talk is neither a capture file, in pcapng or pcap, nor HAR$"):
        load(tmp_path, data, "talk")


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


@pytest.mark.parametrize("name", ["talk.pcapng", "talk.har"])
def test_what_a_full_recording_has_left_out_is_told_when_it_is_saved_and_when_it_is_loaded(tmp_path, name):
    recording = Recording(limit=2000)
    for way, data in SMALL_TALK * 2:
        recording.add(1, way, data)
    sentence = f"{name} is not complete: {recording.left_out}"
    with pytest.warns(CaptureWarning) as saved_with:
        recording.save(tmp_path / name)
    with pytest.warns(CaptureWarning) as loaded_with:
        Recording.load(tmp_path / name)

    for told in saved_with, loaded_with:
        assert [str(warning.message) for warning in told] == [sentence]
        assert told[0].filename == __file__


def test_messages_that_a_har_has_no_room_for_are_told(tmp_path, monkeypatch):
    recording = small_talk()
    for way, data in SMALL_TALK:
        recording.add(2, way, data)
    monkeypatch.setattr("wslab.recording.har.Room", lambda: Room(5))
    with pytest.warns(CaptureWarning, match=f"^talk.har is not complete: {NO_ROOM}$"):
        recording.save(tmp_path / "talk.har")
    [entry] = json.loads((tmp_path / "talk.har").read_bytes())["log"]["entries"]

    assert [message["data"] for message in entry["_webSocketMessages"]] == ["Hello", NO_ROOM]


@pytest.mark.parametrize("name", ["talk.pcapng", "talk.har"])
def test_no_more_is_loaded_than_the_limit_allows(tmp_path, name):
    small_talk().save(tmp_path / name)
    with pytest.warns(CaptureWarning) as told:
        recording = Recording.load(tmp_path / name, limit=1050)

    assert len(recording.chunks) == 3 < len(SMALL_TALK)
    assert [str(warning.message) for warning in told] == [f"{name} is not complete: {recording.left_out}"]


def test_the_name_of_a_file_does_nothing_to_the_terminal_that_shows_a_sentence_about_it(tmp_path):
    name, shown = "a\x1b[2J\u202eb", r"a\x1b[2J\u202eb"
    for ending in ".har", ".pcapng", ".txt":
        path = tmp_path / (name + ending)
        path.write_bytes(b"no capture")
        with pytest.raises(CaptureError) as raised:
            Recording.load(path)
        assert str(raised.value).startswith(shown + ending)
    with pytest.raises(CaptureError) as raised:
        Recording().save(tmp_path / f"{name}.txt")
    assert str(raised.value).startswith(shown)
    small_talk().save(tmp_path / f"{name}.pcapng")
    cut = (tmp_path / f"{name}.pcapng").read_bytes()[:-5]
    with pytest.warns(CaptureWarning) as warned:
        load(tmp_path, cut, f"{name}.pcapng")
    assert [str(one.message).startswith(shown) for one in warned] == [True]
