"""The frames of one side, of which a capture has lost bytes: in a frame, in a header, between frames."""

import itertools
import zlib

import pytest
from support.heads_and_frames import deflated, masked

from wslab.dissector.early_frames import EarlyFrames
from wslab.dissector.frames import Dissected, DissectedFrame, FrameDissector
from wslab.dissector.opaque import Missing
from wslab.dissector.side import Side
from wslab.protocol.body import BodyReader
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.http import Headers, Response
from wslab.protocol.states import Role

HELLO, LONG, BYE = (serialize_frame(Frame(Opcode.TEXT, data)) for data in (b"Hello", b"x" * 100, b"Bye"))
READ_ON = "missing: read on where a segment begins with a frame"
Lost = tuple[int, int | None]  # bytes that are missing, and those that are skipped then


def seen(*parts: bytes | Lost, sender: Role = Role.SERVER, **options: object) -> list[Dissected]:
    """What is found in these parts, some of which are missing."""
    side, frames = Side(), FrameDissector(sender, **options)
    found = [side.read(frames, part) if isinstance(part, bytes) else side.lose(frames, *part) for part in parts]
    return [*itertools.chain.from_iterable(found), *frames.end()]


def lines(*parts: bytes | Lost, **options: object) -> list[str]:
    return list(map(str, seen(*parts, **options)))


@pytest.mark.parametrize("size", [1, 50, 100])
@pytest.mark.parametrize("skipped", [None, 3])
def test_behind_a_gap_in_a_payload_the_next_frame_is_found_exactly(size, skipped):
    found = seen(HELLO, LONG[:2], (size, skipped), LONG[2 + size :] + BYE)

    assert list(map(str, found)) == ['text "Hello"', f"text: 100 bytes, {size} of them missing", 'text "Bye"']
    assert [(one.start, one.end) for one in found] == [(0, 7), (7, 109 - size), (109 - size, 114 - size)]
    assert isinstance(found[1].what, Missing)


def test_two_gaps_in_a_payload_are_counted_together():
    assert lines(LONG[:10], (20, None), LONG[30:40], (5, 0), LONG[45:] + BYE) == [
        "text: 100 bytes, 25 of them missing",
        'text "Bye"',
    ]


def test_a_gap_to_the_end_of_a_frame_and_of_the_connection_is_told():
    assert lines(LONG[:10], (92, None)) == ["cut short: 8 of 100 bytes of a text frame"]


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_behind_a_gap_in_a_header_it_is_read_on_where_frames_begin(cut):
    frame = masked(Opcode.TEXT, b"Hello")
    header = f"cut short: {cut} byte{'s' * (cut > 1)} of the header of a frame"
    found = seen(frame[:cut], (3, 2), frame[cut + 3 : cut + 4], frame[:1] + frame, sender=Role.CLIENT)

    assert list(map(str, found)) == [
        header,
        "3 bytes missing: read on 2 bytes later where a segment begins with a frame",
        'text "Hello"',
    ]
    assert [(one.start, one.end) for one in found] == [(0, cut), (cut, cut), (cut + 2, cut + 2 + len(frame))]


def test_a_gap_beyond_the_end_of_a_frame_cuts_it_short():
    assert lines(LONG[:10], (95, 0), BYE) == [
        "cut short: 8 of 100 bytes of a text frame",
        f"95 bytes {READ_ON}",
        'text "Bye"',
    ]


def test_where_nobody_knows_what_follows_nothing_is_read_up_to_the_next_gap():
    assert lines(HELLO, (7, None), BYE, (1, 0), HELLO) == [
        'text "Hello"',
        "7 bytes missing: nothing after them begins with a frame",
        f"1 byte {READ_ON}",
        'text "Hello"',
    ]


def test_behind_an_illegal_frame_no_gap_lets_it_be_read_on():
    (found,) = seen(b"\x83\0", (7, 0), HELLO)

    assert found.illegal


def test_the_rest_of_a_message_is_not_shown_as_a_secret_may_end_in_it():
    begun = serialize_frame(Frame(Opcode.TEXT, b'{"token": "se', fin=False))
    rest = serialize_frame(Frame(Opcode.CONTINUATION, b'same"}'))

    for found in (
        seen(begun[:12], (3, None), begun[15:] + rest + HELLO),
        seen(begun, (10, 0), rest + HELLO),
        seen(begun[:1], (10, 0), rest, HELLO),
    ):
        *_, torn, last = found
        assert str(torn) == "continuation: 6 bytes, what comes before them missing"
        assert isinstance(torn.what, Missing)
        assert str(last) == 'text "Hello"'


def test_a_gap_in_a_control_frame_costs_nothing_else():
    begun = serialize_frame(Frame(Opcode.TEXT, "é".encode()[:1], fin=False))
    rest = serialize_frame(Frame(Opcode.CONTINUATION, "é".encode()[1:]))
    close = serialize_frame(Frame(Opcode.CLOSE, b"\x03\xe8bye"))

    found = seen(begun + b"\x89\x05Hi", (3, None), rest + close[:4], (1, None), close[5:])
    assert [isinstance(one.what, DissectedFrame) for one in found] == [True, False, True, False]
    assert str(found[1]) == "ping: 5 bytes, 3 of them missing"
    assert str(found[3]) == "close: 5 bytes, 1 of them missing"
    assert not any(one.illegal for one in found)


def test_the_mask_and_utf_8_of_what_follows_are_right():
    begun, last = masked(Opcode.TEXT, "é".encode() * 10), masked(Opcode.TEXT, "é".encode())

    assert lines(begun[:9], (3, None), begun[12:] + last, sender=Role.CLIENT) == [
        "text: 20 bytes, 3 of them missing",
        'text "é"',
    ]


def compressed(*messages: bytes) -> list[bytes]:
    compressor = zlib.compressobj(wbits=-15)
    pieces = [compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH) for data in messages]
    return [serialize_frame(Frame(Opcode.TEXT, piece[:-4], rsv1=True)) for piece in pieces]


def test_what_refers_to_a_lost_message_is_told_and_breaks_no_rule():
    one, two, three, four = compressed(b"to be or not", b"to be or not", b"to be or not", b"Hm")

    for found in (
        lines(one, (len(two), 0), three, four, deflate=True),
        lines(one, two[:3], (1, None), two[4:] + three + four, deflate=True),
    ):
        assert found[0] == 'text "to be or not" (compressed to 14 bytes)'
        assert found[2:] == [
            "text (4 bytes, compressed, and not to be decompressed)",
            'text "Hm" (compressed to 4 bytes)',
        ]


def test_without_takeover_what_follows_is_decompressed():
    frame = serialize_frame(Frame(Opcode.TEXT, deflated(b"Hello"), rsv1=True))

    assert (
        lines(frame, frame[:4], (2, None), frame[6:] + frame + frame, deflate=True)[2:]
        == ['text "Hello" (compressed to 7 bytes)'] * 2
    )


def test_before_its_frames_a_side_has_heads_and_bodies():
    side = Side()
    side.unread += b"Hello"
    side.drop(2)
    assert (side.unread, side.position) == (b"llo", 2)
    side.expect(BodyReader(Response(200, "OK", Headers((("Content-Length", "3"),)))))
    assert side.body is not None
    side.expect(BodyReader(Response(204, "No Content")))
    assert side.body is None
    side.early = EarlyFrames(0, 1, 1)
