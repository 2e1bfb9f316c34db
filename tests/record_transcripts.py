"""Record what Chromium reports about the scripts of the lesson on the browser's WebSocket, for readers without one.

Run `python tests/record_transcripts.py` after changing a script in tests/browser_scripts.py; the lesson has the same.
"""

from browser_scripts import ROOT, SCRIPTS, run_in
from playwright.sync_api import sync_playwright
from test_browser import OPTIONS, find_browser

from wslab.display.transcript import save_transcripts

FILE = ROOT / "notebooks/recordings/10-browser.json"


def main() -> None:
    """Run every script, and write what the browser has reported."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS) as browser,
    ):
        events = {script.name: (script.source, run_in(browser, script)) for script in SCRIPTS}
        version = browser.version.partition(".")[0]
    FILE.parent.mkdir(exist_ok=True)
    save_transcripts(FILE, f"Chromium {version}", events)


if __name__ == "__main__":
    main()
