"""MessageJoiner: frames to messages, whole or not, legal or not, however many frames there are."""

import tracemalloc
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from wslab.dissector.frames import Dissected, FrameDissector
from wslab.dissector.messages import MOST_FAULTS, JoinedMessage, MessageJoiner
from wslab.dissector.opaque import Missing, Opaque
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.http import Request
from wslab.protocol.states import Role

HELLO = bytes.fromhex("f2 48 cd c9 c9 07 00")  # RFC 7692 §7.2.3.1


def first(payload: bytes, opcode: Opcode = Opcode.TEXT, **bits: bool) -> Frame:
    return Frame(opcode, payload, fin=False, **bits)


def following(payload: bytes, *, fin: bool = False) -> Frame:
    return Frame(Opcode.CONTINUATION, payload, fin=fin)


def messages(*frames: Frame, kept: int = 4096, **options: object) -> list[JoinedMessage]:
    """What comes of frames that a server sends, up to the end of TCP."""
    reader, joiner = FrameDissector(Role.SERVER, **options), MessageJoiner(kept)
    seen = (one for frame in frames for one in reader.read(serialize_frame(frame)))
    return [message for one in seen for message in joiner.feed(one)] + joiner.end()


def told(joined: Iterable[JoinedMessage]) -> list[tuple[str, int, bool]]:
    return [(str(message.seen), message.frames, message.is_whole) for message in joined]


def test_a_message_in_one_frame_is_that_frame():
    (seen,) = FrameDissector(Role.SERVER).read(serialize_frame(Frame(Opcode.TEXT, b"Hello")))
    assert MessageJoiner().feed(seen) == [JoinedMessage(seen, seen.what, frames=1, is_whole=True)]


def test_frames_are_joined_around_the_control_frames_between_them():
    (message,) = messages(first(b"Hel"), Frame(Opcode.PING), following(b"lo, "), following(b"world", fin=True))

    assert told([message]) == [('text "Hello, world"', 3, True)]
    assert (message.seen.start, message.seen.end) == (0, 5 + 2 + 6 + 7)
    assert message.seen.what == message.frame
    assert (message.frame.payload, message.frame.length, message.frame.header.payload_length) == (
        *(b"Hello, world", 12),
        12,
    )


def test_what_does_not_come_to_its_end_says_so():
    assert told(messages(first(b"Hel"), following(b"lo"))) == [('text "Hello"', 2, False)]
    assert told(messages(first(b"Hel"))) == [('text "Hel"', 1, False)]
    assert told(messages(first(b"Hel"), Frame(Opcode.BINARY, b"\1"))) == [
        ('text "Hel"', 1, False),
        ("binary 01 - illegal: a binary frame inside a fragmented message", 1, True),
    ]


def test_the_end_is_told_once():
    joiner = MessageJoiner()
    (seen,) = FrameDissector(Role.SERVER).read(serialize_frame(first(b"Hel")))
    assert joiner.feed(seen) == []
    assert len(joiner.end()) == 1
    assert joiner.end() == []


def test_what_is_no_data_frame_is_in_no_message():
    joiner = MessageJoiner()
    for what in (Request("GET", "/"), Opaque("what follows is not read")):
        assert joiner.feed(Dissected(Role.CLIENT, 0, 9, what)) == []
    assert messages(Frame(Opcode.PING), Frame(Opcode.PONG), Frame(Opcode.CLOSE)) == []


def test_a_continuation_of_nothing_is_in_no_message():
    assert messages(following(b"a"), following(b"b", fin=True)) == []


def test_what_is_missing_may_be_of_the_message_that_has_begun():
    (begun,) = FrameDissector(Role.SERVER).read(serialize_frame(first(b"Hel")))
    (rest,) = FrameDissector(Role.SERVER, from_start=False).read(serialize_frame(following(b"lo", fin=True)))
    gap = Dissected(Role.SERVER, 5, 5, Missing("2 bytes missing"))
    joiner = MessageJoiner()

    found = [message for seen in (gap, begun, gap, gap, rest) for message in joiner.feed(seen)]
    assert told(found) == [('text "Hel"', 1, False)]


def test_what_is_illegal_in_a_frame_is_illegal_in_its_message():
    (message,) = messages(first(b"a", rsv2=True), following(b"\xff", fin=True))
    assert message.seen.illegal == "a reserved bit is set that no extension uses"
    assert [fault.field for fault in message.seen.faults] == ["RSV1-3", "payload"]

    (message,) = messages(first(b"a"), following(b"\xff", fin=True))
    assert message.seen.illegal.startswith("the text is not UTF-8")


def test_only_the_beginning_of_a_payload_is_kept_and_no_byte_after_a_gap():
    (message,) = messages(first(b"12345"), following(b"67890"), following(b"abc", fin=True), kept=7)
    assert (message.frame.payload, message.frame.length) == (b"1234567", 13)

    # The reader keeps 3 bytes of each frame: what the second one begins with does not follow these.
    reader, joiner = FrameDissector(Role.SERVER, kept=3), MessageJoiner()
    data = serialize_frame(first(b"12345")) + serialize_frame(following(b"67", fin=True))
    (message,) = [message for seen in reader.read(data) for message in joiner.feed(seen)]
    assert (message.frame.payload, message.frame.length) == (b"123", 7)


def test_a_compressed_message_is_joined_as_what_it_was():
    (message,) = messages(first(HELLO[:3], rsv1=True), following(HELLO[3:], fin=True), deflate=True)
    assert told([message]) == [('text "Hello"', 2, True)]
    assert message.frame.header.payload_length == len(HELLO)

    (message,) = messages(Frame(Opcode.TEXT, HELLO, rsv1=True), deflate=True)
    assert str(message.seen) == 'text "Hello" (compressed to 7 bytes)'


def test_of_a_message_that_cannot_be_decompressed_no_payload_is_kept():
    (message,) = messages(first(b"\0\0", rsv1=True), following(b"\xff\xff\xff", fin=True), deflate=True)
    assert (message.frame.is_deflated, message.frame.payload) == (True, b"")
    assert "compressed, and not to be decompressed" in str(message.seen)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=8))
def test_however_a_message_is_cut_into_frames_it_is_the_same(pieces):
    frames = [first(pieces[0], Opcode.BINARY), *map(following, pieces[1:]), following(b"", fin=True)]
    (message,) = messages(*frames)
    assert (message.frame.payload, message.frames, message.is_whole) == (b"".join(pieces), len(pieces) + 1, True)


def test_a_message_of_very_many_frames_takes_little_memory():
    joiner, reader = MessageJoiner(kept=100), FrameDissector(Role.SERVER)
    data, start = serialize_frame(following(bytes(50))), serialize_frame(first(bytes(50), Opcode.BINARY))
    for seen in reader.read(start):
        joiner.feed(seen)
    tracemalloc.start()
    for _ in range(5000):
        for seen in reader.read(data):
            assert joiner.feed(seen) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 96 * 1024
    (message,) = joiner.end()
    assert (message.frames, message.frame.length, len(message.frame.payload)) == (5001, 5001 * 50, 100)


def test_of_a_message_in_many_illegal_frames_not_every_fault_is_kept():
    reader, joiner = FrameDissector(Role.CLIENT), MessageJoiner()
    assert joiner.is_empty
    frames = [first(b""), *[following(b"")] * 50, following(b"", fin=True)]
    (message,) = [m for f in frames for one in reader.read(serialize_frame(f)) for m in joiner.feed(one)]

    assert len(message.seen.faults) == MOST_FAULTS
    assert joiner.is_empty
    joiner.feed(message.seen)
    (seen,) = FrameDissector(Role.SERVER).read(serialize_frame(first(b"")))
    joiner.feed(seen)
    assert not joiner.is_empty
