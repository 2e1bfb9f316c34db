"""Messages are decompressed as far as they refer to nothing that is lost."""

import zlib

import pytest

from wslab.dissector.inflating import MessageInflater

TAIL = b"\0\0\xff\xff"
TEXT = b"to be, or not to be: that is the question"


def compressed(*messages: bytes) -> list[bytes]:
    """The messages of one side that keeps its window."""
    compressor = zlib.compressobj(wbits=-15)
    return [(compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL) for data in messages]


def said(inflater: MessageInflater, message: bytes) -> bytes | None:
    inflater.begin()
    told, fault = inflater.inflate(message, True)
    assert fault is None
    return told


def test_messages_refer_to_those_before():
    inflater = MessageInflater(True, 100)

    assert [said(inflater, message) for message in compressed(TEXT, TEXT, TEXT)] == [TEXT] * 3


@pytest.mark.parametrize("deflate", [False, None])
def test_nothing_is_decompressed_unless_it_is_known_to_be_compressed(deflate):
    inflater = MessageInflater(deflate, 100)
    assert said(inflater, compressed(TEXT)[0]) is None
    inflater.lose()
    assert said(inflater, compressed(TEXT)[0]) is None


def test_once_it_has_failed_it_fails_for_what_follows():
    inflater = MessageInflater(True, 100)
    inflater.begin()
    told, fault = inflater.inflate(b"\xff", True)
    assert told is None
    assert fault.code == 1007
    assert said(inflater, compressed(TEXT)[0]) is None


def test_a_message_that_is_too_long_breaks_no_rule():
    assert said(MessageInflater(True, 10), compressed(TEXT)[0]) is None


def test_behind_what_is_lost_only_messages_that_refer_to_it_fail():
    inflater = MessageInflater(True, 100)
    first, _, third, fourth, fifth = compressed(TEXT, TEXT[:20], TEXT, b"\1\2\3\4\5", b"\1\2\3\4\5")
    assert said(inflater, first) == TEXT
    inflater.lose()

    assert inflater.inflate(third, True) == (None, None)  # it may be the end of the message in the gap
    assert [said(inflater, message) for message in (third, fourth, fifth)] == [None, b"\1\2\3\4\5", b"\1\2\3\4\5"]


def test_without_takeover_all_messages_behind_what_is_lost_are_decompressed():
    inflater = MessageInflater(True, 100)
    inflater.lose()

    assert [said(inflater, compressed(TEXT)[0]) for _ in range(3)] == [TEXT] * 3
