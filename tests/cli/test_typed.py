"""What a typed line stands for, and how a message is written as one."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab import Close, Ping
from wslab.cli.typed import LINES, read_typed, what_lines_do, write_typed


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("Hello", "Hello"),
        ("", ""),
        (" /ping", " /ping"),
        ("//ping", "/ping"),
        ("/hex 00 ff", b"\x00\xff"),
        ("/hex 0x00, 0xff", b"\x00\xff"),
        (r"/hex b'\x00'", b"\x00"),
        ("/hex", b""),
        ("/ping", Ping()),
        ("/ping ä b", Ping("ä b".encode())),
        ("/close", Close(1000)),
        ("/close 4000", Close(4000)),
        ("/close 4000 why not", Close(4000, "why not")),
        ("/help", None),
        ("/?", None),
    ],
)
def test_a_line_is_a_text_or_what_its_slash_says(line, meant):
    assert read_typed(line) == meant


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/nope x", "there is no /nope; /help tells what there is, //nope sends /nope"),
        ("/hex zz", "what stands after /hex is not bytes"),
        ("/close why", "why may not stand in a close frame (RFC 6455 §7.4); 1000 may, and so may 3000 to 4999"),
        ("/close 1006", "1006 may not stand in a close frame"),
        ("/close ²", "² may not stand in a close frame"),
        ("/close 1000 " + "ä" * 62, "a reason has at most 123 bytes"),
        ("/ping " + "x" * 126, "a ping has at most 125 bytes"),
    ],
)
def test_a_mistake_is_one_sentence(line, sentence):
    with pytest.raises(ValueError, match=r".") as mistake:
        read_typed(line)
    assert str(mistake.value).startswith(sentence)


@given(st.binary() | st.text())
def test_what_is_written_is_read_as_the_same_message(message):
    assert read_typed(write_typed(message)) == message


def test_the_help_names_the_keys_that_end_the_input_on_this_platform():
    assert "\nCtrl-D closes with 1000, " in what_lines_do("linux")
    assert what_lines_do("linux").splitlines()[:-1] == what_lines_do("win32").splitlines()[:-1]
    assert what_lines_do("win32").endswith("\nCtrl-Z and Enter close with 1000, Ctrl-C with 1001.")
    assert what_lines_do(sys.platform) == LINES
