"""Transcripts: what a browser reported about a script, as a table, and as a file that stands in for a browser."""

import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wslab.browser.report import BrowserEvent, is_event
from wslab.display.table import Table
from wslab.dissector.wording import how_many
from wslab.protocol.states import State
from wslab.redaction.redact import printable

STATES = list(State)
MAX_DATA = 100  # characters of a message or a reason; of a longer one, the first SHORTENED are shown
SHORTENED = 20
MOST_ROWS = 100


@dataclass(frozen=True, repr=False)
class Transcript:
    """The events of a script in order; `source` is the sentence that says where they come from."""

    source: str
    events: tuple[BrowserEvent, ...] = ()

    @property
    def table(self) -> Table:
        """A row for each of the first events: the number of its socket, its name, and its fields in words."""
        rows = tuple(map(_row, self.events[:MOST_ROWS]))
        left_out = len(self.events) - len(rows)
        more = f"… {how_many(left_out, 'more event')}: events has them all" if left_out else ""
        return Table(("socket", "what", "with"), rows, printable(self.source), more=more)

    def __repr__(self) -> str:
        return f"{printable(self.source)}\n{self.table!r}" if self.events else printable(self.source)

    def _repr_html_(self) -> str:
        return self.table._repr_html_() if self.events else f"<p>{escape(printable(self.source))}</p>"


@dataclass(frozen=True)
class RecordedRun:
    """A script, and the events that `browser` (its name and version) reported when it was recorded."""

    script: str
    events: tuple[BrowserEvent, ...]
    browser: str

    def fits(self, script: str) -> bool:
        """Return True if this is what was recorded for `script`, whatever its indentation and trailing blanks."""
        return _normalized(script) == _normalized(self.script)


def load_transcripts(path: Path) -> dict[str, RecordedRun]:
    """Return the transcripts in a file, by name. Raises OSError or ValueError if it cannot be read."""
    return parse_transcripts(path.read_bytes())


def parse_transcripts(data: bytes) -> dict[str, RecordedRun]:
    """Return the transcripts in what `save_transcripts` has written, by name. Raises ValueError for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("transcripts are JSON") from None
    match found:
        case {"browser": str(browser), "transcripts": dict(entries)} if all(map(_is_entry, entries.values())):
            return {name: RecordedRun(it["script"], tuple(it["events"]), browser) for name, it in entries.items()}
    raise ValueError("transcripts have a browser and, for each name, a script and events with plain values")


def _is_entry(entry: object) -> bool:
    match entry:
        case {"script": str(), "events": list(events)}:
            return all(map(is_event, events))
    return False


def save_transcripts(path: Path, browser: str, transcripts: Mapping[str, tuple[str, Iterable[BrowserEvent]]]) -> None:
    """Write scripts and events, by name, as `browser` reported them: one event a line, so that a diff can be read."""
    entries = []
    for name, (script, events) in transcripts.items():
        lines = ",\n".join(f"        {_json(event)}" for event in events)
        fields = f'      "script": {_json(_normalized(script))},\n      "events": [\n{lines}\n      ]'
        entries.append(f"    {_json(name)}: {{\n{fields}\n    }}")
    text = f'{{\n  "browser": {_json(browser)},\n  "transcripts": {{\n' + ",\n".join(entries) + "\n  }\n}\n"
    # A string of JavaScript may hold half of a UTF-16 pair, which UTF-8 cannot; JSON escapes it as Python does.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _row(event: BrowserEvent) -> tuple[str, str, str]:
    fields = [_field(name, value) for name, value in event.items() if name not in ("what", "socket")]
    return str(event.get("socket", "")), printable(str(event["what"])), ", ".join(fields)


def _field(name: str, value: object) -> str:
    if name == "readyState" and type(value) is int and 0 <= value < len(STATES):
        return f"readyState {value} {STATES[value].name}"
    if name == "threw":
        return f"threw {printable(str(value))}"
    if name in ("data", "reason") and isinstance(value, str) and len(value) > MAX_DATA:
        return f"{name} {printable(_json(value[:SHORTENED] + '…'))} of {len(value)} characters"
    return f"{name} {printable(_json(value))}"


def _normalized(script: str) -> str:
    return "\n".join(line.rstrip() for line in textwrap.dedent(script).strip().splitlines())
