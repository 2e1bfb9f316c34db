"""live: a table that follows what happens, leaves no thread behind, and is a plain table where nobody looks."""

import threading
from contextvars import ContextVar
from math import nan

import ipywidgets
import pytest
from support.raw_peer import fresh_port, live_server
from support.waiting import PATIENCE, wait_until, wslab_threads

from wslab import connect, watch
from wslab.display import shown
from wslab.display.netstat.live import LiveTable


@pytest.fixture(autouse=True)
def leaves_no_thread_behind(monkeypatch):
    for name in shown.HERE_IS_A_NOTEBOOK:
        monkeypatch.delenv(name, raising=False)
    yield
    wait_until(lambda: not wslab_threads())


def test_it_follows_what_flows_and_ends_with_the_server():
    with live_server() as server, connect(server.url) as connection:
        table = watch(server).live(interval=0.01)
        connection.send("Hello")
        connection.receive()
        wait_until(lambda: "'Hello'" in repr(table))
        assert table.is_running
        connection.close()
        server.close()
        wait_until(lambda: not table.is_running)

    assert "'Hello'" not in repr(table)


def test_it_runs_in_the_context_of_its_cell_without_which_an_older_jupyter_sends_nothing():
    cell, seen = ContextVar("cell"), set()
    cell.set("the one that is running")
    with live_server() as server:

        def look():
            seen.add((threading.current_thread().name, cell.get(None)))
            return watch(server)

        with LiveTable(look, seconds=PATIENCE, interval=0.01):
            wait_until(lambda: len(seen) == 2)

    assert ("wslab-watch", "the one that is running") in seen


def test_it_ends_when_its_time_is_over():
    with live_server() as server:
        table = watch(server).live(seconds=0)
        wait_until(lambda: not table.is_running)


@pytest.mark.parametrize(
    "wrong", [{"interval": 0}, {"interval": -1}, {"interval": nan}, {"seconds": nan}, {"seconds": -1}]
)
def test_what_is_no_time_is_refused_at_once(wrong):
    with pytest.raises(ValueError, match="seconds is 0 or more and interval more than 0"):
        watch().live(**wrong)


@pytest.mark.parametrize("name", ["interval", "seconds"])
def test_what_is_no_number_is_refused_at_once(name):
    with pytest.raises(TypeError, match=f"{name} is a number of seconds, not 'x'"):
        watch().live(**{name: "x"})


def test_it_ends_when_it_is_closed():
    with live_server() as server:
        with watch(server).live(interval=60) as table:
            assert table.is_running
        assert not table.is_running


def test_it_waits_for_what_has_not_begun():
    with live_server(port=fresh_port()) as server:
        port = server.port
    watched = watch(port)
    assert watched.is_over
    with watched.live(interval=0.01) as table:
        looks = []
        table._look, look = lambda: looks.append(1) or look(), table._look
        wait_until(lambda: len(looks) > 2)
        assert table.is_running


def test_what_cannot_be_read_any_more_ends_it_without_a_word(capsys):
    def fail():
        raise OSError("nothing can be listed")

    with live_server() as server:
        table = watch(server).live(interval=0.01)
        table._look = fail
        wait_until(lambda: not table.is_running)

    assert str(table.error) == "nothing can be listed"
    assert capsys.readouterr() == ("", "")


def test_where_nobody_looks_it_is_a_table_as_any_other():
    with live_server() as server, watch(server).live() as table:
        assert table._repr_mimebundle_() == {"text/plain": repr(table.table), "text/html": table.table._repr_html_()}


def test_in_a_notebook_that_somebody_has_opened_it_has_a_place_with_a_table_in_it(monkeypatch):
    monkeypatch.setenv(shown.JUPYTER, "here")
    with live_server() as server, watch(server).live() as table:
        bundle = table._repr_mimebundle_()

    assert bundle["text/plain"] == repr(table.table)
    assert "<wslab-place " in bundle["text/html"]
    assert table.table._repr_html_() in bundle["text/html"]


def test_the_widget_shows_the_last_table_and_closing_it_ends_the_thread():
    with live_server() as server, connect(server.url) as connection:
        table = watch(server).live(interval=0.01, widget=True)
        connection.send("<i>")
        connection.receive()
        wait_until(lambda: "&lt;i&gt;" in table._widget.value)
        assert isinstance(table._widget, ipywidgets.HTML)
        table._widget.close()
        wait_until(lambda: not table.is_running)
