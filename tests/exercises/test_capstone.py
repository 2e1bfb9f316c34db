"""A file with all parts is judged: what stands, what is next, and how its server does in the cases of Autobahn."""

import sys
from pathlib import Path

import pytest
from support.command_line import wslab as command

from wslab import ConnectionClosed, connect
from wslab.exercises import capstone
from wslab.exercises.capstone import judge_file
from wslab.exercises.checks import isolation

PATH = Path(__file__).parents[2] / "notebooks/solutions/my_websocket.py"
REFERENCE = PATH.read_text(encoding="utf-8")
MISTAKE = "self.send(Opcode.PONG, frame.payload)"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "my_websocket.py"


@pytest.fixture
def one_part(monkeypatch):
    """Only one of the parts is looked at, where the server is what counts."""
    monkeypatch.setattr(capstone, "PARTS", ("accept_key",))


@pytest.fixture(scope="module")
def url():
    with capstone._server(PATH) as address:
        yield address


@pytest.mark.parametrize(
    ("encoding", "first_line"), [("utf-8-sig", ""), ("latin-1", "# coding: latin-1\n")], ids=["with a BOM", "latin-1"]
)
def test_a_file_may_be_encoded_as_python_allows_it(file, encoding, first_line):
    file.write_text(f"{first_line}NAME = 'é'\nassert len(NAME) == 1\ndef accept_key(key): pass\n", encoding=encoding)

    score = judge_file(file)

    assert "accept_key" not in score.missing
    assert "cannot be loaded" not in score.problem


def test_the_reference_can_be_read_in_one_sitting():
    assert len(REFERENCE.splitlines()) <= 300


@pytest.mark.parametrize("deflate", [False, True])
def test_the_reference_echoes(url, deflate):
    with connect(url, deflate=deflate) as connection:
        for message in ("Hello", b"\x00\xff" * 300, "", "é" * 70_000):
            connection.send(message)
            assert connection.receive() == message
        connection.close(4001, "bye")
    assert connection.close_code == 4001


def test_the_reference_fails_a_connection_that_breaks_the_protocol(url):
    with connect(url) as connection:
        connection.send_fragment("Hel")
        connection.send_raw(b"\x81\x82\x00\x00\x00\x00Hi")  # a new message inside a message
        with pytest.raises(ConnectionClosed):
            connection.receive()
    assert connection.close_code == 1002


def test_the_reference_serves_chromium(url, tab):
    script = """url => new Promise(resolve => {
        const socket = new WebSocket(url), seen = [];
        socket.onopen = () => socket.send("Hello");
        socket.onmessage = event => { seen.push(event.data); socket.close(4001, "bye"); };
        socket.onclose = event => resolve([...seen, event.code, event.wasClean, socket.extensions]);
    })"""
    assert tab.evaluate(script, url) == ["Hello", 4001, True, "permessage-deflate; client_no_context_takeover"]


@pytest.mark.parametrize(
    "chapters",
    [("2", "7"), pytest.param(tuple(capstone.CHAPTERS), marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
    ids=["some", "all"],
)
def test_the_reference_has_the_full_score(chapters):
    score = judge_file(PATH, chapters)

    assert score.passed, str(score)
    assert [chapter.number for chapter in score.chapters] == list(chapters)


@pytest.mark.slow
def test_a_server_with_a_mistake_loses_the_cases_of_its_chapter(file):
    assert MISTAKE in REFERENCE
    file.write_text(REFERENCE.replace(MISTAKE, "self.send(Opcode.PONG, b'')"), encoding="utf-8")
    score = judge_file(file, ("2",))

    assert score.next == ""
    assert not score.passed
    assert 0 < score.chapters[0].passed < score.chapters[0].cases
    assert "first failed: 2." in str(score)


def test_the_first_part_that_does_not_stand_is_next(file):
    file.write_text("from base64 import b64encode\ndef accept_key(key):\n    return b64encode(key.encode()).decode()\n")
    assert judge_file(file).next == "wants_websocket"
    text = str(judge_file(file))

    assert "wants_websocket   missing" in text
    assert "accept_key        0 of 3 points" in text
    assert "Next: wants_websocket (lesson 02)" in text
    assert "not tried while parts are missing" in text


@pytest.mark.slow
def test_a_part_that_fails_is_next_with_its_first_fault(file):
    file.write_text(REFERENCE.replace("258EAFA5-E914", "258EAFA5-E915"), encoding="utf-8")
    score = judge_file(file, ())

    assert score.next == "accept_key"
    assert "tried:    the key in RFC 6455 §1.3" in str(score)


@pytest.mark.parametrize("source", ["def accept_key(:", "raise SystemExit", "1 / 0"])
def test_a_file_that_cannot_be_loaded_is_told(file, source):
    file.write_text(source)
    score = judge_file(file)
    assert str(score).startswith("the file cannot be loaded: ")
    assert "missing" not in str(score)  # a part may stand there, and only the file cannot be read
    assert not score.passed


def test_a_server_that_does_not_say_where_it_listens_is_told(file, monkeypatch, one_part):
    monkeypatch.setattr(capstone, "START", 1.0)
    file.write_text(REFERENCE.replace("print(f", "str(f"), encoding="utf-8")
    assert "has not said 'Listening on ws://" in judge_file(file).problem


def test_a_server_that_says_something_else_first_is_told_what(file, one_part):
    file.write_text(REFERENCE.replace("Listening on", "Hearing at"), encoding="utf-8")
    problem = judge_file(file).problem
    assert "is not 'Listening on ws://…', but 'Hearing at ws://127.0.0.1:" in problem
    assert "seconds" not in problem


def test_a_server_that_prints_without_a_flush_and_much_is_judged(file, one_part):
    chatty = REFERENCE.replace(", flush=True)", ")").replace(
        "frame = self.next_frame()", "frame = self.next_frame()\n            print('x' * 4000)"
    )
    file.write_text(chatty, encoding="utf-8")
    assert judge_file(file, ("2", "4")).passed


def test_a_server_that_ends_at_once_is_told_with_its_last_words(file, one_part):
    file.write_text(REFERENCE.replace("    main()\n", "    mein()\n"), encoding="utf-8")
    assert "its last words were: NameError: name 'mein' is not defined" in judge_file(file).problem


def test_a_server_that_never_answers_is_left(file, monkeypatch, one_part):
    monkeypatch.setattr(capstone, "GREETING", 0.2)
    file.write_text(
        REFERENCE.replace("if self.shake_hands():", "if self.sock.recv(99999) * 0 or self.shake_hands():"),
        encoding="utf-8",
    )
    assert "has not agreed to a handshake within 0.2 seconds" in judge_file(file).problem


def test_a_server_without_the_guard_of_main_is_told(file, monkeypatch, one_part):
    monkeypatch.setattr(isolation, "LIMIT", 1.0)
    monkeypatch.setattr(sys, "argv", ["judge"])
    file.write_text(REFERENCE.replace('if __name__ == "__main__":\n    main()', "main()"), encoding="utf-8")
    assert "it never returned; what starts the server belongs behind if __name__" in judge_file(file).problem


@pytest.mark.parametrize(
    "line",
    ["from wslab import EchoServer", "import wslab\nwslab.EchoServer", "from websockets.sync.server import serve"],
)
def test_a_server_of_somebody_else_earns_nothing(file, line, one_part):
    file.write_text(f"{REFERENCE}\n{line}\n", encoding="utf-8")
    score = judge_file(file)

    assert "not tried, as the file uses" in score.problem
    assert [score.points(number) for number in capstone.CHAPTERS] == [0] * len(capstone.CHAPTERS)


def test_a_file_that_is_not_there_is_not_attempted_yet(file):
    score = judge_file(file)

    assert "not attempted yet: there is no my_websocket.py here" in str(score)
    assert score.points("1") == 0
    assert not score.passed


def test_points_are_given_for_the_share_of_the_cases():
    chapters = (
        capstone.Chapter("1", 16, 16),
        capstone.Chapter("2", 10, 11, "2.3"),
        capstone.Chapter("6", 0, 145, "6.1.1"),
    )
    score = capstone.Score((), (), chapters)
    assert [score.points(number) for number in ("1", "2", "6", "7")] == [5, 4, 0, 0]


@pytest.mark.slow
def test_without_kosoku_the_parts_are_still_checked(monkeypatch):
    monkeypatch.setattr(capstone.importlib.util, "find_spec", lambda name: None)
    score = judge_file(PATH)

    assert "pip install kosoku" in score.problem
    assert score.next == ""
    assert not score.passed


def test_the_command_prints_the_score(file):
    file.write_text("def accept_key(key): ...\n")
    result = command("judge", str(file))

    assert result.returncode == 1
    assert "Next: wants_websocket (lesson 02)" in result.stdout
