"""Take the README's pictures, of lessons that run in JupyterLab and of the Echo test page.

Run `python tests/take_pictures.py` after changing what can be seen in them.
"""

import argparse
import json
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from support.chromium import OPTIONS, find_browser
from support.echo_page import EchoPage
from support.jupyterlab import LAB_TIMEOUT, Lab, choose_run, open_notebook, running_lab

from wslab import EchoServer

FOLDER = Path(__file__).parent.parent / "notebooks/pictures"
NAMES = ("frame-editor.png", "timeline.png", "echo-page.png")
PORT = 8765  # of the echo server in the README; the page shows it
PATIENCE = 30_000  # milliseconds


def switch_off(home: Path, *extensions: str) -> None:
    """Let the JupyterLab in `home` do without these extensions, whether they are installed or not."""
    file = home / "config/labconfig/page_config.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"disabledExtensions": dict.fromkeys(extensions, True)}))


def open_lesson(browser: Browser, lab: Lab, name: str, width: int, height: int) -> Page:
    """The lesson in a JupyterLab of that size, without the list of files beside it."""
    page = open_notebook(browser, lab, name)
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("tab", name="File Browser").click()
    return page


def run_up_to(page: Page, code: str) -> Locator:
    """Run the lesson as far as the cell with this code, and no further: its end closes the servers. The cell."""
    cell = page.locator(".jp-CodeCell").filter(has=page.locator(".jp-InputArea-editor", has_text=code))
    cell.locator(".jp-InputArea-prompt").click()
    choose_run(page, "notebook:run-all-above")
    page.keyboard.press("Control+Enter")
    cell.locator(".jp-OutputArea-output").first.wait_for(timeout=LAB_TIMEOUT)
    return cell


def take_frame_editor(browser: Browser, lab: Lab, file: Path) -> None:
    """Lesson 05: a frame with a reserved opcode, what each of its bits means, and what the server says to it."""
    with open_lesson(browser, lab, "05-the-frame.ipynb", 1080, 760) as page:
        cell = run_up_to(page, "wslab.edit_frame()")
        cell.get_by_label("Opcode").select_option(label="0x3 reserved")
        cell.get_by_role("button", name="Send", exact=True).click()
        cell.get_by_text('close 1002 "opcode 0x3 is reserved"').wait_for()
        page.get_by_role("heading", name="All bits at hand").evaluate("heading => heading.scrollIntoView()")
        page.mouse.move(0, 0)  # what it is above has another colour
        page.screenshot(path=file)


def take_timeline(browser: Browser, lab: Lab, file: Path) -> None:
    """Lesson 09: a message, which the program has cut into frames, and the network into reads."""
    with open_lesson(browser, lab, "09-messages.ipynb", 860, 1100) as page:
        cell = run_up_to(page, "wslab.draw_timeline(recording, start=2)")
        cell.get_by_role("img").wait_for()
        cell.screenshot(path=file)


def take_echo_page(browser: Browser, port: int, file: Path) -> None:
    """The Echo test page after a text, some bytes, and a close with a code of one's own."""
    with EchoServer(port=port) as server, browser.new_page(viewport={"width": 1080, "height": 1270}) as page:
        echo = EchoPage(page).visit(f"http://127.0.0.1:{server.port}/").open()
        echo.send("Zwölf Boxkämpfer")
        echo.has_logged("message")
        page.get_by_label("bytes, written in hex").check()
        echo.send("00 ff 80")
        echo.has_logged("00 ff 80 Blob")
        echo.box("Close code").fill("4001")
        echo.box("Close reason").fill("that was enough")
        echo.press("Disconnect")
        echo.has_logged("wasClean")
        page.mouse.move(0, 0)
        page.screenshot(path=file)


def reduce_colours(file: Path) -> None:
    """Save the picture with a palette of the colours that it has most of, in a third of the bytes."""
    with Image.open(file) as picture:
        reduced = picture.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    reduced.save(file, optimize=True)


def take_pictures(folder: Path, port: int) -> None:
    """Write all pictures into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    editor, timeline, echo = files = [folder / name for name in NAMES]
    with (
        tempfile.TemporaryDirectory() as home,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS) as browser,
    ):
        take_echo_page(browser, port, echo)
        switch_off(Path(home), "@jupyter/nbgrader", "@jupyter-notebook/lab-extension")  # which few learners have
        with running_lab(Path(home)) as lab:
            take_frame_editor(browser, lab, editor)
            take_timeline(browser, lab, timeline)
    for file in files:
        reduce_colours(file)


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the README's pictures in JupyterLab and Chromium.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where to put them")
    parser.add_argument("--port", type=int, default=PORT, help="of the echo server; 0 stands for any")
    options = parser.parse_args()
    take_pictures(options.folder, options.port)


if __name__ == "__main__":
    main()
