"""inspect, run as a user runs it: bytes in hex, capture files, and what is neither."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.capture_files import small_talk
from support.command_line import is_one_sentence, wslab

from wslab import EchoServer, Recording, connect, inspect


def test_inspect_names_the_fields_of_a_frame_in_hex_with_or_without_blanks() -> None:
    apart, together = wslab("inspect", "8a", "00"), wslab("inspect", "8a00")

    assert apart.stdout == together.stdout == f"{inspect(bytes.fromhex('8a00'))}\n"


def test_inspect_lists_what_is_in_a_capture_file(tmp_path: Path) -> None:
    recording, path = Recording(), tmp_path / "hello.pcapng"
    with EchoServer() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
    recording.save(path)

    assert wslab("inspect", str(path)).stdout == f"{inspect(Recording.load(path))}\n"


def test_inspect_reads_hex_from_standard_input_and_shows_a_part_if_told_to() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for hexadecimal in (head.hex(), head.hex(" ", 4).upper(), "\n".join([*head.hex(" ").split(), ""])):
        assert wslab("inspect", "-", typed=hexadecimal).stdout == f"{inspect(head)}\n"
    some = wslab("inspect", "--start", "16", "--most", "1", "-", typed=head.hex())
    assert some.stdout == f"{inspect(head, 16, 1)}\n"
    assert "Host" in some.stdout
    assert "2 more bytes: start=25" in some.stdout


def test_inspect_shows_a_part_of_a_capture_file(tmp_path: Path) -> None:
    recording, path = Recording(), tmp_path / "hello.pcapng"
    with EchoServer() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
    recording.save(path)
    lines = wslab("inspect", str(path), "--start=2", "--most=1").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["row", "2", "…"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--start", "-1"], "counted from 0"),
        (["--most", "0"], "a positive number"),
        (["--most", "x"], "positive number"),
    ],
)
def test_nonsense_about_the_part_is_told(options: list[str], words: str) -> None:
    result = wslab("inspect", *options, "8a00")
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.parametrize(
    "nonsense", ["GET /?token=sesame HTTP/1.1", "Cookie: sesame", "zz" * 1000, "é\x1b[2J", "8", "0x81 0x5g"]
)
def test_nonsense_on_standard_input_is_one_sentence_without_secrets(nonsense: str) -> None:
    result = wslab("inspect", "-", typed=nonsense)
    assert (result.returncode, result.stdout) == (1, "")
    assert is_one_sentence(result.stderr)
    assert "is neither hex nor" in result.stderr
    assert "sesame" not in result.stderr
    assert "\x1b" not in result.stderr
    assert len(result.stderr) < 200


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("xyz", "'xyz' is neither hex nor the name of a .pcapng, .pcap or .har file"),
        ("not-there.pcapng", "cannot read not-there.pcapng: No such file or directory"),
        ("README.md.pcap", "README.md.pcap is neither a capture file, in pcapng or pcap, nor HAR"),
    ],
)
def test_what_cannot_be_inspected_is_one_sentence(
    what: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md.pcap").write_text("# Not a capture\n")
    result = wslab("inspect", what)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"wslab inspect: {reason}\n"


def blocks(pcapng: bytes) -> Iterator[bytes]:
    while pcapng:
        size = int.from_bytes(pcapng[4:8], "little")
        yield pcapng[:size]
        pcapng = pcapng[size:]


def test_inspect_shows_what_there_is_before_a_lost_packet_and_says_that_one_is_missing(tmp_path: Path) -> None:
    recording, path = Recording(), tmp_path / "lossy.pcapng"
    with EchoServer() as server, connect(server.url, recording=recording, deflate=False) as connection:
        for message in ["first", "lost", "last"]:
            connection.send(message)
            connection.receive()
    recording.save(path)
    path.write_bytes(b"".join(block for block in blocks(path.read_bytes()) if b"\x81\x04lost" not in block))
    result = wslab("inspect", str(path))

    assert result.returncode == 0
    assert result.stdout.count('text "first"') == 2
    assert is_one_sentence(result.stderr)
    assert "lossy.pcapng" in result.stderr


def test_inspect_takes_bytes_in_whatever_form_they_are_pasted_and_however_long_they_are() -> None:
    frame = bytes.fromhex("810548656c6c6f")
    for pasted in (r"b'\x81\x05Hello'", "[129, 5, 72, 101, 108, 108, 111]", "0000   81 05 48 65 6c 6c 6f   ..Hello"):
        assert wslab("inspect", "-", typed=pasted).stdout == f"{inspect(frame)}\n"
    assert wslab("inspect", "8a00" * 1000).returncode == 0


@pytest.mark.parametrize("name", ["trace", "trace.pcapng.gz", "trace 1.pcap1"])
def test_inspect_takes_a_capture_by_any_name_packed_or_not(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    small_talk().save(tmp_path / "talk.pcapng")
    data = (tmp_path / "talk.pcapng").read_bytes()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    assert wslab("inspect", str(path)).stdout == f"{inspect(small_talk())}\n"
