"""Messages: the frames of one message joined, decompressed and checked as they arrive."""

import zlib
from contextlib import suppress
from functools import cache
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import BAD_UTF8, GOOD_UTF8, fault

from wslab.protocol.deflate import Decompressor, deflate, inflate, new_compressor
from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Opcode
from wslab.protocol.messages import MessageReader, TextDecoder


def reader(max_size=1000, **options):
    return MessageReader(max_size, inflate, **options)


def compressed_reader(max_size=1000, context_takeover=True):
    return reader(max_size, new_decompressor=Decompressor, context_takeover=context_takeover)


def read(messages, opcode, *fragments, rsv1=False):
    """Read one message of these fragments, as `Protocol` does: check, begin, feed; and finish at the end."""
    for number, payload in enumerate(fragments):
        fin = number == len(fragments) - 1
        messages.check(opcode if number == 0 else Opcode.CONTINUATION, rsv1 and number == 0, len(payload))
        messages.begin_frame(opcode if number == 0 else Opcode.CONTINUATION, rsv1 and number == 0)
        messages.feed(payload, fin)
    return messages.finish()


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
    messages = reader()

    assert read(messages, opcode, *fragments) == message
    assert read(messages, opcode, *fragments) == message
    assert read(messages, Opcode.TEXT, b"next") == "next"
    assert read(messages, Opcode.BINARY, b"next") == b"next"


@pytest.mark.parametrize(
    ("begun", "opcode", "rsv1", "reason"),
    [
        (None, Opcode.CONTINUATION, False, "a continuation frame, but no message has begun"),
        (None, Opcode.CONTINUATION, True, "a continuation frame, but no message has begun"),
        (Opcode.TEXT, Opcode.TEXT, False, "a text frame inside a fragmented message"),
        (Opcode.TEXT, Opcode.BINARY, False, "a binary frame inside a fragmented message"),
        (Opcode.BINARY, Opcode.BINARY, False, "a binary frame inside a fragmented message"),
        (Opcode.BINARY, Opcode.TEXT, True, "a text frame inside a fragmented message"),
        (Opcode.TEXT, Opcode.CONTINUATION, True, "RSV1 is set on a continuation frame"),
    ],
)
@pytest.mark.parametrize("new_reader", [reader, compressed_reader])
def test_frames_in_a_wrong_order_are_refused_with_1002(new_reader, begun, opcode, rsv1, reason):
    messages = new_reader()
    if begun is not None:
        messages.begin_frame(begun, False)
        messages.feed(b"Hel")

    with pytest.raises(ProtocolError) as caught:
        messages.check(opcode, rsv1, 0)
    assert (caught.value.code, caught.value.reason) == (1002, reason)


def test_rsv1_means_nothing_without_an_extension():
    with pytest.raises(ProtocolError, match=r"RSV1 is set, but no extension that uses it was agreed on$") as caught:
        reader().check(Opcode.TEXT, True, 0)
    assert caught.value.code == 1002


def test_a_reader_knows_whether_a_message_has_begun():
    messages = reader()
    assert messages.is_between_messages
    messages.begin_frame(Opcode.TEXT, False)
    assert not messages.is_between_messages
    messages.feed(b"Hello", fin=True)
    assert messages.finish() == "Hello"
    assert messages.is_between_messages


def test_after_a_message_comes_a_new_one_and_no_continuation():
    messages = reader()
    read(messages, Opcode.TEXT, b"Hel", b"lo")

    assert fault(messages.check, Opcode.CONTINUATION, False, 0) == 1002
    assert fault(messages.check, Opcode.TEXT, False, 0) is None


# Sizes


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_a_frame_that_announces_too_much_is_refused_with_1009_before_it_arrives(opcode):
    messages = reader(10)

    assert fault(messages.check, opcode, False, 10) is None
    with pytest.raises(ProtocolError, match="a message of more than 10 bytes") as caught:
        messages.check(opcode, False, 11)
    assert caught.value.code == 1009


def test_the_fragments_of_a_message_count_together_and_the_next_message_has_all_the_room():
    messages = reader(10)
    messages.begin_frame(Opcode.BINARY, False)
    messages.feed(b"12345")
    messages.feed(b"67")

    assert fault(messages.check, Opcode.CONTINUATION, False, 3) is None
    assert fault(messages.check, Opcode.CONTINUATION, False, 4) == 1009
    assert read(messages, Opcode.CONTINUATION, b"890") == b"1234567890"
    assert fault(messages.check, Opcode.BINARY, False, 10) is None


def test_a_text_is_measured_in_bytes():
    assert fault(read, reader(3), Opcode.TEXT, "€".encode()) is None
    assert fault(read, reader(2), Opcode.TEXT, "€".encode()) == 1009


def test_more_bytes_than_were_announced_are_refused_as_well():
    messages = reader(10)
    messages.begin_frame(Opcode.BINARY, False)

    messages.feed(bytes(10))
    assert fault(messages.feed, b"x") == 1009


def test_a_compressed_frame_may_be_a_little_longer_than_the_message_but_not_much():
    messages = compressed_reader(800)

    assert fault(messages.check, Opcode.TEXT, True, 800 + 100 + 64) is None
    with pytest.raises(ProtocolError, match="a message of more than 800 bytes") as caught:
        messages.check(Opcode.TEXT, True, 800 + 100 + 65)
    assert caught.value.code == 1009
    assert fault(messages.check, Opcode.TEXT, False, 801) == 1009


def test_the_continuation_of_a_compressed_message_may_be_a_little_longer_too():
    messages = compressed_reader(800)
    messages.begin_frame(Opcode.BINARY, True)

    assert fault(messages.check, Opcode.CONTINUATION, False, 800 + 100 + 64) is None
    assert fault(messages.check, Opcode.CONTINUATION, False, 800 + 100 + 65) == 1009


def test_a_message_is_measured_after_decompression_each_on_its_own():
    compressor, messages = new_compressor(15), compressed_reader(1000)

    for _ in range(3):
        assert read(messages, Opcode.BINARY, deflate(bytes(1000), compressor), rsv1=True) == bytes(1000)
    assert fault(lambda: read(messages, Opcode.BINARY, deflate(bytes(1001), compressor), rsv1=True)) == 1009


def test_incompressible_data_of_the_greatest_size_still_fits_when_compressed():
    data = Random(0).randbytes(20_000)
    payload = deflate(data, new_compressor(15))

    assert len(payload) > len(data)
    assert read(compressed_reader(len(data)), Opcode.BINARY, payload, rsv1=True) == data


def test_the_final_blocks_of_each_message_are_counted_on_their_own():
    messages = compressed_reader()

    for _ in range(3):
        assert read(messages, Opcode.BINARY, bytes.fromhex("0300") * 100 + b"\x00", rsv1=True) == b""
    assert fault(lambda: read(messages, Opcode.BINARY, bytes.fromhex("0300") * 101 + b"\x00", rsv1=True)) == 1008


# Compression


def test_compressed_and_plain_messages_alternate():
    compressor, messages = new_compressor(15), compressed_reader()

    assert read(messages, Opcode.TEXT, deflate(b"Hello", compressor), rsv1=True) == "Hello"
    assert read(messages, Opcode.TEXT, b"Hello") == "Hello"
    assert read(messages, Opcode.TEXT, deflate(b"Hello", compressor), rsv1=True) == "Hello"


def test_a_compressed_message_may_come_in_fragments_that_are_cut_anywhere():
    payload = deflate("κόσμε".encode(), new_compressor(15))

    for cut in range(len(payload) + 1):
        assert read(compressed_reader(), Opcode.TEXT, payload[:cut], payload[cut:], rsv1=True) == "κόσμε"


def test_with_context_takeover_a_message_refers_to_those_before_it():
    shared = bytes.fromhex("f200110000")  # RFC 7692 §7.2.3.2: "Hello" again, in five bytes

    messages = reader(new_decompressor=Decompressor)
    read(messages, Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)
    assert read(messages, Opcode.TEXT, shared, rsv1=True) == "Hello"

    messages = compressed_reader(context_takeover=False)
    read(messages, Opcode.TEXT, bytes.fromhex("f248cdc9c90700"), rsv1=True)
    assert fault(lambda: read(messages, Opcode.TEXT, shared, rsv1=True)) == 1007


def test_without_context_takeover_a_plain_message_changes_nothing():
    messages = compressed_reader(context_takeover=False)

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
    messages = reader()
    messages.begin_frame(Opcode.TEXT, False)

    messages.feed(b"Hello" + bytes.fromhex(cut_short))
    assert fault(messages.feed, b"", True) == 1007


def test_a_surrogate_is_called_by_its_name():
    with pytest.raises(ProtocolError, match=r"not UTF-8: a surrogate$"):
        TextDecoder().decode(b"\xed\xa0")
    with pytest.raises(ProtocolError, match=r"the text is not UTF-8$"):
        TextDecoder().decode(b"\xff")


def test_a_binary_message_is_not_read_as_text():
    assert read(reader(), Opcode.BINARY, b"\xff", b"\xed\xa0") == b"\xff\xed\xa0"


@pytest.mark.parametrize("wrong", BAD_UTF8, ids=bytes.hex)
def test_an_invalid_byte_is_found_in_a_compressed_message_with_the_byte_that_reveals_it(wrong):
    payload = deflate(b"Hello" + wrong + b"more" * 20, new_compressor(15))
    messages = compressed_reader()
    messages.begin_frame(Opcode.TEXT, True)

    found = next(i for i in range(len(payload)) if fault(messages.feed, payload[i : i + 1]) is not None)

    def shown(size):
        return zlib.decompressobj(wbits=-15).decompress(payload[:size])

    assert first_wrong_byte(shown(found)) is None
    assert first_wrong_byte(shown(found + 1)) is not None
    assert found < len(payload) - 1
