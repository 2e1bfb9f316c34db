"""headless: an address in, opened by a browser of this machine without a window."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping

CHROMIUM = "WSLAB_CHROMIUM"  # in the environment: where it is, if it is not on PATH
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
# Where installers put them on macOS and Windows, which do not add them to PATH.
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "{ProgramFiles}/Google/Chrome/Application/chrome.exe",
    "{ProgramFiles(x86)}/Google/Chrome/Application/chrome.exe",
    "{LOCALAPPDATA}/Google/Chrome/Application/chrome.exe",
    "{ProgramFiles(x86)}/Microsoft/Edge/Application/msedge.exe",
    "{ProgramFiles}/Microsoft/Edge/Application/msedge.exe",
)
OPTIONS = ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync")
WITHOUT_SANDBOX = "--no-sandbox"  # Chromium has none for root, and refuses to start without this


def find_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the executable of Chromium, Chrome or Edge; None if this machine has none."""
    places = [re.sub(r"{(.*)}", lambda name: environment.get(name[1], ""), place) for place in PLACES]
    return environment.get(CHROMIUM) or next(filter(None, map(shutil.which, [*NAMES, *places])), None)


@contextlib.contextmanager
def open_without_window(executable: str, address: str) -> Iterator[None]:
    """Let a Chromium with a fresh profile have this page open while the `with` block runs. Raises OSError."""
    sandbox = [WITHOUT_SANDBOX] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with tempfile.TemporaryDirectory(prefix="wslab-", ignore_cleanup_errors=True) as profile:
        command = [executable, *OPTIONS, *sandbox, f"--user-data-dir={profile}", address]
        nowhere = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
        try:
            yield
        finally:
            _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a browser with the processes that it has started; on Windows, these end with it."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
