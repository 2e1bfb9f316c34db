"""Ends: where the TCP connections of a recording have ended, and how (RFC 6455 §7.1.1, RFC 9293 §3.6)."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from wslab.dissector.conversation import Conversation
from wslab.dissector.frames import SeenFrame
from wslab.protocol.frames import Opcode
from wslab.protocol.states import SENDERS, Direction, Role
from wslab.recording.log import Call, Chunk


def find_ends(chunks: Sequence[Chunk], calls: Sequence[Call]) -> dict[int, list[Call]]:
    """The ends of TCP as calls named "end" and "reset", by the place of the chunk behind which they come.

    A tap has marked them. Endpoints mark none: what they have recorded is taken to end, in good order, after its last
    chunk where both close frames are there, or a response that says so. Every other connection was still open.
    """
    first: dict[int, int] = {}
    last: dict[int | tuple[int, Direction], int] = {}  # the place of the last chunk: of a connection, of a side of it
    for place, chunk in enumerate(chunks):
        first.setdefault(chunk.connection, place)
        last[chunk.connection] = last[chunk.connection, chunk.direction] = place
    marks = [call for call in calls if call.name in ("end", "reset") and call.connection in first]
    marked = {mark.connection for mark in marks}
    for connection in _find_closed(chunk for chunk in chunks if chunk.connection not in marked):
        time = chunks[last[connection]].time
        # §7.1.1: the server ends TCP first.
        marks += [Call(time, connection, way, "end", "") for way in reversed(Direction)]
    times = list(accumulate((chunk.time for chunk in chunks), max))
    ends: dict[int, list[Call]] = {}
    over: set[int | tuple[int, Direction]] = set()
    for mark in marks:
        number, side = mark.connection, (mark.connection, mark.direction)
        if number in over or side in over:
            continue
        is_reset = mark.name == "reset"
        over.add(number if is_reset else side)
        place = max(first[number], bisect_right(times, mark.time) - 1, last[number] if is_reset else last.get(side, 0))
        ends.setdefault(place, []).append(mark)
    return ends


def _find_closed(chunks: Iterable[Chunk]) -> Iterator[int]:
    """The connections of which both close frames are there, or a response behind which the server ends TCP."""
    conversations: dict[int, Conversation] = {}
    closed: dict[int, set[Role]] = {}
    for chunk in chunks:
        conversation = conversations.setdefault(chunk.connection, Conversation(kept=0))
        for seen in conversation.receive(SENDERS[chunk.direction], chunk.data):
            if isinstance(seen.what, SeenFrame) and seen.what.header.opcode is Opcode.CLOSE:
                closed.setdefault(chunk.connection, set()).add(seen.sender)
    for number, conversation in conversations.items():
        response = conversation.response
        if len(closed.get(number, ())) == len(Role) or (response and response.headers.has_token("Connection", "close")):
            yield number
