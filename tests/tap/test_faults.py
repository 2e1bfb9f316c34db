"""Faults: what becomes of the bytes of one direction, and of the end of TCP behind them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.tap.faults import Action, End, Fault, Pause, chop, cut, delay, flip, silence

FOR_EVER = Pause(math.inf)
EVERY_FAULT = [Fault(), chop(3), delay(1), silence(2), cut(2), flip(2), chop(1) + silence(3), flip(1) + chop(2)]


def actions(fault: Fault, *pieces: bytes) -> list[Action]:
    """What becomes of pieces that come one after the other."""
    found: list[Action] = []
    position = 0
    for piece in pieces:
        found += fault.act(piece, position)
        position += len(piece)
    return found


def forwarded(found: list[Action]) -> bytes:
    """The bytes that come out before the first end or endless pause."""
    there = b""
    for action in found:
        if action == FOR_EVER or isinstance(action, End):
            break
        there += action if isinstance(action, bytes) else b""
    return there


def test_no_fault_forwards_everything_as_it_came():
    assert actions(Fault(), b"Hello", b"", b"World") == [b"Hello", b"", b"World"]


def test_chop_makes_pieces_of_at_most_its_size():
    assert actions(chop(), b"abc") == [b"a", b"b", b"c"]
    assert actions(chop(2), b"abc", b"d") == [b"ab", b"c", b"d"]
    assert actions(chop(100), b"abc") == [b"abc"]


def test_delay_waits_before_each_piece():
    assert actions(delay(0.5), b"ab", b"c") == [Pause(0.5), b"ab", Pause(0.5), b"c"]


def test_silence_falls_after_so_many_bytes_wherever_the_pieces_are_cut():
    assert actions(silence(3), b"ab") == [b"ab"]
    assert actions(silence(3), b"abc") == [b"abc", FOR_EVER]
    assert actions(silence(3), b"ab", b"cd") == [b"ab", b"c", FOR_EVER]
    assert actions(silence(), b"ab") == [FOR_EVER]


def test_cut_ends_tcp_after_so_many_bytes_with_a_reset_or_in_good_order():
    assert actions(cut(3), b"ab", b"cd") == [b"ab", b"c", End(reset=True)]
    assert actions(cut(2, reset=False), b"ab") == [b"ab", End(reset=False)]
    assert actions(cut(), b"ab") == [End(reset=True)]


def test_flip_changes_the_bits_of_one_byte_wherever_the_pieces_are_cut():
    for cut_at in range(6):
        found = actions(flip(at=1, bits=0b0000_0100), b"Hello"[:cut_at], b"Hello"[cut_at:])
        assert forwarded(found) == b"Hallo"
    assert actions(flip(at=9), b"Hello") == [b"Hello"]


def test_the_end_of_tcp_passes_unless_there_is_silence_or_a_cut():
    assert actions(chop(1), b"") == [b""]
    assert actions(flip(0), b"") == [b""]
    assert actions(delay(2), b"") == [Pause(2), b""]
    assert actions(silence(1), b"") == [b""]
    assert actions(silence(), b"") == [FOR_EVER]
    assert actions(cut(1), b"") == [b""]
    assert actions(cut(), b"") == [End(reset=True)]


def test_two_faults_act_one_behind_the_other():
    assert actions(chop(1) + delay(1), b"ab") == [Pause(1), b"a", Pause(1), b"b"]
    assert actions(delay(1) + chop(1), b"ab") == [Pause(1), b"a", b"b"]
    assert actions(chop(2) + silence(3), b"abcd")[:3] == [b"ab", b"c", FOR_EVER]
    assert forwarded(actions(flip(at=0) + flip(at=3) + chop(2), b"abcd")) == b"`bce"
    assert actions(chop(1) + cut(), b"") == [End(reset=True)]


@given(st.binary(max_size=40), st.data())
def test_where_the_reads_are_cut_makes_no_difference_to_what_comes_out(data, source):
    cuts = sorted(source.draw(st.lists(st.integers(0, len(data)), max_size=5)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    for fault in EVERY_FAULT:
        assert forwarded(actions(fault, *filter(None, pieces))) == forwarded(actions(fault, data))


@pytest.mark.parametrize("fault", EVERY_FAULT[1:], ids=repr)
def test_a_fault_is_a_value_that_reads_as_it_is_written(fault):
    assert eval(repr(fault)) == fault


@pytest.mark.parametrize(
    "make",
    [
        lambda: chop(0),
        lambda: delay(-1),
        lambda: delay(math.inf),
        lambda: delay(math.nan),
        lambda: silence(after=-1),
        lambda: cut(after=-1),
        lambda: flip(at=-1),
        lambda: flip(at=0, bits=0),
        lambda: flip(at=0, bits=256),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(make):
    with pytest.raises(ValueError, match=r"not (-|0|256|inf|nan)"):
        make()
