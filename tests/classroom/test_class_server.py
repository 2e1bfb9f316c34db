"""The class over real sockets: any client joins, foreign pages do not, and a hostile student disturbs nobody."""

import contextlib
import http.client
import json
import sys

import pytest
from support.classrooms import live_class, paged, plain, teaching
from support.heads_and_frames import KEY
from support.hostile_students import HOSTILE, connected
from support.waiting import PATIENCE, running, wait_until
from websockets.sync.client import connect as connect_with_websockets

from wslab import CloseCode, ConnectionClosed, connect
from wslab.classroom.class_server import SUBPROTOCOL, ClassServer

HTML = {"Accept": "text/html"}
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


@pytest.fixture
def server():
    with live_class() as server:
        yield server


def get(server, **headers):
    """The status, headers and body of an HTTP answer."""
    client = http.client.HTTPConnection(server.server.host, server.server.port, timeout=PATIENCE)
    with contextlib.closing(client):
        client.request("GET", "/", headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = client.getresponse()
        return answer.status, answer.headers, "" if answer.status == 101 else answer.read().decode()


# The page


def test_a_browser_gets_the_page_with_the_address_and_its_qr_code(server):
    status, headers, page = get(server, **HTML)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert page.count(server.address) >= 2
    assert 'src="data:image/svg+xml' in page
    assert "{{" not in page


def test_the_policy_of_the_page_allows_itself_and_nothing_else(server):
    policy = dict(rule.split(" ", 1) for rule in get(server, **HTML)[1]["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["script-src"].startswith("'sha256-")
    assert policy["style-src"].startswith("'sha256-")


def test_the_page_holds_no_token(server):
    assert server.room.teacher_token not in get(server, **HTML)[2]
    assert server.room.teacher_token in server.teacher_address


def test_a_page_of_a_foreign_site_cannot_connect(server):
    assert get(server, **UPGRADE, Origin="http://evil.example")[0] == 403
    assert get(server, **UPGRADE, Origin="null")[0] == 403
    assert get(server, **UPGRADE, Origin=server.address.rstrip("/"))[0] == 101
    assert get(server, **UPGRADE)[0] == 101


def test_a_foreign_name_that_points_here_gets_nothing(server):
    port = server.server.port
    status, _, body = get(server, **HTML, Host=f"evil.example:{port}")
    assert (status, "QR" in body) == (403, False)
    origin = f"http://evil.example:{port}"
    assert get(server, **UPGRADE, Host=f"evil.example:{port}", Origin=origin)[0] == 403


# Every client


def test_any_client_is_in_the_room(server):
    with plain(server, "?name=Ada") as ada, connect_with_websockets(f"{server.server.url}?name=Bob") as bob:
        assert bob.recv(PATIENCE) == "You are Bob."
        ada.send("Hello")
        assert bob.recv(PATIENCE) == "Ada: Hello"
        bob.send(b"\x00\xff")
        assert ada.receive() == b"Bob: \x00\xff"


def test_a_client_without_a_name_is_a_guest(server):
    with plain(server) as guest, paged(server) as page:
        guest.send("Hello")
        assert page.next("text")["name"] == "guest 1"


@pytest.mark.parametrize("query", ["?name=%ff%fe", "?" + "a=b&" * 50, "?name=&token=", "?name=a&name=b", "?=", "??"])
def test_an_odd_address_is_a_guest_or_a_name(server, query):
    with plain(server, query) as odd, paged(server) as page:
        odd.send("Hello")
        assert page.next("text")["text"] == "Hello"


def test_a_name_in_html_is_a_name(server):
    with plain(server, "?name=%3Cb%3EAda%3C/b%3E") as ada, plain(server) as bob:
        ada.send("Hello")
        assert bob.receive() == "<b>Ada</b>: Hello"


def test_who_sends_too_much_is_told_why():
    with live_class(messages_per_second=0, burst=2) as server, plain(server) as ada:
        for _ in range(3):
            ada.send("x")
        with pytest.raises(ConnectionClosed) as closed:
            ada.receive()
        assert (closed.value.code, closed.value.reason) == (CloseCode.POLICY_VIOLATION, "too many messages a second")


def test_who_finds_no_room_is_told_why():
    with live_class(students=10, clients_per_student=1) as server, paged(server) as page:
        with connect(f"{server.server.url}?token={page.token}") as second, pytest.raises(ConnectionClosed) as closed:
            second.receive()
        assert closed.value.code == CloseCode.TRY_AGAIN_LATER
        assert closed.value.reason == f"{page.name} has 1 connection already"


def test_the_end_of_the_class_is_told():
    with live_class() as server, plain(server) as ada:
        with running(server.close), pytest.raises(ConnectionClosed) as closed:
            ada.receive()
        assert (closed.value.code, closed.value.reason) == (CloseCode.GOING_AWAY, "the class is over")


# Where it listens


def test_by_default_no_other_computer_can_reach_it(server):
    assert server.server.host == "127.0.0.1"
    assert not server.is_open_to_others
    assert server.addresses == [f"http://127.0.0.1:{server.server.port}/"]


@pytest.mark.parametrize("found", [["192.0.2.7", "192.0.2.8"], []])
def test_on_all_interfaces_it_tells_the_addresses_of_this_machine(monkeypatch, found):
    monkeypatch.setattr("wslab.classroom.class_server.addresses_of_this_machine", lambda: found)
    with ClassServer("0.0.0.0") as server:
        assert server.is_open_to_others
        assert server.addresses == [f"http://{host}:{server.server.port}/" for host in found or ["0.0.0.0"]]


# A crowd, and hostile students


def polite(server, count):
    """So many students with their own pages, each connected and welcomed."""
    return [paged(server, f"?name=Polite%20{number}") for number in range(1, count + 1)]


def all_talk(students):
    """Let each student say something; how many messages each of them has seen, of each other one."""
    for number, student in enumerate(students):
        student.send(say=f"number {number}")
    expected = {(student.name, f"number {number}") for number, student in enumerate(students)}
    seen = []
    for student in students:
        missing = set(expected)
        while missing:
            event = student.next("text")
            missing.discard((event["name"], event["text"]))
        seen.append(len(expected))
    return seen


def close_all(students):
    for student in students:
        student.connection.abort()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has 127.0.0.1 only, of all addresses of loopback")
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.__name__)
def test_a_hostile_student_leaves_the_others_undisturbed(server, attack):
    students = polite(server, 8)
    with running(attack, server):
        assert all_talk(students) == [8] * 8
    assert all_talk(students) == [8] * 8
    with paged(server, "?name=Late") as late:
        assert late.name == "Late"
    for student in students:
        student.send(hand_in={"exercise": "accept_key", "points": 1, "max_points": 1})
    with teaching(server) as teacher:
        wait_until(lambda: sum(len(it["marks"]) for it in server.room.summary()["students"]) == 8)
        assert teacher.name == "Teacher"
    marks = {it["name"]: [mark["exercise"] for mark in it["marks"]] for it in server.room.summary()["students"]}
    assert {name: marks[name] for name in marks if marks[name]} == {it.name: ["accept_key"] for it in students}
    close_all(students)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has 127.0.0.1 only, of all addresses of loopback")
def test_while_one_computer_holds_all_the_connections_that_it_gets_others_still_join(server):
    with contextlib.ExitStack() as held:
        for _ in range(700):
            with contextlib.suppress(OSError):
                held.enter_context(connected(server))
        for number in range(5):
            with paged(server, f"?name=Late%20{number}") as late:
                late.send(say="in time")
                assert late.next("text")["name"] == f"Late {number}"


def test_a_message_that_is_too_long_is_told_apart_from_one_that_is_not(server):
    with plain(server) as sender, plain(server) as other:
        sender.send("x" * 16 * 1024)
        assert other.receive() == "guest 1: " + "x" * 16 * 1024
        sender.send("x" * (16 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as closed:
            sender.receive()
    assert closed.value.code == CloseCode.MESSAGE_TOO_BIG


@pytest.mark.slow
def test_two_hundred_students_talk_at_once():
    count = 200
    with live_class(per_address=2 * count, arrivals_per_second=1000, messages_per_second=100) as server:
        students = polite(server, count)
        assert len({student.name for student in students}) == count
        with running(all_talk_slowly, students) as talking:
            talking.join()
        for student in students:
            student.send(hand_in={"exercise": "accept_key", "points": 1, "max_points": 2})
        with teaching(server) as teacher:
            handed_in = len(teacher.welcome["marks"])
            while handed_in < count:
                teacher.next("mark")
                handed_in += 1
        kept = server.room.summary()["students"]
        assert (len(kept), sum(it["messages"] for it in kept), sum(len(it["marks"]) for it in kept)) == (200, 200, 200)
        assert json.dumps(kept).count('"tries": 1') == 200
        close_all(students)
    assert students[0].connection.subprotocol == SUBPROTOCOL


def all_talk_slowly(students):
    assert all_talk(students) == [len(students)] * len(students)
