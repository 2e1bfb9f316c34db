"""Lessons 12 and 13 in false worlds: a browser in which the claims about it were true would report something else."""

import pytest
from support.browser_scripts import SCRIPTS, TRANSCRIPTS, run_in

from wslab.browser.transcript import load_transcripts

pytestmark = pytest.mark.slow  # each world opens a page

SEND_QUEUES_WHILE_CONNECTING = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (this.readyState === 0) this.addEventListener("open", () => send.call(this, data));
  else send.call(this, data);
};
"""

SEND_THROWS_AFTER_CLOSE = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (this.readyState > 1) throw new DOMException("closed", "InvalidStateError");
  send.call(this, data);
};
"""

A_PAGE_CAN_PING = "WebSocket.prototype.ping = function () {};"

HEADERS_ARE_FREE = """
window.Request = class {
  constructor(url, { headers }) {
    this.headers = new Headers(headers);
  }
};
"""


def reported(tab, name, world=""):
    """What the page reports of a script, and what was recorded of it."""
    if world:
        tab.add_init_script(world)
    script = next(script for script in SCRIPTS if script.name == name)
    return run_in(tab, script).events, load_transcripts(TRANSCRIPTS)[name].events


@pytest.mark.parametrize("name", ["send-in-all-states", "ping-is-invisible", "forbidden-headers"])
def test_the_browser_as_it_is_reports_what_was_recorded(tab, name):
    now, recorded = reported(tab, name)
    assert [event["what"] for event in now] == [event["what"] for event in recorded]
    assert [event.get("threw") for event in now] == [event.get("threw") for event in recorded]
    assert [event.get("text") for event in now] == [event.get("text") for event in recorded]


@pytest.mark.parametrize("world", [SEND_QUEUES_WHILE_CONNECTING, SEND_THROWS_AFTER_CLOSE])
def test_a_browser_that_treats_send_as_claimed_is_seen(tab, world):
    now, recorded = reported(tab, "send-in-all-states", world)
    assert [event.get("threw") for event in now] != [event.get("threw") for event in recorded]


@pytest.mark.parametrize(
    ("name", "world"), [("ping-is-invisible", A_PAGE_CAN_PING), ("forbidden-headers", HEADERS_ARE_FREE)]
)
def test_a_browser_that_lets_a_page_do_more_is_seen(tab, name, world):
    now, recorded = reported(tab, name, world)
    assert [event.get("text") for event in now] != [event.get("text") for event in recorded]
