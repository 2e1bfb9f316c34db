"""wall: what passes in a class, as all may see it: short, without secrets, as JSON for pages; the last is kept."""

import json
from collections import deque

from wslab.classroom.students import Kept, Student
from wslab.redaction.redact import redact_payload, redact_target

MAX_EVENTS = 200
MAX_SHOWN = 300  # characters of a text
MAX_BYTES = 24

Event = dict[str, object]


def event_of(kind: str, student: Student) -> Event:
    """What has happened, with what others see of the student it happened to.

    Kinds that are kept are `joined`, `left`, `text` and `binary`; `clients` is only a new count of connections.
    """
    return {"kind": kind, "name": student.name, "clients": student.clients, "messages": student.messages}


def message_event(student: Student, message: str | bytes) -> Event:
    """A message: a text without its secrets, cut short, or the first bytes of a binary one in hex."""
    size = len(message.encode() if isinstance(message, str) else message)
    if isinstance(message, str):
        clean = redact_target(message)
        shown = clean if len(clean) <= MAX_SHOWN else f"{clean[:MAX_SHOWN]} …"
        return {**event_of("text", student), "text": shown, "size": size}
    start = redact_payload(bytes(message))[:MAX_BYTES].hex(" ")
    return {**event_of("binary", student), "text": start + " …" * (size > MAX_BYTES), "size": size}


def mark_event(student: Student, kept: Kept) -> Event:
    """A mark, which only the student and the teacher see."""
    mark = kept.mark
    return {
        **event_of("mark", student),
        "exercise": mark.exercise,
        "points": mark.points,
        "max_points": mark.max_points,
        "tries": kept.tries,
    }


def as_json(event: Event) -> str:
    """The event as a page is sent it."""
    return json.dumps(event, ensure_ascii=False)


class Wall:
    """The last events that all may see."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque(maxlen=MAX_EVENTS)

    def keep(self, event: Event) -> None:
        """Keep an event for those who come later, if it is one to be read."""
        if event["kind"] in ("joined", "left", "text", "binary"):
            self.events.append(event)
