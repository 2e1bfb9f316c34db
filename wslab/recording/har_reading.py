"""HAR files: a document of any program in, the chunks of the WebSocket conversations in it out (HAR 1.2).

A HAR keeps messages, not frames: what is loaded has a frame for each message, uncompressed, with the masking key
00 00 00 00. What is odd in an entry costs only itself, and is told.
"""

import heapq
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from wslab.dissector.wording import cut
from wslab.recording.errors import INCOMPLETE, CaptureError
from wslab.recording.har import CREATOR
from wslab.recording.har_entries import Oddities, UnreadableEntry, read_entry
from wslab.recording.log import Chunk, Log

MESSAGES = "websocketmessages"  # as Chrome calls them, `_webSocketMessages`, without what others write otherwise
WEBSOCKET = ("ws://", "wss://")
EXPORTERS = ("WebInspector", CREATOR["name"])  # Chrome calls itself so
NO_MESSAGES = "has handshakes in it, but no WebSocket messages"
MAX_HAR = 512 * 1024 * 1024  # bytes
Attached = Callable[[str], bytes | None]  # the bytes of the file with this name beside the HAR, None if there is none


def no_attachments(_name: str) -> None:
    """Where nothing is beside the file."""


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
    document = _parse(data)
    for entry in _entries(document):
        messages = _messages(entry, attached, oddities)
        if messages is None:
            continue
        has_messages |= bool(messages)
        try:
            conversations.append(list(read_entry(len(conversations) + 1, entry, messages, oddities)))
        except UnreadableEntry as error:
            oddities.add(f"WebSocket {{s:entry/entries}} without {error}")
    faults = [*_comment(document["log"]), *oddities.sentences()]
    if not conversations:
        raise CaptureError("; it ".join([*faults, "has no WebSocket messages in it"]))
    for chunk in heapq.merge(*conversations, key=lambda chunk: chunk.time):
        log.keep(chunk)
    return faults if has_messages else [*faults, f"{NO_MESSAGES}{_by_whom(document['log'])}"]


def _parse(data: bytes) -> Any:
    try:
        try:
            return json.loads(data)
        except UnicodeDecodeError:  # bytes of another encoding in it, which a header gives back as they are
            return json.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        raise CaptureError("is not a HAR file: it is not JSON") from None


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


def _messages(entry: dict[str, Any], attached: Attached, oddities: Oddities) -> list[Any] | None:
    """The messages of an entry, which may be in a file of their own. None if it is not one of WebSocket."""
    found = [value for name, value in entry.items() if name.lstrip("_").lower() == MESSAGES]
    if found and isinstance(found[0], list):
        return found[0]
    if not (found or _is_websocket(entry)):
        return None
    content = entry.get("response")
    content = content.get("content") if isinstance(content, dict) else None
    name = content.get("_file") if isinstance(content, dict) else None
    if not isinstance(name, str):
        return []
    data = attached(name)
    if data is None:
        oddities.add("{s:file} of messages that {s:is/are} not beside it")
        return []
    return [_line(line) for line in data.splitlines() if line.strip()]


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
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
