"""BrowserConsole: a script in a real browser, alone and in a notebook, and what a reader has who has no browser."""

import ast
import json
import re
from dataclasses import replace

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import expect
from support.axe import assert_good_in_every_look
from support.browser_scripts import SCRIPTS, TRANSCRIPTS, Script, certified, events_in_firefox, run_in
from support.chromium import OPTIONS, find_browser
from support.console_notebook import RECORDED, SEND, are_as_recorded, outputs_of, write_console_notebook
from support.jupyterlab import (
    open_too,
    run_notebook,
    running_jupyter,
    write_notebook,
    write_settings,
)
from support.raw_peer import live_server
from support.waiting import PATIENCE, wait_until
from support.web_page import web_page

from wslab import BrowserConsole, EchoServer, Recording, Tap, draw_ladder, inspect
from wslab.browser import console as browser_console
from wslab.browser.console import BrowserRun
from wslab.browser.frontend import Frontend
from wslab.browser.run import MAX_EVENTS

NAMED = {script.name: script for script in SCRIPTS}
CHESS = NAMED["nobody-agrees-to-chess"]
MIXED = NAMED["mixed-content"]  # its page comes by HTTPS, and Firefox asks about the certificate
HOSTILE = """<img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script>"""


@pytest.fixture
def server():
    with live_server() as server:
        yield server


def without_browser(server: EchoServer, *transcripts) -> BrowserConsole:
    return BrowserConsole(server, *transcripts)


def with_browser(server: EchoServer, *transcripts) -> BrowserConsole:
    return BrowserConsole(server, *transcripts, address=f"http://127.0.0.1:{server.port}")


# Without a browser


def test_a_cell_shows_the_recorded_transcript_and_so_do_those_after_it(server):
    console = without_browser(server, TRANSCRIPTS)
    view = console.run(SEND.source, SEND.name)
    waited = console.wait(PATIENCE)

    browser_name = RECORDED[SEND.name].browser
    assert repr(view).startswith(f"What {browser_name} reported when this was recorded:\nsocket  what")
    assert repr(waited).startswith(f"No browser shows this notebook, so this is what {browser_name} reported:\n")
    assert repr(view).partition("\n")[2] == repr(waited).partition("\n")[2]
    assert tuple(console.events) == RECORDED[SEND.name].events == waited.events
    assert "<iframe" not in view._repr_html_()
    assert view._repr_html_().startswith("<details><summary>Your prediction first; then open this.</summary><div")


def test_a_script_that_was_changed_has_no_transcript_and_says_so(server):
    console = without_browser(server, TRANSCRIPTS)
    view = console.run(SEND.source.replace("OPEN", "open"), SEND.name)

    assert repr(view) == "'send-in-all-states' was not recorded: it runs where a browser shows this notebook."
    assert repr(console.wait()).startswith("No browser shows this notebook, and this script was not recorded. Open")
    assert console.events == []


def test_a_browser_that_does_not_answer_in_time_leaves_the_recorded_transcript(server):
    console = with_browser(server, TRANSCRIPTS)
    console.run(SEND.source, SEND.name)

    assert repr(console.wait(0.01)).startswith("No browser answered within 0.01 s, so this is what Chromium")
    assert tuple(console.events) == RECORDED[SEND.name].events


def test_the_value_of_a_cell_is_what_to_do_without_a_page_and_below_it_a_box_with_the_page(server):
    view = with_browser(server, TRANSCRIPTS).run(SEND.source, SEND.name)
    html = view._repr_html_()

    assert f'<iframe src="http://127.0.0.1:{server.port}/console#' in html
    assert 'title="Browser console: send-in-all-states"' in html
    assert html.startswith(
        "<details><summary>No page below?</summary>The server or the kernel may have stopped: run the cells again. "
        "If that does not help: Trust the notebook, make browser.run(...) the last line of its cell, and run "
        f"that again; the browser must reach the server at http://127.0.0.1:{server.port}, the address that was given."
        "</details><iframe"
    )
    assert html.index("</iframe>") < html.index("Without a browser") < html.index("<table")
    assert view.run.ticket not in repr(view) + re.sub("<iframe[^>]*>", "", html)


REMEDIES = {
    "Jupyter's proxy": (
        Frontend("JupyterLab", proxy="/user/ada/proxy/"),
        "if the box shows a login or an error, log in to JupyterLab again.",
    ),
    "JupyterLab": (
        Frontend("JupyterLab"),
        "if the browser cannot connect, it is on another machine than the server: "
        "install jupyter-server-proxy and start again.",
    ),
    "VS Code": (
        Frontend("VS Code"),
        "if the browser cannot connect, it is on another machine than the server: forward its port and start again.",
    ),
}


@pytest.mark.parametrize(("frontend", "remedy"), REMEDIES.values(), ids=REMEDIES.keys())
def test_what_to_do_without_a_page_depends_on_the_way_to_the_server(server, monkeypatch, frontend, remedy):
    monkeypatch.setattr(browser_console, "find_frontend", lambda: frontend)
    html = without_browser(server).run("done();")._repr_html_()
    assert f"the last line of its cell, and run that again; {remedy}</details><iframe" in html


def test_a_server_with_tls_is_never_behind_the_proxy_and_its_certificate_may_be_the_cause(monkeypatch):
    monkeypatch.setattr(browser_console, "find_frontend", lambda: Frontend("JupyterLab", proxy="/user/ada/proxy/"))
    with live_server(ssl=certified()) as server:
        view = without_browser(server).run("done();")
    address = f"https://127.0.0.1:{server.port}/"
    assert view.advice.endswith(f"on the server's own machine, open {address} in a tab and accept its certificate.")


def test_the_box_is_as_high_as_what_was_recorded_needs_or_as_was_asked_for(server):
    console = with_browser(server, TRANSCRIPTS)
    heights = {script.name: console.run(script.source, script.name).height for script in SCRIPTS}
    crashes, is_refused, sends = (heights[name] for name in ("server-crashes", "refused-handshake", SEND.name))
    assert crashes < sends
    assert crashes < is_refused  # as the page shows what only the server can say
    assert console.run("done();", height=222).height == 222
    through_proxy = BrowserConsole(server, TRANSCRIPTS, address="/proxy/8765/").run(SEND.source, SEND.name)
    assert through_proxy.height > heights[SEND.name]


def test_the_wire_is_that_of_the_recording_where_there_is_no_browser_and_empty_where_nothing_was_captured(server):
    console = without_browser(server, TRANSCRIPTS)
    console.run(SEND.source, SEND.name)
    captured = Recording.load(TRANSCRIPTS.with_name(f"{SEND.name}.pcapng"))
    assert repr(draw_ladder(console.wire())) == repr(draw_ladder(captured))

    console.run(CHESS.source, CHESS.name)
    assert console.wire().connections == []
    console.run("done();", SEND.name)  # another script than the one that was recorded
    assert console.wire().connections == []
    without = without_browser(server)
    without.run(SEND.source, SEND.name)
    assert without.wire().connections == []


def test_a_page_at_an_address_that_was_given_may_come_from_there(server):
    console = BrowserConsole(server, address="https://Hub.example/proxy/8765/", origins=["https://other.example"])
    run = console.run("done();").run
    assert run.origins == {"https://hub.example", "https://other.example"}
    assert BrowserConsole(server, address="/proxy/8765/").run("done();").run.origins == set()


@pytest.mark.parametrize(
    "address", ["localhost:8765", "ws://127.0.0.1:8765/", "javascript:alert(1)", "//127.0.0.1:8765/", "http://", ""]
)
def test_an_address_that_no_box_can_show_is_refused(server, address):
    with pytest.raises(ValueError, match="begins with http://, https:// or /, not"):
        BrowserConsole(server, address=address)


def test_a_list_of_origins_and_the_text_of_a_script_are_nothing_else(server):
    with pytest.raises(TypeError, match=r"\['https://lab.example'\], not 'https://lab.example'"):
        BrowserConsole(server, origins="https://lab.example")
    for script in (None, b"done();"):
        with pytest.raises(TypeError, match=f"text, not {type(script).__name__}"):
            with_browser(server).run(script)


def test_a_name_and_a_script_are_text_in_the_frame_as_well(server):
    assert "<img" not in with_browser(server).run("done()", HOSTILE)._repr_html_()


def test_a_console_says_what_is_missing(server, tmp_path):
    with pytest.raises(FileNotFoundError):
        without_browser(server, tmp_path / "recordings.json")
    with pytest.raises(RuntimeError, match="call run"):
        without_browser(server).wait()
    with pytest.raises(RuntimeError, match="call its start"):
        without_browser(EchoServer()).run("done()")
    assert repr(without_browser(server)) == f"<BrowserConsole of {server.url}, 0 runs>"


# In a browser


class ConsolePage:
    """The page of a run in a tab, with everything that the browser complains about."""

    def __init__(self, page, view: BrowserRun) -> None:
        self.page = page
        self.requested, self.complaints = [], []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.goto(view.address)
        self.status = page.get_by_role("status")
        self.log = page.get_by_role("log", name="What happens")
        self.advice = page.get_by_role("alert")


@pytest.fixture
def run(tab, server):
    """A function that runs a script in the browser: its console and its page."""

    def run(source: str, name: str = "script") -> tuple[BrowserConsole, ConsolePage]:
        console = with_browser(server)
        return console, ConsolePage(tab, console.run(source, name))

    return run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_recorded_transcript_agrees_with_a_real_browser(tab, script):
    run = run_in(tab, script)
    assert in_order(run.events) == in_order(RECORDED[script.name].events)
    if script.is_captured:
        recorded = Recording.load(TRANSCRIPTS.with_name(f"{script.name}.pcapng"))
        assert ladders(run.wire) == ladders(recorded)
    if script.has_panel:
        assert run.panel == json.loads(TRANSCRIPTS.with_name(f"{script.name}.panel.json").read_text(encoding="utf-8"))


def in_order(events) -> list[dict]:
    """The events, of which the last may be of sockets that close at the same time and tell it in any order."""
    at_the_end = len(events)
    while at_the_end and events[at_the_end - 1]["what"] == "close":
        at_the_end -= 1
    return [*events[:at_the_end], *sorted(events[at_the_end:], key=lambda event: event["socket"])]


def ladders(wire: Recording) -> list[str]:
    """What passed on each connection, without what the browser says when the page is closed: 1001, going away."""
    drawn = [repr(draw_ladder(wire, number, times=False)) for number in wire.connections]
    return [re.sub(r"\n.* close 1001 .*", "", ladder) for ladder in drawn]


def test_the_recorded_transcripts_name_their_browser_which_is_no_newer_than_this_one(browser):
    [name] = {recorded.browser for recorded in RECORDED.values()}
    version = re.fullmatch(r"Chromium ([1-9]\d*)", name)[1]
    assert int(version) <= int(browser.version.partition(".")[0]), "update Chromium, or record the transcripts anew"


def test_the_network_panel_is_told_of_messages_and_neither_of_pings_nor_of_the_close_frame():
    told = json.loads(TRANSCRIPTS.with_name("ping-is-invisible.panel.json").read_text(encoding="utf-8"))
    frames = [(entry["opcode"], entry["data"]) for entry in told if "opcode" in entry]
    assert frames == [(1, "the pong to my ping has arrived")]
    assert told[-1] == {"event": "webSocketClosed"}


def test_the_page_shows_what_it_reports_and_loads_nothing_but_itself(run, server):
    console, page = run(SEND.source, SEND.name)
    expect(page.status).to_have_text("Done: Python has 9 events")
    assert repr(console.wait(PATIENCE)).startswith("Your browser reported:\n")
    expect(page.page.get_by_role("heading", level=1)).to_have_text(SEND.name)
    expect(page.log.locator("p")).to_have_count(len(console.events))
    assert page.log.locator("b").all_inner_texts() == [event["what"] for event in console.events]
    paths = {url.removeprefix(f"http://127.0.0.1:{server.port}").partition("#")[0] for url in page.requested}
    assert paths == {"/console", "/console/claim", "/console/report"}
    assert page.page.url == f"http://127.0.0.1:{server.port}/console"


def test_the_page_draws_both_handshakes_side_by_side_and_says_that_nothing_is_between(run, server):
    _, page = run("const socket = new WebSocket(url, []); await until(socket, 'open'); done();")
    rows = page.page.get_by_role("row")
    expect(page.status).to_contain_text("Done")
    expect(rows).to_have_count(0)
    page.page.get_by_text("Who talks to whom").click()
    expect(rows.filter(has_text="address")).to_contain_text(
        f"{server.url} GET / HTTP/1.1, Host 127.0.0.1:{server.port}"
    )
    expect(rows.filter(has_text="origin")).to_contain_text(" ".join([f"http://127.0.0.1:{server.port}"] * 2))
    expect(rows.filter(has_text="extensions")).to_contain_text(
        "permessage-deflate offered permessage-deflate; client_max_window_bits agreed permessage-deflate"
    )
    expect(rows.filter(has_text="outcome")).to_contain_text("open event 101 Switching Protocols")
    expect(page.page.get_by_text("This page talks to the server directly")).to_be_visible()
    page.page.get_by_text("All that the server received and answered").click()
    expect(page.page.locator("#heads")).to_contain_text("Sec-WebSocket-Version: 13")


HEIGHTS = "log => [log.clientHeight, log.scrollHeight, log.scrollTop]"


def test_the_log_is_as_high_as_its_events_and_shows_the_end_of_more_than_fit(run):
    _, page = run("log('one'); await until(window, 'click'); for (let n = 0; n < 99; n++) log(n); done();")
    expect(page.log).to_contain_text("one")
    height, needed, _ = page.log.evaluate(HEIGHTS)
    assert height == needed < 40

    page.page.get_by_role("heading", level=1).click()
    expect(page.status).to_contain_text("Done")
    height, needed, scrolled = page.log.evaluate(HEIGHTS)
    assert scrolled == needed - height > 0


def test_what_comes_after_the_end_pushes_nothing_out_of_sight(run):
    _, page = run("log('first'); done(); await until(window, 'click'); for (let n = 0; n < 99; n++) log(n);")
    expect(page.status).to_contain_text("Done")
    page.page.get_by_role("heading", level=1).click()
    expect(page.log.locator("p")).to_have_count(100)
    height, needed, scrolled = page.log.evaluate(HEIGHTS)
    assert (scrolled, needed > height) == (0, True)


def test_through_a_forwarded_port_the_page_does_not_claim_that_a_proxy_does_the_handshake(tab, server):
    with Tap(server) as tap:
        console = BrowserConsole(server, address=tap.url.replace("ws", "http", 1))
        page = ConsolePage(tab, console.run("await until(new WebSocket(url), 'open'); done();"))
        expect(page.status).to_contain_text("Done")
    expect(tab.locator("#hop")).to_contain_text(
        "a proxy or a forwarded port between this page and the server. A forwarded"
    )
    assert tab.locator("#hops li").all_text_contents() == ["This page", "Proxy or forwarded port", "Server"]


def test_an_address_without_a_host_leads_through_the_same_port_to_the_server_whose_page_runs_the_script(tab, server):
    with Tap(server) as tap:
        console = BrowserConsole(server, address=tap.url.replace("ws", "http", 1))
        script = "const socket = new WebSocket('/chat'); await until(socket, 'open'); log(socket.url); done();"
        ConsolePage(tab, console.run(script))
        transcript = console.wait(PATIENCE)
    assert transcript.events[-1] == {"what": "log", "text": "<url>chat"}


def test_what_a_refused_page_is_not_told_stands_on_the_side_of_the_server(tab):
    with live_server(origins=["https://example.com"]) as server:
        page = ConsolePage(tab, with_browser(server).run("await until(new WebSocket(url), 'close'); done();"))
        outcome = page.page.get_by_role("row").filter(has_text="outcome")
        expect(outcome).to_contain_text("error event, which says nothing 403 Forbidden")


def test_the_wire_has_the_connections_of_the_script_and_not_those_of_the_page(tab):
    recording = Recording()
    with live_server(recording=recording) as server:
        console = with_browser(server, TRANSCRIPTS)
        many = NAMED["many-sockets"]
        ConsolePage(tab, console.run(many.source, many.name))
        wire = console.wire()
    assert len(recording.connections) > len(wire.connections)
    assert (wire.connections, len({ends[0] for ends in wire.addresses.values()})) == ([1, 2, 3], 3)
    assert [row[1:3] + row[4:] for row in inspect(wire, most=6).rows] == [
        (number, *what)
        for number in ("1", "2", "3")
        for what in (
            ("client → server", "GET / HTTP/1.1"),
            ("server → client", "HTTP/1.1 101 Switching Protocols"),
        )
    ]


def test_the_wire_of_a_server_that_keeps_no_recording_says_what_to_do(run):
    console, _ = run("done();")
    with pytest.raises(RuntimeError, match="recording=Recording"):
        console.wire()


def test_html_from_a_script_or_a_peer_is_shown_and_never_becomes_html(run):
    source = f"""
        const socket = new WebSocket(url);
        await until(socket, "open");
        socket.send({json.dumps(HOSTILE)});
        await until(socket, "message");
        log({json.dumps(HOSTILE)}, "\\u001b");
        done();
    """
    console, page = run(source, HOSTILE)
    expect(page.status).to_contain_text("Done")
    expect(page.log).to_contain_text(f"message socket 1 data {HOSTILE}")
    expect(page.log).to_contain_text("\u241b")
    assert page.page.evaluate("window.pwned") is None
    assert page.page.locator("#log img, #log script, h1 *, #script *").count() == 0
    assert console.events[-1]["text"] == f"{HOSTILE} \x1b"


BROKEN = {
    "const = 1;": "SyntaxError",
    "null.send();": "TypeError",
    "throw 'a text';": "string",
    "await Promise.reject(new RangeError('no'));": "RangeError",
}


@pytest.mark.parametrize(("source", "name"), BROKEN.items(), ids=BROKEN.values())
def test_a_script_that_fails_is_done_and_says_why(run, source, name):
    console, page = run(source)
    assert console.wait(PATIENCE).events[-1]["threw"] == name
    expect(page.log).to_contain_text(f"uncaught threw {name}")
    expect(page.status).to_have_text("Failed: Python has 1 event")


@pytest.mark.parametrize("before", ["", "\n", "log('one');\nlog('two');\n"])
def test_a_script_that_cannot_be_read_says_in_which_line(run, before):
    console, page = run(f"{before}const = 1;\nlog('three');")
    [event] = console.wait(PATIENCE).events
    assert (event["threw"], event["line"]) == ("SyntaxError", before.count("\n") + 1)
    expect(page.log).to_contain_text(f"line {event['line']}")


STRANGE = {
    "an object that is no text": "log(Object.create(null));",
    "a symbol": "throw Symbol('x');",
    "a code beyond all numbers": "new WebSocket(url).close(1e300);",
    "a code that is an object": "new WebSocket(url).close({ code: 1000 });",
    "an array of another name": "new WebSocket(url).send(new (class what extends Uint8Array {})(2));",
    "no address": "new WebSocket();",
    "no text as an address": "new WebSocket(Object.create(null));",
}


@pytest.mark.parametrize("source", STRANGE.values(), ids=STRANGE.keys())
def test_strange_values_are_reported_as_well(run, source):
    console, page = run(f"try {{ {source} }} catch (error) {{ log(error); }} done();")
    assert console.wait(PATIENCE).events
    expect(page.status).to_contain_text("Done")
    assert console.refused == 0


def test_what_a_listener_throws_is_reported_as_well(run):
    console, _ = run("setTimeout(() => { setTimeout(done); throw new TypeError('late'); });")
    assert console.wait(PATIENCE).events == ({"what": "uncaught", "threw": "TypeError", "message": "late"},)


def test_a_script_that_does_not_say_that_it_is_done_has_reported_until_then(run):
    console, page = run("log('begun');")
    expect(page.log).to_contain_text("begun")
    expect(page.status).to_have_text("Running")
    waited = console.wait(0.5)
    assert repr(waited).startswith("Your browser has not said within 0.5 s that it is done")
    assert waited.events == ({"what": "log", "text": "begun"},)


def test_a_script_that_reports_without_end_is_stopped(run):
    console, page = run("for (let n = 0; n < 1000; n++) log(n);")
    assert len(console.wait(PATIENCE).events) < MAX_EVENTS
    expect(page.advice).to_contain_text("and no more are taken")


def test_a_frame_that_is_loaded_again_says_that_its_run_is_over(run, browser):
    console, page = run("done();")
    console.wait(PATIENCE)
    page.page.reload()
    expect(page.advice).to_contain_text("run the cell with the script again")
    with browser.new_page() as other:
        again = ConsolePage(other, console.runs[-1])
        expect(again.advice).to_contain_text("Run the cell again to get a new one.")
        expect(again.status).to_have_text("Stopped")
    assert console.refused == 1


def test_a_page_whose_server_has_gone_says_what_to_do(tab):
    with live_server() as server:
        page = ConsolePage(tab, with_browser(server).run("until(window, 'click').then(log)"))
        expect(page.status).to_have_text("Running")
    page.page.get_by_role("heading", level=1).click()
    expect(page.advice).to_contain_text(
        "Python takes no more reports: the cell did not wait longer for done(), or the server"
    )
    expect(page.status).to_have_text("Stopped")


def test_the_page_shows_nothing_of_what_a_proxy_says_whose_server_has_gone(tab, server):
    html = '<html><body data-jupyter-api-token="sesame">500</body></html>'
    tab.route("**/console/claim", lambda route: route.fulfill(status=500, content_type="text/html", body=html))
    page = ConsolePage(tab, with_browser(server).run("done();"))
    expect(page.advice).to_have_text(re.compile("^Python cannot be reached: "))
    expect(page.status).to_have_text("Stopped")
    tab.unroute("**/console/claim")


def test_a_page_of_another_origin_can_neither_run_nor_write_even_with_the_ticket(tab, server):
    """The ticket would be a secret; that it were known shows that Origin and CORS hold by themselves."""
    console = with_browser(server)
    view = console.run("done();")
    attack = """async ([address, ticket]) => {
        const ask = (mode, headers) => fetch(address, { method: "POST", mode, headers, body: "{}" })
            .then((answer) => answer.type + answer.status, (error) => error.name);
        return [await ask("cors", { "Wslab-Ticket": ticket, "Wslab-Token": "0".repeat(64) }), await ask("no-cors", {})];
    }"""
    with web_page(lambda _: "<title>Elsewhere</title>") as port:
        tab.goto(f"http://localhost:{port}/")
        claim = f"http://127.0.0.1:{server.port}/console/claim"
        assert tab.evaluate(attack, [claim, view.run.ticket]) == ["TypeError", "opaque0"]
    assert not view.run.is_claimed
    assert console.refused == 2


def test_a_page_with_a_name_that_the_server_does_not_know_says_how_to_allow_it_and_that_helps(browser, server):
    """As behind a server for TLS, or with a name of its own in the list of hosts."""
    rules = "--host-resolver-rules=MAP lab.example 127.0.0.1"
    origin = f"http://lab.example:{server.port}"
    started = browser.browser_type.launch(executable_path=find_browser(), args=[*OPTIONS, rules])
    with started as named, named.new_page() as page, named.new_page() as allowed:
        view = with_browser(server).run("done();")
        refused = ConsolePage(page, replace(view, address=view.address.replace("127.0.0.1", "lab.example")))
        expect(refused.advice).to_have_text(
            "The console refused this page: A page from elsewhere may not talk to this console: if "
            f"{origin} is yours, make the console as BrowserConsole(..., origins=['{origin}']). "
            "Run the cell again to get a new one."
        )
        view = BrowserConsole(server, address=view.address.partition("/console")[0], origins=[origin]).run("done();")
        named_page = ConsolePage(allowed, replace(view, address=view.address.replace("127.0.0.1", "lab.example")))
        expect(named_page.status).to_have_text("Done: Python has 0 events")


def test_axe_finds_nothing_to_complain_about(run):
    _, shown = run(SEND.source + "log('x'.repeat(200)); null.send();", SEND.name)
    expect(shown.status).to_contain_text("Failed")
    for name in ("Who talks to whom", "The script"):
        shown.page.get_by_text(name, exact=True).click()
    assert_good_in_every_look(shown.page)
    shown.page.reload()
    expect(shown.advice).to_contain_text("run the cell with the script again")
    assert_good_in_every_look(shown.page)


def test_everything_can_be_reached_by_keyboard(run):
    _, page = run("done();")
    expect(page.status).to_contain_text("Done")
    focused = []
    for _ in range(4):
        page.page.keyboard.press("Tab")
        focused.append(page.page.evaluate("document.activeElement.innerText || document.activeElement.id"))
    assert focused == ["log", "Who talks to whom", "The script", "All that the server received and answered"]
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#heads")).to_be_visible()


# In Firefox


def without_words(events) -> list[dict]:
    """The events without the sentences that each browser words in its own way."""
    return [{name: value for name, value in event.items() if name != "message"} for event in in_order(events)]


# Where close() comes before the open event, Firefox tells 1005 in some runs and 1006 in others; Chromium always 1006.
ALIKE = [script for script in SCRIPTS if script not in (CHESS, MIXED) and script.name != "close-before-open"]


@pytest.mark.parametrize("script", ALIKE, ids=lambda script: script.name)
def test_firefox_reports_what_chromium_reported(firefox_tab, script):
    reported = events_in_firefox(firefox_tab, script, PATIENCE)
    assert without_words(reported) == without_words(RECORDED[script.name].events)


def test_firefox_opens_where_nobody_agrees_to_its_subprotocol_and_chromium_does_not(firefox_tab):
    script = Script(CHESS.name, CHESS.source.replace("close", "open"))
    assert [event["what"] for event in events_in_firefox(firefox_tab, script, PATIENCE)] == ["new WebSocket()", "open"]
    assert [event["what"] for event in RECORDED[CHESS.name].events] == ["new WebSocket()", "error", "close"]


# In JupyterLab

GONE = """gone = wslab.EchoServer().start()
view = wslab.BrowserConsole(gone).run("done();")
gone.close()
view"""


def test_nbconvert_and_nbval_see_what_was_recorded_and_the_cells_after_it_are_the_same(tmp_path):
    write_console_notebook(tmp_path / "notebooks")
    notebook = nbformat.read(tmp_path / "notebooks/console.ipynb", as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path / "notebooks")}}).execute()
    shown = [output["data"] for cell in notebook.cells for output in cell["outputs"]]

    texts = [data["text/plain"] for data in shown]
    assert texts[0].startswith("What Chromium")
    assert texts[1].startswith("No browser shows this notebook, so this is what Chromium")
    assert [data["text/html"].partition(">")[0].partition(" ")[0] for data in shown[:2]] == ["<details", "<div"]
    assert ast.literal_eval(texts[2]) == [dict(event) for event in RECORDED[SEND.name].events]
    assert not any("console#" in html for data in shown if (html := data.get("text/html")))


@pytest.fixture(scope="module")
def lab_without_proxy(tmp_path_factory):
    home = tmp_path_factory.mktemp("lab")
    write_settings(home)
    (home / "notebooks").mkdir()
    with running_jupyter(home, "--ServerApp.jpserver_extensions={'jupyter_server_proxy': False}") as lab:
        yield lab


@pytest.fixture(scope="module", params=["directly", "through Jupyter's proxy"])
def console_notebook(request, browser):
    """A page of the notebook when all its cells have run, its JupyterLab, and whether there is a proxy between.

    Another notebook was saved after its script had run; it is not trusted.
    """
    is_proxied = request.param != "directly"
    lab = request.getfixturevalue("lab" if is_proxied else "lab_without_proxy")
    write_console_notebook(lab.folder, GONE)
    with live_server() as server:
        view = with_browser(server, TRANSCRIPTS).run(SEND.source, SEND.name)
    view_data = {"text/plain": repr(view), "text/html": view._repr_html_()}
    output = nbformat.v4.new_output("execute_result", view_data, execution_count=1)
    write_notebook(lab, "saved.ipynb", "browser.run(script)", outputs=[output])
    with run_notebook(browser, lab, "console.ipynb") as page:
        yield page, lab, is_proxied


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_run_all_runs_the_scripts_while_their_cells_wait_and_the_values_are_the_recorded_ones(console_notebook):
    page, lab, is_proxied = console_notebook
    assert are_as_recorded(outputs_of(page, lab, is_proxied))


IS_LOWER = "page => page.clientHeight < page.scrollHeight"
FREE = "body => innerHeight - body.offsetHeight"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_box_is_as_high_as_its_page_whatever_is_opened_there(console_notebook):
    page, *_ = console_notebook
    box = page.locator(".jp-OutputArea iframe").first
    inside = box.content_frame
    wait_until(lambda: not inside.locator("#log").evaluate(IS_LOWER))
    for part in "The script", "All that the server received and answered":
        inside.locator("summary", has_text=part).click()
        expect(inside.locator("details", has_text=part)).to_have_attribute("open", "")
        wait_until(lambda: 0 <= inside.locator("body").evaluate(FREE) < 3)
    assert not inside.locator("#log").evaluate(IS_LOWER)
    height = box.evaluate("box => box.clientHeight")
    inside.locator("summary", has_text="The script").click()
    wait_until(lambda: box.evaluate("box => box.clientHeight") < height)


@pytest.mark.slow
def test_above_a_box_whose_server_has_gone_stands_what_to_do(console_notebook):
    page, _, is_proxied = console_notebook
    area = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    advice = area.get_by_text("No page below?")
    box = area.locator("iframe")
    advice.scroll_into_view_if_needed()
    expect(box).to_be_in_viewport()
    assert advice.bounding_box()["y"] < box.bounding_box()["y"]
    expect(box.content_frame.locator("body")).to_contain_text("500" if is_proxied else "refused to connect")
    advice.click()
    expect(
        area.get_by_text("log in to JupyterLab again" if is_proxied else "install jupyter-server-proxy")
    ).to_be_visible()


@pytest.mark.slow
def test_a_notebook_that_is_not_trusted_shows_what_was_recorded_and_what_to_do(console_notebook):
    page, *_ = console_notebook
    area = open_too(page, "saved.ipynb").locator(".jp-OutputArea-output")
    area.get_by_text("No page below?").click()
    expect(area.get_by_text("Trust the notebook")).to_be_visible()
    expect(area.locator("iframe")).to_have_count(0)
    area.get_by_text("Without a browser").click()
    expect(area.locator("table")).to_contain_text("InvalidStateError")
