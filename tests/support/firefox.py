"""Firefox, driven by WebDriver BiDi: JSON over a WebSocket that the browser serves, so that wslab can be the client."""

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.axe import VIOLATIONS, axe_script
from support.waiting import PATIENCE, wait_until
from wslab import Connection, connect

EXECUTABLE = os.environ.get("WSLAB_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
MISSING = (
    "needs Firefox: install it (on Debian `apt install firefox-esr`) "
    "and, where it is not on PATH, set WSLAB_FIREFOX to its executable"
)
PREFERENCES = """user_pref("browser.download.folderList", 2);
user_pref("browser.download.dir", {folder});
user_pref("browser.download.alwaysOpenPanel", false);
"""
KEYS = {  # as WebDriver names them
    "Tab": "\ue004",
    "Enter": "\ue006",
    "Shift": "\ue008",
    "Backspace": "\ue003",
    "ArrowUp": "\ue013",
}


class Tab:
    """A tab of a running Firefox, which is used by keyboard."""

    def __init__(self, connection: Connection, downloads: Path) -> None:
        self.downloads = downloads
        self._connection = connection
        self._numbers = itertools.count(1)
        self._command("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        # The first tab of a window without a screen has no focus, and then a button does not hear its keys.
        self._context = self._command("browsingContext.create", type="tab")["context"]

    def go_to(self, address: str) -> None:
        self._command("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def press(self, *keys: str) -> None:
        """Press keys one after the other: a name of KEYS, or what is to be typed."""
        actions = []
        for key in itertools.chain.from_iterable([KEYS[key]] if key in KEYS else key for key in keys):
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._command("input.performActions", context=self._context, actions=[source])

    def text_of(self, role: str, name: str | None = None) -> str:
        """The text of the one element that has this role and name for a screen reader, with one blank between words."""
        named = {} if name is None else {"name": name}
        locator = {"type": "accessibility", "value": {"role": role} | named}
        [node] = self._command("browsingContext.locateNodes", context=self._context, locator=locator)["nodes"]
        return " ".join(self._call("(element) => element.textContent", node).split())

    def value_of(self, name: str) -> str:
        """What stands in the text box that has this name for a screen reader."""
        locator = {"type": "accessibility", "value": {"role": "textbox", "name": name}}
        [node] = self._command("browsingContext.locateNodes", context=self._context, locator=locator)["nodes"]
        return self._call("(element) => element.value", node)

    def wait_for(self, role: str, words: str, name: str | None = None) -> None:
        wait_until(lambda: words in self.text_of(role, name))

    def violations(self) -> str:
        """What axe-core finds in the page, a line each."""
        run = f"({VIOLATIONS})(document, {{ resultTypes: ['violations'] }}).then((found) => found.join('\\n'))"
        return self._call(f"() => {{ {axe_script()}; return {run}; }}")

    def _call(self, function: str, *nodes: dict) -> str:
        target = {"context": self._context}
        called = self._command(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"sharedId": node["sharedId"]} for node in nodes],
            target=target,
            awaitPromise=True,
        )
        assert called["type"] == "success", called
        return called["result"]["value"]

    def _command(self, method: str, **parameters: object) -> dict:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        for message in self._connection:
            answer = json.loads(message)
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]
        raise AssertionError(f"Firefox has gone: {self._connection.close_code}")


@contextlib.contextmanager
def running_firefox(home: Path) -> Iterator[Tab]:
    """A Firefox without a window, with a profile of its own in `home`, and a tab in it."""
    if EXECUTABLE is None:
        pytest.skip(MISSING)
    downloads = home / "downloads"
    (home / "user.js").write_text(PREFERENCES.format(folder=json.dumps(str(downloads))))
    command = [EXECUTABLE, "--headless", "--no-remote", "--profile", str(home), "--remote-debugging-port=0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = next(filter(None, (re.search(r"BiDi listening on (ws://\S+)", line) for line in process.stderr)))
            threading.Thread(target=process.stderr.read, daemon=True).start()
            with connect(f"{address[1]}/session", timeout=PATIENCE) as connection:
                yield Tab(connection, downloads)
        finally:
            process.kill()
