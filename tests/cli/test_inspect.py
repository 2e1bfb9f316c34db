"""inspect, run as a user runs it: bytes in hex, capture files, and what is neither."""

import contextlib
import gzip
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.capture_files import small_talk
from support.command_line import DEADLINE, is_one_sentence, needs_terminals, wslab

from wslab import EchoServer, Recording, connect, inspect
from wslab.cli.errors import CommandError
from wslab.cli.inspect import _read_bytes, _read_input

COMMAND = [sys.executable, "-m", "wslab", "inspect"]


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
    assert some.stdout == f"{inspect(head, 16, 1)}\n".replace("start=", "--start ")
    assert "Host" in some.stdout
    assert "2 more bytes: --start 25" in some.stdout


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
    assert re.search("is neither bytes|has an odd number|there is no file", result.stderr)
    assert "sesame" not in result.stderr
    assert "\x1b" not in result.stderr
    assert len(result.stderr) < 200


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("xyz", "'xyz' is neither bytes in a form that is known nor the name of a capture file"),
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
    xxd = "00000000: 8105 4865 6c6c 6f89 00                   ..Hello..\n"
    assert wslab("inspect", "-", typed=xxd).stdout == f"{inspect(frame + bytes.fromhex('8900'))}\n"
    assert wslab("inspect", "8a00" * 1000).returncode == 0


@pytest.mark.parametrize("name", ["trace", "trace.pcapng.gz", "trace 1.pcap1"])
def test_inspect_takes_a_capture_by_any_name_packed_or_not(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    small_talk().save(tmp_path / "talk.pcapng")
    data = (tmp_path / "talk.pcapng").read_bytes()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    assert wslab("inspect", str(path)).stdout == f"{inspect(small_talk())}\n"


@pytest.mark.parametrize("data", [b"\x81\x05Hello", b"\x01\x05Hello", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_bytes_on_standard_input_are_taken_as_they_are(data: bytes) -> None:
    result = subprocess.run([*COMMAND, "-"], input=data, capture_output=True, timeout=DEADLINE)
    assert (result.returncode, result.stdout.decode().rstrip()) == (0, repr(inspect(data)))


def test_what_is_written_on_standard_input_is_read_behind_a_byte_order_mark_too() -> None:
    result = subprocess.run([*COMMAND, "-"], input=b"\xef\xbb\xbf8a 00\r\n", capture_output=True, timeout=DEADLINE)
    assert result.stdout.decode().rstrip() == repr(inspect(b"\x8a\x00"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("8", "'8' has an odd number of hex digits, and a byte has two"),
        ("0000  81 05\n0010  48", "'0000  81 05\\n0010  48' is a hex dump with a gap in it"),
        ("81:0", "'81:0' has an odd number of hex digits, and a byte has two"),
        ("nowhere/x.pcapn", "there is no file 'nowhere/x.pcapn'"),
        ("talk.pcapn", "there is no file 'talk.pcapn'; did you mean talk.pcapng?"),
        ("x" * 100, f"'{'x' * 80}…' is neither bytes in a form that is known nor the name of a capture file"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_what_it_seems(text, sentence, tmp_path) -> None:
    (tmp_path / "talk.pcapng").touch()
    result = subprocess.run([*COMMAND, text], capture_output=True, timeout=DEADLINE, cwd=tmp_path)
    assert (result.returncode, result.stderr.decode()) == (1, f"wslab inspect: {sentence}\n")


@pytest.mark.parametrize(
    "text", ["/" * 100_000 + " x", "\\a" * 50_000 + " x", "x" * 100_000 + ".", ".a" * 50_000 + " "]
)
def test_what_is_wrong_with_a_long_text_is_found_in_one_go(text) -> None:
    # Were it looked at again from each of its characters, these would be 10,000,000,000 steps.
    with pytest.raises(CommandError, match=r"is neither bytes|there is no file"):
        _read_bytes(text)


def test_standard_input_without_an_end_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wslab.cli.inspect.MAX_INPUT", 10)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"81 00" * 3)))
    with pytest.raises(CommandError, match=r"^standard input has more than 10 bytes: head --bytes 10 cuts it$"):
        _read_input()


@needs_terminals
def test_at_a_terminal_a_table_is_as_wide_as_that_and_says_how_to_see_more() -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    frame = b"\x81\x7e\x01\x00" + b"x" * 256
    subprocess.run([*COMMAND, frame.hex()], stdin=subprocess.DEVNULL, stdout=theirs, timeout=DEADLINE, env=environment)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the end of what a pseudo-terminal shows
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    assert max(map(len, shown.decode().splitlines())) <= 80
    assert "--start 36 shows them" in " ".join(shown.decode().split())


def test_in_a_pipe_a_table_is_as_wide_as_it_is_and_says_so_too() -> None:
    assert ": --start 36 shows them" in wslab("inspect", (b"\x81\x7e\x01\x00" + b"x" * 256).hex()).stdout


def test_signs_that_the_output_does_not_know_are_plain_letters() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    result = subprocess.run([*COMMAND, "8a00"], capture_output=True, timeout=DEADLINE, env=environment)
    assert "(section 5.5)" in result.stdout.decode("ascii")
