"""Early frames: what a client has sent before the answer, read in the way in which the answer wants it."""

from support.heads_and_frames import compressed, deflated, text

from wslab.dissector.early_frames import COST, EarlyFrames


def settled(early: EarlyFrames, *, deflate: bool = False, knows_bits: bool = True) -> list[str]:
    dissector, seen = early.settle(deflate, knows_bits)
    return [str(one) for one in [*seen, *dissector.read(text("late"))]]


def test_the_answer_decides_how_the_frames_are_read():
    for deflate, line in (
        (True, 'text "Hello" (compressed to 7 bytes)'),
        (False, 'text "\\xf2H\\xcd\\xc9\\xc9\\x07\\x00" (rsv1) - illegal: RSV1 is set'),
    ):
        early = EarlyFrames(position=9, kept=100, room=1000)
        early.read(compressed(deflated(b"Hello"), 0xC1))
        first, second = settled(early, deflate=deflate)
        assert first.partition(",")[0] == line
        assert second == 'text "late"'


def test_places_count_from_where_the_frames_begin():
    early = EarlyFrames(position=9, kept=100, room=1000)
    early.read(text("Hello")[:4])
    early.read(text("Hello")[4:])
    _, seen = early.settle(deflate=False, knows_bits=True)
    assert [(one.start, one.end) for one in seen] == [(9, 20)]


def test_what_has_no_room_is_counted_and_the_first_frame_always_has_some():
    early = EarlyFrames(position=0, kept=100, room=2 * (COST + 5) + 1)
    early.read(text("Hello") * 5)
    told = "3 more frames before the answer, which are not kept"
    assert settled(early) == ['text "Hello"', 'text "Hello"', told, 'text "late"']

    early = EarlyFrames(position=0, kept=100, room=1)
    early.read(text("Hello"))
    assert settled(early) == ['text "Hello"', 'text "late"']


def test_of_an_unknown_extension_nothing_is_read():
    early = EarlyFrames(position=0, kept=100, room=1000)
    early.read(text("Hello"))
    assert settled(early, knows_bits=False) == ["frames before the answer, which an extension has changed"]
