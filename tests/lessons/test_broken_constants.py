"""A constant is wrong, in a copy of the package, at both ends of a connection: a lesson notices, and nbval is red."""

import shutil
from pathlib import Path

import pytest
from support.false_worlds import changed_cells

import wslab

pytestmark = pytest.mark.slow  # each constant runs a kernel

PACKAGE = Path(wslab.__file__).parent

BROKEN = [
    ("handshake.py", "47DA-95CA", "47DA-95AC", "03-the-key-and-the-answer", "cell-36"),
    ("handshake_rules.py", 'VERSION = "13"', 'VERSION = "8"', "02-the-upgrade-request", "cell-10"),
    ("opcodes.py", "CONTINUATION = 0x0", "CONTINUATION = 0x3", "05-the-frame", "cell-40"),
    ("opcodes.py", "TEXT = 0x1", "TEXT = 0x3", "05-the-frame", "cell-40"),
    ("opcodes.py", "CLOSE = 0x8", "CLOSE = 0xB", "05-the-frame", "cell-40"),
    ("opcodes.py", "PONG = 0xA", "PONG = 0xB", "05-the-frame", "cell-40"),
    ("frames.py", "length > 125", "length > 126", "05-the-frame", "cell-60"),
    ("batch.py", "mask_bit | 126", "mask_bit | 127", "05-the-frame", "cell-76"),
    ("frames.py", "else 0b1000_0000", "else 0b0000_0000", "07-masking", "cell-51"),
    ("frames.py", "first & 0b0100_0000", "first & 0b0010_0000", "15-compression", "hello-frame"),
    ("deflate.py", r"\x00\x00\xff\xff", r"\x00\x00\xff", "15-compression", "tail"),
    ("errors.py", "INVALID_PAYLOAD_DATA = 1007", "INVALID_PAYLOAD_DATA = 1017", "09-messages", "cell-15"),
    ("errors.py", "PROTOCOL_ERROR = 1002", "PROTOCOL_ERROR = 1022", "09-messages", "cell-68"),
    ("errors.py", "MESSAGE_TOO_BIG = 1009", "MESSAGE_TOO_BIG = 1019", "09-messages", "cell-71"),
    ("rules.py", "MAX_CONTROL_PAYLOAD = 125", "MAX_CONTROL_PAYLOAD = 126", "09-messages", "control-frames"),
]


@pytest.mark.parametrize(
    ("module", "right", "wrong", "lesson", "cell"), BROKEN, ids=[wrong for _, _, wrong, *_ in BROKEN]
)
def test_a_lesson_notices_a_constant_that_is_broken_on_purpose(tmp_path, module, right, wrong, lesson, cell):
    shutil.copytree(PACKAGE, tmp_path / "wslab", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "wslab" / "protocol" / module
    source = path.read_text(encoding="utf-8")
    assert source.count(right) == 1
    path.write_text(source.replace(right, wrong), encoding="utf-8")

    assert cell in changed_cells(lesson, f"import sys\nsys.path.insert(0, {str(tmp_path)!r})", until=cell)
