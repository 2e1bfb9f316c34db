"""What stands for bytes in which there is nothing to be seen."""

from wslab.dissector.opaque import LOST, Body, Missing, Opaque


def test_what_cannot_be_seen_is_told_in_words():
    assert [str(what) for what in (Opaque("a"), Body("b"), Missing("c"))] == ["a", "b", "c"]
    assert str(LOST) == "what follows is not read"
