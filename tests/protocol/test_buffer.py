"""ReceiveBuffer: nothing is lost, nothing is looked at too early, nothing is kept that has been used."""

from hypothesis import given
from hypothesis import strategies as st

from wslab.protocol.buffer import ReceiveBuffer


@given(st.lists(st.tuples(st.binary(max_size=5), st.integers(0, 5)), max_size=20))
def test_every_byte_is_seen_once_and_in_order(steps):
    buffer, seen = ReceiveBuffer(), b""
    for data, used in steps:
        buffer.open(data)
        end = min(buffer.position + used, len(buffer.data))
        seen += buffer.data[buffer.position : end]
        buffer.position = end
        buffer.close()

    assert seen + (buffer.peek(len(buffer)) or b"") == b"".join(data for data, _ in steps)


def test_nobody_need_look_again_before_there_is_enough():
    buffer = ReceiveBuffer()
    assert buffer.open(b"ab")
    buffer.needed = 4
    buffer.close()

    assert not buffer.open(b"c")
    assert buffer.open(b"de")
    assert (buffer.data, buffer.needed, buffer.has_more) == (b"abcde", 0, True)


def test_what_is_left_over_comes_before_what_arrives_next():
    buffer = ReceiveBuffer()
    for data, expected in ((b"ab", b"ab"), (b"c", b"bc"), (b"", b"bc"), (b"d", b"bcd")):
        buffer.open(data)
        assert buffer.data == expected
        buffer.position = 1 if data == b"ab" else 0
        buffer.close()


def test_what_has_not_arrived_cannot_be_peeked_at():
    buffer = ReceiveBuffer()
    buffer.open(b"Hello")
    buffer.position = 1
    buffer.close()

    assert (buffer.peek(4), buffer.peek(2), buffer.peek(5)) == (b"ello", b"el", None)


def test_nothing_is_kept_of_what_has_been_used():
    buffer = ReceiveBuffer()
    buffer.open(b"Hello")
    buffer.position = 5
    buffer.close()

    assert (len(buffer), buffer.has_more, buffer.data) == (0, False, b"")


def test_a_cleared_buffer_is_empty():
    buffer = ReceiveBuffer()
    buffer.open(b"Hello")
    buffer.close()
    buffer.clear()

    assert (len(buffer), buffer.has_more, buffer.data) == (0, False, b"")
