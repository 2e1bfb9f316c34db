"""Captures that have lost packets: what is read of them, beside Wireshark, and what no view and no file may show."""

import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.capture_files import captured, enhanced, interface, load, pcap, section, segments_of, sent_by
from support.heads_and_frames import DEFLATE, masked, request, response, text
from support.wireshark import dissect

from wslab import Direction, Frame, Opcode, Recording, draw_ladder, draw_timeline, inspect, play, serialize_frame
from wslab.dissector.messages import MessageJoiner
from wslab.recording.detection import detect_websocket
from wslab.recording.errors import CaptureWarning
from wslab.recording.gaps import bridge_gaps
from wslab.recording.log import Gap
from wslab.recording.packets import Segment, serialize_segment
from wslab.recording.recorded_frames import dissect_recording
from wslab.recording.tcp import CLIENT, SERVER

HEADS = [(CLIENT, request()), (SERVER, response())]
HELLO = serialize_frame(Frame(Opcode.TEXT, b"Hello"))


def read_without(path: Path, segments: list[Segment], *lost: int, name: str = "lost.pcap") -> Recording:
    """What is read of a capture without some of the segments that carry data, which are counted from 0."""
    data = [segment for segment in segments if segment.data]
    packets = [serialize_segment(one) for one in segments if one not in [data[place] for place in lost]]
    file = pcap(packets)
    if name.endswith("ng"):
        file = section("<") + interface("<") + b"".join(enhanced("<", 0, 1, packet) for packet in packets)
    with pytest.warns(CaptureWarning):
        return load(path, file, name)


def lines(recording: Recording) -> list[str]:
    return [str(it.seen) for it in dissect_recording(recording)][2:]


# What is read


def long_frames(rng: random.Random) -> list[tuple[int, bytes]]:
    sizes = [rng.choice([3, 30, 200, 4000, 9000]) for _ in range(12)]
    return [(rng.choice([CLIENT, SERVER]), b"%d" % n * size) for n, size in enumerate(sizes, 10)]


def short_messages(rng: random.Random) -> list[tuple[int, bytes]]:
    return [(rng.choice([CLIENT, SERVER]), b'{"tick": %d}' % n) for n in range(30)]


def sent_in_frames(rng: random.Random, messages: list[tuple[int, bytes]], deflate: bool, takeover: bool):
    """What both sides send for these messages: some in fragments, some with the next one in the same segment."""
    compressors, waiting = [zlib.compressobj(wbits=-15) for _ in (CLIENT, SERVER)], [b"", b""]
    for side, payload in messages:
        if deflate:
            compressor = compressors[side] if takeover else zlib.compressobj(wbits=-15)
            payload = (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
        cut = rng.choice([0, 0, len(payload) // 2])
        frames = [Frame(Opcode.TEXT, payload[:cut], fin=False, rsv1=deflate)] if cut else []
        kind = Opcode.CONTINUATION if cut else Opcode.TEXT
        frames += [Frame(kind, payload[cut:], rsv1=deflate and not cut)]
        key = rng.randbytes(4) if side == CLIENT else None
        waiting[side] += b"".join(serialize_frame(frame, key) for frame in frames)
        if rng.random() < 0.7:
            yield side, waiting[side]
            waiting[side] = b""


@pytest.mark.parametrize("messages", [long_frames, short_messages])
@pytest.mark.parametrize(("deflate", "takeover"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("seed", range(3))
def test_of_a_capture_with_gaps_all_is_read_that_wireshark_reads_and_nothing_that_was_not_sent(
    tmp_path, messages, deflate, takeover, seed
):
    rng = random.Random(seed)
    sent = messages(rng)
    more = DEFLATE if deflate else ()
    heads = [(CLIENT, request(more=more)), (SERVER, response(*more))]
    last = [(CLIENT, masked(Opcode.PING)), (SERVER, serialize_frame(Frame(Opcode.PING)))]
    segments = segments_of(*heads, *sent_in_frames(rng, sent, deflate, takeover), *last)
    count = sum(bool(segment.data) for segment in segments)
    lost = rng.sample(range(2, count - len(last)), rng.choice([1, 2, 4]))
    name = rng.choice(["lost.pcap", "lost.pcapng"])
    recording = read_without(tmp_path, segments, *lost, name=name)
    recording.save(tmp_path / "again.pcapng")

    payloads = {payload for _, payload in sent}
    joiners = {direction: MessageJoiner(20_000) for direction in Direction}
    found = [message for it in dissect_recording(recording, 20_000) for message in joiners[it.direction].feed(it.seen)]
    read = [message.frame.payload for message in found if message.is_whole and not message.frame.is_deflated]
    assert set(read) <= payloads
    assert len(set(read)) == len(read)
    assert not any(it.seen.illegal for it in dissect_recording(recording))
    for file in (name, "again.pcapng"):
        if not takeover:  # Wireshark goes on with a window from which something is missing, and may be lucky
            assert {frame.payload for frame in dissect(tmp_path / file)} & payloads <= set(read)
    with pytest.warns(CaptureWarning):
        assert lines(Recording.load(tmp_path / "again.pcapng")) == lines(recording)


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ([2], ["11 bytes missing: read on where a segment begins with a frame", 'text "Bye"', 'text "Hello"']),
        ([2, 4], ["20 bytes missing: nothing after them begins with a frame", 'text "Hello"']),
        ([3], ['text "Hello"', "7 bytes missing: nothing after them begins with a frame", 'text "Bye"']),
    ],
)
def test_what_is_missing_between_frames_is_told_where_it_is(tmp_path, lost, told):
    segments = segments_of(*HEADS, (CLIENT, text("Hello")), (SERVER, HELLO), (CLIENT, text("Bye")))
    recording = read_without(tmp_path, segments, *lost)

    assert sorted(lines(recording)) == sorted(told)
    assert [row[-1] for row in inspect(recording).rows][2:] == lines(recording)


def test_what_is_missing_at_the_end_has_a_row_and_no_bytes(tmp_path):
    recording = read_without(tmp_path, segments_of(*HEADS, (CLIENT, text("Hello"))), 2)

    assert repr(inspect(recording).row(2)).splitlines()[1].split(maxsplit=1) == [
        "missing",
        "11 bytes missing: nothing after them begins with a frame",
    ]


def test_a_row_ends_with_the_bytes_before_a_gap(tmp_path):
    frame = masked(Opcode.TEXT, b"Hello")
    segments = segments_of(*HEADS, (CLIENT, frame[:8]), (CLIENT, frame[8:] + frame[:1]), (CLIENT, frame[1:] + frame))
    recording = read_without(tmp_path, segments, 3)

    assert lines(recording)[0] == "cut short: 2 of 5 bytes of a text frame"
    assert "missing: 3 bytes of the payload" in repr(inspect(recording).row(2))


# Heads


@pytest.mark.parametrize("place", range(1, 6))
@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_handshake_of_which_a_part_is_lost_costs_no_frames(tmp_path, side, place):
    head = HEADS[side][1]
    pieces = [(side, head[start : start + 30]) for start in range(0, len(head), 30)][:5]
    pieces[-1] = (side, head[120:])
    heads = [*pieces, HEADS[SERVER]] if side == CLIENT else [HEADS[CLIENT], *pieces]
    segments = segments_of(*heads, (CLIENT, text("Hello")), (SERVER, HELLO))
    lost = place - 1 + (side == SERVER)
    recording = read_without(tmp_path, segments, lost)

    found = [str(it.seen) for it in dissect_recording(recording)]
    assert found.count('text "Hello"') == 2
    assert not any(it.seen.illegal for it in dissect_recording(recording))


@pytest.mark.parametrize("lost", [[1], [2]])
def test_behind_a_gap_in_a_head_or_a_body_nothing_is_read_nor_written(tmp_path, lost):
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 60\r\n\r\n" + b'{"user": "ada", "token": "'
    sent = [
        (CLIENT, request()),
        (SERVER, refused[:60]),
        (SERVER, refused[60:]),
        (SERVER, b'sesame", "x": "y"}' + b" " * 16),
    ]
    recording = read_without(tmp_path, segments_of(*sent), *lost)
    recording.save(tmp_path / "again.pcapng")

    assert b"sesame" not in (tmp_path / "again.pcapng").read_bytes()
    assert "sesame" not in repr(inspect(recording))
    assert "missing: what follows is not read" in repr(inspect(recording))


def test_a_gap_tells_where_frames_begin_and_pieces_without_gaps_stay_as_they_are():
    segments = segments_of(*HEADS, (CLIENT, text("Hello")), (SERVER, HELLO), (CLIENT, text("Bye")))
    (whole,) = captured(segments)
    assert bridge_gaps(whole.pieces, 0) is whole.pieces

    (torn,) = captured([segment for segment in segments if segment.data != text("Hello")])
    (gap,) = [piece.data for piece in bridge_gaps(torn.pieces, 0) if isinstance(piece.data, Gap)]
    assert (gap.size, gap.skipped) == (11, 0)


def test_of_both_heads_that_are_torn_the_frames_tell_who_is_the_client():
    heads = [(side, piece) for side, head in HEADS for piece in (head[:80], head[80:90], head[90:])]
    segments = segments_of(*heads, (CLIENT, text("Hello")), (SERVER, HELLO))
    data = [segment for segment in segments if segment.data]
    (torn,) = captured([segment for segment in segments if segment not in (data[1], data[4])])
    detected = detect_websocket(torn)

    assert detected.client == 0
    assert (sent_by(detected, CLIENT), sent_by(detected, SERVER)) == (text("Hello"), HELLO)


# Secrets

SECRET = b'{"token": "sesameSESAME"}'
VIEWS: dict[str, Callable[[Recording], object]] = {
    "inspect": inspect,
    "rows": lambda recording: [table.row(int(row[0])) for table in [inspect(recording)] for row in table.rows],
    "ladder": draw_ladder,
    "timeline": draw_timeline,
    "play": play,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("cut", range(6, len(SECRET), 6))
def test_no_view_shows_the_end_of_a_secret_that_a_gap_has_cut(tmp_path, view, cut):
    first, last = masked(Opcode.TEXT, SECRET[:cut], fin=False), masked(Opcode.CONTINUATION, SECRET[cut:])
    whole, ping = masked(Opcode.TEXT, SECRET), masked(Opcode.PING)
    for pieces in ([whole[:-14], whole[-14:-11], whole[-11:]], [first, ping, last], [first[:8], first[8:], last]):
        sent = [(CLIENT, piece) for piece in [*pieces, text("Hello")]]
        shown = repr(view(read_without(tmp_path, segments_of(*HEADS, *sent), 3)))
        assert not any(word in shown for word in ("ESAME", "SAME", "45 53 41", "41 4d 45"))
        assert "Hello" in shown or view is play
