"""Messages: frames joined, decompressed and checked as they arrive; and what becomes of messages on their way out."""

import os
import zlib
from contextlib import suppress
from functools import cache
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import BAD_UTF8, GOOD_UTF8, KEY, fault

from wslab import Codec
from wslab.protocol.batch import LONG
from wslab.protocol.deflate import Decompressor, deflate, inflate, new_compressor
from wslab.protocol.errors import PartError, ProtocolError
from wslab.protocol.frames import Frame, Opcode, parse_frame, serialize_frame
from wslab.protocol.messages import MessageReader, MessageWriter, RandomMaskingKeys, TextDecoder
from wslab.protocol.reader import FrameReader
from wslab.protocol.states import Role


class Messages:
    """A server's frames in, messages out, as `Protocol` joins them: each frame is checked by its header first."""

    def __init__(self, max_size=1000, *, has_deflate=False, **options):
        self.frames = FrameReader(Role.SERVER, has_deflate=has_deflate)
        self.reader = MessageReader(max_size, inflate, **options)

    def arrive(self, data):
        """The last message that `data` completes."""
        message = None
        self.frames.buffer.open(data)
        while self.frames.buffer.has_more:
            frame = self.frames.read()
            if frame.is_new:
                self.reader.check_size(frame)
            message = self.reader.read(frame)
        self.frames.buffer.close()
        return message

    def begin(self, opcode, length, *, rsv1=False, fin=True):
        """The header of a frame, and nothing of its payload."""
        header = serialize_frame(Frame(opcode, bytes(length), fin, rsv1))
        return self.arrive(header[: len(header) - length])


def compressed(max_size=1000, **options):
    return Messages(max_size, has_deflate=True, **options)


def read(messages, opcode, *fragments, rsv1=False):
    """Read one message of these fragments."""
    message = None
    for number, payload in enumerate(fragments):
        fin, is_first = number == len(fragments) - 1, number == 0
        frame = Frame(opcode if is_first else Opcode.CONTINUATION, payload, fin, rsv1 and is_first)
        message = messages.arrive(serialize_frame(frame))
    return message


ENDINGS = [bytes(ending) for size in range(4) for ending in product(b"\x80\x8f\x90\x9f\xa0\xbf", repeat=size)]


@cache
def can_be_text(prefix):
    for ending in ENDINGS:
        with suppress(UnicodeDecodeError):
            (prefix + ending).decode()
            return True
    return False


def first_wrong_byte(data):
    """The oracle: the index of the first byte after which no bytes whatever could make `data` UTF-8; else None."""
    return next((i for i in range(len(data)) if not can_be_text(data[: i + 1])), None)


# Joining


@pytest.mark.parametrize(
    ("opcode", "fragments", "message"),
    [
        (Opcode.TEXT, [b"Hello"], "Hello"),
        (Opcode.TEXT, [b"Hel", b"lo"], "Hello"),
        (Opcode.TEXT, [b"", b"\xe2", b"", b"\x82", b"\xac", b""], "€"),
        (Opcode.TEXT, [b""], ""),
        (Opcode.BINARY, [b"\xff"], b"\xff"),
        (Opcode.BINARY, [b"\xff", b"", b"\x00\x01"], b"\xff\x00\x01"),
        (Opcode.BINARY, [b""], b""),
        (Opcode.BINARY, [b"", b""], b""),
    ],
)
def test_fragments_are_joined_to_a_message_and_the_next_one_starts_afresh(opcode, fragments, message):
    messages = Messages()

    assert read(messages, opcode, *fragments) == message
    assert read(messages, opcode, *fragments) == message
    assert read(messages, Opcode.TEXT, b"next") == "next"
    assert read(messages, Opcode.BINARY, b"next") == b"next"


# Sizes


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_frame_that_announces_too_much_is_refused_with_1009_before_it_arrives(opcode):
    assert fault(Messages(10).begin, opcode, 10) is None
    with pytest.raises(ProtocolError, match="a message of more than 10 bytes") as caught:
        Messages(10).begin(opcode, 11)
    assert caught.value.code == 1009


def test_the_fragments_of_a_message_count_together_and_the_next_message_has_all_the_room():
    def begun():
        messages = Messages(10)
        messages.arrive(bytes.fromhex("0205") + b"12345" + bytes.fromhex("0002") + b"67")
        return messages

    assert fault(begun().begin, Opcode.CONTINUATION, 3) is None
    assert fault(begun().begin, Opcode.CONTINUATION, 4) == 1009
    messages = begun()
    assert messages.arrive(bytes.fromhex("8003") + b"890") == b"1234567890"
    assert fault(messages.begin, Opcode.BINARY, 10) is None


def test_a_text_is_measured_in_bytes():
    assert fault(read, Messages(3), Opcode.TEXT, "€".encode()) is None
    assert fault(read, Messages(2), Opcode.TEXT, "€".encode()) == 1009


def test_a_compressed_frame_may_be_a_little_longer_than_the_message_but_not_much():
    assert fault(lambda: compressed(800).begin(Opcode.TEXT, 800 + 100 + 64, rsv1=True)) is None
    with pytest.raises(ProtocolError, match="a message of more than 800 bytes") as caught:
        compressed(800).begin(Opcode.TEXT, 800 + 100 + 65, rsv1=True)
    assert caught.value.code == 1009
    assert fault(compressed(800).begin, Opcode.TEXT, 801) == 1009


@pytest.mark.parametrize(("length", "code"), [(800 + 100 + 64, None), (800 + 100 + 65, 1009)])
def test_the_continuation_of_a_compressed_message_may_be_a_little_longer_too(length, code):
    messages = compressed(800)
    messages.begin(Opcode.BINARY, 0, rsv1=True, fin=False)

    assert fault(messages.begin, Opcode.CONTINUATION, length) == code


def test_what_a_replaced_inflate_makes_of_a_payload_is_measured_too():
    messages = compressed(10)
    messages.reader = MessageReader(10, lambda payload, decompressor, fin: bytes(11))

    with pytest.raises(ProtocolError, match="a message of more than 10 bytes"):
        read(messages, Opcode.BINARY, b"x", rsv1=True)


def test_a_message_is_measured_after_decompression_each_on_its_own():
    compressor, messages = new_compressor(15), compressed(1000)

    for _ in range(3):
        assert read(messages, Opcode.BINARY, deflate(bytes(1000), compressor), rsv1=True) == bytes(1000)
    assert fault(lambda: read(messages, Opcode.BINARY, deflate(bytes(1001), compressor), rsv1=True)) == 1009


def test_incompressible_data_of_the_greatest_size_still_fits_when_compressed():
    data = Random(0).randbytes(20_000)
    payload = deflate(data, new_compressor(15))

    assert len(payload) > len(data)
    assert read(compressed(len(data)), Opcode.BINARY, payload, rsv1=True) == data


def test_the_final_blocks_of_each_message_are_counted_on_their_own():
    messages = compressed()

    for _ in range(3):
        assert read(messages, Opcode.BINARY, bytes.fromhex("0300") * 100 + b"\x00", rsv1=True) == b""
    assert fault(lambda: read(messages, Opcode.BINARY, bytes.fromhex("0300") * 101 + b"\x00", rsv1=True)) == 1008


# Compression


def test_compressed_and_plain_messages_alternate():
    compressor, messages = new_compressor(15), compressed()

    assert read(messages, Opcode.TEXT, deflate(b"Hello", compressor), rsv1=True) == "Hello"
    assert read(messages, Opcode.TEXT, b"Hello") == "Hello"
    assert read(messages, Opcode.TEXT, deflate(b"Hello", compressor), rsv1=True) == "Hello"


def test_a_compressed_message_may_come_in_fragments_that_are_cut_anywhere():
    payload = deflate("κόσμε".encode(), new_compressor(15))

    for cut in range(len(payload) + 1):
        assert read(compressed(), Opcode.TEXT, payload[:cut], payload[cut:], rsv1=True) == "κόσμε"


def test_with_context_takeover_a_message_refers_to_those_before_it():
    shared = bytes.fromhex("f200110000")  # RFC 7692 §7.2.3.2: "Hello" again, in five bytes

    messages = compressed()
    read(messages, Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)
    assert read(messages, Opcode.TEXT, shared, rsv1=True) == "Hello"

    messages = compressed(context_takeover=False)
    read(messages, Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)
    assert fault(lambda: read(messages, Opcode.TEXT, shared, rsv1=True)) == 1007


def test_without_context_takeover_a_plain_message_changes_nothing():
    messages = compressed(context_takeover=False)

    assert read(messages, Opcode.TEXT, b"Hello") == "Hello"
    assert read(messages, Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True) == "Hello"
    assert read(messages, Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True) == "Hello"


# UTF-8, checked as it arrives


@given(st.text(max_size=30), st.data())
def test_text_in_any_cuts_is_the_whole_text(text, data):
    data_bytes = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(data_bytes)), max_size=6)))
    decoder = TextDecoder()

    pieces = [data_bytes[a:b] for a, b in zip([0, *cuts], [*cuts, len(data_bytes)], strict=True)]
    assert "".join(decoder.decode(piece) for piece in pieces) + decoder.decode(b"", final=True) == text


def test_text_byte_by_byte_is_the_whole_text():
    decoder = TextDecoder()

    decoded = [decoder.decode(bytes((octet,))) for octet in GOOD_UTF8.encode()]
    assert "".join(decoded) + decoder.decode(b"", final=True) == GOOD_UTF8


@pytest.mark.parametrize("before", ["", "Hello", GOOD_UTF8])
@pytest.mark.parametrize("wrong", BAD_UTF8, ids=bytes.hex)
def test_an_invalid_byte_is_found_when_it_arrives_and_not_before(before, wrong):
    decoder = TextDecoder()
    decoder.decode(before.encode())
    for octet in wrong[:-1]:
        decoder.decode(bytes((octet,)))

    assert fault(decoder.decode, wrong[-1:]) == 1007


def test_every_sequence_of_four_bytes_is_judged_as_the_oracle_judges_it():
    starts = (
        0x00,
        0x7F,
        0x80,
        0xBF,
        0xC0,
        0xC1,
        0xC2,
        0xDF,
        0xE0,
        0xE1,
        0xEC,
        0xED,
        0xEE,
        0xEF,
        0xF0,
        0xF1,
        0xF3,
        0xF4,
        0xF5,
        0xFF,
    )
    others = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xED)
    for data in map(bytes, product(starts, others, others, (0x80, 0xC0))):
        decoder, wrong = TextDecoder(), first_wrong_byte(data)
        found = next((i for i in range(4) if fault(decoder.decode, data[i : i + 1]) is not None), None)
        assert found == wrong, data.hex(" ")
        assert (fault(TextDecoder().decode, data) is None) is (wrong is None), data.hex(" ")


@given(
    st.binary(max_size=12) | st.tuples(st.text(max_size=5), st.binary(max_size=4)).map(lambda p: p[0].encode() + p[1])
)
def test_any_bytes_are_judged_as_the_oracle_judges_them(data):
    decoder, wrong = TextDecoder(), first_wrong_byte(data)

    for i in range(len(data)):
        assert (fault(decoder.decode, data[i : i + 1]) == 1007) is (i == wrong)
        if i == wrong:
            return


@pytest.mark.parametrize("cut_short", ["c3", "e2 82", "f0 9f 98", "ed"])
def test_a_text_that_ends_inside_a_character_is_refused_at_its_end(cut_short):
    messages = Messages()

    messages.arrive(serialize_frame(Frame(Opcode.TEXT, b"Hello" + bytes.fromhex(cut_short), fin=False)))
    assert fault(messages.arrive, bytes.fromhex("8000")) == 1007


def test_a_surrogate_is_called_by_its_name():
    with pytest.raises(ProtocolError, match=r"not UTF-8: a surrogate$"):
        TextDecoder().decode(b"\xed\xa0")
    with pytest.raises(ProtocolError, match=r"not UTF-8: a surrogate$"):
        read(Messages(), Opcode.TEXT, b"\xed\xbf\xbf")
    with pytest.raises(ProtocolError, match=r"the text is not UTF-8$"):
        TextDecoder().decode(b"\xff")


@pytest.mark.parametrize(
    ("pieces", "place"),
    [([b"caf\xc3("], 4), ([b"caf\xc3", b"("], 0), ([b"ok", b"\xff"], 0), ([b"\xe2\x82", b""], 0), ([b"x\xed\xa0"], 2)],
)
def test_the_place_of_the_wrong_byte_counts_within_the_piece(pieces, place):
    decoder = TextDecoder()
    for piece in pieces[:-1]:
        decoder.decode(piece)

    with pytest.raises(ProtocolError) as caught:
        decoder.decode(pieces[-1], final=True)
    assert caught.value.violation.place == place


def test_a_binary_message_is_not_read_as_text():
    assert read(Messages(), Opcode.BINARY, b"\xff", b"\xed\xa0") == b"\xff\xed\xa0"


@pytest.mark.parametrize("wrong", BAD_UTF8, ids=bytes.hex)
def test_an_invalid_byte_is_found_in_a_compressed_message_with_the_byte_that_reveals_it(wrong):
    payload = deflate(b"Hello" + wrong + b"more" * 20, new_compressor(15))
    messages = compressed()
    messages.begin(Opcode.TEXT, len(payload), rsv1=True)

    found = next(i for i in range(len(payload)) if fault(messages.arrive, payload[i : i + 1]) is not None)

    def shown(size):
        return zlib.decompressobj(wbits=-15).decompress(payload[:size])

    assert first_wrong_byte(shown(found)) is None
    assert first_wrong_byte(shown(found + 1)) is not None
    assert found < len(payload) - 1


# On their way out (§5.1, §5.4, §6.1; RFC 7692 §6.1, §7.2.1)


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
    next_key = RandomMaskingKeys()
    keys = [next_key() for _ in range(1000)]

    assert {len(key) for key in keys} == {4}
    assert len(set(keys)) > 990  # of 2^32: two that are equal are seen once in ten thousand runs


def test_an_interrupt_while_keys_are_made_does_not_end_them(monkeypatch):
    next_key = RandomMaskingKeys()

    def interrupted(size):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "urandom", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next_key()
    assert len(next_key()) == 4


def test_fragments_continue_the_message_that_has_begun(writer):
    writer.write_text("Hel", fin=False)
    writer.write_frame(Frame(Opcode.PING))
    writer.write_text("l", fin=False)
    writer.write_text("o")
    writer.write_messages([b"\1"])

    assert frames_in(written(writer)) == [
        Frame(Opcode.TEXT, b"Hel", fin=False),
        Frame(Opcode.PING),
        Frame(Opcode.CONTINUATION, b"l", fin=False),
        Frame(Opcode.CONTINUATION, b"o"),
        Frame(Opcode.BINARY, b"\1"),
    ]


def test_a_whole_message_does_not_become_the_last_fragment_of_another(writer):
    writer.write_text("Hel", fin=False)
    with pytest.raises(ValueError, match="a fragmented text message is being sent; finish it first"):
        writer.write_messages(["a whole message"])
    writer.write_text("lo")

    assert [frame.payload for frame in frames_in(written(writer))] == [b"Hel", b"lo"]


@pytest.mark.parametrize("wrong", ["\ud800", 5])
@pytest.mark.parametrize("compresses", [False, True])
def test_of_several_messages_all_are_written_or_none(writer, compresses, wrong):
    if compresses:
        writer.compress(15, True)
    with pytest.raises((UnicodeEncodeError, TypeError)):
        writer.write_messages(["good", wrong])

    assert writer.take() == []


@pytest.mark.parametrize("write", ["write_messages", "write_text"])
def test_nothing_refers_to_a_compressed_message_that_a_part_has_kept_from_being_sent(write):
    def fails_once(frame, key):
        if frames:
            raise ZeroDivisionError if frames.pop() else KeyError
        return serialize_frame(frame, key)

    frames = [0]
    writer = MessageWriter(Codec(serialize_frame=fails_once), None)
    writer.compress(15, True)
    with pytest.raises(PartError):
        writer.write_messages(["a"]) if write == "write_messages" else writer.write_text("a text to refer to")
    writer.write_text("a text to refer to")

    [frame] = frames_in(written(writer))
    assert inflate(frame.payload, Decompressor(), True) == b"a text to refer to"


def test_if_a_part_fails_with_one_message_those_before_it_are_not_written_either():
    def fails_with_b(frame, key):
        return serialize_frame(frame, key) if frame.payload != b"b" else None

    writer = MessageWriter(Codec(serialize_frame=fails_with_b), None)
    writer.write_text("before")
    with pytest.raises(PartError):
        writer.write_messages(["a", "b"])

    assert written(writer) == b"\x81\x06before"


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
