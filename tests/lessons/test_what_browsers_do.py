"""What the lessons say of Chromium and Firefox and no recording shows: the browsers that are installed do it still."""

import socket
import struct

import pytest
from support.browser_scripts import Script, events_in_firefox, run_in
from support.waiting import PATIENCE

pytestmark = pytest.mark.slow  # two browsers

UNTIL_CLOSE = """
const socket = new WebSocket(url);
await until(socket, "close");
done();
"""
UNTIL_MESSAGE = UNTIL_CLOSE.replace("close", "message")


def saying(data):
    """The options of a server that begins with these bytes."""

    def begin(connection):
        connection.send_raw(data)
        for _ in connection:
            pass

    return {"handler": begin}


def tell_connection(connection):
    connection.send(connection.request.headers["Connection"])


def end_tcp(connection):
    connection.abort()


def reset_tcp(connection):
    sock = connection._transport.stream._sock
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


TCP_ENDS = Script("tcp-ends", UNTIL_CLOSE, {"handler": end_tcp})
TCP_IS_RESET = Script("tcp-is-reset", UNTIL_CLOSE, {"handler": reset_tcp})
LONG_FORM = Script("long-form", UNTIL_CLOSE, saying(bytes.fromhex("81 7e 00 05") + b"Hello"))
SHORT_FORM = Script("short-form", UNTIL_MESSAGE, saying(bytes.fromhex("81 05") + b"Hello"))
MASKED_HELLO = saying(bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58"))
MASKED = Script("masked", UNTIL_CLOSE, MASKED_HELLO)
MASKED_MESSAGE = Script("masked-message", UNTIL_MESSAGE, MASKED_HELLO)
CONNECTION = Script("connection", UNTIL_CLOSE, {"handler": tell_connection})


@pytest.fixture(params=["Chromium", "Firefox"])
def report(request):
    """Runs a script in one of the browsers; returns what it reported."""
    if request.param == "Chromium":
        tab = request.getfixturevalue("tab")
        return lambda script: run_in(tab, script).events
    firefox = request.getfixturevalue("firefox_tab")
    return lambda script: events_in_firefox(firefox, script, PATIENCE)


def names(events):
    return [event["what"] for event in events]


def test_a_browser_gives_up_a_length_in_a_longer_form_than_it_needs(report):
    events = report(LONG_FORM)

    assert names(events)[-2:] == ["error", "close"]
    assert "message" not in names(events)
    assert events[-1]["code"] == 1006


def test_a_browser_takes_the_same_length_in_its_shortest_form(report):
    assert report(SHORT_FORM)[2]["data"] == "Hello"


def test_chromium_gives_up_a_frame_that_the_server_has_masked(tab):
    events = run_in(tab, MASKED).events

    assert names(events) == ["new WebSocket()", "open", "error", "close"]
    assert events[-1]["code"] == 1006


def test_firefox_takes_a_frame_that_the_server_has_masked(firefox_tab):
    events = events_in_firefox(firefox_tab, MASKED_MESSAGE, PATIENCE)

    assert [event["data"] for event in events if event["what"] == "message"] == ["Hello"]


def test_firefox_sends_upgrade_alone(firefox_tab):
    events = events_in_firefox(firefox_tab, CONNECTION, PATIENCE)

    assert [event["data"] for event in events if event["what"] == "message"] == ["Upgrade"]


def test_no_browser_reports_an_error_where_tcp_just_ends(report):
    events = report(TCP_ENDS)

    assert names(events)[-1] == "close"
    assert "error" not in names(events)
    assert events[-1]["code"] == 1006


def test_where_tcp_is_reset_chromium_reports_the_close_alone(tab):
    events = run_in(tab, TCP_IS_RESET).events

    assert names(events)[2:] == ["close"]
    assert events[-1]["code"] == 1006


def test_where_tcp_is_reset_firefox_reports_an_error_first(firefox_tab):
    events = events_in_firefox(firefox_tab, TCP_IS_RESET, PATIENCE)

    assert names(events)[-2:] == ["error", "close"]
    assert events[-1]["code"] == 1006
