"""Targets for views of bytes, and for what stands in them: nothing that could act, and nothing secret."""

import re
from html.parser import HTMLParser

from wslab.browser.transcript import Transcript, parse_transcripts
from wslab.display.inspector.inspect import inspect
from wslab.display.inspector.recording_table import RecordingTable
from wslab.display.table import Table
from wslab.display.widgets.raw_frame import RawFrame
from wslab.dissector.handshake_lines import begins_a_head
from wslab.redaction.redact import redact_bytes


class _Tags(HTMLParser):
    """Tags that are opened and closed in order, none of them from a peer."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"div", "p", "table", "caption", "thead", "tbody", "tr", "th", "td", "b", "br", "wbr"}
        assert {name for name, _ in attrs} <= {"style", "scope", "colspan", "role", "tabindex", "aria-label"}
        self.open += [tag] * (tag not in ("br", "wbr"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_view(view: Table | Transcript) -> None:
    """Its text has no control characters, and its HTML no tags of a peer; so have the views behind its rows."""
    text, tags = repr(view), _Tags()
    assert text.replace("\n", "").isprintable()
    tags.feed(view._repr_html_())
    tags.close()
    assert tags.open == []
    if isinstance(view, RecordingTable):
        for entry in view.entries:
            check_view(view.row(entry.number))


def check_inspect(data: bytes) -> None:
    """A target: every byte has its row, and secrets have none."""
    whole = inspect(data, most=10**9)
    check_view(whole)
    places = [row[0].partition("-") for row in whole.rows if row[0]]
    ends = [0, *(int(last or first) + 1 for first, _, last in places)]
    assert ends == [*(int(first) for first, _, _ in places), len(data)]
    inspect(data, start=len(data) // 2, most=3, most_bytes=5, deflate=True)
    head = re.split(rb"\n\r*\n", data.lstrip(b"\r\n"))[0]
    if begins_a_head(head):
        _check_secrets(head)


def _check_secrets(head: bytes) -> None:
    """What is crossed out in a file is not shown either, unless it would be without it: `Upgrade` explains a head."""
    crossed_out = redact_bytes(head)
    text, innocent = (repr(inspect(shown, most=10**9)) for shown in (head, crossed_out))
    for found in re.finditer(rb"x{6,}", crossed_out):
        secret = head[found.start() : found.end()]
        if secret.isalnum():
            assert secret.decode() in innocent or secret.decode() not in text


def check_raw_frame(data: bytes) -> None:
    """A target: the fields of any frame, legal or not, give its bytes back, if only its header is there."""
    try:
        frame = RawFrame.from_bytes(data)
    except ValueError:
        assert len(data) < 14
        return
    assert frame.to_bytes() == data
    assert str(frame).isprintable()


def check_transcripts(data: bytes) -> None:
    """A target: any transcripts are refused, or can be shown."""
    try:
        transcripts = parse_transcripts(data)
    except ValueError:
        return
    for recorded in transcripts.values():
        check_view(Transcript(recorded.browser, recorded.events))
