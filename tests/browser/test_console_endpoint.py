"""The console's endpoint as bytes: one page gets a script and reports, and nobody else does."""

import json
import secrets

import pytest
from support.heads_and_frames import request
from support.markup import Elements, hash_of
from support.raw_peer import Answer, RawPeer, live_server
from support.waiting import running, wait_until

from wslab import Direction, HandshakeError, Headers, Limits, Recording, Request, inspect
from wslab.browser.console_endpoint import (
    MAX_POST,
    MAX_RUNS,
    RUN_TIMEOUT,
    ConsoleEndpoint,
    body_length,
    endpoint_among,
)
from wslab.browser.run import MAX_EVENTS, Run

SCRIPT = "done()"
OPEN = {"what": "open", "readyState": 1}


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


class Visitor:
    """A page as the server sees it: it may keep the rules or not."""

    def __init__(self, server, origin: str | None = None) -> None:
        self.server = server
        self.host = f"127.0.0.1:{server.port}"
        self.origin = f"http://{self.host}" if origin is None else origin
        self.token = secrets.token_hex()

    def write(self, start: str, body: bytes = b"", *, more: tuple[str, ...] = (), **changed: str | None) -> bytes:
        plain: dict[str, str | None] = {
            **dict.fromkeys(["Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]),
            "Host": self.host,
            "Connection": "close",
            "Origin": self.origin,
            "Content-Length": str(len(body)),
        }
        return request(f"{start} HTTP/1.1", more=more, **plain | changed) + body

    def ask(self, start: str, body: bytes = b"", **changed: str | None) -> Answer:
        with RawPeer(self.server) as peer:
            peer.send(self.write(start, body, **changed))
            return Answer.from_bytes(peer.read_to_end())

    def claim(self, run: Run, **changed: str | None) -> Answer:
        headers = {"Wslab_Ticket": run.ticket, "Wslab_Token": self.token}
        return self.ask("POST /console/claim", b"{}", **headers | changed)

    def report(self, *events: dict, done: bool = False, **changed: str | None) -> Answer:
        body = json.dumps({"events": events, "done": done}).encode()
        return self.ask("POST /console/report", body, **{"Wslab_Token": self.token} | changed)


@pytest.fixture
def server():
    with live_server(limits=Limits(handshake_timeout=0.5, close_timeout=0.5)) as server:
        yield server


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def endpoint(server, clock):
    server.pages.append(endpoint := ConsoleEndpoint(timeout=0.5, clock=clock))
    return endpoint


@pytest.fixture
def run(endpoint):
    endpoint.add(run := Run("a script", SCRIPT))
    return run


@pytest.fixture
def visitor(server):
    return Visitor(server)


# What a page may do


def test_a_page_gets_the_script_for_its_ticket_and_reports(server, visitor, run):
    claimed = visitor.claim(run)
    assert (claimed.status, json.loads(claimed.body)) == (
        200,
        {"name": "a script", "script": SCRIPT, "port": server.port},
    )
    assert run.is_claimed

    assert visitor.report(OPEN).status == 200
    assert not run.is_done
    assert visitor.report({"what": "close", "wasClean": True}, done=True).status == 200
    assert (run.events, run.is_done) == ([OPEN, {"what": "close", "wasClean": True}], True)


def test_whoever_waits_for_the_end_of_a_script_is_woken_by_the_report(visitor, run):
    visitor.claim(run)
    assert not run.wait(0)
    with running(lambda: visitor.report(done=True)):
        assert run.wait(20)


def test_nobody_is_woken_to_close_the_server_before_the_page_has_the_answer_to_its_last_report():
    with live_server() as server:
        server.pages.append(endpoint := ConsoleEndpoint())
        endpoint.add(run := Run("a script", SCRIPT))
        visitor = Visitor(server)
        visitor.claim(run)
        with RawPeer(server) as peer:
            body = b'{"events": [], "done": true}'
            peer.send(visitor.write("POST /console/report", body, Wslab_Token=visitor.token))
            assert Answer.from_bytes(peer.read_to_end()).status == 200
            assert not run.wait(0.1)
        assert run.wait(20)


def test_a_page_is_shown_the_handshakes_of_its_origin_as_text_without_secrets(server, visitor, run):
    visitor.claim(run)
    more = (f"Origin: {visitor.origin}", "Cookie: session=secret")
    with RawPeer.upgraded(server, more=more), RawPeer.upgraded(server, more=("Origin: http://elsewhere",)):
        wait_until(lambda: len(server.connections) == 2)
        [handshake] = json.loads(visitor.report().body)["handshakes"]

    assert handshake["request"].startswith("GET / HTTP/1.1\nHost: localhost\n")
    assert "Cookie: [redacted]" in handshake["request"]
    assert handshake["response"].startswith("HTTP/1.1 101 Switching Protocols\n")
    assert json.loads(visitor.report().body) == {"handshakes": []}


def test_the_handshakes_of_pages_that_run_at_once_are_shown_to_each_as_nothing_tells_whose_they_are(server, endpoint):
    visitors = [Visitor(server), Visitor(server)]
    for number, visitor in enumerate(visitors):
        endpoint.add(run := Run(f"script {number}", SCRIPT))
        visitor.claim(run)
    with RawPeer.upgraded(server, more=(f"Origin: {visitors[0].origin}",)):
        wait_until(lambda: len(server.connections) == 1)
        shown = [json.loads(visitor.report().body)["handshakes"] for visitor in visitors]

    assert [len(handshakes) for handshakes in shown] == [1, 1]


def test_a_run_that_is_done_is_shown_no_more_handshakes(server, visitor, run):
    visitor.claim(run)
    visitor.report(done=True)
    with RawPeer.upgraded(server, more=(f"Origin: {visitor.origin}",)):
        wait_until(lambda: len(server.connections) == 1)
        assert run.take_handshakes() == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_is_the_same_for_everybody_and_holds_no_secret(visitor, run, method):
    answer = visitor.ask(f"{method} /console?anything", Origin=None)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert run.ticket.encode() not in answer.body
    assert bool(answer.body) is (method == "GET")


def test_the_policy_allows_its_own_script_and_websockets_and_nothing_else(visitor, endpoint):
    """VS Code and pages of this machine may show the page in a frame, and no page of the web."""
    answer = visitor.ask("GET /console")
    inline = Elements(answer.body.decode()).inline
    [script], [style] = (map(hash_of, inline[element]) for element in ("script", "style"))
    rules = [rule.split() for rule in answer.headers["Content-Security-Policy"].split(";")]
    assert {name: values for name, *values in rules} == {
        "default-src": ["'none'"],
        "script-src": [script, "'unsafe-eval'"],
        "style-src": [style],
        "img-src": ["data:"],
        "connect-src": ["'self'", "ws:", "wss:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": [
            "'self'",
            "http://localhost:*",
            "http://127.0.0.1:*",
            "vscode-webview:",
            "vscode-file:",
        ],
    }


def test_the_console_leaves_all_other_addresses_alone(server, visitor, endpoint):
    assert visitor.ask("GET /consoles").status == 426
    assert visitor.ask("POST /").status == 405
    assert visitor.ask("POST /console/other", b"{}").status == 405
    with RawPeer.upgraded(server) as peer:
        assert peer.says_goodbye()
    assert endpoint.refused == 0


def test_a_server_has_one_endpoint_however_many_consoles_it_has(server):
    assert endpoint_among(server.pages, 1.0) is endpoint_among(server.pages, 1.0)


# What nobody may do


def refused(answer: Answer, endpoint: ConsoleEndpoint, status: int = 403) -> bool:
    """Whether the answer refuses, gives no browser of another origin leave, and the endpoint has counted it."""
    grants = [name for name in answer.headers if name.lower().startswith("access-control")]
    return answer.status == status and not grants and endpoint.refused == 1


STRANGERS = {
    "no ticket": {"Wslab_Ticket": None},
    "an empty ticket": {"Wslab_Ticket": ""},
    "a wrong ticket": {"Wslab_Ticket": "x" * 43},
    "a ticket beyond ASCII": {"Wslab_Ticket": "é" * 43},
    "a second ticket": {"more": ("Wslab-Ticket: x",)},
    "no token": {"Wslab_Token": None},
    "a short token": {"Wslab_Token": "ab"},
    "no Origin": {"Origin": None},
    "the Origin null": {"Origin": "null"},
    "another Origin": {"Origin": "http://evil.example"},
    "an Origin on another port": {"Origin": "http://127.0.0.1:1"},
    "an Origin that only begins alike": {"Origin": "http://127.0.0.1:1.evil.example"},
    "two Origins": {"more": ("Origin: http://evil.example",)},
    "a name that was bound to this machine": {"Host": "evil.example", "Origin": "http://evil.example"},
    "a Host that is none": {"Host": "[", "Origin": "http://["},
}


@pytest.mark.parametrize("changed", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_gets_no_script(visitor, endpoint, run, changed):
    answer = visitor.claim(run, **changed)

    assert refused(answer, endpoint)
    assert SCRIPT.encode() not in answer.body
    assert not run.is_claimed
    assert visitor.claim(run).status == 200


@pytest.mark.parametrize(
    ("origin", "is_told"), [("http://lab.example", True), ("null", False), ("ftp://lab.example", False)]
)
def test_whoever_has_the_ticket_and_a_name_that_is_not_known_is_told_how_to_allow_it(visitor, run, origin, is_told):
    cure = f"make the console as BrowserConsole(..., origins=['{origin}'])".encode()
    assert (cure in visitor.claim(run, Origin=origin).body) is is_told
    assert cure not in visitor.claim(run, Origin=origin, Wslab_Ticket="x" * 43).body
    visitor.claim(run)
    assert b"origins" not in visitor.report(OPEN, Origin=origin).body


FORGERS = {
    "no token": {"Wslab_Token": None},
    "an empty token": {"Wslab_Token": ""},
    "a wrong token": {"Wslab_Token": "0" * 64},
    "another Origin": {"Origin": "http://evil.example"},
    "no Origin": {"Origin": None},
}


@pytest.mark.parametrize("changed", FORGERS.values(), ids=FORGERS.keys())
def test_a_stranger_can_report_nothing(visitor, endpoint, run, changed):
    visitor.claim(run)

    assert refused(visitor.report(OPEN, done=True, **changed), endpoint)
    assert (run.events, run.is_done) == ([], False)


def test_the_ticket_is_no_token(visitor, endpoint, run):
    visitor.claim(run)
    assert refused(visitor.report(OPEN, Wslab_Token=run.ticket), endpoint)


def test_nothing_can_be_reported_before_a_page_has_the_script(visitor, endpoint, run):
    assert refused(visitor.report(OPEN, Wslab_Token=""), endpoint)


def test_a_ticket_is_good_for_one_page(server, visitor, endpoint, run):
    visitor.claim(run)
    assert refused(Visitor(server).claim(run), endpoint)
    assert visitor.report(OPEN).status == 200


def test_a_run_that_is_done_takes_no_more(visitor, endpoint, run):
    visitor.claim(run)
    visitor.report(done=True)
    assert refused(visitor.report(OPEN), endpoint)
    assert run.events == []


def test_a_run_has_its_time(visitor, endpoint, clock, run):
    visitor.claim(run)
    clock.time = RUN_TIMEOUT
    assert refused(visitor.report(OPEN), endpoint)


def test_of_too_many_runs_the_oldest_is_given_up(visitor, endpoint, run):
    for _ in range(MAX_RUNS):
        endpoint.add(Run("another", SCRIPT))
    assert refused(visitor.claim(run), endpoint)


def test_a_run_has_so_many_events_and_no_more(visitor, endpoint, run):
    visitor.claim(run)
    for _ in range(MAX_EVENTS // 500):
        assert visitor.report(*[OPEN] * 500).status == 200
    assert refused(visitor.report(OPEN), endpoint)
    assert len(run.events) == MAX_EVENTS


@pytest.mark.parametrize("path", ["/console/claim", "/console/report"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT"])
def test_a_page_of_another_origin_that_asks_for_leave_gets_none(visitor, endpoint, run, method, path):
    assert refused(visitor.ask(f"{method} {path}"), endpoint, 405)


def test_the_page_cannot_be_posted_to(visitor, endpoint):
    assert refused(visitor.ask("POST /console"), endpoint, 405)


# Proxies


def test_a_public_proxy_may_have_any_name_and_the_ticket_decides_which(server, endpoint):
    endpoint.add(run := Run("a script", SCRIPT, is_public=True))
    visitor = Visitor(server, origin="https://hub.example")
    visitor.host = "hub.example"

    assert visitor.claim(run, Origin="https://evil.example").status == 403
    assert visitor.claim(run).status == 200
    assert visitor.report(OPEN).status == 200
    assert visitor.report(OPEN, Host="evil.example", Origin="https://evil.example").status == 403


def test_an_origin_that_was_allowed_may_come_with_any_host(server, endpoint):
    endpoint.add(run := Run("a script", SCRIPT, origins=["https://Hub.example"]))
    visitor = Visitor(server, origin="https://hub.example")
    visitor.host = "backend"

    assert visitor.claim(run).status == 200
    assert visitor.report(OPEN).status == 200


@pytest.mark.parametrize("name", ["localhost", "[::1]"])
def test_this_machine_has_other_names(server, endpoint, run, name):
    visitor = Visitor(server, origin=f"http://{name}:8888")
    visitor.host = f"{name}:8888"
    assert visitor.claim(run).status == 200


# Bodies


def test_a_report_of_64_kib_is_read_and_a_longer_one_is_not(visitor, endpoint, run):
    visitor.claim(run)
    body = json.dumps({"events": [OPEN], "done": False}).encode().ljust(MAX_POST)
    assert visitor.ask("POST /console/report", body, Wslab_Token=visitor.token).status == 200
    assert refused(visitor.ask("POST /console/report", body + b" ", Wslab_Token=visitor.token), endpoint, 413)


def test_a_report_without_a_length_is_refused(visitor, endpoint, run):
    visitor.claim(run)
    assert refused(visitor.report(OPEN, Content_Length=None), endpoint, 411)


def test_a_report_that_does_not_come_whole_is_not_waited_for(visitor, endpoint, run):
    visitor.claim(run)
    assert refused(visitor.report(OPEN, Content_Length="1000"), endpoint, 408)


def test_what_is_no_report_is_refused(visitor, endpoint, run):
    visitor.claim(run)
    body = b'{"events": [{"what": "open", "text": []}], "done": true}'
    assert refused(visitor.ask("POST /console/report", body, Wslab_Token=visitor.token), endpoint, 400)
    assert (run.events, run.is_done) == ([], False)


def post(*lines):
    return Request("POST", "/", Headers(lines))


@pytest.mark.parametrize("length", ["0", "10", "0010"])
def test_the_length_of_a_body_is_what_its_only_content_length_says(length):
    assert body_length(post(("content-length", length)), limit=10) == int(length)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], 411),
        ([("Content-Length", "11")], 413),
        ([("Content-Length", "9" * 9)], 413),
        ([("Content-Length", "9" * 10)], 400),
        ([("Content-Length", "")], 400),
        ([("Content-Length", "-1")], 400),
        ([("Content-Length", "+1")], 400),
        ([("Content-Length", "1_0")], 400),
        ([("Content-Length", "\u00b2")], 400),
        ([("Content-Length", "5, 5")], 400),
        ([("Content-Length", "5"), ("Content-Length", "5")], 400),
        ([("Transfer-Encoding", "chunked")], 400),
        ([("Transfer-Encoding", "chunked"), ("Content-Length", "5")], 400),
    ],
)
def test_a_body_of_any_other_length_is_refused(lines, status):
    with pytest.raises(HandshakeError) as caught:
        body_length(post(*lines), limit=10)
    assert caught.value.status == status


# Secrets


def test_no_log_no_view_and_no_file_holds_a_ticket_or_a_token(caplog, tmp_path):
    recording = Recording()
    caplog.set_level("DEBUG", "wslab")
    with live_server(recording=recording) as server:
        server.pages.append(endpoint := ConsoleEndpoint())
        endpoint.add(run := Run("a script", SCRIPT))
        visitor = Visitor(server)
        answers = [visitor.claim(run), visitor.report(OPEN), visitor.claim(run)]
    recording.save(tmp_path / "console.pcapng")

    chunks = [chunk.data for chunk in recording.chunks]
    requests = [inspect(data) for data in chunks if data.startswith(b"POST")]
    shown = [caplog.text, repr(run), repr(server), repr(inspect(recording)), *map(repr, [*requests, *answers])]
    assert len(requests) == 3
    for secret in (run.ticket, visitor.token):
        assert any(secret.encode() in data for data in chunks)
        assert not any(secret in text for text in shown)
        assert secret.encode() not in recording.bytes_sent(1, Direction.SERVER_TO_CLIENT)
        assert secret.encode() not in (tmp_path / "console.pcapng").read_bytes()
