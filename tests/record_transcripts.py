"""Record what Chromium reports about the scripts of the lessons, and what is on the wire, for readers without one.

Run `python tests/record_transcripts.py` after changing a script in tests/support/browser_scripts.py,
which its lesson has too.
"""

import argparse
import json

from playwright.sync_api import sync_playwright
from support.browser_scripts import SCRIPTS, TRANSCRIPTS, run_in
from support.chromium import OPTIONS, find_browser

from wslab.browser.transcript import save_transcripts


def main() -> None:
    """Run every script, and write what the browser has reported."""
    argparse.ArgumentParser(description="Record what Chromium reports about the scripts of the lessons.").parse_args()
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=find_browser(), args=OPTIONS) as browser,
        browser.new_page(ignore_https_errors=True) as tab,
    ):
        results = [(script, run_in(tab, script)) for script in SCRIPTS]
        version = browser.version.partition(".")[0]
    TRANSCRIPTS.parent.mkdir(exist_ok=True)
    transcripts = {script.name: (script.source, run.events) for script, run in results}
    save_transcripts(TRANSCRIPTS, f"Chromium {version}", transcripts)
    for script, run in results:
        if script.is_captured:
            run.wire.save(TRANSCRIPTS.with_name(f"{script.name}.pcapng"))
        if script.has_panel:
            lines = ",\n".join(f"  {json.dumps(told)}" for told in run.panel)
            TRANSCRIPTS.with_name(f"{script.name}.panel.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
