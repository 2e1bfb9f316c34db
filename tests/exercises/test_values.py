"""Values cross from one process to another as they are, and nothing that they say of themselves is believed."""

import numpy as np
import pytest

from wslab import Frame, Opcode
from wslab.exercises.checks.values import Strange, dumps, fresh, loads, pack, same, show, unpack

VALUES = [
    None,
    True,
    0,
    -5,
    2.5,
    float("inf"),
    "",
    "é\x00\ud800",
    b"",
    b"\xff" * 300,
    [1, (2, b"x")],
    {"a": {8000: 1}},
    ("x", None),
]


def crossed(value):
    return unpack(loads(dumps(pack(value))))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_arrives_as_it_left(value):
    assert same(value, crossed(value))
    assert type(crossed(value)) is type(value)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_all_bytes_arrive_as_bytes(kind):
    assert crossed(kind(b"Hello")) == b"Hello"


def test_a_frame_arrives_whole():
    frame = Frame(Opcode.PING, memoryview(b"x"), False, True, False, True)
    assert crossed(frame) == Frame(Opcode.PING, b"x", False, True, False, True)
    assert crossed(Frame(77, "x")) == Frame(77, "x")


class Liar(bytes):
    __class__ = property(lambda self: int)

    def __eq__(self, other):
        return True

    __hash__ = bytes.__hash__

    def __len__(self):
        return 3


def test_an_object_that_is_equal_to_everything_is_what_it_is():
    assert not same(b"abc", crossed(Liar(b"x")))
    assert crossed(Liar(b"x")) == b"x"


def test_objects_that_nobody_asked_for_are_named():
    released = memoryview(b"x")
    released.release()
    deep = []
    deep.append(deep)

    assert crossed(object()) == crossed(crossed(object())) == Strange("object")
    assert crossed(np.zeros(3)) == Strange("numpy.ndarray")
    assert crossed(released) == Strange("memoryview that was released")
    assert "list in too many others" in repr(crossed(deep))
    assert crossed(b"x" * 5_000_000) == Strange("bytes of 5,000,000 bytes")
    assert show(crossed(iter([]))) == "a list_iterator"
    assert show(crossed(object())) == "an object"


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        (True, 1),
        (1, True),
        (1, "1"),
        (b"", ""),
        ([1], [1, 2]),
        ({1: 2}, {1: 3}),
        ({1: 2}, [1]),
        (None, False),
        (1, 1.0),
    ],
)
def test_other_values_are_not_the_same(expected, came):
    assert not same(expected, came)


def test_lists_and_tuples_are_alike():
    assert same([1, [2]], (1, (2,)))


def test_values_are_shown_in_the_words_of_the_protocol():
    assert show(b"") == "no bytes"
    assert show(bytes([1])) == "01 (1 byte)"
    assert show(bytes(100)).endswith("… (100 bytes)")
    assert show("é") == "'é'"
    assert show(Frame(Opcode.TEXT, b"Hi", rsv1=True)) == "<text frame, FIN RSV1, payload 48 69 (2 bytes)>"
    assert show(Frame(5, b"", fin=False)) == "<opcode 5 frame, no bits set, payload no bytes>"
    assert show(list(range(9))) == "[0, 1, 2, 3, 4, 5, … 9 in all]"
    assert show({8000: {"LISTEN": 1}}) == "{8000: LISTEN: 1}"


def test_a_fresh_copy_can_be_changed():
    original = [bytearray(b"a"), (memoryview(b"b"), [1])]
    copy = fresh(original)
    copy[0][0] = 0
    copy[1][1].append(2)

    assert original[0] == b"a"
    assert original[1][1] == [1]
