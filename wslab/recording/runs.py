"""runs: the pieces of one side in; out, where legal frames begin, found without a handshake (RFC 6455 §5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import MAX_HEADER, parse_header
from wslab.recording.log import Gap

LOOKED_AT = 1024 * 1024  # bytes from the start of each side, or from a gap on


@dataclass(frozen=True)
class Run:
    """Legal frames up to the end of a side.

    So many pieces were `dropped` before them; all are `masked`, or none (None if there is no frame); so many of them
    are whole and the `ends` of messages.
    """

    dropped: int
    masked: bool | None = None
    ends: int = 0


class _Outcome(IntEnum):
    """What is known of the frames from an offset on: nothing, that none of them ends a message, that one is illegal."""

    UNKNOWN = 0
    ENDLESS = 1
    ILLEGAL = 2


def find_run(pieces: Sequence[bytes], is_masked: bool | None = None) -> Run | None:
    """The first run that begins with a piece and has the end of a message in it; else the first one without an end.

    It ends with the pieces, or with a gap between them. `is_masked` says whether its frames must be, None if not known.
    """
    begin, unfinished = 0, None
    for end in (place for place in range(len(pieces) + 1) if place == len(pieces) or isinstance(pieces[place], Gap)):
        run = _find_run_between_gaps(pieces[begin:end], is_masked) if begin < end or not pieces else None
        if run is not None:
            run = replace(run, dropped=begin + run.dropped)
            if run.ends:
                return run
            unfinished = unfinished or run
        begin = end + 1
    return unfinished


def _find_run_between_gaps(pieces: Sequence[bytes], is_masked: bool | None) -> Run | None:
    data = b"".join(pieces)[:LOOKED_AT]
    offset, unfinished = 0, None if data else Run(0)
    outcomes = bytearray(len(data))  # so that no header is read twice, however many runs meet in it
    for dropped, piece in enumerate(pieces):
        run = _read_run(data, offset, Run(dropped, is_masked), outcomes) if offset < len(data) else None
        if run is not None and run.ends:
            return run
        unfinished = unfinished or run
        offset += len(piece)
    return unfinished


def _read_run(data: bytes, offset: int, empty: Run, outcomes: bytearray) -> Run | None:
    masked, ends, outcome = empty.masked, 0, _Outcome.ENDLESS
    begins = []
    while offset < len(data):
        try:
            parsed = parse_header(data[offset : offset + MAX_HEADER])
        except ProtocolError:
            outcome = _Outcome.ILLEGAL
            break
        if parsed is None:
            break
        header, size = parsed
        has_mask = header.masking_key is not None
        if header.rsv2 or header.rsv3 or masked not in (None, has_mask) or outcomes[offset] == _Outcome.ILLEGAL:
            outcome = _Outcome.ILLEGAL
            break
        masked = has_mask
        if outcomes[offset] == _Outcome.ENDLESS:
            break
        begins.append(offset)
        offset += size + header.payload_length
        ends += offset <= len(data) and header.fin  # zeros are legal, too: empty frames that end no message
    for begin in begins:
        outcomes[begin] = outcome
    return None if outcome is _Outcome.ILLEGAL else replace(empty, masked=masked, ends=ends)
