"""MessageWriter: what becomes of messages on their way out (RFC 6455 §5.1, §5.4, §6.1; RFC 7692 §6.1, §7.2.1)."""

import itertools

import pytest

from wslab import Codec, Frame, Opcode, parse_frame
from wslab.protocol.batch import LONG
from wslab.protocol.deflate import Decompressor, inflate
from wslab.protocol.frames import serialize_frame
from wslab.protocol.writer import MessageWriter, unpredictable_keys

KEY = bytes.fromhex("37fa213d")


@pytest.fixture
def writer():
    """A server's."""
    return MessageWriter(Codec(), None)


def written(writer):
    return b"".join(writer.take())


def frames_in(data):
    frames = []
    while data:
        frame, used = parse_frame(data)
        frames.append(frame)
        data = data[used:]
    return frames


def test_a_text_and_a_binary_message_are_a_frame_each(writer):
    writer.write_messages(["Hello", b"\0\xff", bytearray(b"\1")])

    assert written(writer) == b"\x81\x05Hello" + b"\x82\x02\0\xff" + b"\x82\x01\1"


def test_what_is_taken_is_handed_out_once(writer):
    writer.write_head(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    writer.write_text("Hello")

    assert writer.take() == [b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05Hello"]
    assert writer.take() == []


def test_a_long_payload_is_not_copied_to_stand_behind_its_header(writer):
    payload = bytes(LONG)
    writer.write_messages([payload])

    header, same = writer.take()
    assert header == bytes.fromhex("827e8000")
    assert same is payload


def test_a_client_masks_every_frame_with_the_next_key():
    keys = [KEY, bytes(4), KEY]
    writer = MessageWriter(Codec(), iter(keys).__next__)
    writer.write_messages(["Hello"])
    writer.write_frame(Frame(Opcode.PING))
    writer.write_binary(b"\1", fin=False)

    assert written(writer) == b"\x81\x85" + KEY + bytes.fromhex("7f9f4d5158") + b"\x89\x80\0\0\0\0" + (
        serialize_frame(Frame(Opcode.BINARY, b"\1", fin=False), KEY)
    )


def test_keys_are_four_bytes_and_none_comes_twice():
    keys = list(itertools.islice(unpredictable_keys(), 1000))

    assert {len(key) for key in keys} == {4}
    assert len(set(keys)) > 990  # of 2^32: two that are equal are seen once in ten thousand runs


@pytest.mark.parametrize("last", ["write_text", "write_messages"])
def test_fragments_continue_the_message_that_has_begun(writer, last):
    writer.write_text("Hel", fin=False)
    writer.write_frame(Frame(Opcode.PING))
    writer.write_text("l", fin=False)
    if last == "write_text":
        writer.write_text("o")
    else:
        writer.write_messages(["o"])
    writer.write_messages([b"\1"])

    assert frames_in(written(writer)) == [
        Frame(Opcode.TEXT, b"Hel", fin=False),
        Frame(Opcode.PING),
        Frame(Opcode.CONTINUATION, b"l", fin=False),
        Frame(Opcode.CONTINUATION, b"o"),
        Frame(Opcode.BINARY, b"\1"),
    ]


def test_a_message_of_the_other_kind_cannot_stand_within_a_fragmented_one(writer):
    writer.write_binary(b"\1", fin=False)

    with pytest.raises(ValueError, match="a fragmented binary message is being sent"):
        writer.write_text("Hello")
    assert written(writer) == b"\x02\x01\1"


def test_a_number_is_not_a_binary_message(writer):
    with pytest.raises(TypeError):
        writer.write_binary(5)


def test_a_compressed_message_has_rsv1_on_its_first_frame_only_and_control_frames_stay_as_they_are(writer):
    writer.compress(15, True)
    writer.write_messages(["Hello", b"Hello"])
    writer.write_text("Hel", fin=False)
    writer.write_frame(Frame(Opcode.PING, b"Hello"))
    writer.write_text("lo")

    text, binary, first, ping, last = frames_in(written(writer))
    assert [frame.rsv1 for frame in (text, binary, first, ping, last)] == [True, True, True, False, False]
    assert ping.payload == b"Hello"
    decompressor = Decompressor()
    assert inflate(text.payload, decompressor, True) == b"Hello"
    assert inflate(binary.payload, decompressor, True) == b"Hello"
    assert inflate(first.payload, decompressor, False) + inflate(last.payload, decompressor, True) == b"Hello"
    assert len(binary.payload) < len(text.payload)  # it refers to what was sent before


def test_without_context_takeover_every_message_is_compressed_by_itself(writer):
    writer.compress(15, False)
    writer.write_messages(["Hello", "Hello"])

    first, second = frames_in(written(writer))
    assert first == second


def test_a_window_that_zlib_cannot_compress_with_leaves_messages_as_they_are(writer):
    writer.compress(8, True)
    writer.write_messages(["Hello"])

    assert written(writer) == b"\x81\x05Hello"


def test_a_replaced_part_writes_every_message():
    writer = MessageWriter(Codec(serialize_frame=lambda frame, key: frame.payload[::-1]), None)
    writer.write_messages(["Hello", b"ab"])

    assert written(writer) == b"olleH" + b"ba"
