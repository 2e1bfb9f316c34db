"""The room, without a socket: who gets what, who may see which marks, and what is told to the one who asks."""

import json

import pytest

from wslab.classroom.limits import ClassLimits
from wslab.classroom.room import Full, Room

HERE = "192.0.2.1"


class Got(list):
    """An outbox that keeps what was put into it."""

    put = list.append

    def events(self, kind):
        return [event for event in map(json.loads, self) if event["kind"] == kind]


class Someone:
    """A client in a room, and what it got."""

    def __init__(self, room, name="", token="", address=HERE, has_page=False):
        self.room, self.got = room, Got()
        self.client = room.join(name, token, address, self.got, has_page=has_page)
        self.greeting = None if has_page else self.got.pop()
        self.name, self.token = self.client.student.name, self.client.student.token

    def sends(self, message):
        return self.room.receive(self.client, message)

    def asks(self, **request):
        return self.sends(json.dumps(request))

    def leaves(self):
        self.room.leave(self.client)


@pytest.fixture
def room():
    return Room()


def handed_in(exercise="accept_key", points=1, max_points=2):
    return {"exercise": exercise, "points": points, "max_points": max_points}


def test_what_one_sends_all_others_get_with_the_name(room):
    ada, bob, eve = (Someone(room, name) for name in ("Ada", "Bob", "Eve"))
    ada.sends("Hello")
    ada.sends(b"\x00\xff")
    assert ada.got == []
    assert bob.got == eve.got == ["Ada: Hello", b"Ada: \x00\xff"]


def test_a_plain_client_is_told_its_name(room):
    assert [Someone(room, "Ada").greeting for _ in range(2)] == ["You are Ada.", "You are Ada 2."]


def test_a_page_speaks_to_all_and_sees_itself(room):
    page, ada = Someone(room, "Page", has_page=True), Someone(room, "Ada")
    page.asks(say="Hello")
    assert ada.got == ["Page: Hello"]
    assert [event["text"] for event in page.got.events("text")] == ["Hello"]


def test_others_get_a_message_as_it_was_sent_and_the_wall_shows_no_secret(room):
    ada, bob, page = Someone(room, "Ada"), Someone(room, "Bob"), Someone(room, has_page=True)
    ada.sends("/?token=s3cret")
    assert bob.got == ["Ada: /?token=s3cret"]
    assert "s3cret" not in "".join(page.got)


def test_a_page_is_told_who_is_here_and_what_has_passed(room):
    ada = Someone(room, "Ada")
    ada.sends("Hello")
    [welcome] = Someone(room, "Bob", has_page=True).got.events("welcome")
    assert [(person["name"], person["messages"]) for person in welcome["people"]] == [("Ada", 1), ("Bob", 0)]
    assert [(event["kind"], event["name"]) for event in welcome["events"]] == [("joined", "Ada"), ("text", "Ada")]
    assert ada.token is None
    assert welcome["token"]


def test_who_comes_with_a_token_has_the_same_name_and_one_more_connection(room):
    page = Someone(room, "Ada", has_page=True)
    own = Someone(room, "Whatever", page.token)
    assert own.name == "Ada"
    assert [event["clients"] for event in page.got.events("clients")] == [2]
    own.leaves()
    assert [event["clients"] for event in page.got.events("clients")] == [2, 1]
    assert page.got.events("left") == []


def test_who_comes_back_with_a_token_keeps_the_name_and_nobody_else_gets_it_meanwhile(room):
    page = Someone(room, "Ada", has_page=True)
    page.leaves()
    assert Someone(room, "Ada").name == "Ada 2"
    assert Someone(room, "", page.token, has_page=True).name == "Ada"


def test_a_guessed_token_is_nobodys(room):
    Someone(room, "Ada", has_page=True)
    assert Someone(room, "Ada", "guess").name == "Ada 2"


def test_marks_are_seen_by_their_student_and_the_teacher_only(room):
    teacher = Someone(room, token=room.teacher_token, has_page=True)
    ada, bob = Someone(room, "Ada", has_page=True), Someone(room, "Bob", has_page=True)
    ada.asks(hand_in=handed_in())
    for one in (teacher, ada):
        [mark] = one.got.events("mark")
        assert (mark["name"], mark["exercise"], mark["points"]) == ("Ada", "accept_key", 1)
    assert bob.got.events("mark") == []
    again = Someone(room, token=room.teacher_token, has_page=True)
    assert [mark["name"] for mark in again.got.events("welcome")[0]["marks"]] == ["Ada"]
    assert Someone(room, token=bob.token, has_page=True).got.events("welcome")[0]["marks"] == []


@pytest.mark.parametrize(
    "request_",
    [
        {"hand_in": handed_in() | {"name": "Bob"}},
        {"hand_in": handed_in(), "name": "Bob"},
        {"hand_in": handed_in(), "token": "Bob"},
    ],
)
def test_nobody_hands_in_for_somebody_else(room, request_):
    bob, eve = Someone(room, "Bob", has_page=True), Someone(room, "Eve", has_page=True)
    eve.asks(**request_)
    eve.asks(hand_in=handed_in())
    [refused] = eve.got.events("refused")
    assert "hand_in" in refused["why"] or "nothing else" in refused["why"]
    assert bob.got.events("mark") == bob.got.events("refused") == []
    assert [(it["name"], len(it["marks"])) for it in room.summary()["students"]] == [("Bob", 0), ("Eve", 1)]


def test_what_a_plain_client_sends_is_never_a_mark(room):
    ada, bob = Someone(room, "Ada"), Someone(room, "Bob")
    ada.asks(hand_in=handed_in())
    assert bob.got == [f"Ada: {json.dumps({'hand_in': handed_in()})}"]
    assert room.summary()["students"][0]["marks"] == []


@pytest.mark.parametrize("message", ["", "Hello", b"Hello", '{"say": 7}'])
def test_what_a_page_must_not_send_is_told_to_it_alone(room, message):
    page, other = Someone(room, has_page=True), Someone(room, has_page=True)
    assert page.sends(message)
    assert len(page.got.events("refused")) == 1
    assert other.got.events("refused") == other.got.events("text") == []


def test_who_sends_too_often_is_told_apart_and_with_all_connections_together():
    room = Room(ClassLimits(messages_per_second=0, burst=3))
    page, bob = Someone(room, "Ada", has_page=True), Someone(room, "Bob")
    own = Someone(room, token=page.token)
    assert [one.sends("x") for one in (page, own, own, page, own)] == [True, True, True, False, False]
    assert bob.sends("x")


def test_a_student_has_a_few_connections_and_no_more():
    room = Room(ClassLimits(clients_per_student=2))
    page = Someone(room, "Ada", has_page=True)
    second = Someone(room, token=page.token)
    with pytest.raises(Full, match="Ada has 2 connections already"):
        Someone(room, token=page.token)
    second.leaves()
    assert Someone(room, token=page.token).name == "Ada"


def test_one_address_cannot_come_and_go_without_end():
    room = Room(ClassLimits(per_address=2, arrivals_per_second=0))
    for _ in range(6):
        Someone(room).leaves()
    with pytest.raises(Full, match="connected too often"):
        Someone(room)
    assert Someone(room, address="192.0.2.2").name == "guest 1"


def test_what_is_remembered_of_addresses_is_forgotten():
    room = Room(ClassLimits(arrivals_per_second=1e9))
    for number in range(100):
        Someone(room, address=f"192.0.2.{number}").leaves()
    assert len(room._arrivals) <= 2


def test_the_summary_has_what_is_worth_keeping_and_no_token():
    room = Room()
    ada = Someone(room, "Ada", has_page=True)
    ada.asks(say="Hello token=s3cret")
    ada.asks(hand_in=handed_in(points=2))
    ada.leaves()
    kept = room.summary()
    assert kept["students"] == [{"name": "Ada", "messages": 1, "marks": [{**handed_in(points=2), "tries": 1}]}]
    assert [event["kind"] for event in kept["events"]] == ["joined", "text", "left"]
    text = json.dumps(kept)
    assert not any(secret in text for secret in (ada.token, room.teacher_token, "s3cret"))


def test_every_change_is_counted_so_that_it_can_be_saved(room):
    counts = [room.changes]
    ada = Someone(room, "Ada", has_page=True)
    counts.append(room.changes)
    ada.asks(hand_in=handed_in())
    counts.append(room.changes)
    ada.leaves()
    counts.append(room.changes)
    assert len(set(counts)) == 4
