"""Events: plain values, equal when they say the same."""

import dataclasses

import pytest

from wslab.protocol.events import Binary, Close, Ping, Pong, Text, as_bytes, as_event


@pytest.mark.parametrize("event", [Text("a"), Binary(b"a"), Ping(b"a"), Pong(b"a"), Close(1000, "a")], ids=repr)
def test_an_event_is_a_value_that_does_not_change(event):
    assert event == dataclasses.replace(event)
    [first, *_] = dataclasses.fields(event)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(event, first.name, None)


def test_events_of_different_kinds_are_never_equal():
    assert len({Text("a"), Binary(b"a"), Ping(b"a"), Pong(b"a")}) == 4


def test_pings_pongs_and_reasons_may_be_empty():
    assert (Ping(), Pong(), Close(1000)) == (Ping(b""), Pong(b""), Close(1000, ""))


def test_a_message_that_stands_for_itself_becomes_an_event_and_an_event_stays_what_it_is():
    ping = Ping(b"a")

    assert [as_event("a"), as_event(b"a"), as_event(ping)] == [Text("a"), Binary(b"a"), ping]


def test_bytes_are_taken_as_they_are_and_what_is_like_them_is_copied():
    data = b"Hello"

    assert as_bytes(data) is data
    assert [as_bytes(bytearray(data)), as_bytes(memoryview(data))] == [data, data]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"say": "Hello"}, "str or bytes can be sent here, not dict"),
        (5, "str or bytes can be sent here, not int"),
        ("Hello", "bytes can be sent here, not str"),
    ],
)
def test_what_has_no_bytes_is_refused_with_a_word_for_what_has(data, words):
    with pytest.raises(TypeError, match=f"^{words}$"):
        as_bytes(data)
