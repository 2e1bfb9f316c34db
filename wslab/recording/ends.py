"""Ends: where the TCP connections of a recording have ended, and how (RFC 6455 §7.1.1, RFC 9293 §3.6)."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from wslab.dissector.frames import DissectedFrame
from wslab.protocol.frames import Opcode
from wslab.protocol.http import Response
from wslab.protocol.states import Direction
from wslab.recording.log import Call, Chunk
from wslab.recording.recorded_frames import dissect_chunks


def find_ends(chunks: Sequence[Chunk], calls: Sequence[Call]) -> dict[int, list[Call]]:
    """The ends of TCP as calls named "end" and "reset", by the index of the chunk after which they come.

    A tap has marked them. Endpoints mark none: what they have recorded is taken to end, in good order, after its last
    chunk where both close frames are there, or a response that says so. Every other connection was still open.
    """
    first: dict[int, int] = {}
    last: dict[int | tuple[int, Direction], int] = {}  # the last chunk: of a connection, of a direction of it
    for index, chunk in enumerate(chunks):
        first.setdefault(chunk.connection, index)
        last[chunk.connection] = last[chunk.connection, chunk.direction] = index
    marks = [call for call in calls if call.name in ("end", "reset") and call.connection in first]
    marked = {mark.connection for mark in marks}
    closed = _find_closed(chunk for chunk in chunks if chunk.connection not in marked)
    for connection in filter(closed.__contains__, first):
        time = chunks[last[connection]].time
        # §7.1.1: the server ends TCP first.
        marks += [Call(time, connection, direction, "end", "") for direction in reversed(Direction)]
    times = list(accumulate((chunk.time for chunk in chunks), max))
    ends: dict[int, list[Call]] = {}
    for mark in _without_repeated(marks):
        number = mark.connection
        mine = last[number] if mark.name == "reset" else last.get((number, mark.direction), 0)
        ends.setdefault(max(first[number], mine, bisect_right(times, mark.time) - 1), []).append(mark)
    return ends


def _find_closed(chunks: Iterable[Chunk]) -> set[int]:
    """The connections that have both close frames, or whose last response says that the server ends TCP after it."""
    refused: dict[int, bool] = {}
    closing: dict[int, set[Direction]] = {}
    for it in dissect_chunks(chunks, kept=0):
        what = it.seen.what
        if isinstance(what, DissectedFrame) and what.header.opcode is Opcode.CLOSE:
            closing.setdefault(it.connection, set()).add(it.direction)
        elif isinstance(what, Response):
            refused[it.connection] = what.headers.has_token("Connection", "close")
    both = (number for number, directions in closing.items() if len(directions) == len(Direction))
    return {*both, *(number for number, is_refused in refused.items() if is_refused)}


def _without_repeated(marks: Iterable[Call]) -> Iterator[Call]:
    """Leave out what is marked of a connection after its reset, and of a direction after its end."""
    over: set[int | tuple[int, Direction]] = set()
    for mark in marks:
        number, direction = mark.connection, (mark.connection, mark.direction)
        if number not in over and direction not in over:
            over.add(number if mark.name == "reset" else direction)
            yield mark
