"""Every bug of the zoo is caught by its probe, which the good one passes; what is no probe is told so in a sentence."""

import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from support.foreign_peers import SERVERS, Missing, serving
from support.learners import written
from support.peers import AiohttpServer, WebsocketsServer
from support.waiting import PATIENCE

import wslab
from wslab import Frame, Opcode, PermessageDeflate
from wslab.exercises import check, hint, progress, reference, zoo
from wslab.exercises.checks import isolation
from wslab.exercises.zoo import line, probing
from wslab.exercises.zoo.bug import run, running
from wslab.exercises.zoo.probing import guilty_row
from wslab.exercises.zoo.residents import BUGS, PREFIX, PROBES
from wslab.exercises.zoo.tasks import IN_THE_SET, TASKS
from wslab.protocol.states import Role

TWO = ["uwsgi_1690", "websocket_sharp_12"]  # a bug of a server, and one of a client


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(isolation, "LIMIT", PATIENCE)


def probe(name: str, body: str):
    who = BUGS[name].role.value
    source = (
        "from wslab import Frame, Opcode\nfrom wslab.exercises.zoo import answer, dial\n"
        f"def {PREFIX}{name}({who}):\n{body.replace('HERE', 'dial(server)' if who == 'server' else 'answer(client)')}"
    )
    return written(f"{PREFIX}{name}", source)


def test_there_are_at_least_twenty_bugs_of_servers_and_of_clients():
    assert len(BUGS) >= 20
    assert {bug.role for bug in BUGS.values()} == {Role.CLIENT, Role.SERVER}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_named_after_its_thread(name):
    owner, repository, kind, number = urlsplit(BUGS[name].thread).path.strip("/").split("/")

    assert kind in ("issues", "pull")
    assert name.rpartition("_")[2] == number
    squeezed = re.sub(r"\W|_", "", name.rpartition("_")[0])
    assert squeezed in re.sub(r"\W", "", (owner + repository).lower())


@pytest.mark.parametrize("name", BUGS)
def test_the_good_one_passes_the_probe_and_the_bad_one_does_not(name):
    bug = BUGS[name]

    assert run(PROBES[name], bug.role, None) is True
    assert run(PROBES[name], bug.role, bug) is False


def test_each_bug_has_a_probe_and_each_probe_a_bug():
    assert list(PROBES.keys() - BUGS.keys()) == list(BUGS.keys() - PROBES.keys()) == []


@pytest.mark.parametrize("name", TWO)
def test_a_reference_probe_earns_all_points(name):
    report = check(PROBES[name])

    assert report.passed
    assert report.points == 2
    assert "seed" not in str(report)


PIECE_OF_ITS_OWN = """    with HERE as line:
        line.send(Frame(Opcode.TEXT, b"hi"))
        return line.receive() == Frame(Opcode.TEXT, b"hi")"""

WRONG = {
    "always passes": ("    return True", "lets the bad"),
    "always fails": ("    return False", "refuses the good"),
    "never returns": ("    while True: pass", "had not returned when the time was over"),
    "raises": ("    raise ValueError('nobody knows')", "raised ValueError: nobody knows. A probe decides"),
    "gives nothing back": ("    print('fine')", "returns True for a good one and False for a bad one"),
    "gives a word": ("    return 'good'", "returns True for a good one and False for a bad one"),
    "ends the program": ("    import os; os._exit(0)", "ended the whole program"),
    "looks only at the handshake": (
        "    with HERE as line:\n        return line.response.status == 101",
        "lets the bad",
    ),
    "says True and False in turn": (
        "    global turn\n    turn = not globals().get('turn', False)\n    return turn",
        "lets the bad",
    ),
    "expects what nobody sends": (
        "    with HERE as line:\n        line.send(Frame(Opcode.PING, b'x'))\n"
        "        return line.receive() == Frame(Opcode.TEXT, b'x')",
        "refuses the good",
    ),
    "waits without an end": (
        "    import socket\n    with socket.create_server(('127.0.0.1', 0)) as here:\n        here.accept()",
        "had not returned when the time was over",
    ),
}


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_probe_is_rejected_in_a_sentence(kind, name, monkeypatch):
    body, expected = WRONG[kind]
    if "had not returned" in expected:
        monkeypatch.setattr(isolation, "LIMIT", 1.0)

    report = check(probe(name, body))

    assert report.points == 0
    assert expected in str(report)
    assert expected in report._repr_html_()


def test_a_probe_that_is_not_written_yet_is_not_attempted():
    report = check(probe("uwsgi_1690", "    raise NotImplementedError()"))

    assert not report.attempted
    assert "not attempted yet" in str(report)


# Diagnoses


def diagnosis(name: str, row: object, section: object):
    return check(lambda: (row, section), exercise=f"diagnosis_of_{name}")


@pytest.mark.parametrize("name", IN_THE_SET)
def test_a_bug_of_the_set_shows_in_its_capture(name):
    row, section = guilty_row(name), BUGS[name].sections[0]

    assert diagnosis(name, row, section).points == 2
    assert diagnosis(name, row, section.removeprefix("RFC 6455 ")).points == 2
    if section.startswith("RFC 6455 §"):
        for written_as in ("RFC6455 section {}", "section {}", " {}. "):
            assert diagnosis(name, row, written_as.format(section.removeprefix("RFC 6455 §"))).points == 2
    assert diagnosis(name, row - 1, section).points == 1
    assert diagnosis(name, row, "§4.4").points == 1
    assert diagnosis(name, 0, "").points == 0


def test_what_is_no_diagnosis_is_told_so():
    report = check(lambda: 3, exercise="diagnosis_of_uwsgi_1690")

    assert report.points == 0
    assert "Return two values" in str(report)


def test_a_wrong_diagnosis_is_not_told_the_section():
    assert BUGS["uwsgi_1690"].sections[0].removeprefix("RFC 6455 ") not in str(diagnosis("uwsgi_1690", 3, "§5.2"))


def test_a_failed_probe_does_not_tell_the_section_either():
    report = check(lambda server: True, exercise="probe_arduino_websockets_208")

    assert "lets the bad server pass" in str(report)
    assert BUGS["arduino_websockets_208"].sections[0].removeprefix("RFC 6455 ") not in str(report)


@pytest.mark.parametrize("name", IN_THE_SET)
def test_a_capture_is_the_same_each_time(name):
    first, second = (repr(wslab.inspect(zoo.capture(name))) for _ in range(2))

    assert first == second


def test_the_row_that_shows_a_bug_was_sent_by_the_side_that_has_it():
    for name in IN_THE_SET:
        rows = wslab.inspect(zoo.capture(name)).rows
        assert rows[guilty_row(name)][2].startswith(BUGS[name].role.value)


# Hints, the reference, the list


def test_the_reference_of_a_probe_opens_when_it_passes(monkeypatch):
    monkeypatch.setattr(progress, "_progress", {})
    assert "Hint 1 of 3" in str(hint("probe_uwsgi_1690"))
    assert "opens when" in str(reference("probe_uwsgi_1690"))
    check(PROBES["uwsgi_1690"])

    text = str(reference("probe_uwsgi_1690"))

    assert "def probe_uwsgi_1690(server" in text
    assert BUGS["uwsgi_1690"].thread in text


def test_every_bug_has_a_diagnosis_and_a_probe_to_write():
    assert list(TASKS) == [f"{kind}{name}" for name in BUGS for kind in ("diagnosis_of_", "probe_")]


def test_the_list_names_every_bug_with_what_goes_wrong():
    assert [(row[0], row[3]) for row in zoo.bugs().rows] == [(bug.name, bug.story) for bug in BUGS.values()]


def test_what_is_sent_after_an_answer_comes_in_a_piece_of_its_own():
    sends_later = probe("faye_websocket_node_73", PIECE_OF_ITS_OWN)
    assert run(sends_later, Role.CLIENT, BUGS["faye_websocket_node_73"]) is True


# The matrix


def test_the_matrix_says_in_text_and_html_which_probe_catches_which_bug():
    table = zoo.matrix(PROBES["websocket_sharp_12"])
    words = dict(table.rows)

    assert words["the good one"] == "passes"
    assert words["websocket_sharp_12"] == "caught"
    assert words["ws_634"] == "passes"
    assert words["uwsgi_1690"] == ""  # a server
    caught = sum(word == "caught" for word in words.values())
    assert f"{caught} of {len(BUGS)} bugs are caught" in repr(table)
    assert table._repr_html_().count(">caught<") == caught


def test_a_probe_that_always_fails_catches_nothing():
    table = zoo.matrix(probe("websocket_sharp_12", "    return False"))

    assert dict(table.rows)["the good one"] == "caught"
    assert f"0 of {len(BUGS)} bugs are caught" in repr(table)


def test_a_probe_that_gives_no_verdict_is_told_apart_in_the_matrix(monkeypatch):
    raising = dict(zoo.matrix(probe("ws_634", "    raise OSError")).rows)
    monkeypatch.setattr(probing, "LIMIT", 0.5)
    endless = dict(zoo.matrix(probe("ws_634", "    while True: pass")).rows)

    assert raising["ws_634"] == "raised OSError"
    assert endless["the good one"] == "never returned"
    assert endless["ws_634"] == "not tried"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_reference_probe_gives_a_verdict_on_every_bug_of_its_side(monkeypatch):
    monkeypatch.setattr(line, "QUIET", 0.02)
    monkeypatch.setattr(probing, "LIMIT", PATIENCE)
    table = zoo.matrix(*PROBES.values())
    words = {row[0]: dict(zip(table.heading[1:], row[1:], strict=True)) for row in table.rows}

    assert set(words["the good one"].values()) == {"passes"}
    for name in BUGS:
        assert words[name][name] == "caught"
        assert set(words[name].values()) <= {"caught", "passes", ""}


# Real servers


@pytest.fixture(params=["websockets", "aiohttp", "Tornado", "Autobahn|Python"])
def real_server(request, tmp_path: Path):
    """The name of a server that others have written, and what a probe is given of it."""
    in_process = {"websockets": WebsocketsServer, "aiohttp": AiohttpServer}
    if request.param in in_process:
        with in_process[request.param](PermessageDeflate()) as server:
            yield request.param, SimpleNamespace(port=urlsplit(server.url).port)
        return
    try:
        command = SERVERS[request.param].prepare(tmp_path)
    except Missing as missing:
        pytest.skip(str(missing))
    with serving(command) as url:
        yield request.param, SimpleNamespace(port=urlsplit(url).port)


# What these libraries did in 2026: frames without a mask were answered, RSV1 on a ping too; and aiohttp answered an
# empty close frame with the code 0.
KNOWN = {
    "websockets": set(),
    "aiohttp": {"websocket_node_226", "websocket_for_python_263", "bun_33001"},
    "Tornado": {"websocket_node_226", "bun_33001"},
    "Autobahn|Python": set(),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_real_server_passes_all_probes_but_those_of_its_own_bugs(real_server, monkeypatch):
    monkeypatch.setattr(line, "QUIET", 2.0)
    name, server = real_server
    probes = {it: tried for it, tried in PROBES.items() if BUGS[it].role is Role.SERVER}

    failed = {it for it, tried in probes.items() if not tried(server)}

    assert failed <= KNOWN[name]


# The line


def test_where_nothing_comes_the_line_ends_the_wait():
    with running(Role.SERVER, {}) as server, zoo.dial(server) as talk:
        assert talk.receive() is None
        assert talk.read(1) == b""


def test_a_line_shows_frames_and_bytes_as_they_come():
    with running(Role.SERVER, {}) as server, zoo.dial(server) as talk:
        talk.send(Frame(Opcode.TEXT, b"one"), Frame(Opcode.TEXT, b"two"))

        assert talk.receive() == Frame(Opcode.TEXT, b"one")
        assert talk.read(5) == b"\x81\x03two"
