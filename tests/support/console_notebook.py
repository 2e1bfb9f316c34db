"""A notebook that runs scripts in the browser which shows it, and what its cells must show then."""

import ast
import socket
from pathlib import Path

from playwright.sync_api import Page, expect

from support.browser_scripts import SCRIPTS, TRANSCRIPTS
from support.jupyterlab import FAULT, WHAT_CELLS_SHOW, Lab, write_notebook
from support.waiting import PATIENCE
from wslab.browser.transcript import load_transcripts

RECORDED = load_transcripts(TRANSCRIPTS)
SEND = next(script for script in SCRIPTS if script.name == "send-in-all-states")
FIRST = f"""import wslab
from pathlib import Path
server = wslab.EchoServer(port=int(Path("port").read_text()), deflate=False).start()
browser = wslab.BrowserConsole(server, {str(TRANSCRIPTS)!r})"""
CELLS = [
    FIRST,
    f"browser.run({SEND.source!r}, {SEND.name!r})",
    f"browser.wait({PATIENCE})",
    "browser.events",
    f"display(browser.run('done();', 'shown in the cell that waits'))\nbrowser.wait({PATIENCE})",
    "browser.refused",
]


def write_console_notebook(folder: Path, *more: str) -> None:
    """A notebook that runs scripts in the browser, and then these cells; and the port that its server takes."""
    folder.mkdir(exist_ok=True)
    write_notebook(Lab("", "", folder), "console.ipynb", *CELLS, *more)
    with socket.create_server(("127.0.0.1", 0)) as found:
        (folder / "port").write_text(str(found.getsockname()[1]))


def outputs_of(page: Page, jupyter: Lab, is_proxied: bool) -> list[str]:
    """What the cells show, when all have run; the first frame is looked into."""
    shown = page.evaluate(WHAT_CELLS_SHOW, FAULT)
    assert [fault for _, fault, _ in shown if fault] == []
    frame = page.frame_locator(".jp-OutputArea iframe").first
    expect(frame.get_by_role("status")).to_have_text("Done: Python has 9 events")
    hop = "There is a proxy between" if is_proxied else "This page talks to the server directly"
    expect(frame.locator("#hop")).to_contain_text(hop)
    expect(frame.locator("#hops li")).to_have_count(3 if is_proxied else 2)
    expect(frame.get_by_role("row")).to_have_count(6 if is_proxied else 0)
    expect(frame.locator("#handshakes tr").filter(has_text="outcome")).to_contain_text("101 Switching Protocols")

    html = frame.locator("body").inner_html()
    secrets_of_reader = [jupyter.token, *(cookie["value"].strip('"') for cookie in page.context.cookies())]
    assert [secret for secret in secrets_of_reader if secret and secret in html] == []
    assert ("Cookie: [redacted]" in html) or not is_proxied
    return [output for _, _, output in shown]


def are_as_recorded(outputs: list[str]) -> bool:
    """Whether the cells show the events that were recorded, and nothing was refused."""
    recorded = [dict(event) for event in RECORDED[SEND.name].events]
    reported = outputs[2].startswith("Your browser reported:") and outputs[4].endswith("Your browser reported:")
    return reported and ast.literal_eval(outputs[3]) == recorded and outputs[5] == "0"
