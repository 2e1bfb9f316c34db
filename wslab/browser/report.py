"""Reports: what a page says that a browser has done, as JSON, to events with plain values, and nothing else."""

import json
import re

from wslab.protocol.errors import HandshakeError

MAX_FIELDS = 12
MAX_TEXT = 2000  # characters of a value

BrowserEvent = dict[str, str | int | float | bool | None]


def parse_report(body: bytes) -> tuple[list[BrowserEvent], bool]:
    r"""The events in a report, and whether they are the last. Raises HandshakeError 400 for anything else.

    >>> parse_report(b'{"events": [{"what": "open", "readyState": 1}], "done": false}')
    ([{'what': 'open', 'readyState': 1}], False)
    """
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        raise HandshakeError("a report is JSON") from None
    match report:
        case {"events": list(events), "done": bool(is_done), **others} if not others and all(map(is_event, events)):
            return events, is_done
    raise HandshakeError("a report has events with plain values, and says whether they are the last")


def is_event(event: object) -> bool:
    """Return True if `event` is an object with a name in `what` and only plain values, of limited number and length."""
    if not isinstance(event, dict) or not isinstance(event.get("what"), str) or len(event) > MAX_FIELDS:
        return False
    return all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,39}", name) and _is_plain(value) for name, value in event.items())


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return value is None or (isinstance(value, int | float) and abs(value) <= 2**53)  # no NaN, no Infinity
