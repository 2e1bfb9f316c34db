"""The console's desk as bytes: one page gets a script and reports, and nobody else does."""

import json
import secrets
import tomllib

import pytest
from support.raw import Answer, RawPeer, live_server, request, running, wait_until
from test_echo_page import Elements, hash_of

from wslab import Direction, Limits, Recording, inspect
from wslab.browser.desk import FILE, MAX_FIELDS, MAX_POST, MAX_RUNS, MAX_TEXT, RUN_TIMEOUT, Desk, desk_of, parse_report
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
def desk(server, clock):
    server.pages.append(desk := Desk(timeout=0.5, clock=clock))
    return desk


@pytest.fixture
def run(desk):
    desk.open(run := Run("a script", SCRIPT))
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
        server.pages.append(desk := Desk())
        desk.open(run := Run("a script", SCRIPT))
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


def test_the_handshakes_of_pages_that_run_at_once_are_shown_to_each_as_nothing_tells_whose_they_are(server, desk):
    visitors = [Visitor(server), Visitor(server)]
    for number, visitor in enumerate(visitors):
        desk.open(run := Run(f"script {number}", SCRIPT))
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


def test_the_page_comes_with_the_package():
    settings = tomllib.loads((FILE.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert str(FILE.relative_to(FILE.parents[1])) in settings["tool"]["setuptools"]["package-data"]["wslab"]


def test_the_policy_allows_the_script_of_the_desk_and_websockets_and_nothing_else(visitor, desk):
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


def test_the_console_leaves_all_other_addresses_alone(server, visitor, desk):
    assert visitor.ask("GET /consoles").status == 426
    assert visitor.ask("POST /").status == 405
    assert visitor.ask("POST /console/other", b"{}").status == 405
    with RawPeer.upgraded(server) as peer:
        assert peer.says_goodbye()
    assert desk.refused == 0


def test_a_server_has_one_desk_however_many_consoles_it_has(server):
    assert desk_of(server.pages, 1.0) is desk_of(server.pages, 1.0)


# What nobody may do


def refused(answer: Answer, desk: Desk, status: int = 403) -> bool:
    """Whether the answer refuses, gives no browser of another origin leave, and the desk has counted it."""
    grants = [name for name in answer.headers if name.lower().startswith("access-control")]
    return answer.status == status and not grants and desk.refused == 1


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
def test_a_stranger_gets_no_script(visitor, desk, run, changed):
    answer = visitor.claim(run, **changed)

    assert refused(answer, desk)
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
def test_a_stranger_can_report_nothing(visitor, desk, run, changed):
    visitor.claim(run)

    assert refused(visitor.report(OPEN, done=True, **changed), desk)
    assert (run.events, run.is_done) == ([], False)


def test_the_ticket_is_no_token(visitor, desk, run):
    visitor.claim(run)
    assert refused(visitor.report(OPEN, Wslab_Token=run.ticket), desk)


def test_nothing_can_be_reported_before_a_page_has_the_script(visitor, desk, run):
    assert refused(visitor.report(OPEN, Wslab_Token=""), desk)


def test_a_ticket_is_good_for_one_page(server, visitor, desk, run):
    visitor.claim(run)
    assert refused(Visitor(server).claim(run), desk)
    assert visitor.report(OPEN).status == 200


def test_a_run_that_is_done_takes_no_more(visitor, desk, run):
    visitor.claim(run)
    visitor.report(done=True)
    assert refused(visitor.report(OPEN), desk)
    assert run.events == []


def test_a_run_has_its_time(visitor, desk, clock, run):
    visitor.claim(run)
    clock.time = RUN_TIMEOUT
    assert refused(visitor.report(OPEN), desk)


def test_of_too_many_runs_the_oldest_is_given_up(visitor, desk, run):
    for _ in range(MAX_RUNS):
        desk.open(Run("another", SCRIPT))
    assert refused(visitor.claim(run), desk)


def test_a_run_has_so_many_events_and_no_more(visitor, desk, run):
    visitor.claim(run)
    for _ in range(MAX_EVENTS // 500):
        assert visitor.report(*[OPEN] * 500).status == 200
    assert refused(visitor.report(OPEN), desk)
    assert len(run.events) == MAX_EVENTS


@pytest.mark.parametrize("path", ["/console/claim", "/console/report"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT"])
def test_a_page_of_another_origin_that_asks_for_leave_gets_none(visitor, desk, run, method, path):
    assert refused(visitor.ask(f"{method} {path}"), desk, 405)


def test_the_page_cannot_be_posted_to(visitor, desk):
    assert refused(visitor.ask("POST /console"), desk, 405)


# Proxies


def test_a_public_proxy_may_have_any_name_and_the_ticket_decides_which(server, desk):
    desk.open(run := Run("a script", SCRIPT, is_public=True))
    visitor = Visitor(server, origin="https://hub.example")
    visitor.host = "hub.example"

    assert visitor.claim(run, Origin="https://evil.example").status == 403
    assert visitor.claim(run).status == 200
    assert visitor.report(OPEN).status == 200
    assert visitor.report(OPEN, Host="evil.example", Origin="https://evil.example").status == 403


def test_an_origin_that_was_allowed_may_come_with_any_host(server, desk):
    desk.open(run := Run("a script", SCRIPT, origins=["https://Hub.example"]))
    visitor = Visitor(server, origin="https://hub.example")
    visitor.host = "backend"

    assert visitor.claim(run).status == 200
    assert visitor.report(OPEN).status == 200


@pytest.mark.parametrize("name", ["localhost", "[::1]"])
def test_this_machine_has_other_names(server, desk, run, name):
    visitor = Visitor(server, origin=f"http://{name}:8888")
    visitor.host = f"{name}:8888"
    assert visitor.claim(run).status == 200


# Bodies


def test_a_report_of_64_kib_is_read_and_a_longer_one_is_not(visitor, desk, run):
    visitor.claim(run)
    body = json.dumps({"events": [OPEN], "done": False}).encode().ljust(MAX_POST)
    assert visitor.ask("POST /console/report", body, Wslab_Token=visitor.token).status == 200
    assert refused(visitor.ask("POST /console/report", body + b" ", Wslab_Token=visitor.token), desk, 413)


def test_a_report_without_a_length_is_refused(visitor, desk, run):
    visitor.claim(run)
    assert refused(visitor.report(OPEN, Content_Length=None), desk, 411)


def test_a_report_that_does_not_come_whole_is_not_waited_for(visitor, desk, run):
    visitor.claim(run)
    assert refused(visitor.report(OPEN, Content_Length="1000"), desk, 408)


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
def test_what_is_no_report_of_plain_values_is_refused(visitor, desk, run, body):
    visitor.claim(run)
    assert refused(visitor.ask("POST /console/report", body, Wslab_Token=visitor.token), desk, 400)
    assert run.events == []


def test_plain_values_arrive_as_they_are():
    event = {"what": "log", "text": "<img onerror=alert(1)>\x1b", "n": -1.5, "yes": True, "nothing": None}
    body = json.dumps({"events": [event, {"what": ""}], "done": True}).encode()
    assert parse_report(body) == ([event, {"what": ""}], True)


# Secrets


def test_no_log_no_view_and_no_file_holds_a_ticket_or_a_token(caplog, tmp_path):
    recording = Recording()
    caplog.set_level("DEBUG", "wslab")
    with live_server(recording=recording) as server:
        server.pages.append(desk := Desk())
        desk.open(run := Run("a script", SCRIPT))
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
