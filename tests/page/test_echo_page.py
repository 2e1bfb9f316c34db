"""The Echo test page as bytes: who gets it from the port of the WebSocket, and what comes with it."""

import logging
import re

import pytest
from support.heads_and_frames import request, text
from support.markup import Elements, hash_of
from support.raw_peer import Answer, RawPeer, live_server
from support.waiting import wait_until

from wslab import Direction, EchoServer, Headers, Limits, Recording, Request, inspect
from wslab.page.bundle import bundle
from wslab.page.echo_page import FILE, answer_page

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE = bundle(FILE)


def visit(start: str = "GET / HTTP/1.1", *, more: tuple[str, ...] = (), **changed: str | None) -> bytes:
    """What a browser sends for an address that is typed, except for what is changed."""
    plain: dict[str, str | None] = {
        "Upgrade": None,
        "Connection": "keep-alive",
        "Sec-WebSocket-Key": None,
        "Sec-WebSocket-Version": None,
        "Accept": CHROMIUM,
    }
    return request(start, more=more, **plain | changed)


def ask(server: EchoServer, sent: bytes) -> Answer:
    with RawPeer(server) as peer:
        peer.send(sent)
        return Answer.from_bytes(peer.read_to_end())


@pytest.fixture(scope="module")
def server():
    with live_server() as server:
        yield server


@pytest.fixture(scope="module")
def page(server):
    return ask(server, visit())


# Who gets it

VISITS = {
    "Chromium": visit(),
    "Firefox": visit(Accept=FIREFOX),
    "a query, as behind a proxy with a token": visit("GET /?token=sesame HTTP/1.1"),
    "a target that is a whole address": visit("GET http://localhost HTTP/1.1"),
    "text/html with a weight": visit(Accept="*/*, text/html;q=0.1"),
    "text/html in capitals and on another line": visit(Accept="*/*", more=("Accept: Text/HTML ; level=1",)),
    "cookies": visit(Cookie="_xsrf=2|c0ffee"),
    "an announced body of 0 bytes": visit(Content_Length="0"),
}


@pytest.mark.parametrize("sent", VISITS.values(), ids=VISITS.keys())
def test_a_browser_gets_the_page(server, sent):
    answer = ask(server, sent)

    assert (answer.status, answer.body.decode()) == (200, PAGE)


OTHERS = {
    "curl": (426, visit(Accept="*/*")),
    "a client that says nothing of what it accepts": (426, visit(Accept=None)),
    "a client that accepts no HTML": (426, visit(Accept="text/html;q=0, */*")),
    "a client that accepts no HTML at all": (426, visit(Accept="text/html; Q=0.000")),
    "a client that accepts something like HTML": (426, visit(Accept="text/htmlx, application/xhtml+xml, text/*")),
    "an image": (426, visit(Accept="image/avif,image/webp,*/*;q=0.8")),
    "another path": (426, visit("GET /favicon.ico HTTP/1.1")),
    "a path in another path": (426, visit("GET //?x=/ HTTP/1.1")),
    "an Upgrade to something else": (426, visit(Upgrade="h2c")),
    "an empty Upgrade": (426, visit(Upgrade="")),
    "an Upgrade that lacks the rest": (400, visit(Upgrade="websocket")),
    "no Host": (400, visit(Host=None)),
    "a Host that is none": (400, visit(Host="a b")),
    "two Hosts": (400, visit(more=("Host: elsewhere",))),
    "a body": (400, visit(Content_Length="5") + b"Hello"),
    "a body in chunks": (400, visit(Transfer_Encoding="chunked") + b"0\r\n\r\n"),
    "POST": (405, visit("POST / HTTP/1.1")),
    "get in small letters": (501, visit("get / HTTP/1.1")),
    "HEAD of another path": (405, visit("HEAD /x HTTP/1.1")),
    "HTTP/2.0": (505, visit("GET / HTTP/2.0")),
    "two Hosts in HTTP/1.0": (400, visit("GET / HTTP/1.0", more=("Host: elsewhere",))),
}


@pytest.mark.parametrize(("status", "sent"), OTHERS.values(), ids=OTHERS.keys())
def test_everybody_else_is_refused_as_without_a_page(server, status, sent):
    answer = ask(server, sent)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    with live_server(page=False) as without:
        assert ask(without, sent) == answer


@pytest.mark.parametrize("host", ["localhost", None])
def test_http_1_0_as_some_proxies_speak_it_gets_the_page(server, host):
    answer = ask(server, visit("GET / HTTP/1.0", Host=host))

    assert answer.status == 200
    assert b"<!doctype html>" in answer.body


def test_a_handshake_that_accepts_html_is_a_handshake(server):
    with RawPeer(server) as peer:
        peer.send(request(Accept=CHROMIUM))

        assert peer.read_head().status == 101
        assert peer.says_goodbye()


def test_a_server_without_the_page_tells_a_browser_what_it_has_reached():
    with live_server(page=False) as server:
        assert ask(server, visit()).status == 426


def test_every_server_has_the_page_whatever_its_handler_does():
    with live_server(handler=lambda connection: connection.send("lift-off")) as server:
        assert ask(server, visit()).body.decode() == PAGE


# What comes with it


def test_the_page_says_that_it_is_html_in_utf_8_and_how_long_it_is(page):
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Length"] == str(len(page.body))


def test_no_browser_keeps_it_guesses_its_type_or_tells_its_address(page):
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Connection"] == "close"


def test_a_head_request_gets_the_head_and_no_body(server, page):
    answer = ask(server, visit("HEAD / HTTP/1.1"))

    assert (answer.status, answer.headers, answer.body) == (200, page.headers, b"")


@pytest.fixture(scope="module")
def policy(page):
    rules = [rule.split() for rule in page.headers["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in rules}


@pytest.mark.parametrize("element", ["script", "style"])
def test_the_policy_lets_one_script_and_one_style_run_those_of_the_page(page, policy, element):
    [content] = Elements(page.body.decode()).inline[element]

    assert policy[f"{element}-src"] == [hash_of(content)]


def test_the_policy_allows_websockets_and_the_icon_and_nothing_else(policy):
    allowed = {name: values for name, values in policy.items() if name not in ("script-src", "style-src")}

    assert allowed == {
        "default-src": ["'none'"],
        "img-src": ["data:"],
        "connect-src": ["'self'", "ws:", "wss:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'self'", "http://localhost:*", "http://127.0.0.1:*"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }


def test_the_page_loads_nothing_and_has_no_script_or_style_in_an_attribute(page):
    for tag, attributes in Elements(page.body.decode()).found:
        assert {"src", "style", "action", "srcset"} & set(attributes) == set(), tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert attributes.get("href", "data:").startswith("data:"), tag


def test_the_page_does_not_depend_on_how_a_checkout_ends_its_lines(page):
    assert b"\r" not in page.body


def test_the_answer_is_made_without_a_server():
    headers = Headers((("Host", "localhost"), ("Accept", "text/html")))

    assert answer_page(Request("GET", "/", headers)).body.decode() == PAGE
    assert answer_page(Request("GET", "/", Headers((("Host", "localhost"),)))) is None


# The server


def test_the_origins_that_may_connect_do_not_matter_for_the_page():
    with live_server(origins=["https://lab.example"]) as server:
        assert ask(server, visit(Origin="https://evil.example")).status == 200
        assert ask(server, request(Origin="https://evil.example")).status == 403


def test_the_page_is_no_fault_and_no_refusal_in_the_log(caplog):
    caplog.set_level(logging.INFO, "wslab")
    with live_server() as server:
        ask(server, visit("GET /?token=sesame HTTP/1.1"))
        wait_until(lambda: not server.connections)

    assert caplog.messages == ["connection 1: answered /?token=[redacted] with 200"]


def test_a_visit_is_over_with_its_answer_and_leaves_no_error():
    with live_server() as server:
        with RawPeer(server) as peer:
            wait_until(lambda: server.connections)
            [connection] = server.connections
            peer.send(visit())
            peer.read_to_end()
        wait_until(lambda: not server.connections)

    assert connection.error is None
    assert (connection.response.status, connection.is_open) == (200, False)


def test_half_a_visit_is_answered_with_408_when_its_time_is_over():
    with live_server(limits=Limits(handshake_timeout=0.2)) as server:
        assert ask(server, visit()[:-2]).status == 408


def test_a_visit_with_too_long_a_head_is_answered_with_431():
    with live_server(limits=Limits(max_header_size=500)) as server:
        assert ask(server, visit(Cookie="c" * 500)).status == 431


def test_a_full_server_has_no_page_either():
    with live_server(limits=Limits(max_connections=1)) as server, RawPeer.upgraded(server) as first:
        assert ask(server, visit()).status == 503
        assert first.says_goodbye()


def test_a_browser_that_does_not_end_tcp_after_the_page_is_left_after_the_close_timeout():
    with live_server(limits=Limits(close_timeout=0.2)) as server, RawPeer(server) as peer:
        wait_until(lambda: server.connections)
        peer.send(visit())
        wait_until(lambda: not server.connections)


def test_visits_and_conversations_at_the_same_time():
    with live_server() as server, RawPeer.upgraded(server) as peer:
        for number in range(20):
            assert ask(server, visit()).status == 200
            peer.send(text(str(number)))
            assert peer.read_frame().payload == str(number).encode()
        assert peer.says_goodbye()


def test_a_recording_of_a_visit_can_be_inspected_and_shows_no_token():
    recording = Recording()
    with live_server(recording=recording) as server:
        ask(server, visit("GET /?token=sesame HTTP/1.1"))

    assert PAGE.encode() in recording.bytes_sent(1, Direction.SERVER_TO_CLIENT)
    shown = str(inspect(recording))
    assert re.search(r"GET /\?token=\[redacted\] HTTP/1\.1", shown)
    assert "HTTP/1.1 200 OK" in shown
    assert "sesame" not in shown
