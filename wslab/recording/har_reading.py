"""HAR files: a document of any program in, the chunks of the WebSocket conversations in it out (HAR 1.2).

A HAR keeps messages, not frames: what is loaded has a frame for each message, uncompressed, with the masking key
00 00 00 00. What is odd in an entry costs only itself, and is told.
"""

import heapq
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from wslab.dissector.wording import cut
from wslab.recording.cut_json import end_cut_json, mend_json
from wslab.recording.errors import INCOMPLETE, CaptureError
from wslab.recording.har import CREATOR
from wslab.recording.har_entries import Oddities, UnreadableEntry, read_entry
from wslab.recording.log import Chunk, Log

MESSAGES = "websocketmessages"  # as Chrome calls them, `_webSocketMessages`, without what others write otherwise
WEBSOCKET = ("ws://", "wss://")
EXPORTERS = ("WebInspector", CREATOR["name"])  # Chrome calls itself so
NO_MESSAGES = "has handshakes in it, but no WebSocket messages"
CUT_SHORT = "is cut short, or damaged: what is whole before that is read"
MOST_DIGITS = 400  # of a whole number: a longer one, which Python may refuse, is infinite, as it is for JavaScript
MAX_HAR = 512 * 1024 * 1024  # bytes
MAX_ATTACHED = 512 * 1024 * 1024  # bytes of all files beside a HAR, each as often as it is named
NO_ROOM = f"{{s:file}} of messages beyond the first {MAX_ATTACHED:,} bytes, left out"
# The file with this name beside the HAR, so many bytes of it at most; None if there is none.
Attached = Callable[[str, int], bytes | None]


def no_attachments(_name: str, _most: int) -> None:
    """Where nothing is beside the file."""


class _Attachments:
    """The files beside a HAR, as long as there is room for them."""

    def __init__(self, attached: Attached, oddities: Oddities) -> None:
        self._attached = attached
        self._oddities = oddities
        self._room = MAX_ATTACHED

    def lines(self, name: str) -> list[bytes]:
        """The lines of a file; those for which there is no room are left out."""
        data = self._attached(name, self._room + 1) if self._room else b"\n"
        if data is None:
            self._oddities.add("{s:file} of messages that {s:is/are} not beside it")
            return []
        if len(data) > self._room:
            self._oddities.add(NO_ROOM)
        data, self._room = data[: self._room], max(0, self._room - len(data))
        return data.splitlines()


def read_har(file: BinaryIO, log: Log, attached: Attached = no_attachments) -> list[str]:
    """Read the WebSocket entries into an empty log: heads, completed where headers are left out, and messages.

    Returns what could not be read, each as the end of a sentence that begins with the name of the file. Raises
    CaptureError if the file is not HAR, or has no entry that can be read.
    """
    oddities = Oddities()
    conversations: list[list[Chunk]] = []
    has_messages = False
    data = file.read(MAX_HAR + 1)
    if len(data) > MAX_HAR:
        raise CaptureError(f"is longer than {MAX_HAR:,} bytes, and a HAR is only read as a whole")
    document, is_whole = _parse(data)
    attachments = _Attachments(attached, oddities)
    for entry in _entries(document):
        messages = _messages(entry, attachments)
        if messages is None:
            continue
        has_messages |= bool(messages)
        try:
            conversations.append(list(read_entry(len(conversations) + 1, entry, messages, oddities)))
        except UnreadableEntry as error:
            oddities.add(f"WebSocket {{s:entry/entries}} without {error}")
    faults = [*_comment(document["log"]), *([] if is_whole else [CUT_SHORT]), *oddities.sentences()]
    if not conversations:
        raise CaptureError("; it ".join([*faults, "has no WebSocket messages in it"]))
    for chunk in heapq.merge(*conversations, key=lambda chunk: chunk.time):
        log.keep(chunk)
    return faults if has_messages else [*faults, f"{NO_MESSAGES}{_by_whom(document['log'])}"]


def _parse(data: bytes) -> tuple[Any, bool]:
    """The document, as far as it is there, and whether that is all of it."""
    text = _decode(data)
    try:
        try:
            return _read_json(text), True
        except (json.JSONDecodeError, RecursionError):
            text = mend_json(text)
        try:
            return _read_json(text), True
        except json.JSONDecodeError as error:
            return _read_json(end_cut_json(text[: error.pos])), False
    except (ValueError, RecursionError):
        raise CaptureError("is not a HAR file: it is not JSON") from None


def _read_json(text: str | bytes) -> Any:
    """The value of JSON, in which strings may have line ends and other control characters, and numbers any length."""
    return json.loads(text, strict=False, parse_int=_int)


def _int(digits: str) -> float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


def _decode(data: bytes) -> str:
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:  # bytes of another encoding in it, which a header gives back as they are; or it was cut
        return data.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "replace")


def _entries(document: Any) -> Iterator[dict[str, Any]]:
    """The entries of a document. Raises CaptureError if it has no list of them."""
    found = document
    for key in "log", "entries":
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise CaptureError("is not a HAR file: it has no list of entries in its log")
    return (entry for entry in found if isinstance(entry, dict))


def _by_whom(content: dict[str, Any]) -> str:
    """Which program has left the messages out: Firefox and Charles export none."""
    creator = content.get("creator")
    name = creator.get("name") if isinstance(creator, dict) else None
    if not isinstance(name, str) or not name.isprintable() or name in EXPORTERS:
        return ""
    return f": {cut(name, 40)} has not exported any, as Chrome does"


def _comment(content: dict[str, Any]) -> list[str]:
    """What wslab has said of a file that it could not write whole."""
    comment = content.get("comment")
    is_ours = content.get("creator") == CREATOR and isinstance(comment, str) and comment.isprintable()
    return [f"{INCOMPLETE}{comment}"] if is_ours and comment else []


def _messages(entry: dict[str, Any], attachments: _Attachments) -> list[Any] | None:
    """The messages of an entry, which may be in a file of their own. None if it is not one of WebSocket."""
    found = [value for name, value in entry.items() if name.lstrip("_").lower() == MESSAGES]
    for messages in found:
        if isinstance(messages, list):
            return messages
    if not (found or _is_websocket(entry)):
        return None
    content = entry.get("response")
    content = content.get("content") if isinstance(content, dict) else None
    name = content.get("_file") if isinstance(content, dict) else None
    return [_line(line) for line in attachments.lines(name) if line.strip()] if isinstance(name, str) else []


def _is_websocket(entry: dict[str, Any]) -> bool:
    """Whether an entry without messages is one of WebSocket all the same: by its kind, address or request."""
    request = entry.get("request")
    if entry.get("_resourceType") == "websocket" or not isinstance(request, dict):
        return entry.get("_resourceType") == "websocket"
    headers = request.get("headers")
    return str(request.get("url")).lower().startswith(WEBSOCKET) or any(
        str(header.get("name")).lower() == "upgrade" and str(header.get("value")).lower() == "websocket"
        for header in (headers if isinstance(headers, list) else [])
        if isinstance(header, dict)
    )


def _line(line: bytes) -> Any:
    """The message in a line of such a file; None if it is no JSON."""
    try:
        return _read_json(line)
    except (ValueError, RecursionError):
        return None
