"""server_view: the page with a token gets the frames of its own connection, and nobody else gets anything."""

import json
import urllib.request

import pytest
from support.raw_peer import live_server

from wslab import Recording, connect
from wslab.sockets import server_view as module

TOKEN = "0123456789abcdef" * 2


def ask(server, token=TOKEN, start="0"):
    """What the server answers to a page with this token."""
    headers = {"Wslab-View": token, "Wslab-From": start}
    request = urllib.request.Request(server.url.replace("ws", "http", 1), headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def whats(answer):
    return [(frame["from"], frame["what"]) for frame in answer["frames"]]


def test_the_frames_are_those_of_the_connection_as_they_were_on_the_wire():
    with (
        live_server() as server,
        connect(f"{server.url}?wslab-view={TOKEN}", deflate=False, masking_key=b"\x37\xfa\x21\x3d") as mine,
        connect(server.url) as other,
    ):
        other.send("not mine")
        other.receive()
        mine.send("Hello")
        mine.receive()
        answer = ask(server)
    assert whats(answer)[2:] == [("client", 'text "Hello"'), ("server", 'text "Hello"')]
    assert [frame["hex"] for frame in answer["frames"][2:]] == [
        "81 85 37 fa 21 3d 7f 9f 4d 51 58",
        "81 05 48 65 6c 6c 6f",
    ]
    assert [frame["bytes"] for frame in answer["frames"][2:]] == [11, 7]


def test_a_page_asks_for_what_it_has_not_seen_yet_also_after_the_end():
    with live_server() as server:
        with connect(f"{server.url}?a=b&wslab-view={TOKEN}") as connection:
            connection.send("Hello")
            connection.receive()
            seen = len(ask(server)["frames"])
        assert whats(ask(server, start=str(seen)))[-2:] == [("client", "close 1000"), ("server", "close 1000")]
        assert ask(server, start="-1") == ask(server, start="x") == {"frames": [], "left_out": ""}


def test_of_the_handshake_no_bytes_are_told_which_may_hold_cookies():
    with live_server() as server:
        headers = [("Cookie", "session=sesame")]
        with connect(f"{server.url}?wslab-view={TOKEN}&token=sesame", headers=headers):
            answer = ask(server)
    assert "GET /?wslab-view=" in answer["frames"][0]["what"]
    assert [frame["hex"] for frame in answer["frames"][:2]] == ["", ""]
    assert "sesame" not in json.dumps(answer)


def test_another_token_gets_nothing_and_without_one_nothing_is_kept():
    with live_server() as server, connect(server.url), connect(f"{server.url}?wslab-view=short"):
        [view] = [page for page in server.pages if isinstance(page, module.ServerView)]
        assert view._views == {}
        assert all(connection._transport.observer is None for connection in server.connections)
        assert ask(server) == ask(server, token="") == {"frames": [], "left_out": ""}


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 20_000)
    monkeypatch.setattr(module, "MOST_VIEWS", 2)
    with live_server() as server:
        [view] = [page for page in server.pages if isinstance(page, module.ServerView)]
        with connect(f"{server.url}?wslab-view={TOKEN}", deflate=False) as connection:
            for _ in range(3):
                connection.send(bytes(10_000))
                connection.receive()
            answer = ask(server)
            assert answer["left_out"] == module.FULL
            assert len(answer["frames"][2]["hex"]) < 300
        for number in range(3):
            connect(f"{server.url}?wslab-view={number:032x}").close()
        assert list(view._views) == [f"{1:032x}", f"{2:032x}"]


@pytest.mark.parametrize("deflate", [False, True])
def test_frames_that_arrive_in_bulk_are_all_shown(deflate):
    with live_server(handler=lambda connection: connection.send_many(["Hello"] * 3000), deflate=deflate) as server:
        with connect(f"{server.url}?wslab-view={TOKEN}") as connection:
            assert len(list(connection)) == 3000
        answer = ask(server)
    said = [what for sender, what in whats(answer) if sender == "server"]
    assert [what.partition(" (")[0] for what in said[1:-1]] == ['text "Hello"'] * 3000
    assert answer["left_out"] == ""


@pytest.mark.parametrize("message", ["x" * 100, ""])
def test_of_more_than_is_kept_the_beginning_is_shown_and_the_page_is_told(monkeypatch, message):
    monkeypatch.setattr(module, "MOST_KEPT", 40_000)
    monkeypatch.setattr(module, "MOST_FRAMES", 500)
    with live_server(handler=lambda connection: connection.send_many([message] * 2000), deflate=False) as server:
        with connect(f"{server.url}?wslab-view={TOKEN}") as connection:
            assert len(list(connection)) == 2000
        answer = ask(server)
        assert 300 < len(answer["frames"]) <= 500
        assert answer["frames"][-1]["what"].startswith("text")
        rest = {"frames": [], "left_out": answer["left_out"]}
        assert ask(server, start=str(len(answer["frames"]))) == rest
    assert answer["left_out"] == module.FULL


def test_a_recording_of_the_server_goes_on_beside_it():
    recording = Recording()
    with live_server(recording=recording) as server:
        connection = connect(f"{server.url}?wslab-view={TOKEN}", deflate=False)
        connection.send("Hello")
        connection.receive()
        answer = ask(server)
        connection.close()
    assert whats(answer)[2:] == [("client", 'text "Hello"'), ("server", 'text "Hello"')]
    assert b"\x81\x05Hello" in b"".join(chunk.data for chunk in recording.chunks)
    assert [call.name for call in recording.calls if call.connection == 1][:2] == ["receive", "send"]
