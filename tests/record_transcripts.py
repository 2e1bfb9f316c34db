"""Record for readers without a browser what Chromium reports about the scripts of the lessons, and what is on the wire.

Run `python tests/record_transcripts.py` after changing a script in tests/support/browser_scripts.py, which its lesson
has too, a heist in tests/support/heists.py, or what lesson 18 asks of a Jupyter server, which is recorded as well.
"""

import argparse
import json
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from support.browser_scripts import SCRIPTS, TRANSCRIPTS, run_in
from support.chromium import OPTIONS, find_browser, open_browser
from support.heists import HEISTS, RECORDED, commit
from support.jupyter_recordings import record, running_server

from wslab.browser.transcript import save_transcripts
from wslab.labs.heist import Heist, Options, Outcome, save_heists


def main() -> None:
    """Run every script and commit every heist, and write what the browser has reported."""
    argparse.ArgumentParser(description="Record what Chromium reports about the scripts of the lessons.").parse_args()
    record_heists(record_scripts())
    with tempfile.TemporaryDirectory() as home, running_server(Path(home)) as jupyter:
        record(jupyter)


def record_scripts() -> str:
    """Run the scripts; the name of the browser."""
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS) as browser,
        browser.new_page(ignore_https_errors=True) as tab,
    ):
        results = [(script, run_in(tab, script)) for script in SCRIPTS]
        name = f"Chromium {browser.version.partition('.')[0]}"
    TRANSCRIPTS.parent.mkdir(exist_ok=True)
    transcripts = {script.name: (script.source, run.events) for script, run in results}
    save_transcripts(TRANSCRIPTS, name, transcripts)
    for script, run in results:
        if script.is_captured:
            run.wire.save(TRANSCRIPTS.with_name(f"{script.name}.pcapng"))
        if script.has_panel:
            lines = ",\n".join(f"  {json.dumps(told)}" for told in run.panel)
            TRANSCRIPTS.with_name(f"{script.name}.panel.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return name


def record_heists(browser_name: str) -> None:
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as folder,
        open_browser(playwright, Path(folder), third_party_cookies=True) as browser,
    ):
        outcomes: dict[Options, Outcome] = {}
        for options in RECORDED:
            with Heist(HEISTS, **vars(options)) as heist:
                outcomes[options] = commit(browser, heist)
    save_heists(HEISTS, browser_name, outcomes)


if __name__ == "__main__":
    main()
