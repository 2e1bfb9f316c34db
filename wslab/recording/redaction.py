"""Redaction: the chunks of a recording without what is secret in the handshakes, byte for byte as long as before."""

import re
from collections.abc import Sequence

from wslab.protocol.redaction import redact_body, redact_bytes
from wslab.protocol.states import Direction
from wslab.recording.log import Chunk

_END_OF_HEAD = b"\r\n\r\n"
_NOT_EMPTY = re.compile(rb"[^\r\n]")


def redact_chunks(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The chunks with an x for each byte of a secret, wherever it is cut; frames behind a handshake stay as they are.

    A conversation that does not begin with a handshake is looked through to its end: requests may follow requests.
    """
    redacted = list(chunks)
    streams: dict[int, dict[Direction, list[int]]] = {}
    for place, chunk in enumerate(redacted):
        streams.setdefault(chunk.connection, {way: [] for way in Direction})[chunk.direction].append(place)
    for ways in streams.values():
        heads = {way: _read_head(redacted, places) for way, places in ways.items()}
        whole = all(head.endswith(_END_OF_HEAD) for head in heads.values())
        upgraded = whole and re.match(rb"HTTP/1\.\d 101\b", heads[Direction.SERVER_TO_CLIENT])
        for way, places in ways.items():
            if upgraded:
                _replace(redacted, places, heads[way], redact_bytes(heads[way]))
            else:
                data = b"".join(redacted[place].data for place in places)
                _replace(redacted, places, data, redact_body(data))
    return redacted


def _read_head(chunks: Sequence[Chunk], places: Sequence[int]) -> bytes:
    """The bytes of the chunks at these places, up to the empty line that ends a head."""
    head = bytearray()
    for place in places:
        looked_at = len(head)
        head += chunks[place].data
        # RFC 9112 §2.2: an empty line before the head is not its end; a lenient server may take more of them.
        first = _NOT_EMPTY.search(head)
        if first and (end := head.find(_END_OF_HEAD, max(first.start(), looked_at - 3))) >= 0:
            return bytes(head[: end + len(_END_OF_HEAD)])
    return bytes(head)


def _replace(chunks: list[Chunk], places: Sequence[int], data: bytes, clean: bytes) -> None:
    """Put `clean` in the place of `data`, with which the chunks at these places begin."""
    position = 0
    for place in places:
        if clean == data or position >= len(clean):
            return
        piece = clean[position : position + len(chunks[place].data)]
        chunks[place] = chunks[place]._replace(data=piece + chunks[place].data[len(piece) :])
        position += len(piece)
