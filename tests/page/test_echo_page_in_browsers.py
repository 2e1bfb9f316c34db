"""The Echo test page in real browsers, used as a reader uses it: by the names of what it shows, and by keyboard."""

import json
import re
import ssl
import threading

import pytest
import trustme
from playwright.sync_api import TimeoutError, expect
from support.axe import assert_good_in_every_look
from support.echo_page import EchoPage, http
from support.raw_peer import live_server, tiny_server, wait_for_end
from support.waiting import PATIENCE, wait_until
from support.web_page import web_page

import wslab

# The names of fields whose letters do not stand from left to right.
TURNED = """(log) => {
    const place = (text, index) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + 1);
        return range.getBoundingClientRect().left;
    };
    const names = [...log.querySelectorAll("span.quiet")].map((name) => name.firstChild);
    return names.filter((name) => place(name, 0) >= place(name, 1)).map((name) => name.data);
}"""
WITHOUT_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
HOSTILE = """<img src=x onerror="window.pwned = 1"><script>window.pwned = 1</script><b>bold</b>&amp;"""


@pytest.fixture
def server():
    with live_server(subprotocols=["chat"]) as server:
        yield server


@pytest.fixture
def tab(tab):
    return EchoPage(tab)


@pytest.fixture
def echo(tab, server):
    return tab.visit(http(server))


# What it is for


def test_the_page_knows_the_address_of_its_server_and_loads_nothing_else(echo, server):
    expect(echo.box("Location")).to_have_value(server.url)
    expect(echo.box("Message")).to_have_value("Hello")
    assert echo.requested == [http(server)]
    assert echo.complaints == []


def test_what_the_server_saw_stands_beside_what_the_browser_tells(echo):
    seen = echo.page.get_by_role("log", name="What the server saw")
    expect(seen).to_be_hidden()
    echo.page.get_by_label("show what the server sees").check()
    echo.open()
    echo.send("Hello")
    expect(seen).to_contain_text(
        re.compile(r"→ client sent \d+ bytes (c1|81) 8[0-9a-f] ([0-9a-f]{2} ){4}.* text .Hello.")
    )
    expect(seen).to_contain_text("← server sent")
    echo.press("Disconnect")
    expect(seen.get_by_text("close 1005")).to_have_count(0)
    expect(seen).to_contain_text("← server sent 2 bytes 88 00 close")
    assert not all(asks_again(echo.page) for _ in range(10))  # there is nothing more to be told
    assert echo.complaints == []
    assert_good_in_every_look(echo.page)


def asks_again(page):
    try:
        with page.expect_request("**", timeout=1000):
            return True
    except TimeoutError:
        return False


def test_another_server_than_that_of_the_page_shows_nothing_of_itself(echo):
    with live_server() as other:
        echo.page.get_by_label("show what the server sees").check()
        echo.connect(Location=other.url)
        echo.has_logged(f"new WebSocket() url {other.url} at")
        expect(echo.page.get_by_text("Only the server that this page comes from can show it.")).to_be_visible()


def test_connect_send_and_disconnect(echo, server):
    echo.shows("readyState", "no WebSocket yet")
    echo.press("Connect")
    echo.has_logged(f"new WebSocket() url {server.url}")
    echo.has_logged('open protocol "" extensions permessage-deflate')
    echo.shows("readyState", "1 OPEN")
    echo.shows("url", server.url)
    echo.shows("extensions", "permessage-deflate")

    echo.send("Zwölf Boxkämpfer 🥊")
    echo.has_logged("→ send() data Zwölf Boxkämpfer 🥊 text 23 bytes")
    echo.has_logged(f"← message data Zwölf Boxkämpfer 🥊 text 23 bytes origin {server.url.removesuffix('/')}")
    echo.shows("bufferedAmount", "0 bytes")

    echo.press("Disconnect")
    echo.has_logged('close code 1005 (a close frame without a code) reason "" wasClean true')
    echo.shows("readyState", "3 CLOSED")
    expect(echo.advice).to_be_empty()
    assert echo.complaints == []


def test_the_close_code_and_the_reason_arrive_at_the_server(echo, server):
    echo.open()
    [connection] = server.connections
    echo.box("Close code").fill("4002")
    echo.box("Close reason").fill("müde")
    echo.press("Disconnect")

    echo.has_logged('close(4002, "müde")')
    echo.has_logged('close code 4002 reason "" wasClean true')
    assert (connection.close_code, connection.close_reason) == (4002, "müde")


def test_what_the_server_closes_with_is_shown(tab):
    with live_server(handler=lambda connection: connection.close(1012, "back soon")) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("close code 1012 (service restart) reason back soon wasClean true")


def test_a_subprotocol_is_offered_and_agreed_on(echo):
    echo.connect(**{"Subprotocols to offer": "soap, chat"})

    echo.has_logged("protocols soap, chat")
    echo.has_logged("open protocol chat")
    echo.shows("protocol (subprotocol)", "chat")


def test_bytes_go_as_hex_and_come_back_as_the_chosen_type(echo):
    choice = echo.page.get_by_role("combobox", name="binaryType", exact=True)
    choice.select_option("arraybuffer")
    echo.open()
    echo.page.get_by_role("radio", name="bytes, written in hex", exact=True).check()
    echo.send("00 FF:80,7f")
    echo.has_logged("→ send() data 00 ff 80 7f ArrayBuffer 4 bytes")
    echo.has_logged("← message data 00 ff 80 7f ArrayBuffer 4 bytes")

    choice.select_option("blob")
    echo.send("deadbeef")
    echo.has_logged("← message data de ad be ef Blob 4 bytes")


def test_a_message_without_anything_in_it_is_a_message(echo):
    echo.open().send("")

    echo.has_logged('← message data "" text 0 bytes')


def test_what_the_server_has_not_read_is_buffered_and_shrinks_without_an_event(tab):
    may_read = threading.Event()

    def read_late(connection):
        may_read.wait(PATIENCE)
        for _ in connection:
            pass

    with live_server(handler=read_late, deflate=False) as server:
        tab.visit(http(server)).open()
        tab.box("Message").fill("x" * 1_000_000)
        for _ in range(20):  # more than the buffers of TCP hold
            tab.press("Send")
        tab.shows("bufferedAmount", re.compile(r"^[1-9]\d* bytes$"))
        logged = tab.log.inner_text()
        may_read.set()
        tab.shows("bufferedAmount", "0 bytes")
        assert tab.log.inner_text() == logged


def test_a_text_of_several_lines_is_sent_as_it_is_written(echo):
    echo.open()
    echo.box("Message").fill("one")
    echo.box("Message").press("Shift+Enter")
    echo.page.keyboard.type("two")
    echo.box("Message").press("Enter")

    echo.has_logged("← message data one\ntwo text 7 bytes")


def test_each_connection_has_a_log_of_its_own_seconds_and_all_can_be_cleared(echo):
    echo.open().press("Disconnect")
    echo.has_logged("wasClean true")
    echo.open()
    assert len(re.findall(r"^0\.00\d new WebSocket\(\)", echo.log.inner_text(), re.MULTILINE)) == 2

    echo.press("Clear")
    expect(echo.log).to_be_empty()


def test_the_log_keeps_the_last_500_entries_and_a_long_message_is_cut_short(tab):
    def talk(connection):
        for number in range(600):
            connection.send(f"message {number}.")
        connection.send("x" * 20_000 + "y")

    # Chromium closes when its page has taken in all of it; a busy machine needs longer for that than a server waits.
    with live_server(handler=talk, limits=wslab.Limits(close_timeout=PATIENCE)) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("wasClean true")

    text = tab.log.inner_text()
    assert tab.log.get_by_role("paragraph").count() == 500
    assert ("message 599." in text, "message 5." in text) == (True, False)
    assert ("x" * 10_000 + " … text 20001 bytes" in " ".join(text.split()), "y text" in text) == (True, False)


def saved_log(echo, folder):
    with echo.page.expect_download() as saving:
        echo.press("Save as HAR")
    saving.value.save_as(folder / "echo-test.har")
    return json.loads((folder / "echo-test.har").read_text(encoding="utf-8"))["log"]


def test_a_row_is_no_longer_there_and_the_page_and_what_it_gives_away_say_so(tab, tmp_path):
    def talk(connection):
        connection.send_many([f"message {number}." for number in range(600)])

    with live_server(handler=talk, limits=wslab.Limits(close_timeout=PATIENCE)) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("wasClean true")

    lacks = "103 earlier rows are no longer here."
    expect(tab.page.get_by_text(lacks)).to_be_visible()
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.press("Copy")
    assert tab.page.evaluate("navigator.clipboard.readText()").startswith(f"{lacks}\n")
    assert saved_log(tab, tmp_path)["comment"] == lacks
    tab.press("Clear")
    assert "comment" not in saved_log(tab, tmp_path)
    expect(tab.page.get_by_text("no longer here")).to_have_count(0)


def test_the_state_is_a_word_and_the_button_to_press_next_stands_out(echo):
    def prominent():
        return echo.page.locator("button.first").all_inner_texts()

    badge = echo.page.get_by_role("status")
    expect(badge).to_have_text("not connected")
    assert prominent() == ["Connect"]
    echo.open()
    expect(badge).to_have_text("OPEN")
    assert prominent() == ["Send"]
    echo.press("Disconnect")
    echo.has_logged("wasClean true")
    expect(badge).to_have_text("CLOSED")
    assert prominent() == ["Connect"]


def test_messages_are_counted_and_the_way_there_and_back_is_timed(echo):
    echo.open().send("Zwölf")
    echo.has_logged("back after")
    echo.send("x")
    echo.has_logged("← message data x")

    echo.shows("sent", "2 messages, 7 bytes")
    echo.shows("received", "2 messages, 7 bytes")
    assert len(re.findall(r"back after \d+\.\d ms", " ".join(echo.log.inner_text().split()))) == 2


def test_what_no_message_was_sent_for_was_not_on_its_way(tab):
    with live_server(handler=lambda connection: connection.send("news")) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("← message data news")

    assert "back after" not in tab.log.inner_text()


def test_the_arrow_keys_bring_back_what_was_sent(echo):
    echo.open()
    box = echo.box("Message")
    for text in ("first", "second", "second"):
        echo.send(text)
    box.fill("a draft")
    for key, value in [
        *(("ArrowUp", "second"), ("ArrowUp", "first"), ("ArrowUp", "first")),
        *(("ArrowDown", "second"), ("ArrowDown", "a draft"), ("ArrowDown", "a draft")),
    ]:
        box.press(key)
        expect(box).to_have_value(value)


def test_a_message_is_seen_as_text_as_json_and_as_hex(echo):
    echo.open().send('{"a":[1]}')
    row = echo.log.get_by_role("paragraph").filter(has_text="← message")
    data = row.locator(".data")
    expect(data).to_have_text('{"a":[1]}')
    row.get_by_role("button", name="as JSON").click()
    assert data.inner_text() == '{\n  "a": [\n    1\n  ]\n}'
    row.get_by_role("button", name="as hex").click()
    expect(data).to_have_text("7b 22 61 22 3a 5b 31 5d 7d")
    row.get_by_role("button", name="as text").click()
    expect(data).to_have_text('{"a":[1]}')


def test_json_keeps_its_numbers_and_names_as_they_were_sent(echo):
    echo.open().send(r'{"b":12345678901234567890,"a":[1.0,-0,{}],"2":1e400,"a":"\\u0041, {\"b\": []}"}')
    row = echo.log.get_by_role("paragraph").filter(has_text="← message")
    row.get_by_role("button", name="as JSON").click()
    lines = ["{", '  "b": 12345678901234567890,', '  "a": [', "    1.0,", "    -0,", "    {}", "  ],"]
    lines += ['  "2": 1e400,', r'  "a": "\\u0041, {\"b\": []}"', "}"]
    assert row.locator(".data").inner_text().split("\n") == lines


@pytest.mark.parametrize("depth", [3_000, 200_000])
def test_json_of_any_depth_is_laid_out_as_far_as_it_is_shown(echo, depth):
    echo.open()
    echo.box("Message").evaluate("(box, depth) => { box.value = '['.repeat(depth) + ']'.repeat(depth); }", depth)
    echo.press("Send")
    row = echo.log.get_by_role("paragraph").filter(has_text="← message")
    row.get_by_role("button", name="as JSON").click()
    expect(row.locator(".data")).to_have_text(re.compile(r"^\[\n  \[\n    \[\n.{9000,} …$", re.DOTALL))


def test_a_message_that_is_cut_short_says_so_in_every_view_and_is_cut_between_characters(tab):
    def talk(connection):
        connection.send(("a" + "é" * 700).encode())
        connection.send(b"\xef\xbb\xbfstart")
        connection.send("a" + "😀" * 5000)

    with live_server(handler=talk, limits=wslab.Limits(close_timeout=PATIENCE)) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("wasClean true")

    def view(number, name):
        row = tab.log.get_by_role("paragraph").filter(has_text="← message").nth(number)
        row.get_by_role("button", name=name).click()
        return row.locator(".data").text_content()

    assert view(0, "as text") == "a" + "é" * 499 + " …"
    assert view(1, "as text") == "\ufeffstart"
    assert view(2, "as hex") == ("a" + "😀" * 5000).encode()[:1000].hex(" ") + " …"
    assert view(2, "as text") == "a" + "😀" * 4999 + " …"


def test_a_long_message_takes_five_lines_until_all_is_asked_for(echo):
    echo.open().send("long " * 2000)
    row = echo.log.get_by_role("paragraph").filter(has_text="← message")
    data = row.locator(".data")

    def height():
        return data.evaluate("(data) => data.getBoundingClientRect().height")

    folded = height()
    assert folded < 150
    row.get_by_role("button", name="show all").click()
    assert height() > 5 * folded
    row.get_by_role("button", name="fold").click()
    assert height() == folded


def test_the_log_shows_the_rows_in_which_words_are_found(echo):
    echo.open().send("needle")
    echo.send("hay")
    echo.has_logged("← message data hay")
    echo.page.get_by_role("searchbox", name="Find in the log").fill("Needle")
    expect(echo.log.get_by_role("paragraph").filter(visible=True)).to_have_count(2)

    echo.send("another needle")
    expect(echo.log.get_by_role("paragraph").filter(visible=True)).to_have_count(4)


def test_words_are_found_in_what_was_sent_and_not_in_buttons(tab):
    def talk(connection):
        connection.send(b"\0\1\2")
        connection.send("x" * 20_000 + "y" * 20)

    with live_server(handler=talk, limits=wslab.Limits(close_timeout=PATIENCE)) as server:
        tab.visit(http(server))
        find = tab.page.get_by_role("searchbox", name="Find in the log")
        find.fill("00 01 02")
        tab.connect()
        tab.has_logged("wasClean true")

    rows = tab.log.get_by_role("paragraph").filter(visible=True)
    expect(rows).to_have_count(1)  # bytes are searched as they are shown
    find.fill("y" * 20)
    expect(rows).to_have_count(1)  # behind what is shown
    find.fill("as hex")
    expect(rows).to_have_count(0)


def test_what_the_log_shows_can_be_copied(echo):
    echo.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    echo.open().send("Hello")
    echo.has_logged("← message")
    echo.page.get_by_role("searchbox", name="Find in the log").fill("send()")
    echo.press("Copy")

    copied = echo.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"\d\.\d{3} → send\(\) data Hello text 5 bytes\n", copied)


def test_without_a_clipboard_the_log_is_copied_all_the_same(tab, server):
    tab.visit(http(server)).page.evaluate(WITHOUT_CLIPBOARD)
    tab.open().send("Hello")
    tab.has_logged("← message data Hello")
    tab.press("Copy")
    expect(tab.page.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    expect(tab.advice).to_be_empty()
    tab.box("Message").fill("")
    tab.box("Message").press("Control+V")
    expect(tab.box("Message")).to_have_value(re.compile("← message data Hello text 5 bytes"))


def test_what_no_browser_copies_is_shown_and_a_long_log_in_part(tab, server):
    tab.visit(http(server)).page.evaluate(f"{WITHOUT_CLIPBOARD}; document.execCommand = () => false;")
    tab.open()
    tab.press("Copy link")
    tab.advises(f"This browser does not let the page copy. Here it is: {http(server)}#url=ws")
    for _ in range(2):
        tab.send("x" * 9000)
    tab.shows("received", "2 messages, 18000 bytes")
    tab.press("Copy")
    tab.advises("Here it is: 0.0")
    assert 10_000 < len(tab.advice.inner_text()) < 11_000


def test_the_log_is_saved_as_a_har_that_inspect_reads(echo, tmp_path):
    echo.page.get_by_label("show what the server sees").check()
    echo.open().send("Zwölf 🥊")
    echo.page.get_by_label("bytes, written in hex").check()
    echo.send("00 ff")
    echo.has_logged("← message data 00 ff")
    saved_log(echo, tmp_path)

    rows = str(wslab.inspect(wslab.Recording.load(tmp_path / "echo-test.har")))
    assert rows.count('text "Zwölf 🥊"') == 2
    assert rows.count("binary 00 ff") == 2
    assert "wslab-view" not in (tmp_path / "echo-test.har").read_text(encoding="utf-8")


def test_a_link_fills_in_the_boxes_and_sends_nothing(echo, server):
    echo.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    echo.box("Location").fill(f"{server.url}room?x=1&y=2")
    echo.box("Subprotocols to offer").fill("chat")
    echo.box("Message").fill("00 #&=+ 🥊")
    echo.page.get_by_label("bytes, written in hex").check()
    echo.press("Copy link")
    link = echo.page.evaluate("navigator.clipboard.readText()")

    echo.visit("about:blank").visit(link)
    expect(echo.box("Location")).to_have_value(f"{server.url}room?x=1&y=2")
    expect(echo.box("Subprotocols to offer")).to_have_value("chat")
    expect(echo.box("Message")).to_have_value("00 #&=+ 🥊")
    expect(echo.page.get_by_label("bytes, written in hex")).to_be_checked()
    echo.shows("readyState", "no WebSocket yet")
    expect(echo.log).to_be_empty()


def test_a_link_that_is_pasted_while_the_page_is_open_fills_in_the_boxes_as_well(echo, server):
    echo.open()
    echo.visit(f"{http(server)}#url=ws%3A%2F%2Fexample.org%2F&send=48&as=bytes")
    expect(echo.box("Location")).to_have_value("ws://example.org/")
    expect(echo.page.get_by_label("bytes, written in hex")).to_be_checked()
    echo.visit(f"{http(server)}#send=Hi")
    expect(echo.box("Message")).to_have_value("Hi")
    expect(echo.page.get_by_label("bytes, written in hex")).not_to_be_checked()
    echo.shows("readyState", "1 OPEN")


# What a peer says is text


def test_html_from_a_peer_is_shown_and_never_becomes_html(tab):
    def attack(connection):
        connection.send(HOSTILE)
        connection.close(4000, HOSTILE[:60])

    with live_server(handler=attack) as server:
        tab.visit(http(server)).connect()
        tab.has_logged(f"← message data {HOSTILE} text")
        tab.has_logged(f"close code 4000 reason {HOSTILE[:60]} wasClean true")

    names = tab.log.evaluate(
        "(log) => [...new Set([...log.querySelectorAll('*')].map((element) => element.localName))]"
    )
    assert set(names) == {"p", "span", "b", "bdi", "button"}
    assert tab.page.evaluate("window.pwned") is None
    assert tab.complaints == []


def test_a_browser_would_refuse_to_make_html_of_a_text(echo):
    with pytest.raises(Exception, match="TrustedHTML"):
        echo.log.evaluate("(log, text) => { log.innerHTML = text; }", HOSTILE)


def test_controls_are_shown_as_symbols_and_a_turned_text_turns_nothing_else(tab):
    def attack(connection):
        connection.send("a\0b\x1b[2J\x7f\u202eevil")
        connection.send("\u2069\u202eevil")  # ends the isolation of an element that is only a part of its line
        connection.close(4000, "\u2069\u202eevil")

    with live_server(handler=attack) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("data a␀b␛[2J␡\u202eevil text 15 bytes")
        tab.has_logged("wasClean true")

    assert tab.log.evaluate(TURNED) == []


# What goes wrong, in one sentence


def test_a_refused_handshake_is_1006_and_the_page_says_what_that_means(tab):
    with live_server(origins=["https://lab.example"]) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("error tells a page nothing")
        tab.has_logged('close code 1006 (no close frame arrived) reason "" wasClean false')
        tab.advises("The handshake failed, and a browser tells a page 1006 but not why: see whether a server listens")


def test_a_connection_cut_off_is_1006_as_well_and_explained_otherwise(tab):
    with live_server(handler=lambda connection: connection.abort()) as server:
        tab.visit(http(server)).connect()
        tab.has_logged("open protocol")
        tab.has_logged("close code 1006")
        tab.advises("TCP ended without a close frame, so a page is told 1006: look after the server")


def test_what_is_no_address_is_said_at_its_box(echo):
    for number, address in enumerate(
        ["localhost:8765", "ftp://localhost/", "ws://", "ws://localhost/#part", "ws://a:b/"]
    ):
        echo.connect(Location=address)
        echo.advises("No WebSocket has such an address: write ws://host:port/path or wss://host/path, and no #.")
        assert echo.log.inner_text().count("threw SyntaxError message") == number + 1
        expect(echo.box("Location")).to_be_focused()
        expect(echo.box("Location")).to_have_attribute("aria-invalid", "true")
        expect(echo.box("Location")).to_have_accessible_error_message(echo.advice.inner_text())


def test_an_address_without_a_scheme_leads_to_the_server_of_the_page_and_the_page_says_so(echo, server):
    echo.connect(Location="127.0.0.1:8765")

    echo.has_logged("open protocol")
    echo.shows("url", f"{server.url}127.0.0.1:8765")
    echo.advises(
        "An address without ws:// is taken as a path on the server of this page, see url: write ws:// before it."
    )


def test_an_address_of_http_is_taken_and_the_page_says_as_what(echo, server):
    echo.connect(Location=http(server))

    echo.has_logged("open protocol")
    echo.shows("url", server.url)
    echo.advises("A browser takes http:// as ws:// and https:// as wss://, see url")


def test_a_message_that_is_too_long_is_answered_with_what_to_do(echo):
    echo.open()
    echo.box("Message").fill("x" * (1024 * 1024 + 1))
    echo.press("Send")
    echo.has_logged("close code 1009")
    echo.advises("The message was longer than this server takes: send a shorter one")


def test_what_is_no_list_of_subprotocols_is_said_at_its_box(echo):
    for names in ["chat, chat", "(chat)"]:
        echo.connect(**{"Subprotocols to offer": names})
        echo.advises("Subprotocols have no brackets or quotes, and none is offered twice: correct the list.")
        expect(echo.box("Subprotocols to offer")).to_be_focused()


def test_what_is_no_hex_is_said_at_its_box_until_it_is_corrected(echo):
    echo.open()
    echo.page.get_by_label("bytes, written in hex").check()
    echo.send("0")
    echo.advises("This is not hex: write two digits for each byte, such as 48 65 6c 6c 6f.")
    expect(echo.box("Message")).to_have_attribute("aria-invalid", "true")

    echo.send("00")
    echo.has_logged("← message data 00 Blob 1 byte")
    echo.shows("sent", "1 message, 1 byte")
    expect(echo.advice).to_be_empty()
    assert echo.box("Message").get_attribute("aria-invalid") is None


def test_without_a_websocket_the_page_says_to_connect_first(echo):
    for button, done in {"Send": "send with", "Disconnect": "close"}.items():
        echo.press(button)
        echo.advises(f"There is no WebSocket to {done}: press Connect first.")


def test_before_the_open_event_send_throws_and_close_breaks_off(tab, server):
    tab.visit(http(server))
    with tiny_server(wait_for_end) as silent:
        tab.connect(Location=silent)
        tab.shows("readyState", "0 CONNECTING")
        tab.press("Send")
        tab.has_logged("send() threw InvalidStateError")
        tab.advises("send() does not wait for the open event, it throws: send again when readyState is 1 OPEN.")

        tab.press("Disconnect")
        tab.has_logged("close code 1006")
        tab.advises("close() before the open event ends the handshake, so a page is told 1006")


def test_after_the_close_send_says_nothing_and_the_page_does(echo):
    echo.open().press("Disconnect")
    echo.has_logged("wasClean true")
    echo.send("too late")

    echo.advises(
        "send() says nothing, but the message is lost, as the state is CLOSED: press Connect and send it again."
    )
    echo.shows("readyState", "3 CLOSED")
    echo.has_logged("→ send() (lost) data too late")
    assert "message data too late" not in echo.log.inner_text()


def test_a_close_code_that_is_forbidden_to_a_page_is_said_at_its_box(echo):
    echo.open()
    for code, shown in {"1001": "1001", "999": "999", "5000": "5000", "bye": "NaN"}.items():
        echo.box("Close code").fill(code)
        echo.press("Disconnect")
        echo.has_logged(f"close({shown}) threw InvalidAccessError")
        echo.advises("A page may close with 1000 and 3000 to 4999, and no other code: choose one of these.")
        expect(echo.box("Close code")).to_be_focused()
        echo.shows("readyState", "1 OPEN")


def test_a_reason_that_is_too_long_is_said_at_its_box(echo):
    echo.open()
    echo.box("Close reason").fill("ü" * 62)
    echo.press("Disconnect")
    echo.advises("A reason has at most 123 bytes in UTF-8: shorten it.")
    expect(echo.box("Close reason")).to_be_focused()

    echo.box("Close reason").fill("ü" * 61)
    echo.press("Disconnect")
    echo.has_logged("close code 1000 (normal closure)")


def test_a_second_websocket_waits_for_the_end_of_the_first(echo, server):
    echo.open().press("Connect")

    echo.advises("There is a WebSocket in state OPEN already: press Disconnect and wait for its close event.")
    assert len(server.connections) == 1


# For everybody


def test_everything_can_be_done_by_keyboard(echo, server):
    keyboard = echo.page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(20):
            keyboard.press("Tab")
            focused = echo.page.locator(":focus")
            if focused.evaluate("(element) => element.labels?.[0]?.textContent ?? element.textContent") == name:
                assert focused.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid"
                return
        pytest.fail(f"no key leads to {name}")

    tab_to("Connect")
    keyboard.press("Enter")
    echo.has_logged("open protocol")
    [connection] = server.connections
    tab_to("Message")
    keyboard.press("ControlOrMeta+a")
    keyboard.type("by hand")
    keyboard.press("Enter")
    echo.has_logged("← message data by hand")
    tab_to("Send")
    keyboard.press("Space")
    tab_to("Close code")
    keyboard.type("4000")
    tab_to("Disconnect")
    keyboard.press("Enter")
    echo.has_logged("close code 4000")
    assert echo.log.inner_text().count("← message") == 2
    assert connection.close_code == 4000


def test_axe_finds_nothing_to_complain_about(echo):
    assert_good_in_every_look(echo.page)
    echo.open().send("Hello")
    echo.has_logged("← message")
    echo.box("Close code").fill("1001")
    echo.press("Disconnect")
    echo.advises("choose one of these")
    assert_good_in_every_look(echo.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_scheme_of_the_browser(echo, scheme):
    echo.page.emulate_media(color_scheme=scheme)
    red = echo.page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")

    assert (red > 128) is (scheme == "light")


def test_nothing_is_wider_than_the_screen(echo):
    echo.open().send("long" * 500)
    echo.has_logged("← message")
    echo.connect()
    echo.advises("already")
    for width in [320, 375, 768, 1280]:
        echo.page.set_viewport_size({"width": width, "height": 700})
        assert echo.page.evaluate("document.documentElement.scrollWidth") <= width
        assert echo.log.evaluate("(log) => log.scrollWidth <= log.clientWidth")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 800)])
def test_who_sends_sees_what_comes_back_and_can_go_on_writing(echo, width, height):
    echo.page.set_viewport_size({"width": width, "height": height})
    echo.open()
    for text in ("one", "two\n" * 30, "three"):
        echo.send(text)
    expect(echo.log.locator("p", has_text="← message")).to_have_count(3)
    expect(echo.log.locator("p", has_text="← message").last).to_be_in_viewport()
    expect(echo.box("Message")).to_be_in_viewport(ratio=0.9)


# Where it stands


def notebook_page(target: str) -> str:
    """A page that shows the address after its `?` in a frame, as a notebook does with IPython's IFrame."""
    return f'<!doctype html><title>A notebook</title><iframe src="{target.partition("?")[2]}"></iframe>'


@pytest.fixture(scope="module")
def framing_port():
    with web_page(notebook_page) as port:
        yield port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_this_machine_may_show_it_in_a_frame(tab, server, framing_port, host):
    tab.visit(f"http://{host}:{framing_port}/?{http(server)}")
    frame = tab.page.frame_locator("iframe")
    frame.get_by_role("button", name="Connect", exact=True).click()

    expect(frame.get_by_role("log")).to_contain_text("open protocol", timeout=PATIENCE * 1000)


def test_a_page_from_elsewhere_may_not_show_it_in_a_frame(tab, server, framing_port):
    with tab.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        tab.visit(f"http://elsewhere.localhost:{framing_port}/?{http(server)}")  # which is this machine for Chromium

    assert tab.page.frame_locator("iframe").get_by_role("button").count() == 0


@pytest.fixture(scope="module")
def certificate():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def test_by_https_the_page_uses_wss_and_refuses_mixed_content(tab, certificate):
    with live_server(ssl=certificate) as server:
        echo = tab.visit(http(server))
        expect(echo.box("Location")).to_have_value(f"wss://127.0.0.1:{server.port}/")
        echo.open().send("Hello")
        echo.has_logged(f"← message data Hello text 5 bytes origin wss://127.0.0.1:{server.port}")
        echo.press("Disconnect")
        echo.has_logged("wasClean true")

        echo.connect(Location="ws://192.0.2.1/")
        echo.has_logged("threw SecurityError")
        echo.advises("From a page that came by https, ws:// would be mixed content: write wss://.")


def test_behind_the_proxy_of_jupyter_the_page_finds_its_way_back(tab, server, lab):
    address, token = lab.address, lab.token
    tab.visit(f"{address}proxy/{server.port}/?token={token}")
    expect(tab.box("Location")).to_have_value(f"{address.replace('http', 'ws', 1)}proxy/{server.port}/")
    tab.open().send(json.dumps({"Hello": "Ada"}))
    tab.has_logged('← message data {"Hello": "Ada"} text 16 bytes')
    tab.press("Disconnect")
    tab.has_logged("wasClean true")

    assert token not in tab.page.content()


# Firefox


def test_firefox_connects_sends_and_disconnects_by_keyboard(firefox_tab, server):
    firefox_tab.go_to(http(server))
    assert firefox_tab.value_of("Location") == server.url
    firefox_tab.press(*["Tab"] * 4, "Enter")  # Location, Subprotocols to offer, what the server sees, Connect
    firefox_tab.wait_for("log", 'open protocol "" extensions permessage-deflate')
    [connection] = server.connections
    firefox_tab.press(*["Tab"] * 2, HOSTILE, "Enter")  # Copy link, Message
    firefox_tab.wait_for("log", f"← message data {HOSTILE}Hello text {len(HOSTILE) + 5} bytes")
    # Send it as, Send, five for the log, a button in each of its two messages, Close code, Close reason
    firefox_tab.press(*["Tab"] * 10, "4001", "Tab", "bye", "Enter")
    firefox_tab.wait_for("log", 'close code 4001 reason "" wasClean true')

    assert (connection.close_code, connection.close_reason) == (4001, "bye")


def test_axe_finds_in_firefox_what_is_wrong(firefox_tab):
    firefox_tab.go_to("data:text/html,<main><button></button></main>")
    assert "button-name: <button></button>" in firefox_tab.violations()


def test_firefox_recalls_what_was_sent_saves_the_log_and_shows_what_the_server_saw(firefox_tab, server):
    firefox_tab.go_to(http(server))
    assert firefox_tab.violations() == ""
    firefox_tab.press(*["Tab"] * 3, " ", "Tab", "Enter")  # what the server sees, Connect
    firefox_tab.wait_for("log", "open protocol", "Log")
    firefox_tab.press(*["Tab"] * 2, "x", "Enter")
    firefox_tab.wait_for("log", "← message data xHello text", "Log")
    firefox_tab.press("Backspace", "y", "Enter")
    firefox_tab.wait_for("log", "← message data yHello text", "Log")
    firefox_tab.wait_for("log", "yHello", "What the server saw")
    assert re.search(
        r"→ client sent \d+ bytes [0-9a-f ]+text \"yHello\"", firefox_tab.text_of("log", "What the server saw")
    )
    firefox_tab.press("ArrowUp", "ArrowUp")
    assert firefox_tab.value_of("Message") == "xHello"
    assert firefox_tab.violations() == ""

    firefox_tab.press(*["Tab"] * 5, "Enter")  # Send it as, Send, Find, Copy, Save as HAR
    file = firefox_tab.downloads / "echo-test.har"
    wait_until(lambda: file.exists() and not list(firefox_tab.downloads.glob("*.part")))
    rows = str(wslab.inspect(wslab.Recording.load(file)))
    assert (rows.count('text "xHello"'), rows.count('text "yHello"')) == (2, 2)


def test_firefox_is_told_what_1006_means_when_it_is_refused(firefox_tab):
    with live_server(origins=["https://lab.example"]) as server:
        firefox_tab.go_to(http(server))
        firefox_tab.press(*["Tab"] * 3, "Enter")
        firefox_tab.wait_for("log", "close code 1006 (no close frame arrived)")
        firefox_tab.wait_for("alert", "The handshake failed, and a browser tells a page 1006 but not why")


def test_firefox_uses_wss_by_https(firefox_tab, certificate):
    with live_server(ssl=certificate) as server:
        firefox_tab.go_to(http(server))
        assert firefox_tab.value_of("Location") == f"wss://127.0.0.1:{server.port}/"
        firefox_tab.press(*["Tab"] * 3, "Enter")
        firefox_tab.wait_for("log", "open protocol")
