"""The widgets in a real JupyterLab: by mouse, by keyboard alone, and as axe-core judges them."""

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from support.axe import violations
from support.jupyterlab import open_too, run_notebook, write_notebook

import wslab

pytestmark = pytest.mark.timeout(300)

PATIENCE = 30_000  # milliseconds
IMPORTS = "import wslab\nfrom matplotlib import pyplot\nserver = wslab.EchoServer(recording=wslab.Recording()).start()"
TO_EDIT_BY_MOUSE = "wslab.edit_frame(server)  # by mouse"
TO_EDIT_BY_KEYBOARD = "wslab.edit_frame(server)  # by keyboard"
TO_EDIT_AS_BYTES = "wslab.edit_frame()"
TO_WATCH = """
watched = wslab.EchoServer(recording=wslab.Recording()).start()
display(wslab.watch_frames(watched))
client = wslab.connect(watched.url)
for number in range(3):
    client.send(f"message {number}")
    client.ping()
    client.receive()
"""
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
CELLS = [IMPORTS, TO_EDIT_BY_MOUSE, TO_EDIT_BY_KEYBOARD, TO_EDIT_AS_BYTES, TO_WATCH, TO_PLAY, FIGURES]
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
    return page.locator(".jp-CodeCell").nth(CELLS.index(cell)).locator(".jp-OutputArea-output")


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
    press(page, "Space", "ArrowDown", "ArrowDown", "Enter")  # a list that is not open leaves the arrows to JupyterLab
    press(page, *["Tab"] * 8, "Space")  # over mask, key, form, length, payload, its kind and the bytes to the button

    editor.get_by_text('close 1002 "opcode 0x3 is reserved"').wait_for()
    assert page.evaluate("document.activeElement.innerText") == "Send"


def test_bytes_that_are_typed_turn_the_fields(page):
    editor = output_of(page, TO_EDIT_AS_BYTES)
    editor.get_by_role("textbox", name="Bytes").fill("8a 00")
    expect(editor.get_by_label("Opcode")).to_have_js_property("selectedIndex", 0xA, timeout=PATIENCE)
    assert not editor.get_by_label("MASK", exact=True).is_checked()


def test_frames_are_watched_while_they_pass(page):
    watch = output_of(page, TO_WATCH)
    watch.get_by_text('text "message 2"').nth(1).wait_for()
    assert violations(watch) == []

    watch.get_by_label("Show").focus()
    press(page, "Space", "ArrowDown", "Enter")
    watch.get_by_text("pong").first.wait_for(state="detached")
    press(page, "Shift+Tab", "Space")  # clear
    watch.get_by_text("Nothing has passed yet.").wait_for()
    press(page, "Shift+Tab", "Space")
    watch.get_by_text("Paused.").wait_for()


def test_a_screen_reader_gets_the_words_of_every_figure(page):
    figures = output_of(page, FIGURES)
    summaries = figures.locator("summary").get_by_text(", as text")
    expect(summaries).to_have_count(7)
    for summary in summaries.all():
        summary.focus()
        press(page, "Enter")
    figures.get_by_text("OPEN ── TCP closed ──▶ CLOSED").wait_for()
    figures.get_by_text("a figure of a lesson").wait_for()
    assert all(found.startswith(NO_ALT) for figure in figures.all() for found in violations(figure))


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
    assert player.get_by_text("CLOSING").count() == 2


# Last, as it leaves another notebook before the first


def test_figures_have_their_words_in_a_notebook_that_is_not_trusted_too(page):
    output = open_too(page, "untrusted.ipynb").locator(".jp-OutputArea-output")
    picture = output.locator("img")
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth") > 400
    output.get_by_text("States of a connection, as text").click()
    output.get_by_text("OPEN ── TCP closed ──▶ CLOSED").wait_for()
    assert all(found.startswith(NO_ALT) for shown in output.all() for found in violations(shown))
