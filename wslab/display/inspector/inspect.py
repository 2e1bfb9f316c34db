"""inspect: bytes, each with its name and its meaning; or a recording, with a row for each head and frame."""

from pathlib import Path
from typing import overload

from wslab.display.inspector.dissect import MOST_ROWS, dissect
from wslab.display.inspector.recording_table import RecordingTable, inspect_recording
from wslab.display.table import Table
from wslab.dissector.dissection import Dissection
from wslab.dissector.payloads import ByteRange
from wslab.protocol.frames import Frame
from wslab.protocol.masking import Buffer
from wslab.protocol.states import SENDERS, Direction
from wslab.recording.recording import Recording

CAPTURES = (".pcapng", ".pcap", ".cap", ".har")


@overload
def inspect(data: Recording, start: int = ..., most: int | None = ..., *, most_bytes: int = ...) -> RecordingTable: ...


@overload
def inspect(
    data: Buffer,
    start: int = ...,
    most: int | None = ...,
    *,
    most_bytes: int = ...,
    deflate: bool | None = ...,
    direction: Direction | None = ...,
) -> Table: ...


def inspect(
    data: Buffer | Recording,
    start: int = 0,
    most: int | None = None,
    *,
    most_bytes: int = 32,
    deflate: bool | None = None,
    direction: Direction | None = None,
) -> Table:
    """Look into bytes or into a `Recording`: a notebook shows the result as a table, and `repr` shows it as text.

    Bytes of a handshake give a row for every line, with cookies, credentials and tokens redacted; bytes of frames give
    a row for every field, and what follows an illegal field is read all the same. At most `most` rows are shown, none
    of them before the byte `start`, and at most `most_bytes` of each payload. `deflate` says whether
    permessage-deflate was agreed on, and `direction` who sent the bytes: without it, masked frames are taken for a
    client's and others for a server's.

    A recording gives a row for every head and frame, in order; `start` and `most` count rows, and `row(n)` of the
    result looks into one of them.

    >>> inspect(bytes.fromhex("8a00"))
    byte  hex  bits      field           value          meaning
    0     8a   1.......  FIN             1              a control frame is never cut into pieces (§5.5)
               .000....  RSV1-3          000            reserved for extensions (§5.2)
               ....1010  opcode          0xa: pong      the answer to a ping, or a sign of life (§5.5.3)
    1     00   0.......  MASK            0: not masked  as every frame from a server (§5.1)
               .0000000  payload length  0              in bytes (§5.2)
    """
    if start < 0 or most_bytes < 1 or (most is not None and most < 1):
        raise ValueError("start counts from 0; most and most_bytes are 1 or more")
    most = MOST_ROWS if most is None else most
    if isinstance(data, Recording):
        return inspect_recording(data, start, most, most_bytes)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"inspect takes bytes or a Recording, not {type(data).__name__}{_advice(data)}")
    sender = None if direction is None else SENDERS[direction]
    return dissect(Dissection(bytes(data), ByteRange(start, most_bytes), sender, deflate), start, most)


def _advice(value: object) -> str:
    """How to make bytes or a recording of a value that is neither."""
    if isinstance(value, Frame):
        return ": serialize_frame makes bytes of a frame"
    if isinstance(value, Path) or (isinstance(value, str) and value.lower().endswith(CAPTURES)):
        return ": Recording.load reads a file"
    return ": bytes.fromhex makes bytes of hex digits" if isinstance(value, str) else ""
