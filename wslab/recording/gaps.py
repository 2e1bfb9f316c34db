"""Gaps: the pieces of a conversation in; out, what can be read of them where a capture has lost bytes.

Strategy: a frame whose header is there tells where the next one begins, though bytes of its payload are missing: its
reader knows. Everywhere else, the next frame begins with the first segment from which legal frames follow up to the
next gap, at least one of which ends a message. Behind a gap in a head or in TLS, nothing can be read.
"""

from wslab.dissector.conversation import Conversation
from wslab.protocol.states import Role
from wslab.recording.log import Gap
from wslab.recording.runs import find_run
from wslab.recording.tcp import Piece


def bridge_gaps(pieces: list[Piece], client: int) -> list[Piece]:
    """The pieces of a conversation, in which each gap says where the next frame begins; `client` is a side."""
    if not any(isinstance(piece.data, Gap) for piece in pieces):
        return pieces
    behind: dict[int, list[bytes]] = {}
    current: dict[int, list[bytes]] = {}
    for place, piece in enumerate(pieces):
        if isinstance(piece.data, Gap):
            behind[place] = current[piece.side] = []
        elif piece.side in current:
            current[piece.side].append(piece.data)
    conversation, bridged, over = Conversation(kept=0), [], set()
    for place, piece in enumerate(pieces):
        if piece.side in over:
            continue
        if isinstance(piece.data, Gap):
            piece = piece._replace(data=Gap(piece.data.size, _skipped(behind[place], piece.side == client)))
            over |= set() if conversation.has_frames else {piece.side}
        elif not conversation.has_frames:
            conversation.receive(Role.CLIENT if piece.side == client else Role.SERVER, piece.data)
        bridged.append(piece)
    return bridged


def _skipped(pieces: list[bytes], is_masked: bool) -> int | None:
    """How many bytes come before the first frame; None if there is none."""
    run = find_run(pieces, is_masked)
    return sum(map(len, pieces[: run.dropped])) if run is not None and run.ends else None
