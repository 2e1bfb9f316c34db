"""transcript: what a browser reported about a script, as a table, and as a file that stands in for a browser."""

import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wslab.frames import printable
from wslab.page.run import Event
from wslab.states import State

STATES = list(State)


@dataclass(frozen=True, repr=False)
class Transcript:
    """The events of a script in order; `source` is the sentence that says where they come from."""

    source: str
    events: tuple[Event, ...] = ()

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """For each event the number of its socket, its name, and its fields in words."""
        return [_row(event) for event in self.events]

    def __repr__(self) -> str:
        return "\n".join([printable(self.source), *self.lines()])

    def lines(self) -> list[str]:
        """A line for each event."""
        lines = [("socket", "what", "with"), *self.rows] if self.events else []
        widths = [max((len(line[column]) for line in lines), default=0) for column in (0, 1)]
        return ["  ".join(map(str.ljust, line, [*widths, 0])).rstrip() for line in lines]

    def _repr_html_(self) -> str:
        if not self.events:
            return f"<p>{_shown(self.source)}</p>"
        heading = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in ("socket", "what", "with"))
        rows = "".join(f"<tr {_COLOURS}>{''.join(map(_cell, row))}</tr>" for row in self.rows)
        caption = f'<caption style="text-align:left;{_PAPER}">{_shown(self.source)}</caption>'
        return f"<table {_COLOURS}>{caption}<thead><tr {_COLOURS}>{heading}</tr></thead><tbody>{rows}</tbody></table>"


@dataclass(frozen=True)
class Recorded:
    """A script, and the events that `browser` (its name and version) reported when it was recorded."""

    script: str
    events: tuple[Event, ...]
    browser: str

    def fits(self, script: str) -> bool:
        """Whether it is a transcript of this script; blanks at the ends of lines and its indentation do not matter."""
        return _normalized(script) == _normalized(self.script)


def load_transcripts(path: Path) -> dict[str, Recorded]:
    """The transcripts in a file, by name. Raises OSError or ValueError if it cannot be read."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Recorded(entry["script"], tuple(entry["events"]), found["browser"])
        for name, entry in found["transcripts"].items()
    }


def save_transcripts(path: Path, browser: str, transcripts: Mapping[str, tuple[str, Iterable[Event]]]) -> None:
    """Write scripts and events, by name, as `browser` reported them: an event a line, so that changes can be read."""
    entries = []
    for name, (script, events) in transcripts.items():
        lines = ",\n".join(f"        {_json(event)}" for event in events)
        fields = f'      "script": {_json(_normalized(script))},\n      "events": [\n{lines}\n      ]'
        entries.append(f"    {_json(name)}: {{\n{fields}\n    }}")
    text = f'{{\n  "browser": {_json(browser)},\n  "transcripts": {{\n' + ",\n".join(entries) + "\n  }\n}\n"
    path.write_text(text, encoding="utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_PAPER = "color:#000000;background-color:#ffffff"
_COLOURS = f'bgcolor="#ffffff" style="{_PAPER}"'


def _row(event: Event) -> tuple[str, str, str]:
    fields = [_field(name, value) for name, value in event.items() if name not in ("what", "socket")]
    return str(event.get("socket", "")), printable(str(event["what"])), ", ".join(fields)


def _field(name: str, value: object) -> str:
    if name == "readyState" and type(value) is int and 0 <= value < len(STATES):
        return f"readyState {value} {STATES[value].name}"
    if name == "threw":
        return f"threw {printable(str(value))}"
    return f"{name} {printable(_json(value))}"


def _normalized(script: str) -> str:
    return "\n".join(line.rstrip() for line in textwrap.dedent(script).strip().splitlines())


def _cell(text: str) -> str:
    return f'<td style="text-align:left;white-space:pre-wrap">{escape(text)}</td>'


def _shown(text: str) -> str:
    return escape(printable(text))
