"""Reports as bytes: events with plain values, and nothing else."""

import json

import pytest

from wslab import HandshakeError
from wslab.browser.report import MAX_FIELDS, MAX_TEXT, parse_report


def test_plain_values_arrive_as_they_are():
    event = {"what": "log", "text": "<img onerror=alert(1)>\x1b", "n": -1.5, "yes": True, "nothing": None}
    body = json.dumps({"events": [event, {"what": ""}], "done": True}).encode()
    assert parse_report(body) == ([event, {"what": ""}], True)


def report(**fields: object) -> bytes:
    return json.dumps({"events": [{"what": "log", **fields}], "done": False}).encode()


FAULTY = {
    "nothing": b"",
    "no JSON": b"events",
    "no UTF-8": b'"\xff"',
    "endless nesting": b"[" * 30_000,
    "a list": b"[]",
    "no events": b'{"done": true}',
    "no end": b'{"events": []}',
    "something else besides": b'{"events": [], "done": true, "run": "x"}',
    "an end that is no truth value": b'{"events": [], "done": 1}',
    "an event that is no object": b'{"events": ["open"], "done": true}',
    "an event without a name": b'{"events": [{}], "done": true}',
    "a name that is no text": report(what=1),
    "an object in an event": report(text={"a": 1}),
    "a list in an event": report(text=[1]),
    "a long text": report(text="x" * (MAX_TEXT + 1)),
    "a huge number": report(text=2**53 + 1),
    "not a number": report(text=float("nan")),
    "infinity": report(text=float("-inf")),
    "a field of a strange name": report(**{"<b>": 1}),
    "many fields": report(**{chr(97 + n): n for n in range(MAX_FIELDS)}),
}


@pytest.mark.parametrize("body", FAULTY.values(), ids=FAULTY.keys())
def test_what_is_no_report_of_plain_values_is_refused(body):
    with pytest.raises(HandshakeError) as caught:
        parse_report(body)
    assert caught.value.status == 400
