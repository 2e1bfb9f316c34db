"""watch_frames: rows appear as frames pass, nobody who talks waits for them, and no thread is left behind."""

import threading
from contextvars import ContextVar

import pytest
from support.raw_peer import live_server
from support.waiting import PATIENCE, running, wait_until

from wslab import Recording, Tap, connect, watch_frames
from wslab.display import shown as reader
from wslab.display.widgets import frame_log
from wslab.display.widgets import watch_frames as module
from wslab.display.widgets.frame_log import Kinds


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wslab-watch-frames"]


@pytest.fixture(autouse=True)
def leaves_no_thread_behind():
    yield
    wait_until(lambda: not threads())


def shown(watch: module.FrameWatch) -> str:
    """The HTML of the widget."""
    return "".join(child.value for child in watch.controls.box.children[1:])


def test_rows_appear_as_frames_pass_and_the_thread_ends_with_the_server():
    with live_server(recording=Recording(), deflate=False) as server:
        watch = watch_frames(server)
        assert "Nothing has passed yet." in shown(watch)
        with connect(server.url) as connection:
            connection.send("Hello")
            wait_until(lambda: shown(watch).count("text &quot;Hello&quot;") == 2)
            assert "Watching." in shown(watch)
            assert len(threads()) == 1
        server.close()
        wait_until(lambda: not threads())

    assert "The server has stopped." in shown(watch)
    assert watch.controls.pause.description == "Resume"
    assert repr(watch).splitlines() == [
        "connection  direction        bytes  what",
        repr(watch).splitlines()[1],
        "1           server → client  129    HTTP/1.1 101 Switching Protocols",
        '1           client → server  11     text "Hello"',
        '1           server → client  7      text "Hello"',
        "1           client → server  8      close 1000",
        "1           server → client  4      close 1000",
    ]


def test_the_goodbye_of_a_server_that_stops_is_seen():
    with live_server(recording=Recording()) as server, connect(server.url) as connection:
        watch = watch_frames(server)
        with running(list, connection):
            server.close()
        wait_until(lambda: not threads())
    assert shown(watch).count("close 1001 &quot;the server is stopping&quot;") == 1
    assert shown(watch).count("close 1001") == 2


def test_the_text_has_all_that_has_passed_whether_the_thread_has_seen_it_or_not():
    recording = Recording()
    with live_server(recording=recording) as server, watch_frames(server) as watch, connect(server.url) as connection:
        for number in range(20):
            connection.send(f"{number}")
            connection.receive()
            assert f'text "{number}"' in repr(watch)


def test_a_pause_is_a_pause_and_ends_the_thread():
    with live_server(recording=Recording()) as server, connect(server.url) as connection:
        watch = watch_frames(server)
        assert watch.controls.pause.description == "Pause"
        watch.controls.pause.click()
        wait_until(lambda: not threads())
        connection.send("Hello")
        connection.receive()
        assert "Paused." in shown(watch)
        assert "Hello" not in shown(watch) + repr(watch)

        assert watch.controls.pause.description == "Resume"
        watch.controls.pause.click()
        wait_until(lambda: "Hello" in shown(watch))
        assert "Watching." in shown(watch)
        assert len(threads()) == 1
        watch.close()
        assert not threads()
        assert "Closed." in shown(watch)


def test_rows_are_cleared_and_filtered_by_the_controls():
    recording = Recording()
    with live_server(recording=recording) as server, connect(server.url) as connection:
        connection.ping()
        connection.send("Hello")
        connection.receive()

    with watch_frames(recording) as watch:
        assert "ping" in watch._repr_html_()
        watch.controls.kinds.value = Kinds.NO_CONTROL
        assert "ping" not in shown(watch)
        assert "Hello" in shown(watch)
        watch.controls.kinds.value = Kinds.ONLY_CONTROL
        assert "ping" in shown(watch)
        assert "Hello" not in shown(watch) + repr(watch)

        watch.controls.clear.click()
        assert "Nothing has passed yet." in shown(watch)
        assert repr(watch) == "Nothing has passed yet."


def test_a_row_is_opened_and_shows_every_field_and_closed_again():
    recording = Recording()
    with live_server(recording=recording, deflate=False) as server, connect(server.url) as connection:
        connection.send("Hello")
        connection.receive()

    with watch_frames(recording) as watch:
        rows = watch.controls.rows
        wait_until(lambda: "Hello" in rows.value)
        assert [f'data-row="{number}"' in rows.value for number in range(1, 8)] == [True] * 6 + [False]
        rows.chosen = 1
        assert "request line" in shown(watch)
        rows.chosen = 3
        assert "request line" not in shown(watch)
        assert "opcode" in shown(watch)
        assert "masking key" in shown(watch)
        assert "data-row" not in watch._repr_html_() + repr(watch)
        rows.chosen = None
        assert "opcode" not in shown(watch)
        rows.chosen = 2
        watch.controls.clear.click()
        assert rows.chosen is None
        assert "101" not in shown(watch)


def test_a_row_that_is_open_stays_so_when_the_log_has_dropped_it():
    with live_server(recording=Recording(), deflate=False) as server, watch_frames(server, most=2) as watch:
        connection = connect(server.url)
        rows = watch.controls.rows
        wait_until(lambda: 'data-row="1"' in rows.value)
        rows.chosen = 1
        for number in range(3):
            connection.send(f"{number}")
            connection.receive()
        wait_until(lambda: 'data-row="8"' in rows.value)
        assert 'data-row="1"' not in rows.value
        assert rows.chosen == 1
        assert "request line" in shown(watch)
        connection.close()


def test_what_was_skipped_cannot_be_opened(monkeypatch):
    recording = Recording()
    with live_server(recording=recording) as server, connect(server.url) as connection:
        connection.send("Hello")
        connection.receive()
    monkeypatch.setattr(frame_log, "MOST_PENDING", 1)
    with watch_frames(recording) as watch:
        wait_until(lambda: "too fast" in watch.controls.rows.value)
        assert "data-row" not in watch.controls.rows.value.partition("too fast")[0]
        watch.controls.rows.chosen = 1
        assert watch.html_of_open_row() == ""


def test_at_most_so_many_rows_are_kept():
    with live_server(recording=Recording(), deflate=False) as server, watch_frames(server, most=4) as watch:
        connection = connect(server.url)
        for number in range(10):
            connection.send(f"{number}")
            connection.receive()
        *rows, left_out = repr(watch).splitlines()
        assert [line.split()[-1] for line in rows] == ["what", '"8"', '"8"', '"9"', '"9"']
        assert left_out == "18 earlier rows are not shown."
        connection.close()


def test_it_pauses_when_nothing_passes_for_too_long():
    with live_server(recording=Recording()) as server:
        watch = watch_frames(server, idle=0)
        wait_until(lambda: not threads())
        assert "Paused: nothing has passed for 0 s." in shown(watch)


def test_its_thread_has_the_context_of_the_cell_without_which_an_older_jupyter_sends_nothing():
    cell, seen = ContextVar("cell"), []
    cell.set("the one that is running")

    with module.FrameWatch(Recording(), lambda: seen.append(cell.get(None)), most=10, idle=PATIENCE).resume():
        wait_until(lambda: seen)

    assert seen[0] == "the one that is running"


def test_the_server_does_not_wait_for_somebody_who_watches(monkeypatch):
    reading, go_on = threading.Event(), threading.Event()
    recording = Recording()
    with live_server(recording=recording) as server, connect(server.url) as connection:
        watch = watch_frames(server)
        read = watch.log.read

        def slow_read(*arguments: int) -> bool:
            reading.set()
            go_on.wait(20)
            return read(*arguments)

        monkeypatch.setattr(watch.log, "read", slow_read)
        assert reading.wait(20)
        for _ in range(100):
            connection.send("Hello")
            assert connection.receive() == "Hello"
        go_on.set()
        watch.close()


def test_what_peers_say_is_not_html_and_secrets_are_not_shown():
    recording = Recording()
    with live_server(recording=recording) as server:
        connection = connect(f"{server.url}?token=sesame", headers=[("Cookie", "a=sesame")])
        connection.send("<b>bold</b>")
        connection.receive()
        connection.close()

    with watch_frames(recording) as watch:
        for html in (watch._repr_html_(), shown(watch)):
            assert "&lt;b&gt;bold" in html
            assert "<b>" not in html
            assert "sesame" not in html + repr(watch)


def test_a_tap_and_a_recording_can_be_watched_too():
    with live_server() as server, Tap(server) as tap, watch_frames(tap) as watch, connect(tap.url) as connection:
        connection.send("Hello")
        connection.receive()
        assert repr(watch).count('text "Hello"') == 2
    with watch_frames(tap.recording) as watch:
        assert repr(watch).count('text "Hello"') == 2


def test_a_server_that_records_nothing_cannot_be_watched():
    with live_server() as server, pytest.raises(ValueError, match=r"EchoServer\(recording=wslab.Recording"):
        watch_frames(server)


def test_the_widget_comes_where_somebody_looks(monkeypatch):
    for name in reader.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    with watch_frames(Recording()) as watch:
        assert watch._repr_mimebundle_() == {
            "text/plain": "Nothing has passed yet.",
            "text/html": watch._repr_html_(),
        }
        monkeypatch.setenv(reader.HERE_IS_A_NOTEBOOK[0], "lesson.ipynb")
        assert "<wslab-place " in watch._repr_mimebundle_()["text/html"]


def test_every_control_has_a_name_and_a_hint():
    with watch_frames(Recording()) as watch:
        for control in watch.controls.box.children[0].children:
            assert control.description
            assert control.tooltip
