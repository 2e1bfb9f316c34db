"""play: a recording is stepped through by its controls, and can be read without them."""

import pytest
from support.heads_and_frames import GREETING, request, text
from support.raw_peer import live_server
from support.recordings import DOWN, HANDSHAKE, UP, recorded
from support.waiting import running

from wslab import Recording, connect, play
from wslab.display import shown as reader
from wslab.display.widgets.play import MOST_ROWS, Player

CONVERSATION = [*HANDSHAKE, (1, UP, text("Hello")), (1, DOWN, GREETING[:3]), (1, DOWN, GREETING[3:])]


def shown(player: Player) -> str:
    """The HTML of the widget."""
    return player.controls.box.children[1].value


def test_the_text_has_a_row_for_each_step_and_no_times():
    assert repr(play(recorded(*CONVERSATION))).splitlines() == [
        "step  what happened               complete with it                  client, its bytes  server, its bytes",
        "1     148 bytes, client → server  GET / HTTP/1.1                    CONNECTING 148     CONNECTING 0",
        "2     129 bytes, server → client  HTTP/1.1 101 Switching Protocols  OPEN 148           OPEN 129",
        '3     11 bytes, client → server   text "Hello"                      OPEN 159           OPEN 129',
        "4     3 bytes, server → client                                      OPEN 159           OPEN 132, 3 waiting",
        '5     6 bytes, server → client    text "Welcome"                    OPEN 159           OPEN 138',
    ]


def test_the_buttons_go_from_step_to_step():
    controls = (player := play(recorded(*CONVERSATION))).controls
    assert "Step 1 of 5, 0.0 ms after the first: 148 bytes, client → server" in shown(player)
    assert "Complete: GET / HTTP/1.1" in shown(player)

    reached = []
    for button in (controls.next, controls.last, controls.next, controls.previous, controls.first, controls.previous):
        button.click()
        reached.append(controls.step.value)
        assert f"Step {controls.step.value} of 5" in shown(player)
    assert reached == [2, 5, 5, 4, 1, 1]


def test_a_step_can_be_chosen_by_its_number_and_shows_what_waits():
    player = play(recorded(*CONVERSATION))
    player.controls.step.value = 4
    assert "Step 4 of 5, 3000.0 ms after the first: 3 bytes, server → client" in shown(player)
    assert ">3: 81 07 57<" in shown(player)
    assert shown(player).count(">OPEN<") == 2
    assert "Step 5 of 5" in player.html_of_step(6)


def test_another_connection_can_be_chosen():
    others = [(2, UP, request("GET /two HTTP/1.1")), (2, DOWN, b"HTTP/1.1 404 Not Found\r\n\r\n")]
    player = play(recorded(*CONVERSATION, *others))
    controls = player.controls
    controls.last.click()
    controls.connection.value = 2
    assert (controls.step.value, controls.step.max) == (1, 2)
    assert "GET /two HTTP/1.1" in shown(player)
    controls.last.click()
    assert "not WebSocket: what follows is not read" in shown(player)
    controls.connection.value = 1
    assert (controls.step.value, controls.step.max) == (1, 5)
    assert repr(player).endswith("1 more connections were recorded.")


def test_it_begins_with_the_connection_that_is_asked_for():
    recording = recorded(*CONVERSATION, (7, UP, request("GET /seven HTTP/1.1")))
    assert "GET /seven" in repr(play(recording, 7))
    with pytest.raises(ValueError, match=r"connection 3 was not recorded; these were: \[1, 7\]"):
        play(recording, 3)
    many = recorded(*[(number, UP, request("GET / HTTP/1.1")) for number in range(1, 30)])
    with pytest.raises(ValueError, match=r"these were: \[1, 2, .*, 20\], …$"):
        play(many, 30)


def test_a_live_conversation_is_played_with_the_calls():
    recording = Recording()
    with live_server() as server, connect(server.url, recording=recording, deflate=False) as connection:
        connection.send("Hello")
        connection.receive()
    said = repr(play(recording))
    assert "client calls send('Hello')" in said
    assert "client gets from receive(): 'Hello'" in said
    assert said.splitlines()[-1].count("CLOSING") == 2


def test_long_recordings_are_shown_in_short():
    player = play(recorded(*HANDSHAKE, *[(1, DOWN, GREETING)] * 200), most=100)
    assert len(repr(player).splitlines()) == 1 + MOST_ROWS + 1
    assert repr(player).endswith("142 more steps are not shown: start=60 shows them.")
    assert "142 more steps are not shown: start=60 shows them." in player._repr_html_()
    assert player.controls.step.max == 100


def test_later_steps_are_played_with_what_is_known_of_those_before():
    recording = recorded(*CONVERSATION, *[(1, DOWN, GREETING)] * 200, (2, UP, request()))
    player = play(recording, start=3, most=4)
    controls = player.controls

    assert player.table.rows == play(recording).table.rows[3:7]
    assert [row[0] for row in player.table.rows] == ["4", "5", "6", "7"]
    assert "3 steps before these are not shown. 198 more steps are not shown: start=7 shows them." in repr(player)
    assert "Step 4 of 205, 3000.0 ms after the first" in shown(player)
    controls.last.click()
    assert "Step 7 of 205" in shown(player)
    controls.next.click()
    assert "Step 7 of 205" in shown(player)
    controls.first.click()
    assert (controls.step.value, controls.step.min, controls.step.max) == (4, 4, 7)
    controls.connection.value = 2
    assert "No step 4 was recorded: the last one is step 1." in shown(player)
    controls.connection.value = 1
    assert (controls.step.value, controls.step.min, controls.step.max) == (4, 4, 7)


@pytest.mark.parametrize("wrong", [{"start": -1}, {"most": 0}])
def test_numbers_that_make_no_window_are_refused(wrong):
    with pytest.raises(ValueError, match="start counts from 0; most is 1 or more"):
        play(recorded(*CONVERSATION), **wrong)


def test_what_peers_say_is_not_html_and_secrets_are_not_shown():
    start = request("GET /?token=sesame HTTP/1.1", more=("Cookie: a=sesame",))
    player = play(recorded((1, UP, start[:-2]), (1, UP, start[-2:]), HANDSHAKE[1], (1, UP, text("<b>bold</b>"))))
    everything = repr(player) + player._repr_html_()
    for step in range(1, 5):
        player.controls.step.value = step
        everything += shown(player)
    assert "sesame" not in everything
    assert "<b>" not in everything.removeprefix(repr(player))
    assert "&lt;b&gt;bold" in everything


def test_steps_may_be_turned_in_one_thread_while_another_chooses_a_connection():
    player = play(recorded(*CONVERSATION, (2, UP, request())))
    controls = player.controls

    def turn() -> None:
        for _ in range(50):
            controls.last.click()
            controls.first.click()

    with running(turn):
        for number in range(50):
            controls.connection.value = 1 + number % 2
    assert "Step 1 of 1" in shown(player)


def test_an_empty_recording_is_told():
    player = play(Recording())
    assert repr(player) == "Nothing was recorded."
    for html in (player._repr_html_(), shown(player)):
        assert "Nothing was recorded." in html


def test_the_widget_comes_where_somebody_looks(monkeypatch):
    player = play(recorded(*CONVERSATION))
    for name in reader.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    assert player._repr_mimebundle_() == {"text/plain": repr(player), "text/html": player._repr_html_()}
    monkeypatch.setenv(reader.HERE_IS_A_NOTEBOOK[0], "lesson.ipynb")
    assert "<wslab-place " in player._repr_mimebundle_()["text/html"]


def test_it_plays_from_the_beginning_when_it_is_at_the_end_and_stops():
    controls = play(recorded(*CONVERSATION)).controls
    controls.last.click()
    controls.playing.click()
    assert (controls.step.value, controls.playing.description) == (1, "Stop")
    controls.next.click()
    controls.playing.click()
    assert (controls.step.value, controls.playing.description) == (2, "Play")


def test_every_control_has_a_name_and_a_hint():
    *controls, _clock = play(Recording()).controls.box.children[0].children
    for control in controls:
        assert control.description
        assert control.tooltip
