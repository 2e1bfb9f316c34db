"""The widgets in a real JupyterLab: by mouse, by keyboard alone, and as axe-core judges them."""

import string
from importlib.util import find_spec

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from support.axe import violations
from support.jupyterlab import (
    choose,
    open_in_notebook_7,
    open_notebook,
    open_too,
    run_notebook,
    write_notebook,
)

import wslab
from wslab.display.place import AGAIN
from wslab.display.widgets.edit_frame import EARLIER

pytestmark = pytest.mark.timeout(300)

PATIENCE = 30_000  # milliseconds
IMPORTS = "import wslab\nfrom matplotlib import pyplot\nserver = wslab.EchoServer(recording=wslab.Recording()).start()"
TO_EDIT_BY_MOUSE = "wslab.edit_frame(server)  # by mouse"
TO_EDIT_BY_KEYBOARD = "wslab.edit_frame(server)  # by keyboard"
TO_EDIT_IN_A_HURRY = "wslab.edit_frame(server)  # in a hurry"
TO_EDIT_AS_BYTES = "wslab.edit_frame()"
TO_EDIT_TO_PRESS_KEYS = "wslab.edit_frame()  # to press keys"
TO_WATCH_NETSTAT = "wslab.watch(server).live(300)"
TO_WATCH = """
watched = wslab.EchoServer(recording=wslab.Recording()).start()
display(wslab.watch_frames(watched))
client = wslab.connect(watched.url)
for number in range(3):
    client.send(f"message {number}")
    client.ping()
    client.receive()
watched.url
"""
TO_RUN_A_SCRIPT = "wslab.BrowserConsole(server).run('done();')"
TO_PLAY = """
recording = wslab.Recording()
with wslab.EchoServer() as echo, wslab.connect(echo.url, recording=recording, deflate=False) as client:
    client.send("Hello")
    client.receive()
wslab.play(recording)
"""
FIGURES = """
recording = wslab.Recording()
with wslab.EchoServer() as echo, wslab.connect(echo.url, recording=recording) as client:
    for number in range(6):
        client.send(str(number))
        client.receive()
display(
    wslab.describe(pyplot.figure(), "a figure of a lesson"),
    wslab.draw_states(),
    wslab.draw_ladder(recording),
    wslab.draw_timeline(recording),
    wslab.draw_timeline(recording, axis="time"),
    wslab.draw_sizes(recording),
    wslab.draw_latencies(recording),
)
"""
CELLS = [
    IMPORTS,
    TO_EDIT_BY_MOUSE,
    TO_EDIT_BY_KEYBOARD,
    TO_EDIT_IN_A_HURRY,
    TO_EDIT_AS_BYTES,
    TO_EDIT_TO_PRESS_KEYS,
    TO_WATCH,
    TO_PLAY,
    TO_WATCH_NETSTAT,
    FIGURES,
]
OPCODES = ["0x3", "0x4", "0x5", "0x6", "0xb"]
# Quicker than the kernel is: the browser keeps back all but the first opcode, and the last of them.
CHOOSE_AND_SEND = """(output, opcodes) => {
    const list = [...output.querySelectorAll("select")].find((one) => one.options.length === 16);
    for (const opcode of opcodes) {
        list.selectedIndex = Number(opcode);
        list.dispatchEvent(new Event("change", { bubbles: true }));
    }
    [...output.querySelectorAll("button")].find((one) => one.innerText === "Send").click();
}"""
CONTROLS = ":is(button, input, select, [role=group]):visible"
# All but Tab, which leaves a control, and what the browser itself keeps or a driver of browsers cannot press.
KEYS = [
    *string.ascii_lowercase,
    *string.digits,
    *("Escape", "Enter", "Space", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"),
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10"),
    *("-", "=", "[", "]", "\\", ";", "'", ",", ".", "/", "`"),
    *("Shift+Enter", "Control+Enter", "Alt+Enter", "Control+Shift+-", "Shift+M", "Shift+L", "Shift+O"),
    *(f"Control+{key}" for key in "abcdefgiklmopqsuvxyz"),
    *(f"Control+Shift+{key}" for key in "cdefhlms"),
]
UNDO, TEXT_BOX = ("Control+z", "Control+y"), "INPUTtext"  # elsewhere the browser goes to the text box that it undoes
WHAT_JUPYTERLAB_SHOWS = """() => ({
    cells: document.querySelectorAll(".jp-Notebook .jp-Cell").length,
    prompts: [...document.querySelectorAll(".jp-Notebook .jp-InputPrompt")].map((prompt) => prompt.innerText),
    sources: [...document.querySelectorAll(".jp-Notebook .jp-Cell .cm-content")].map((source) => source.innerText),
    dialogs: document.querySelectorAll(".jp-Dialog, .lm-Menu, .jp-modal-content").length,
    panels: [...document.querySelectorAll(".lm-TabBar-tab")].map((tab) => tab.innerText),
    sidebars: [...document.querySelectorAll(".jp-SideBar .lm-mod-current")].map((tab) => tab.dataset.id),
    collapsed: document.querySelectorAll(".jp-OutputPlaceholder, .jp-InputPlaceholder").length,
})"""
# As ipywidgets does it whenever the HTML of a widget changes.
REPLACE = """(place) => {
    window.before = [...place.querySelectorAll("[role=group]")].find((group) => group.checkVisibility());
    const { parentElement } = window.before;
    parentElement.innerHTML = parentElement.innerHTML;
}"""
NO_ALT = "image-alt: "  # JupyterLab gives a PNG no alternative text, whatever its output says


@pytest.fixture(scope="module")
def page(browser, lab):
    """The page of a notebook of all these cells, when they have run; beside it there is one that is not trusted."""
    outputs = [nbformat.v4.new_output("display_data", output) for output in wslab.draw_states().outputs()]
    write_notebook(lab, "untrusted.ipynb", "wslab.draw_states()", outputs=outputs)
    write_notebook(lab, "widgets.ipynb", *CELLS)
    page = run_notebook(browser, lab, "widgets.ipynb")
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def output_of(page: Page, cell: str) -> Locator:
    index = CELLS.index(cell)  # JupyterLab detaches cells that are far from what is seen, so these are not counted
    return page.locator(f".jp-Cell[data-windowed-list-index='{index}'] .jp-OutputArea-output")


def what_jupyterlab_shows(page: Page) -> dict:
    return page.evaluate(WHAT_JUPYTERLAB_SHOWS)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_axe_finds_what_is_wrong(browser):
    with browser.new_page() as page:
        page.set_content("<main><button></button></main>")
        assert violations(page.locator("main")) == ["button-name: <button></button>"]


def test_a_frame_is_edited_and_sent_by_mouse(page):
    editor = output_of(page, TO_EDIT_BY_MOUSE)
    editor.get_by_label("FIN", exact=True).uncheck()
    editor.get_by_label("Opcode").select_option(label="0x3 reserved")
    editor.get_by_role("button", name="Send", exact=True).click()

    editor.get_by_text('close 1002 "opcode 0x3 is reserved"').wait_for()
    assert editor.get_by_role("textbox", name="Bytes").input_value() == "03 85 37 fa 21 3d 7f 9f 4d 51 58"
    assert violations(editor) == []


def test_a_frame_is_edited_and_sent_by_keyboard(page):
    editor = output_of(page, TO_EDIT_BY_KEYBOARD)
    editor.get_by_label("FIN", exact=True).focus()
    press(page, "Space", *["Tab"] * 4)  # over RSV1 to RSV3 to the opcode
    press(page, "ArrowDown", "ArrowDown")  # in a list that is not open
    press(page, *["Tab"] * 8, "Space")  # over mask, key, form, length, payload, its kind and the bytes to the button

    editor.get_by_text('close 1002 "opcode 0x3 is reserved"').wait_for()
    assert page.evaluate("document.activeElement.innerText") == "Send"


def test_a_press_does_not_overtake_what_was_chosen_before(page):
    editor = output_of(page, TO_EDIT_IN_A_HURRY)
    editor.evaluate(CHOOSE_AND_SEND, OPCODES)

    editor.get_by_text(f'close 1002 "opcode {OPCODES[-1]} is reserved"').wait_for()
    expect(editor.get_by_text(EARLIER)).to_have_count(0)


def keep_their_keys(page: Page, cell: str, only_one_of_a_kind: bool) -> None:
    """Press every key in every control of a cell, or in one of each kind, which is also clicked before."""
    place = output_of(page, cell).locator("wslab-place")
    controls, known, number = place.locator(CONTROLS), set(), 0
    while number < controls.count():  # keys that are pressed may make a table come or go
        control = controls.nth(number)
        number += 1
        kind = control.evaluate("control => control.tagName + control.type")
        if only_one_of_a_kind and kind in known:
            continue
        for focus in [control.focus] if kind in known else [control.focus, control.click]:
            focus()
            before = what_jupyterlab_shows(page)
            press(page, *(key for key in KEYS if key not in UNDO or kind == TEXT_BOX))
            assert what_jupyterlab_shows(page) == before, (number, focus)
            assert place.evaluate("place => place.contains(document.activeElement)"), (number, focus)
        known.add(kind)
    assert len(known) > 1 or cell == TO_WATCH_NETSTAT


@pytest.mark.slow
def test_no_key_that_is_pressed_in_a_control_is_a_command_of_jupyterlab(page):
    keep_their_keys(page, TO_EDIT_TO_PRESS_KEYS, only_one_of_a_kind=True)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [TO_EDIT_TO_PRESS_KEYS, TO_WATCH, TO_PLAY, TO_WATCH_NETSTAT])
def test_nor_in_any_other_control(page, cell):
    keep_their_keys(page, cell, only_one_of_a_kind=False)


def test_a_click_between_the_controls_gives_no_keys_to_jupyterlab(page):
    output_of(page, TO_EDIT_TO_PRESS_KEYS).get_by_text("32 bits in each line").locator("visible=true").click()
    before = what_jupyterlab_shows(page)
    press(page, *KEYS)
    assert what_jupyterlab_shows(page) == before


def test_the_same_keys_outside_of_a_control_are_commands(page):
    before = what_jupyterlab_shows(page)
    page.locator(".jp-CodeCell .jp-InputPrompt").first.click()
    press(page, "b")
    assert what_jupyterlab_shows(page) != before
    press(page, "d", "d")


def test_a_reader_who_scrolls_a_table_by_keyboard_stays_there_while_it_changes(page):
    place = output_of(page, TO_WATCH_NETSTAT).locator("wslab-place")
    table = place.get_by_role("group")
    table.focus()
    place.evaluate(REPLACE)
    assert page.evaluate("() => !window.before.isConnected")
    expect(table).to_be_focused()


def test_bytes_that_are_typed_turn_the_fields(page):
    editor = output_of(page, TO_EDIT_AS_BYTES)
    editor.get_by_role("textbox", name="Bytes").fill("8a 00")
    expect(editor.get_by_label("Opcode")).to_have_js_property("selectedIndex", 0xA, timeout=PATIENCE)
    assert not editor.get_by_label("MASK", exact=True).is_checked()


def test_frames_are_watched_while_they_pass(page):
    watch, url = output_of(page, TO_WATCH).first, output_of(page, TO_WATCH).last.inner_text().strip("'")
    watch.get_by_text('text "message 2"').nth(1).wait_for()
    assert violations(watch) == []

    watch.get_by_role("button", name='text "message 2"').first.click()
    opened = watch.get_by_text("field by field")
    of_mouse = opened.inner_text()
    assert violations(watch) == []
    press(page, "Tab", "Space")  # the row below
    expect(opened).not_to_have_text(of_mouse, timeout=PATIENCE)
    with wslab.connect(url) as another:
        another.send("a row more")
        watch.get_by_role("button", name="a row more").first.wait_for()
        assert page.evaluate("document.activeElement.ariaExpanded") == "true"
    press(page, "Enter")
    opened.wait_for(state="detached")

    watch.get_by_label("Show").focus()
    press(page, "ArrowDown")
    watch.get_by_text("pong").first.wait_for(state="detached")
    press(page, "Shift+Tab", "Space")  # clear
    watch.get_by_text("Nothing has passed yet.").locator("visible=true").wait_for()
    press(page, "Shift+Tab", "Space")
    watch.get_by_text("Paused.").wait_for()
    assert page.evaluate("document.activeElement.innerText") == "Resume"


def test_a_screen_reader_gets_the_words_of_every_figure(page):
    figures = output_of(page, FIGURES)
    summaries = figures.locator("summary").get_by_text(", as text")
    expect(summaries).to_have_count(7)
    for summary in summaries.all():
        summary.focus()
        press(page, "Enter")
    figures.get_by_text("OPEN ── TCP closed ──▶ CLOSED").wait_for()
    figures.get_by_text("a figure of a lesson").wait_for()
    assert [found for figure in figures.all() for found in violations(figure)] == []


def test_a_recording_is_played(page):
    player = output_of(page, TO_PLAY)
    player.get_by_role("button", name="Next").focus()
    press(page, "Space")
    player.get_by_text("Step 2 of 9").wait_for()
    press(page, *["Tab"] * 3, "ArrowUp", "ArrowUp")  # over the last step and the clock to the number
    player.get_by_text('Complete: text "Hello"').wait_for()
    assert violations(player) == []

    press(page, "Shift+Tab", "Space")
    player.get_by_text("Step 9 of 9").wait_for()
    assert player.get_by_text("CLOSING").locator("visible=true").count() == 2


NEEDS_NOTEBOOK_7 = pytest.mark.skipif(
    find_spec("notebook") is None, reason="needs Notebook 7: pip install 'notebook>=7,<8'"
)
PROGRAMS = [
    pytest.param(open_notebook, id="JupyterLab"),
    pytest.param(open_in_notebook_7, marks=NEEDS_NOTEBOOK_7, id="Notebook 7"),
]
TO_BE_SAVED = [IMPORTS, TO_EDIT_AS_BYTES, "wslab.watch_frames(server)", TO_WATCH_NETSTAT, TO_RUN_A_SCRIPT]
IN_OUTPUT = ".jp-OutputArea-output "


@pytest.mark.slow
@pytest.mark.parametrize("open_page", PROGRAMS)
def test_a_notebook_that_is_opened_another_day_shows_what_was_saved_and_how_to_get_the_controls(
    browser, lab, open_page
):
    name = f"saved-by-{open_page.__name__}.ipynb"
    write_notebook(lab, name, *TO_BE_SAVED)
    page = open_page(browser, lab, name)
    choose(page, "Run", "runmenu:run-all")
    for place in page.locator(f"{IN_OUTPUT}wslab-place").all():
        expect(place.get_by_text(AGAIN)).to_be_hidden(timeout=PATIENCE)
    box = page.locator(f"{IN_OUTPUT}iframe")
    expect(box.content_frame.get_by_role("status")).to_contain_text("Done: Python has", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url):
        choose(page, "File", "docmanager:save")
    choose(page, "Kernel", "kernelmenu:restart")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    shows_what_was_saved(page)
    page.close()

    saved = nbformat.read(lab.folder / name, as_version=4)
    outputs = [output["data"] for cell in saved.cells for output in cell.outputs]
    assert [set(data) for data in outputs] == [{"text/plain", "text/html"}] * (len(TO_BE_SAVED) - 1)
    saved.cells[0].source += "  # no signature: it is not trusted"
    nbformat.write(saved, lab.folder / f"unsigned-{name}")
    for opened in name, f"unsigned-{name}":
        page = open_page(browser, lab, opened)
        shows_what_was_saved(page)
        expect(page.locator(IN_OUTPUT).get_by_text("32 bits in each line")).to_be_visible()
        page.close()


def shows_what_was_saved(page: Page) -> None:
    """Whether no place has controls or a box, but each the sentence that tells how to get them."""
    told = page.locator(IN_OUTPUT).get_by_text(AGAIN)
    expect(told).to_have_count(len(TO_BE_SAVED) - 1)
    for sentence in told.all():
        expect(sentence).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_have_count(0)
    expect(page.locator(f"{IN_OUTPUT}iframe")).to_have_count(0)
    assert page.get_by_text("Error displaying widget").count() == 0


# Last, as it leaves another notebook before the first


def test_figures_have_their_words_in_a_notebook_that_is_not_trusted_too(page):
    output = open_too(page, "untrusted.ipynb").locator(".jp-OutputArea-output")
    picture = output.locator("img")
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") > 400
    output.get_by_text("States of a connection, as text").click()
    output.get_by_text("OPEN ── TCP closed ──▶ CLOSED").wait_for()
    assert all(found.startswith(NO_ALT) for shown in output.all() for found in violations(shown))
