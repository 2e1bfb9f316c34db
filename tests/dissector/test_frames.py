"""FrameDissector: the frames of one side as they pass, each judged and cut down, however the bytes are cut."""

import random
import re
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bad_frames import FAULTS
from support.heads_and_frames import compressed, deflated, raw_frame
from support.wire import BAD_UTF8

from wslab.dissector.frames import MAX_INFLATED, Dissected, DissectedFrame, FrameDissector
from wslab.dissector.opaque import Opaque
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import Role

KEY = bytes.fromhex("37fa213d")
CUT_SHORT = "a wrong byte in a frame that is not all there"
ILLEGAL = [fault for fault in FAULTS if fault.code != 1009 and fault.name != CUT_SHORT]
LOST = re.compile("opcode .* is reserved|shortest|most significant|more than 125|fragmented (ping|close)")


def client(frame: Frame) -> bytes:
    return serialize_frame(frame, KEY)


def lines(data: bytes, sender: Role = Role.CLIENT, **options: object) -> list[str]:
    reader = FrameDissector(sender, **options)
    return [str(seen) for seen in reader.read(data) + reader.end()]


def byte_by_byte(data: bytes, reader: FrameDissector) -> list[Dissected]:
    return [seen for place in range(len(data)) for seen in reader.read(data[place : place + 1])]


# Lines


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (Frame(Opcode.TEXT, b"Hello"), 'text "Hello"'),
        (Frame(Opcode.TEXT), 'text ""'),
        (Frame(Opcode.TEXT, "é€😀".encode()), 'text "é€😀"'),
        (Frame(Opcode.TEXT, b"x" * 60), f'text "{"x" * 60}"'),
        (Frame(Opcode.TEXT, b"x" * 61), f'text "{"x" * 60}…" (61 bytes)'),
        (Frame(Opcode.TEXT, b"x" * 100_000), f'text "{"x" * 60}…" (100000 bytes)'),
        (Frame(Opcode.TEXT, b"one\n\x1b[2Jtwo\x9b"[:-1]), 'text "one\\n\\x1b[2Jtwo"'),
        (Frame(Opcode.TEXT, b"http://a/?token=sesame"), 'text "http://a/?token=[redacted]"'),
        (Frame(Opcode.BINARY), "binary"),
        (Frame(Opcode.BINARY, b"\x00\xff"), "binary 00 ff"),
        (Frame(Opcode.BINARY, bytes(21)), f"binary {bytes(20).hex(' ')} … (21 bytes)"),
        (Frame(Opcode.BINARY, bytes(10_000)), f"binary {bytes(20).hex(' ')} … (10000 bytes)"),
        (Frame(Opcode.PING), "ping"),
        (Frame(Opcode.PONG, b"\x01"), "pong 01"),
        (Frame(Opcode.CLOSE, b"\x03\xe8bye"), 'close 1000 "bye"'),
        (Frame(Opcode.CLOSE), "close"),
        (Frame(Opcode.BINARY, b"\x00", fin=False), "binary 00 (more to come)"),
    ],
)
def test_a_frame_is_one_readable_line(frame, line):
    assert lines(client(frame)) == [line]
    assert lines(serialize_frame(frame), Role.SERVER) == [line]


def test_fragments_are_shown_as_what_their_message_is():
    data = [
        Frame(Opcode.TEXT, b"Hel", fin=False),
        Frame(Opcode.PING, b"\x01"),
        Frame(Opcode.CONTINUATION, "lo é".encode()[:-1], fin=False),
        Frame(Opcode.CONTINUATION, "é".encode()[1:]),
        Frame(Opcode.BINARY, b"\x00", fin=False),
        Frame(Opcode.CONTINUATION, b"\x01"),
    ]
    assert lines(b"".join(map(client, data))) == [
        'text "Hel" (more to come)',
        "ping 01",
        'continuation "lo \\xc3" (more to come)',
        'continuation "\\xa9"',
        "binary 00 (more to come)",
        "continuation 01",
    ]


SECRET_TEXT = b'{"a": 1, "token": "sesame", "b": 2}'


def fragments(message: bytes, size: int, opcode: Opcode = Opcode.TEXT, between: bytes = b"") -> bytes:
    """The message in frames of `size` bytes, with other frames between them."""
    starts = range(0, len(message), size)
    return between.join(
        client(Frame(opcode if at == 0 else Opcode.CONTINUATION, message[at : at + size], fin=at == starts[-1]))
        for at in starts
    )


@pytest.mark.parametrize("size", range(1, len(SECRET_TEXT)))
def test_a_secret_that_fragments_cut_is_not_shown_in_pieces(size):
    shown = re.findall(r'"(.*)"', "\n".join(lines(fragments(SECRET_TEXT, size, between=client(Frame(Opcode.PING))))))
    said = "".join(shown).replace("[redacted]", "")
    assert said == '{"a": 1, "token": "", "b": 2}'


def test_what_may_become_a_secret_with_the_next_fragment_is_not_shown():
    for message, size in ((b"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", 9), (b"ws://john:sesame@localhost/", 12)):
        first, second, *_ = lines(fragments(message, size))
        assert first in ('text "[redacted]" (more to come)', 'text "ws://[redacted]" (more to come)')
        assert second.startswith('continuation "[redacted]')


def test_the_next_message_has_nothing_to_do_with_a_secret_before_it():
    data = fragments(b"token=ses", 5), client(Frame(Opcode.TEXT, b"ame")), client(Frame(Opcode.CONTINUATION, b"x"))
    assert lines(b"".join(data))[1:3] == ['continuation "=[redacted]"', 'text "ame"']


def test_bytes_of_a_secret_in_a_binary_message_are_not_shown_in_hex():
    assert lines(client(Frame(Opcode.BINARY, b"\xff\x00/?token=abc"))) == [
        "binary ff 00 2f 3f 74 6f 6b 65 6e 3d xx xx xx",
    ]
    cut = lines(fragments(b"\x01/lab?token=abc", 13, Opcode.BINARY))
    assert cut[1] == "continuation xx xx"


def test_compressed_messages_are_shown_decompressed_one_after_the_other():
    stream = zlib.compressobj(wbits=-15)

    def deflate(data: bytes) -> bytes:
        return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")

    first, second = deflate(b"Hello " * 10), deflate(b"Hello " * 10)
    data = compressed(first, 0xC1) + compressed(second[:3], 0x41) + raw_frame(0x89) + compressed(second[3:], 0x80)
    found = lines(data + raw_frame(0x81, b"plain"), deflate=True)

    said = "Hello " * 10
    assert len(second) < len(first)
    assert found[0] == f'text "{said}" (compressed to {len(first)} bytes)'
    assert found[1].endswith("(compressed to 3 bytes, more to come)")
    assert found[2] == "ping"
    assert len(second) == 4
    assert found[3].endswith("(compressed to 1 byte)")
    assert found[4] == 'text "plain"'


def test_bits_of_extensions_that_are_not_known_are_told_and_not_judged():
    assert lines(raw_frame(0xF1, b"Hello"), knows_bits=False) == ['text "Hello" (rsv1, rsv2, rsv3)']
    assert lines(raw_frame(0x41, b"\xff") + raw_frame(0xC0, b"\xff"), knows_bits=False) == [
        'text "\\xff" (rsv1, more to come)',
        'continuation "\\xff" (rsv1)',
    ]


def test_a_head_is_its_first_line_and_what_is_illegal_stands_behind_it():
    request = Request("GET", "/?token=sesame", Headers((("Cookie", "sesame"),)))
    assert str(Dissected(Role.CLIENT, 0, 9, request)) == "GET /?token=[redacted] HTTP/1.1"
    assert str(Dissected(Role.SERVER, 0, 9, Response(101, "\x9bOops"), "no key")) == (
        "HTTP/1.1 101 \\x9bOops - illegal: no key"
    )


# What is illegal


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in ILLEGAL])
def test_what_the_protocol_refuses_is_said_to_be_illegal_for_the_same_reason(fault):
    reader = FrameDissector(Role.CLIENT, deflate=fault.deflate)
    seen = reader.read(raw_frame(0x81, b"before") + fault.sent + raw_frame(0x8A, b"after"))

    assert str(seen[0]) == 'text "before"'
    (reason,) = [one.illegal for one in seen if one.illegal]
    assert fault.words in reason
    assert (str(seen[-1]) == "pong 61 66 74 65 72") is not bool(LOST.search(reason))


def test_what_is_illegal_in_a_frame_that_is_cut_short_is_told_with_its_end():
    (fault,) = [fault for fault in FAULTS if fault.name == CUT_SHORT]
    assert lines(fault.sent) == ["cut short: 1 of 9 bytes of a text frame - illegal: the text is not UTF-8"]


def test_a_frame_that_breaks_several_rules_tells_all_of_them_with_their_fields():
    data = client(Frame(Opcode.TEXT, b"Hel", fin=False)) + serialize_frame(Frame(Opcode.TEXT, b"caf\xe9!", rsv2=True))
    (seen,) = FrameDissector(Role.CLIENT).read(data)[1:]
    assert [(fault.field, fault.section, fault.code, fault.place) for fault in seen.faults] == [
        ("MASK", "§5.1", 1002, None),
        ("RSV1-3", "§5.2", 1002, None),
        ("opcode", "§5.4", 1002, None),
        ("payload", "§8.1", 1007, 4),
    ]
    assert seen.illegal == seen.faults[0].reason == "a frame from a client without a mask"


@pytest.mark.parametrize("wrong", BAD_UTF8)
def test_the_place_of_a_wrong_byte_is_told_however_its_message_is_cut(wrong):
    good = "é".encode() * 3
    text = good + wrong + b" and on"
    place = len(good + wrong) - 1
    for cut in range(len(text)):
        pieces = [Frame(Opcode.TEXT, text[:cut], fin=False), Frame(Opcode.CONTINUATION, text[cut:])]
        seen = FrameDissector(Role.CLIENT).read(b"".join(map(client, pieces)))
        faults = [(number, fault.place) for number, one in enumerate(seen) for fault in one.faults]
        assert faults == [(0, place) if place < cut else (1, place - cut)]


def test_a_text_that_ends_within_a_character_is_wrong_behind_its_last_byte():
    for payload in (b"caf\xc3", b"\xf0\x9f\x98"):
        (seen,) = FrameDissector(Role.CLIENT).read(client(Frame(Opcode.TEXT, payload)))
        assert [fault.place for fault in seen.faults] == [len(payload)]


@pytest.mark.parametrize(
    ("payload", "field", "place"),
    [(b"\x03", "close code", None), (b"\x03\xed", "close code", None), (b"\x03\xe8ab\xff", "close reason", 4)],
)
def test_a_close_frame_is_wrong_in_its_code_or_in_its_reason(payload, field, place):
    (seen,) = FrameDissector(Role.CLIENT).read(client(Frame(Opcode.CLOSE, payload)))
    assert [(fault.field, fault.place) for fault in seen.faults] == [(field, place)]


def test_what_came_before_may_be_unknown_and_is_not_held_against_a_frame():
    data = client(Frame(Opcode.CONTINUATION, b"lo", fin=False)) + client(Frame(Opcode.CONTINUATION, b"\xff"))
    late = FrameDissector(Role.CLIENT, deflate=None, from_start=False).read(data * 2)
    assert [str(seen) for seen in late] == [
        "continuation 6c 6f (more to come)",
        "continuation ff",
        "continuation 6c 6f (more to come) - illegal: a continuation frame, but no message has begun",
        "continuation ff - illegal: a continuation frame, but no message has begun",
    ]


def test_every_frame_with_a_fault_in_its_header_alone_is_followed_by_the_next():
    frames = serialize_frame(Frame(Opcode.TEXT, b"a")) + raw_frame(0xA1, b"b") + raw_frame(0x81, b"c")
    assert lines(frames) == [
        'text "a" - illegal: a frame from a client without a mask',
        'text "b" (rsv2) - illegal: a reserved bit is set that no extension uses',
        'text "c"',
    ]
    assert lines(raw_frame(0x81, b"a"), Role.SERVER) == ['text "a" - illegal: a masked frame from a server']


def test_data_after_a_close_frame_is_illegal_and_a_pong_is_not():
    data = client(Frame(Opcode.CLOSE, b"\x03\xe8")) + client(Frame(Opcode.PONG)) + client(Frame(Opcode.TEXT, b"late"))
    assert lines(data) == ["close 1000", "pong", 'text "late" - illegal: a text frame after a close frame']


def test_behind_a_frame_whose_end_cannot_be_told_nothing_is_read():
    reader = FrameDissector(Role.CLIENT)
    (seen,) = reader.read(raw_frame(0x83) + client(Frame(Opcode.PING)))
    assert str(seen) == "what follows is not read - illegal: opcode 0x3 is reserved"
    assert reader.read(client(Frame(Opcode.PING))) == []
    assert reader.end() == []


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/2 200"])
@pytest.mark.parametrize("before", [[], [Frame(Opcode.CLOSE, b"\x03\xe8")]])
def test_http_where_a_frame_was_expected_is_called_so_however_it_arrives(before, line):
    data = b"".join(map(serialize_frame, before)) + line + b"\r\n\r\n"
    told = "what follows is not read - illegal: HTTP where a frame was expected"
    assert lines(data, Role.SERVER)[-1] == told
    assert str(byte_by_byte(data, FrameDissector(Role.SERVER))[-1]) == told


def test_what_is_no_frame_behind_a_close_frame_is_called_so():
    data = client(Frame(Opcode.CLOSE, b"\x03\xe8")) + raw_frame(0x08)
    why = "bytes after a close frame: a fragmented close frame"
    assert lines(data) == ["close 1000", f"what follows is not read - illegal: {why}"]


def test_once_decompressing_has_failed_it_is_not_tried_again_and_plain_frames_are_read():
    data = compressed(b"\xff\xff\xff") + compressed(deflated(b"Hello")) + raw_frame(0x81, b"plain")
    first, second, third = lines(data, deflate=True)
    assert first == (
        "binary (3 bytes, compressed, and not to be decompressed) - illegal: the payload is not DEFLATE data"
    )
    assert second.endswith("bytes, compressed, and not to be decompressed)")
    assert third == 'text "plain"'


def test_a_message_that_is_too_long_when_decompressed_is_legal_and_given_up():
    data = compressed(deflated(bytes(MAX_INFLATED + 1)))
    (seen,) = FrameDissector(Role.CLIENT, deflate=True).read(data)
    assert (seen.illegal, seen.what.is_deflated, seen.what.payload) == ("", True, b"")
    assert seen.what.length == seen.what.header.payload_length
    assert byte_by_byte(data, FrameDissector(Role.CLIENT, deflate=True)) == [seen]


# The end


def test_a_frame_that_is_cut_short_is_told_at_the_end():
    whole = client(Frame(Opcode.BINARY, bytes(1000)))
    assert lines(whole[:5]) == ["cut short: 5 bytes of the header of a frame"]
    assert lines(whole[:20]) == ["cut short: 12 of 1000 bytes of a binary frame"]
    assert lines(b"") == []
    reader = FrameDissector(Role.CLIENT)
    reader.read(whole[:20])
    assert len(reader.end()) == 1
    assert (reader.end(), reader.read(whole)) == ([], [])


# Places and memory


def test_every_frame_tells_where_its_bytes_are():
    frames = [Frame(Opcode.TEXT, b"a"), Frame(Opcode.PING), Frame(Opcode.BINARY, bytes(200)), Frame(Opcode.TEXT)]
    data = b"".join(map(client, frames))
    reader = FrameDissector(Role.CLIENT, position=100)
    seen = reader.read(data)
    assert [data[one.start - 100 : one.end - 100] for one in seen] == [client(frame) for frame in frames]
    (cut,) = (reader.read(data[:3]), reader.end())[1]
    assert (cut.start, cut.end, cut.what) == (
        100 + len(data),
        103 + len(data),
        Opaque("cut short: 3 bytes of the header of a frame"),
    )


def test_only_the_beginning_of_a_payload_is_kept():
    (seen,) = FrameDissector(Role.CLIENT, kept=5).read(client(Frame(Opcode.TEXT, b"Hello, World")))
    assert isinstance(seen.what, DissectedFrame)
    assert (seen.what.payload, seen.what.length) == (b"Hello", 12)
    assert str(seen) == 'text "Hello…" (12 bytes)'


def test_a_frame_of_2_to_the_40_bytes_takes_no_memory_but_what_is_kept():
    reader = FrameDissector(Role.CLIENT)
    reader.read(raw_frame(0x82, length=b"\x7f\0\0\1" + bytes(5)))
    piece = bytes(64 * 1024)
    tracemalloc.start()
    try:
        for _ in range(200):
            assert reader.read(piece) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(piece)
    (seen,) = reader.end()
    assert str(seen) == f"cut short: {200 * 64 * 1024} of {2**40} bytes of a binary frame"


# However the bytes are cut


def test_wherever_the_bytes_are_cut_the_same_is_found():
    frames = b"".join(fault.sent for fault in FAULTS if fault.words in ("RSV1", "reserved bit", "not UTF-8"))
    data = client(Frame(Opcode.TEXT, "é€😀".encode() * 50)) + frames + compressed(deflated(b"x" * 500), 0xC1)
    data += client(Frame(Opcode.CLOSE, b"\x03\xe8"))
    whole = FrameDissector(Role.CLIENT, deflate=True).read(data)
    assert len(whole) > 10
    assert byte_by_byte(data, FrameDissector(Role.CLIENT, deflate=True)) == whole
    for cut in range(len(data)):
        reader = FrameDissector(Role.CLIENT, deflate=True)
        assert reader.read(data[:cut]) + reader.read(data[cut:]) == whole


@given(st.binary(max_size=300), st.sampled_from(list(Role)), st.booleans(), st.booleans(), st.integers(0, 300))
def test_no_bytes_make_it_raise_and_no_cut_makes_a_difference(data, sender, deflate, knows_bits, cut):
    readers = [FrameDissector(sender, deflate=deflate, knows_bits=knows_bits) for _ in range(2)]
    whole = readers[0].read(data) + readers[0].end()
    parts = readers[1].read(data[:cut]) + readers[1].read(data[cut:]) + readers[1].end()
    assert [(seen.start, str(seen)) for seen in parts] == [(seen.start, str(seen)) for seen in whole]


@given(st.integers(0, 2**32))
def test_changed_bits_of_good_frames_do_not_make_it_raise(seed):
    source = random.Random(seed)
    data = bytearray(compressed(deflated(b"Hello" * 20), 0xC1) + client(Frame(Opcode.TEXT, "é".encode() * 20)) * 3)
    for _ in range(3):
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    assert all("\n" not in line for line in lines(bytes(data), deflate=True))


# What is missing


def test_a_frame_goes_on_behind_what_is_missing_in_it_and_is_not_shown():
    reader, frame = FrameDissector(Role.CLIENT, deflate=True), client(Frame(Opcode.TEXT, b"Hello"))
    begun, rest = client(Frame(Opcode.TEXT, b"Hel", fin=False)), client(Frame(Opcode.CONTINUATION, b"lo"))

    assert not reader.skip(1), "there is no frame"
    seen = reader.read(frame[:8])
    assert not reader.skip(4), "it has three bytes left"
    assert reader.skip(2)
    seen += reader.read(frame[10:] + begun[:7])
    assert reader.skip(2)
    seen += reader.read(rest + client(Frame(Opcode.PING, b"Hello"))[:7])
    assert reader.skip(4)
    seen += reader.read(frame) + reader.end()
    assert list(map(str, seen)) == [
        "text: 5 bytes, 2 of them missing",
        "text: 3 bytes, 2 of them missing",
        "continuation: 2 bytes, what comes before them missing",
        "ping: 5 bytes, 4 of them missing",
        'text "Hello"',
    ]


def test_behind_a_gap_it_begins_again_as_late_as_nothing_is_known():
    reader, frame = FrameDissector(Role.SERVER), serialize_frame(Frame(Opcode.TEXT, b"Hello"))
    seen = reader.read(frame[:3]) + reader.end()
    reader.begin_again()
    seen += reader.read(serialize_frame(Frame(Opcode.CONTINUATION, b"lo")) + frame[:1]) + reader.end()
    reader.begin_again()
    seen += reader.read(frame)
    assert list(map(str, seen)) == [
        "cut short: 1 of 5 bytes of a text frame",
        "continuation: 2 bytes, what comes before them missing",
        "cut short: 1 byte of the header of a frame",
        'text "Hello"',
    ]
    assert seen[-1].start == 3 + 4 + 1
