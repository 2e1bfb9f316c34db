"""The widgets in a real JupyterLab: by mouse, by keyboard alone, and as axe-core judges them."""

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect
from support.jupyterlab import open_notebook, run_notebook, write_notebook

import wslab

MISSING_AXE = (
    "needs axe-core: run `npm install axe-core` in any directory "
    "and set WSLAB_NODE_MODULES to the node_modules that it makes"
)
PATIENCE = 30_000  # milliseconds
FAULTS_OF_AXE = """async () => {
    const found = await axe.run({ include: [[".jp-OutputArea-output"]] });
    return found.violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
}"""


@pytest.fixture
def page(browser, lab, request) -> Iterator[Page]:
    """The page of a notebook whose cells are the parameters of the test, when they have run."""
    name = f"{request.node.originalname}.ipynb"
    write_notebook(lab, name, *request.param)
    page = run_notebook(browser, lab, name)
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def cells(*sources: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", [pytest.param(["import wslab", *sources], id="notebook")], indirect=True)


def faults_of_axe(page: Page) -> list[list[str]]:
    """The rule and the elements of each violation inside the outputs; the rest of the page is not ours."""
    places = [os.environ[name] for name in ("WSLAB_NODE_MODULES", "NODE_PATH") if os.environ.get(name)]
    found = [path for place in places if (path := Path(place) / "axe-core/axe.min.js").is_file()]
    if not found:
        pytest.skip(MISSING_AXE)
    page.evaluate(found[0].read_text(encoding="utf-8"))
    return page.evaluate(FAULTS_OF_AXE)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_axe_finds_what_is_wrong(browser):
    page = browser.new_page()
    page.set_content('<div class="jp-OutputArea-output"><button></button></div>')
    assert faults_of_axe(page) == [["button-name", "<button></button>"]]
    page.close()


@pytest.mark.timeout(300)
@cells("server = wslab.EchoServer().start()", "wslab.edit_frame(server)")
def test_a_frame_is_edited_and_sent_by_mouse(page):
    page.get_by_label("FIN", exact=True).uncheck()
    page.get_by_label("Opcode").select_option(label="0x3 reserved")
    page.get_by_role("button", name="Send", exact=True).click()

    page.get_by_text('close 1002 "opcode 0x3 is reserved"').wait_for()
    assert page.get_by_role("textbox", name="Bytes").input_value() == "03 85 37 fa 21 3d 7f 9f 4d 51 58"
    assert faults_of_axe(page) == []


@pytest.mark.timeout(300)
@cells("server = wslab.EchoServer().start()", "wslab.edit_frame(server)")
def test_a_frame_is_edited_and_sent_by_keyboard(page):
    page.get_by_label("FIN", exact=True).focus()
    press(page, "Space", *["Tab"] * 4)  # over RSV1 to RSV3 to the opcode
    press(page, "Space", "ArrowDown", "ArrowDown", "Enter")  # a list that is not open leaves the arrows to JupyterLab
    press(page, *["Tab"] * 8, "Space")  # over mask, key, form, length, payload, its kind and the bytes to the button

    page.get_by_text('close 1002 "opcode 0x3 is reserved"').wait_for()
    assert page.evaluate("document.activeElement.innerText") == "Send"


@pytest.mark.timeout(300)
@cells("wslab.edit_frame()")
def test_bytes_that_are_typed_turn_the_fields(page):
    page.get_by_role("textbox", name="Bytes").fill("8a 00")
    page.wait_for_function("() => document.querySelector('.jp-OutputArea-output select').selectedIndex == 0xa")
    assert not page.get_by_label("MASK", exact=True).is_checked()


TALK = """
client = wslab.connect(server.url)
for number in range(3):
    client.send(f"message {number}")
    client.ping()
    client.receive()
"""


@pytest.mark.timeout(300)
@cells("server = wslab.EchoServer(recording=wslab.Recording()).start()", "wslab.watch_frames(server)", TALK)
def test_frames_are_watched_while_they_pass(page):
    output = page.locator(".jp-OutputArea-output")
    output.get_by_text('text "message 2"').nth(1).wait_for()
    assert faults_of_axe(page) == []

    output.get_by_label("Show").focus()
    press(page, "Space", "ArrowDown", "Enter")
    output.get_by_text("pong").first.wait_for(state="detached")
    press(page, "Shift+Tab", "Space")  # clear
    output.get_by_text("Nothing has passed yet.").wait_for()
    press(page, "Shift+Tab", "Space")
    output.get_by_text("Paused.").wait_for()


NO_ALT = "image-alt"  # JupyterLab gives a PNG no alternative text, whatever its output says
FIGURES = """
from matplotlib import pyplot
recording = wslab.Recording()
with wslab.EchoServer() as server, wslab.connect(server.url, recording=recording) as client:
    for number in range(6):
        client.send(str(number))
        client.receive()
"""
DRAWN = [
    "wslab.describe(pyplot.figure(), 'a figure of a lesson')",
    "wslab.draw_states()",
    "wslab.draw_ladder(recording)",
    "wslab.draw_timeline(recording)",
    "wslab.draw_timeline(recording, axis='time')",
    "wslab.draw_sizes(recording)",
    "wslab.draw_latencies(recording)",
]


@pytest.mark.timeout(300)
@cells(FIGURES, *DRAWN)
def test_a_screen_reader_gets_the_words_of_every_figure(page):
    output = page.locator(".jp-OutputArea-output")
    summaries = output.locator("summary").get_by_text(", as text")
    expect(summaries).to_have_count(len(DRAWN))
    for summary in summaries.all():
        summary.focus()
        press(page, "Enter")
    output.get_by_text("OPEN ── TCP closed ──▶ CLOSED").wait_for()
    output.get_by_text("a figure of a lesson").wait_for()
    assert all(rule == NO_ALT for rule, *_ in faults_of_axe(page))


@pytest.mark.timeout(300)
def test_so_does_one_of_a_notebook_that_is_not_trusted(browser, lab):
    outputs = [nbformat.v4.new_output("display_data", output) for output in wslab.draw_states().outputs()]
    write_notebook(lab, "untrusted.ipynb", "wslab.draw_states()", outputs=outputs)
    with open_notebook(browser, lab, "untrusted.ipynb") as page:
        output = page.locator(".jp-OutputArea-output")
        picture = output.locator("img")
        assert picture.evaluate("picture => picture.complete && picture.naturalWidth") > 400
        output.get_by_text("States of a connection, as text").click()
        output.get_by_text("OPEN ── TCP closed ──▶ CLOSED").wait_for()
        assert all(rule == NO_ALT for rule, *_ in faults_of_axe(page))


RECORD = """
recording = wslab.Recording()
with wslab.EchoServer() as server, wslab.connect(server.url, recording=recording, deflate=False) as client:
    client.send("Hello")
    client.receive()
wslab.play(recording)
"""


@pytest.mark.timeout(300)
@cells(RECORD)
def test_a_recording_is_played(page):
    output = page.locator(".jp-OutputArea-output")
    output.get_by_role("button", name="Next").focus()
    press(page, "Space")
    output.get_by_text("Step 2 of 9").wait_for()
    press(page, *["Tab"] * 3, "ArrowUp", "ArrowUp")  # over the last step and the clock to the number
    output.get_by_text('Complete: text "Hello"').wait_for()
    assert faults_of_axe(page) == []

    press(page, "Shift+Tab", "Space")
    output.get_by_text("Step 9 of 9").wait_for()
    assert output.get_by_text("CLOSING").count() == 2
