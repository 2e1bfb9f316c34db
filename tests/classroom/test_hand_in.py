"""hand_in: three values go to the class that was named, when it is called, and the class says what it keeps."""

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1

import pytest
from support.classrooms import live_class, paged, plain
from support.raw_peer import live_server

from wslab import EchoServer, exercises, hand_in


@dataclass
class Report:
    name: str = "accept_key"
    points: float = 2
    max_points: float = 3
    code: str = "def accept_key(key): ..."


@pytest.fixture
def server():
    with live_class() as server:
        yield server


@pytest.fixture
def page(server):
    with paged(server, "?name=Ada") as page:
        yield page


def own_address(server, page):
    return f"{server.server.url}?token={page.token}"


def test_a_result_is_handed_in_and_the_class_says_what_it_keeps(server, page):
    assert hand_in(own_address(server, page), Report()) == "Ada: accept_key, 2 of 3 points"
    assert page.next("mark")["tries"] == 1
    assert hand_in(own_address(server, page), Report(points=1)) == "Ada: accept_key, 2 of 3 points"
    assert page.next("mark")["tries"] == 2


def test_what_the_check_of_an_exercise_returns_can_be_handed_in(server, page):
    def accept_key(key):
        return b64encode(sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()

    told = hand_in(own_address(server, page), exercises.check(accept_key))
    assert told == "Ada: accept_key, 3 of 3 points"


def test_nothing_but_three_values_leaves_the_machine():
    said = []

    def listen(connection):
        connection.send(json.dumps({"kind": "welcome", "name": "Ada", "token": "t"}))
        said.append(connection.receive())
        connection.send(json.dumps({"kind": "mark", "exercise": "another", "points": 1, "max_points": 1}))
        connection.send(json.dumps({"kind": "mark", "exercise": "accept_key", "points": 2, "max_points": 3}))

    with live_server(handler=listen, subprotocols=["class.wslab"]) as server:
        assert hand_in(f"{server.url}?token=t", Report()) == "Ada: accept_key, 2 of 3 points"
    assert [json.loads(it) for it in said] == [{"hand_in": {"exercise": "accept_key", "points": 2, "max_points": 3}}]


def test_without_an_own_address_nothing_is_sent(server, page):
    with pytest.raises(ValueError, match="hand in at your own address"):
        hand_in(server.server.url, Report())
    assert server.room.summary()["students"][0]["marks"] == []


def test_an_address_that_the_class_does_not_know_is_told_in_one_sentence(server):
    with pytest.raises(ValueError, match="this class does not know your address"):
        hand_in(f"{server.server.url}?token=guess", Report())
    assert [it["marks"] for it in server.room.summary()["students"]] == [[]]


def test_what_the_class_refuses_is_told_in_one_sentence(server, page):
    with pytest.raises(ValueError, match=r"^the class refuses it: points are numbers from 0 to max_points"):
        hand_in(own_address(server, page), Report(points=4))


def test_a_server_that_is_no_class_is_told_in_one_sentence():
    with EchoServer() as echo, pytest.raises(ValueError, match="of a WebSocket server, but of no class"):
        hand_in(f"{echo.url}?token=t", Report())


@pytest.mark.parametrize("said", ["[]", "{}", "7"])
def test_a_server_that_only_looks_like_a_class_is_told_in_one_sentence(said):
    no_class = pytest.raises(ValueError, match="but of no class")
    with live_server(handler=lambda it: it.send(said), subprotocols=["class.wslab"]) as server, no_class:
        hand_in(f"{server.url}?token=t", Report())


def test_an_answer_that_does_not_come_is_not_awaited_without_end():
    def talk_on(connection):
        connection.send(json.dumps({"kind": "welcome", "name": "Ada", "token": "t"}))
        connection.receive()
        connection.receive()

    with live_server(handler=talk_on, subprotocols=["class.wslab"]) as server, pytest.raises(TimeoutError):
        hand_in(f"{server.url}?token=t", Report(), timeout=0.2)


def test_another_client_of_the_same_student_may_be_there(server, page):
    with plain(server, f"?token={page.token}"):
        assert hand_in(own_address(server, page), Report()).startswith("Ada: ")
