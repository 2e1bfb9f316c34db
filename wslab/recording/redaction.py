"""Redaction: the chunks of a log without what is secret in the handshakes, byte for byte as long as before.

Each direction of a connection is one stream, which chunks may cut anywhere: its head is joined, what is secret in it
crossed out, and the result put back into the chunks.
"""

import re
from collections.abc import Sequence

from wslab.protocol.states import Direction
from wslab.recording.log import Chunk
from wslab.redaction.redact import redact_bytes, redact_stream

_END_OF_HEAD = b"\r\n\r\n"
_TLS_HANDSHAKE = b"\x16\x03"  # how each direction begins that is encrypted (RFC 8446 §5.1)
_NOT_EMPTY = re.compile(rb"[^\r\n]")


def redact_chunks(chunks: Sequence[Chunk]) -> list[Chunk]:
    """The chunks with an x for each byte of a secret. Frames after a handshake stay as they are.

    A conversation that does not begin with a handshake is searched to its end: requests may follow requests.
    """
    redacted = list(chunks)
    streams: dict[int, dict[Direction, list[int]]] = {}
    for index, chunk in enumerate(redacted):
        streams.setdefault(chunk.connection, {direction: [] for direction in Direction})[chunk.direction].append(index)
    for stream in streams.values():
        heads = {direction: _read_head(redacted, indices) for direction, indices in stream.items()}
        whole = all(head.endswith(_END_OF_HEAD) for head in heads.values())
        upgraded = whole and re.match(rb"HTTP/1\.\d 101\b", heads[Direction.SERVER_TO_CLIENT])
        for direction, indices in stream.items():
            if upgraded:
                _replace(redacted, indices, heads[direction], redact_bytes(heads[direction]))
            elif not heads[direction].startswith(_TLS_HANDSHAKE):  # whose bytes must stay as they are to be decrypted
                data = b"".join(redacted[index].data for index in indices)
                _replace(redacted, indices, data, redact_stream(data))
    return redacted


def _read_head(chunks: Sequence[Chunk], indices: Sequence[int]) -> bytes:
    """The bytes of these chunks, up to the empty line that ends a head."""
    head, begins = bytearray(), -1
    for index in indices:
        searched = len(head)
        head += chunks[index].data
        # RFC 9112 §2.2: an empty line before the head is not its end; a lenient server may take more of them.
        if begins < 0 and (first := _NOT_EMPTY.search(head, searched)):
            begins = first.start()
        if begins >= 0 and (end := head.find(_END_OF_HEAD, max(begins, searched - 3))) >= 0:
            return bytes(head[: end + len(_END_OF_HEAD)])
    return bytes(head)


def _replace(chunks: list[Chunk], indices: Sequence[int], data: bytes, clean: bytes) -> None:
    """Replace `data`, with which these chunks begin, by `clean`, which is as long."""
    position = 0
    for index in indices:
        if clean == data or position >= len(clean):
            return
        chunk = chunks[index]
        piece = clean[position : position + len(chunk.data)]
        if piece:  # else it may be a gap
            chunks[index] = chunk._replace(data=piece + chunk.data[len(piece) :])
        position += len(piece)
