"""The wall: what all may see is short and has no secrets in it, and only the last of it is kept."""

import json

from wslab.classroom.rate import Rate
from wslab.classroom.requests import Mark
from wslab.classroom.students import Student
from wslab.classroom.wall import MAX_EVENTS, Wall, as_json, event_of, mark_event, message_event

ADA = Student("Ada", "192.0.2.1", Rate(1.0, burst=1), token="hers", clients=1, messages=2)


def test_an_event_says_of_a_student_what_others_see_and_no_more():
    assert event_of("joined", ADA) == {"kind": "joined", "name": "Ada", "clients": 1, "messages": 2}
    assert "hers" not in as_json(event_of("joined", ADA))


def test_a_text_is_shown_with_its_size_in_bytes():
    event = message_event(ADA, "Zwölf")
    assert (event["kind"], event["text"], event["size"]) == ("text", "Zwölf", 6)


def test_a_secret_is_crossed_out_also_where_the_text_is_cut():
    secret = "token=" + "s3cret" * 100
    assert message_event(ADA, f"see /?{secret}&x=1")["text"] == "see /?token=[redacted]&x=1"
    assert "s3cret" not in str(message_event(ADA, "x" * 290 + f" /?{secret}")["text"])


def test_a_long_text_is_cut():
    assert message_event(ADA, "x" * 5000)["text"] == "x" * 300 + " …"


def test_bytes_are_shown_in_hex():
    event = message_event(ADA, bytes([0, 255]))
    assert (event["kind"], event["text"], event["size"]) == ("binary", "00 ff", 2)
    assert message_event(ADA, bytes(100))["text"] == "00 " * 24 + "…"


def test_a_secret_in_bytes_is_crossed_out():
    assert "73 33 63" not in message_event(ADA, b"token=s3cret")["text"]


def test_a_mark_has_its_points_and_tries():
    kept = Student("Bob", "", Rate(1.0, burst=1)).keep(Mark("accept_key", 1, 2))
    assert json.loads(as_json(mark_event(ADA, kept))) == {
        **event_of("mark", ADA),
        "exercise": "accept_key",
        "points": 1,
        "max_points": 2,
        "tries": 1,
    }


def test_the_last_events_are_kept_and_what_is_not_for_all_is_not():
    wall = Wall()
    for number in range(MAX_EVENTS + 5):
        wall.keep(message_event(ADA, str(number)))
    wall.keep(event_of("clients", ADA))
    wall.keep({"kind": "mark"})
    assert len(wall.events) == MAX_EVENTS
    assert [event["text"] for event in wall.events][-1] == str(MAX_EVENTS + 4)
