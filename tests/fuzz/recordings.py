"""Targets for recordings: files of any bytes are read, and whatever bytes went over a wire are saved and shown."""

import warnings
from collections.abc import Callable
from io import BytesIO
from itertools import chain
from typing import BinaryIO

from support.wire import pieces

from fuzz.views import check_view
from wslab.display.inspector.inspect import inspect
from wslab.dissector.conversation import Conversation
from wslab.protocol.frames import parse_frame
from wslab.protocol.http import parse_request, parse_response
from wslab.protocol.states import SENDERS, Direction, Role
from wslab.recording.capture import read_capture, write_capture
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.har import write_har
from wslab.recording.har_reading import read_har
from wslab.recording.log import Gap
from wslab.recording.packets import ACK, LINKTYPE_RAW, SYN, Endpoint, Segment, serialize_segment
from wslab.recording.pcapng import Packet
from wslab.recording.recording import Recording
from wslab.recording.redaction import redact_chunks
from wslab.recording.tcp import CLIENT, SERVER, read_conversations

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
TURN = b"\n<>\n"  # between the bytes of one side and those of the other


class _File(BytesIO):
    name = "fuzzed"


def _read(reader: Callable[[BinaryIO, Recording], None], data: bytes) -> Recording | None:
    """The recording in a file, None if there is none: one sentence says why."""
    recording, why = Recording(), ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CaptureWarning)
        try:
            reader(_File(data), recording)
        except CaptureError as error:
            why = str(error)
    assert why.isprintable()
    assert bool(recording.chunks) is not bool(why)
    return None if why else recording


def _write(writer: Callable[[BinaryIO, Recording, bool], None], recording: Recording, secrets: bool) -> bytes:
    """The file, empty where it cannot hold a time."""
    file, why = BytesIO(), ""
    try:
        writer(file, recording, secrets)
    except CaptureError as error:
        why = str(error)
    assert not why or why.startswith("cannot hold a time of ")
    return b"" if why else file.getvalue()


# Files


def check_capture(data: bytes) -> None:
    """A target: any pcapng or pcap is refused, or is a recording that can be saved."""
    recording = _read(read_capture, data)
    if recording is not None:
        _check_capture_of(recording, secrets=True)


def check_har(data: bytes) -> None:
    """A target: any HAR is refused, or is a recording of legal heads and whole frames."""
    recording = _read(read_har, data)
    if recording is None:
        return
    for number in recording.connections:
        head = parse_request(recording.bytes_sent(number, UP))
        assert head is not None
        _check_frames(recording.bytes_sent(number, UP)[head[1] :])
        received = recording.bytes_sent(number, DOWN)
        if received and not received.startswith(b"HTTP/"):
            _check_frames(received)
        elif (answer := parse_response(received)) and answer[0].status == 101:
            _check_frames(received[answer[1] :])


def _check_frames(data: bytes) -> None:
    while data:
        _, used = parse_frame(data)
        data = data[used:]


def _check_capture_of(recording: Recording, secrets: bool) -> None:
    """Saved with its secrets, all of it comes back; without them, as many bytes."""
    file = _write(write_capture, recording, secrets)
    loaded = _read(read_capture, file) if file else recording
    assert loaded is not None
    same = bytes if secrets else len
    assert list(map(same, _streams(loaded))) == list(map(same, _streams(recording)))


def _streams(recording: Recording) -> list[bytes]:
    return [recording.bytes_sent(number, way) for number in recording.connections for way in Direction]


# Segments


STREAMS = bytes(range(256)), bytes(range(255, -1, -1))  # of the client, of the server


def check_segments(data: bytes) -> None:
    """A target: segments of two streams in any order, cut and repeated in any way, give what has come.

    Eight bytes say where the sequence numbers begin, then each four who sends which part of its stream: the side, where
    the part begins, its size, and whether both open the connection once more.
    """
    parts: list[tuple[int, range]] = []
    segments: list[Segment] = []
    firsts = [int.from_bytes(data[start : start + 4].ljust(4, b"\0"), "big") for start in (0, 4)]
    opening = [_segment(CLIENT, SYN, firsts[CLIENT]), _segment(SERVER, SYN | ACK, firsts[SERVER])]
    for choice, start, size, again in [(0, 0, 0, 1), *zip(*[iter(data[8:])] * 4, strict=False)]:
        side, part = choice % 2, range(256)[start : start + size]
        parts.append((side, part))
        segments += opening if again % 2 else []
        segments.append(_segment(side, ACK, firsts[side] + 1 + start, STREAMS[side][part.start : part.stop]))
    packets = [Packet(float(n), LINKTYPE_RAW, serialize_segment(segment)) for n, segment in enumerate(segments)]
    [conversation] = read_conversations(packets)
    assert conversation.client == CLIENT
    for side in (CLIENT, SERVER):
        there = {place for sender, part in parts if sender == side for place in part}
        end, found = max(there, default=-1) + 1, [piece.data for piece in conversation.pieces if piece.side == side]
        sent = [STREAMS[side][place] if place in there else None for place in range(end)]
        came = [[None] * piece.size if isinstance(piece, Gap) else list(piece) for piece in found]
        assert list(chain.from_iterable(came)) == sent
        assert conversation.streams[side].missing == sent.count(None)
        numbers = [piece.number for piece in conversation.pieces]
        assert numbers == sorted(numbers)


def _segment(side: int, flags: int, sequence: int, data: bytes = b"") -> Segment:
    ends = Endpoint(bytes(4), 50000), Endpoint(bytes(4), 80)
    return Segment(ends[side], ends[1 - side], sequence, 0, flags, data)


# What went over a wire


def check_recorded(data: bytes) -> None:
    """A target: whatever two sides say in turn, a view shows the same, and as much is crossed out, however it is cut.

    The first byte is the size of the pieces; client and server take turns.
    """
    size, turns = max(data[:1], default=0) or 1, data[1:].split(TURN)
    said = [(DOWN if number % 2 else UP, turn) for number, turn in enumerate(turns) if turn]
    whole, cut = Recording(clock=lambda: 0.0), Recording(clock=lambda: 0.0)
    for way, turn in said:
        whole.add(1, way, turn)
        for piece in pieces(turn, (size,)):
            cut.add(1, way, piece)
    one, other = _see(whole), _see(cut)
    assert one is None or other is None or one == other
    for way in Direction:
        assert _crossed_out(cut, way) == _crossed_out(whole, way)
    if whole.chunks:
        check_view(inspect(whole))
        for secrets in (True, False):
            _check_capture_of(whole, secrets)
            _read(read_har, _write(write_har, whole, secrets))


def _crossed_out(recording: Recording, way: Direction) -> bytes:
    return b"".join(chunk.data for chunk in redact_chunks(recording.chunks) if chunk.direction is way)


def _see(recording: Recording) -> list[tuple[Role, str]] | None:
    """Heads and frames in order; None if something is found to be no WebSocket, which may be later in pieces."""
    conversation = Conversation()
    seen = [one for chunk in recording.chunks for one in conversation.receive(SENDERS[chunk.direction], chunk.data)]
    seen += [one for sender in Role for one in conversation.end(sender)]
    told = [(one.sender, str(one)) for one in seen]
    return None if any(text.startswith("not WebSocket") for _, text in told) else told
