"""Recordings as capture files: what Wireshark makes of them, and what comes back."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.capture_files import (
    A,
    B,
    conversation_packets,
    is_small_talk,
    load,
    pcap,
    saved,
    segments_of,
    small_talk,
)
from support.heads_and_frames import RESPONSE, deflated, masked, request, response, text
from support.raw_peer import RawPeer, live_server
from support.recordings import TEXT, talk, talk_in_fragments
from support.waiting import PATIENCE, wait_until
from support.wireshark import Dissected, complaints, dissect, tshark

from wslab import ConnectionClosed, Direction, Frame, Opcode, Recording, Tap, connect, parse_frame, serialize_frame
from wslab.protocol.deflate import PermessageDeflate
from wslab.recording.capture import MOST_TOLD
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.packets import FIN, RST, Endpoint, parse_segment, serialize_segment
from wslab.recording.pcapng import CaptureReader
from wslab.recording.recorded_frames import dissect_chunks
from wslab.recording.tcp import CLIENT, SERVER
from wslab.tap.faults import cut

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
TAIL = b"\x00\x00\xff\xff"
COMPRESSIBLE = ["Hello", "Hello", TEXT, "x" * 300_000, b"\x00\x01", bytes(70_000), os.urandom(3000), "Hello"]
UNMASKED = 262_144  # bytes: Wireshark unmasks no more of a frame
PLAIN = ["Hello", "", b"", TEXT, *(os.urandom(size) for size in (1, 125, 126, 65535, 65536, UNMASKED)), "x" * 70_000]


def frames_of(recording: Recording, number: int, direction: Direction, takeover: bool = True) -> Iterator[Dissected]:
    """What our parser sees in one direction of a connection, in the shape of what Wireshark sees."""
    rest = recording.bytes_sent(number, direction).partition(b"\r\n\r\n")[2]
    inflater, message, compressed = zlib.decompressobj(-15), b"", False
    client, server = recording.addresses[number]
    while rest:
        frame, used = parse_frame(rest)
        rest = rest[used:]
        payload = b"" if frame.opcode is Opcode.CLOSE else frame.payload
        if not frame.opcode.is_control:
            compressed = frame.rsv1 if frame.opcode is not Opcode.CONTINUATION else compressed
            message += frame.payload
            payload = message if frame.fin else b""
            if frame.fin and compressed:
                payload = inflater.decompress(message + TAIL)
                inflater = inflater if takeover else zlib.decompressobj(-15)
            message = b"" if frame.fin else message
        is_close = frame.opcode is Opcode.CLOSE
        yield Dissected(
            stream=recording.connections.index(number),
            from_port=(client if direction is UP else server)[1],
            fin=frame.fin,
            rsv=frame.rsv1 << 2 | frame.rsv2 << 1 | frame.rsv3,
            opcode=int(frame.opcode),
            masking_key=frame.masking_key,
            length=len(frame.payload),
            payload=payload,
            close_code=int.from_bytes(frame.payload[:2], "big") or None if is_close else None,
            close_reason=frame.payload[2:].decode() if is_close else "",
        )


def frames_in(recording: Recording, takeover: bool = True) -> list[Dissected]:
    return [f for n in recording.connections for way in Direction for f in frames_of(recording, n, way, takeover)]


def dissected(path, recording: Recording) -> list[Dissected]:
    """What Wireshark sees, in the order of `frames_in`."""
    clients = {client[1] for client, _ in recording.addresses.values()}
    return sorted(dissect(path), key=lambda frame: (frame.stream, frame.from_port not in clients))


@pytest.mark.parametrize(
    ("messages", "deflate"),
    [
        pytest.param(PLAIN, False, id="uncompressed"),
        pytest.param(COMPRESSIBLE, True, id="compressed"),
        pytest.param(COMPRESSIBLE, PermessageDeflate(True, True, 9, 10), id="compressed without takeover"),
    ],
)
def test_wireshark_sees_every_field_of_every_frame_as_we_do(messages, deflate, tmp_path):
    recording = Recording()
    with live_server(deflate=deflate) as server:
        for _ in range(3):
            talk(recording, server.url, messages, deflate=deflate)
    recording.save(tmp_path / "talk.pcapng")

    seen = dissected(tmp_path / "talk.pcapng", recording)
    assert seen == frames_in(recording, takeover=isinstance(deflate, bool))
    assert len(seen) >= 3 * 2 * (len(messages) + 4)
    assert complaints(tmp_path / "talk.pcapng") == []


def test_wireshark_joins_the_fragments_of_a_message_as_we_do(tmp_path):
    recording = Recording()
    with live_server(deflate=False) as server:
        talk_in_fragments(recording, server.url, deflate=False)
    recording.save(tmp_path / "talk.pcapng")

    assert dissected(tmp_path / "talk.pcapng", recording) == frames_in(recording)
    assert complaints(tmp_path / "talk.pcapng") == []


def test_fragments_that_are_compressed_have_the_same_fields_though_wireshark_does_not_decompress_them(tmp_path):
    recording = Recording()
    with live_server() as server:
        talk_in_fragments(recording, server.url)
    recording.save(tmp_path / "talk.pcapng")

    def fields(frame: Dissected) -> tuple[object, ...]:
        return frame.stream, frame.from_port, frame.fin, frame.rsv, frame.opcode, frame.masking_key, frame.length

    assert [*map(fields, dissected(tmp_path / "talk.pcapng", recording))] == [*map(fields, frames_in(recording))]


def test_a_refused_an_illegal_and_an_unfinished_handshake_are_good_tcp_for_wireshark(tmp_path):
    recording = Recording()
    for number, sent in enumerate([request("BREW / HTTP/1.1"), b"\x00\xff" * 50, request()[:50], b""], 1):
        recording.add(number, UP, sent)
        recording.add(number, DOWN, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[: len(sent)])
    recording.save(tmp_path / "talk.pcapng")

    assert complaints(tmp_path / "talk.pcapng") == []
    opened = tshark(
        tmp_path / "talk.pcapng", "-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0", "-T", "fields", "-e", "ip.src"
    )
    assert opened.splitlines() == ["127.0.0.1"] * 4


def test_each_packet_has_the_time_of_its_chunk_and_the_first_and_last_those_of_the_opening_and_closing(tmp_path):
    path = saved(tmp_path, small_talk(iter([0.5, 1.000000001, 1_700_000_000.1234567, 2**34]).__next__))
    with path.open("rb") as file:
        times = [packet.time for packet in CaptureReader(file)]

    assert times == [0.5] * 4 + [1.000000001, 1_700_000_000.1234567, 2**34]


def ends_in(path: Path) -> list[tuple[float, str, str]]:
    """The time, the flag and the sender of each FIN and RST; the server is the one at port 80."""
    with path.open("rb") as file:
        packets = [(packet.time, parse_segment(packet.data)) for packet in CaptureReader(file)]
    return [
        (time, "RST" if segment.flags & RST else "FIN", "server" if segment.source.port == 80 else "client")
        for time, segment in packets
        if segment.flags & (RST | FIN)
    ]


CLOSE = (UP, serialize_frame(Frame(Opcode.CLOSE), bytes(4))), (DOWN, serialize_frame(Frame(Opcode.CLOSE)))
SMALL_TALK = [(UP, request()), (DOWN, RESPONSE), (UP, text("Hello")), (DOWN, b"\x81\x05Hello")]


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        pytest.param(SMALL_TALK, [], id="still open"),
        pytest.param([*SMALL_TALK, CLOSE[0]], [], id="one close frame"),
        pytest.param([*SMALL_TALK, *CLOSE], [(5, "FIN", "server"), (5, "FIN", "client")], id="both close frames"),
        pytest.param(
            [SMALL_TALK[0], (DOWN, b"HTTP/1.1 403 No\r\nConnection: close\r\n\r\n")],
            [(1, "FIN", "server"), (1, "FIN", "client")],
            id="refused",
        ),
        pytest.param([SMALL_TALK[0], (DOWN, b"HTTP/1.1 403 No\r\n\r\n")], [], id="refused, and left open"),
        pytest.param([*SMALL_TALK, (UP, "end")], [(4, "FIN", "client")], id="half-closed"),
        pytest.param(
            [*SMALL_TALK[:3], (UP, "end"), SMALL_TALK[3], (DOWN, "end")],
            [(3, "FIN", "client"), (5, "FIN", "server")],
            id="half-closed first",
        ),
        pytest.param([*SMALL_TALK, *CLOSE, (UP, "reset")], [(6, "RST", "client")], id="reset behind close frames"),
        pytest.param([*SMALL_TALK, (DOWN, "reset"), (UP, "reset")], [(4, "RST", "server")], id="reset at both ends"),
        pytest.param([*SMALL_TALK, (DOWN, "end"), (DOWN, "end")], [(4, "FIN", "server")], id="ended twice"),
        pytest.param(
            [*SMALL_TALK[:2], (DOWN, "reset"), *SMALL_TALK[2:]], [(4, "RST", "server")], id="data on its way at a reset"
        ),
        pytest.param([(DOWN, "end"), SMALL_TALK[0]], [(1, "FIN", "server")], id="ended before anything came"),
        pytest.param([*SMALL_TALK, (UP, "close"), (UP, "unreachable")], [], id="other calls"),
    ],
)
def test_tcp_ends_as_it_was_seen_to_end(tmp_path, events, ends):
    recording = Recording(clock=iter(range(100)).__next__)
    for way, event in events:
        if isinstance(event, str):
            recording.mark(1, way, event)
        else:
            recording.add(1, way, event)
    recording.mark(2, UP, "end")  # of a connection without a byte
    path = saved(tmp_path, recording)

    assert ends_in(path) == ends
    assert tshark(path, "-Y", "tcp.analysis.flags || tcp.checksum.status == 0") == ""
    assert [chunk.data for chunk in Recording.load(path).chunks] == [e for _, e in events if isinstance(e, bytes)]


def test_what_a_tap_has_cut_ends_with_a_reset(tmp_path):
    with live_server(deflate=False) as server, Tap(server) as tap, connect(tap.url, deflate=False) as connection:
        connection.send("Hello")
        connection.receive()
        tap.to_client = cut()
        with pytest.raises(ConnectionClosed):
            connection.receive()
    tap.delivered.addresses.clear()  # the server is then the one at port 80

    assert [end[1] for end in ends_in(saved(tmp_path, tap.delivered))] == ["RST"]


@pytest.mark.parametrize(
    ("addresses", "saved_as"),
    [
        (None, (("127.0.0.1", 50001), ("127.0.0.1", 80))),
        ((("10.1.2.3", 1234), ("192.0.2.1", 8765)), (("10.1.2.3", 1234), ("192.0.2.1", 8765))),
        ((("fe80::1%lo", 50100), ("::1", 8765)), (("fe80::1", 50100), ("::1", 8765))),
        ((("::1", 50100), ("192.0.2.1", 8765)), (("::1", 50100), ("192.0.2.1", 8765))),
        ((("192.0.2.1", 50100), ("::1", 8765)), (("192.0.2.1", 50100), ("::1", 8765))),
        (("", ("192.0.2.1", 8765)), (("127.0.0.1", 50001), ("192.0.2.1", 8765))),
        ((("localhost", 1), ("example.org", 2)), (("127.0.0.1", 50001), ("127.0.0.1", 80))),
        ((("192.0.2.1", 65536), ("192.0.2.1", -1)), (("127.0.0.1", 50001), ("127.0.0.1", 80))),
    ],
)
def test_addresses_are_those_of_the_recording_or_some_of_this_machine(tmp_path, addresses, saved_as):
    recording = small_talk()
    if addresses:
        recording.opened(1, *addresses)
    path = saved(tmp_path, recording)

    assert Recording.load(path).addresses == {1: saved_as}
    assert complaints(path) == []


def test_no_two_connections_in_a_file_have_the_same_addresses(tmp_path):
    recording = Recording()
    for number in (1, 2, 3, 20_000, -1):
        recording.opened(number, ("127.0.0.1", 50_002), ("127.0.0.1", 80))
        recording.add(number, UP, request(f"GET /{number} HTTP/1.1"))
    del recording.addresses[2], recording.addresses[20_000], recording.addresses[-1]
    loaded = Recording.load(saved(tmp_path, recording))

    assert [client for client, _ in loaded.addresses.values()] == [
        *(("127.0.0.1", port) for port in (50_002, 50_003, 50_004)),
        ("127.0.0.2", 54464),
        ("127.0.0.0", 65535),
    ]
    assert [loaded.bytes_sent(number, UP)[4:8] for number in loaded.connections] == [
        b"/1 H",
        b"/2 H",
        b"/3 H",
        b"/200",
        b"/-1 ",
    ]


def test_no_two_connections_in_a_file_have_the_same_addresses_the_other_way_round(tmp_path):
    here, there = ("127.0.0.1", 50_002), ("127.0.0.1", 80)
    recording = Recording()
    for number, ends in enumerate([(here, there), (there, here), (here, here)], 1):
        recording.opened(number, *ends)
        recording.add(number, UP, request(f"GET /{number} HTTP/1.1"))
        recording.add(number, DOWN, RESPONSE)
    loaded = Recording.load(saved(tmp_path, recording))

    assert [chunk[1:] for chunk in loaded.chunks] == [chunk[1:] for chunk in recording.chunks]
    assert list(loaded.addresses.values()) == [
        (here, there),
        (("127.0.0.1", 50_003), here),
        (("127.0.0.1", 50_004), here),
    ]


def test_an_endpoint_records_its_addresses(tmp_path):
    at_client, at_server = Recording(), Recording()
    with live_server(recording=at_server) as server:
        with connect(server.url, recording=at_client) as connection:
            ends = connection.local_address, connection.remote_address
        wait_until(lambda: not server.connections)

    assert at_client.addresses == at_server.addresses == {1: ends}
    assert ends[1] == ("127.0.0.1", server.port)
    assert Recording.load(saved(tmp_path, at_client)).addresses == {1: ends}


# There and back


chunks = st.lists(st.tuples(st.integers(1, 3), st.sampled_from([UP, DOWN]), st.binary(max_size=5000)), max_size=20)


@given(chunks)
def test_what_is_saved_comes_back_byte_for_byte(tmp_path_factory, chunks):
    recording = Recording()
    for chunk in [(4, UP, b"G"), *chunks]:
        recording.add(*chunk)
    loaded = Recording.load(saved(tmp_path_factory.mktemp("talk"), recording, secrets=True))

    with_bytes = list(dict.fromkeys(chunk.connection for chunk in recording.chunks if chunk.data))
    assert loaded.connections == list(range(1, len(with_bytes) + 1))
    for new, old in enumerate(with_bytes, 1):
        for way in Direction:
            assert loaded.bytes_sent(new, way) == recording.bytes_sent(old, way)


def test_chunks_that_fit_into_a_packet_come_back_as_they_were(tmp_path):
    recording = small_talk()
    for number in (2, 1, 2, 3, 1):
        recording.add(number, DOWN, b"\x81\x05Hello")

    assert Recording.load(saved(tmp_path, recording)).chunks == recording.chunks


def test_a_long_recording_is_saved_and_loaded_in_memory_in_proportion_to_it(tmp_path):
    recording = small_talk()
    for number in range(10_000):
        recording.add(1, UP, masked(Opcode.TEXT, b"%100d" % number))
        recording.add(1, DOWN, serialize_frame(Frame(Opcode.TEXT, b"%100d" % number)))
    size = sum(len(chunk.data) for chunk in recording.chunks)

    tracemalloc.start()
    try:
        path = saved(tmp_path, recording)
        to_save = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        loaded = Recording.load(path)
        to_load = tracemalloc.get_traced_memory()[1] - to_save
    finally:
        tracemalloc.stop()

    assert loaded.bytes_sent(1, UP) == recording.bytes_sent(1, UP)
    assert to_save < size
    assert to_load < 8 * size


# What others have captured


def test_an_upgrade_after_other_requests_on_its_connection_is_loaded(tmp_path):
    challenge = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
    login = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    sent = [(CLIENT, login), (SERVER, challenge), (CLIENT, request()), (SERVER, RESPONSE), (CLIENT, text("Hello"))]
    recording = load(tmp_path, pcap(list(map(serialize_segment, segments_of(*sent)))))

    assert [chunk[1:] for chunk in recording.chunks] == [
        (1, UP if side == CLIENT else DOWN, data) for side, data in sent
    ]


def test_a_page_about_websocket_is_no_conversation(tmp_path):
    page = b"HTTP/1.1 200 OK\r\n\r\n" + request() + RESPONSE
    segments = segments_of((CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2), (SERVER, page))
    with pytest.raises(CaptureError, match="has no WebSocket conversation in it"):
        load(tmp_path, pcap(list(map(serialize_segment, segments))))


def test_a_conversation_begun_before_the_capture_is_loaded_from_its_first_frame(tmp_path):
    recording = load(tmp_path, pcap(conversation_packets()[5:]), "late.pcap")

    assert [chunk[1:] for chunk in recording.chunks] == [(1, UP, text("Hello")), (1, DOWN, b"\x81\x05Hello")]


def test_other_conversations_in_a_capture_are_left_out(tmp_path):
    ends = {A: Endpoint(bytes((10, 0, 0, 1)), 1), B: Endpoint(bytes((10, 0, 0, 2)), 80)}
    segments = segments_of((CLIENT, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    others = [s._replace(source=ends[s.source], destination=ends[s.destination]) for s in segments]
    packets = list(map(serialize_segment, others))

    assert is_small_talk(load(tmp_path, pcap([*packets, *conversation_packets(), *packets])))


def test_lost_packets_are_told_and_cost_what_was_in_them(tmp_path):
    packets = conversation_packets()
    del packets[5]
    path = tmp_path / "lost.pcap"
    path.write_bytes(pcap(packets))
    sentence = "lost.pcap has lost 11 bytes from port 50001 in connection 1"
    with pytest.warns(CaptureWarning, match=f"^{sentence}$") as warned:
        recording = Recording.load(path)

    assert recording.bytes_sent(1, UP) == request()
    assert recording.bytes_sent(1, DOWN) == RESPONSE + b"\x81\x05Hello"
    assert warned[0].filename == __file__


def test_of_very_many_losses_the_first_are_told_and_the_others_counted(tmp_path):
    packets = []
    for number in range(15):
        ends = {A: A._replace(port=40_000 + number), B: B}
        segments = segments_of((CLIENT, request()), (SERVER, RESPONSE), (CLIENT, text("Hello")))
        del segments[5]
        packets += [s._replace(source=ends[s.source], destination=ends[s.destination]) for s in segments]
    with pytest.warns(CaptureWarning) as warned:
        load(tmp_path, pcap(list(map(serialize_segment, packets))), "lost.pcap")

    assert len(warned) == MOST_TOLD + 1
    assert str(warned[-1].message) == f"lost.pcap has lost bytes in {15 - MOST_TOLD} more directions of connections"


ONLY_ONE_HEAD = "has only one head of 1 connection: it is left out there, and what follows is taken for frames"
HI = [(CLIENT, text("Hi")), (SERVER, b"\x81\x02Ho")]


def test_of_a_capture_of_what_the_client_sends_the_frames_are_read_and_the_head_is_told(tmp_path):
    sent = segments_of((CLIENT, request()), (SERVER, RESPONSE), *HI)
    packets = [serialize_segment(segment) for segment in sent if segment.source == A]
    with pytest.warns(CaptureWarning, match=f"^half.pcap {ONLY_ONE_HEAD}$"):
        recording = load(tmp_path, pcap(packets), "half.pcap")

    assert recording.bytes_sent(1, UP) == text("Hi")
    assert [it.seen.what.payload for it in dissect_chunks(recording.chunks) if it.seen.end] == [b"Hi"]


def test_a_capture_that_has_only_the_request_has_the_frames_of_both_sides(tmp_path):
    packets = list(map(serialize_segment, segments_of((CLIENT, request()), *HI)[3:]))
    with pytest.warns(CaptureWarning, match=f"^late.pcap {ONLY_ONE_HEAD}$"):
        recording = load(tmp_path, pcap(packets), "late.pcap")

    assert [recording.bytes_sent(1, way) for way in Direction] == [text("Hi"), b"\x81\x02Ho"]


BEGINS_WITH_ANSWER = ["begins with the answer: the request is missing", "HTTP/1.1 101 Switching Protocols"]


@pytest.mark.parametrize("sides", [[A, B], [B]], ids=["both sides", "only the server"])
def test_a_capture_that_begins_with_the_answer_knows_what_was_agreed_on(tmp_path, sides):
    answer = response("Sec-WebSocket-Extensions: permessage-deflate")
    said = [(SERVER, serialize_frame(Frame(Opcode.TEXT, deflated(b"Ho"), rsv1=True)))]
    said += [(CLIENT, serialize_frame(Frame(Opcode.TEXT, deflated(b"Hi"), rsv1=True), bytes(4)))]
    packets = [serialize_segment(s) for s in segments_of((SERVER, answer), *said)[3:] if s.source in sides]
    recording = load(tmp_path, pcap(packets), "late.pcap")

    frames = ['text "Ho" (compressed to 4 bytes)', 'text "Hi" (compressed to 4 bytes)'][: len(sides)]
    assert [str(it.seen) for it in dissect_chunks(recording.chunks)] == BEGINS_WITH_ANSWER + frames


def test_what_comes_before_the_frames_of_a_client_is_left_out_where_the_answer_is_the_first_head(tmp_path):
    sent = [(SERVER, RESPONSE), (CLIENT, b": x\r\n\r\n"), *HI]
    recording = load(tmp_path, pcap(list(map(serialize_segment, segments_of(*sent)[3:]))), "late.pcap")

    assert [recording.bytes_sent(1, way) for way in Direction] == [text("Hi"), RESPONSE + b"\x81\x02Ho"]


@pytest.mark.parametrize(
    "before",
    [
        [(SERVER, b"the rest of a body")],
        [(SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")],
        [(SERVER, b"\r\n5\r\nHello\r\n0\r\n\r\n")],
        [(CLIENT, b"name=value&a=b"), (SERVER, b"HTTP/1.1 204 No Content\r\n\r\n")],
        [(CLIENT, b"-Agent: x\r\n\r\n"), (SERVER, b"HTTP/1.1 304 Not Modified\r\n\r\n")],
        [(SERVER, b"rest"), (CLIENT, b"GET /x HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 204 No Content\r\n\r\n")],
    ],
    ids=["body", "answer", "chunks", "form", "head", "two"],
)
def test_a_capture_that_begins_in_another_exchange_has_the_handshake_and_the_frames(tmp_path, before):
    packets = list(map(serialize_segment, segments_of(*before, (CLIENT, request()), (SERVER, RESPONSE), *HI)[3:]))
    told = "has 1 connection with an exchange under way before the request, left out here"
    with pytest.warns(CaptureWarning, match=f"^late.pcap {told}$"):
        recording = load(tmp_path, pcap(packets), "late.pcap")

    sent = [request() + text("Hi"), RESPONSE + b"\x81\x02Ho"]
    assert [recording.bytes_sent(1, way) for way in Direction] == sent
    assert len(tshark(tmp_path / "late.pcap", "-Y", "websocket").splitlines()) == 2


@pytest.mark.parametrize("start", [0, 3], ids=["with SYN", "without"])
@pytest.mark.parametrize("pieces", [1, 3])
def test_an_answer_that_was_captured_before_its_request_comes_after_it(tmp_path, start, pieces):
    size = -(-len(request()) // pieces)
    asked = [(CLIENT, request()[place : place + size]) for place in range(0, len(request()), size)]
    segments = segments_of(*asked, (SERVER, RESPONSE), *HI)
    answer = segments.pop(3 + pieces)
    recording = load(tmp_path, pcap(list(map(serialize_segment, [*segments[start:3], answer, *segments[3:]]))))

    assert [str(it.seen)[:8] for it in dissect_chunks(recording.chunks)] == [
        *("GET / HT", "HTTP/1.1"),
        *('text "Hi', 'text "Ho'),
    ]


def test_a_request_without_an_answer_and_without_frames_stays_as_it_is(tmp_path):
    packets = [serialize_segment(segment) for segment in segments_of((CLIENT, request())) if segment.source == A]
    recording = load(tmp_path, pcap(packets), "asked.pcap")

    assert recording.bytes_sent(1, Direction.CLIENT_TO_SERVER) == request()


def test_a_proxy_header_before_the_request_is_told(tmp_path):
    sent = [(CLIENT, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request()), (SERVER, RESPONSE), (CLIENT, text("Hi"))]
    sentence = "has 1 connection with a PROXY header before the request, left out here"
    with pytest.warns(CaptureWarning, match=f"^proxy.pcap {sentence}$"):
        recording = load(tmp_path, pcap(list(map(serialize_segment, segments_of(*sent)))), "proxy.pcap")

    assert recording.bytes_sent(1, UP) == request() + text("Hi")


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (b"\x16\x03\x01\0\x01\x01", "TLS, which only its keys can decrypt: SSLKEYLOGFILE says in which file they are"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2, which wslab cannot read"),
    ],
)
def test_what_may_be_websocket_inside_is_told_where_nothing_else_is_found(tmp_path, monkeypatch, hello, reason):
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    with pytest.raises(CaptureError, match=f"has 1 TCP connection with {reason}; it has no WebSocket conversation"):
        load(tmp_path, pcap(list(map(serialize_segment, segments_of((CLIENT, hello))))))


# A real capture


NO_DUMPCAP = "needs dumpcap: install it with Wireshark (on Debian and Ubuntu `apt install tshark`)"
NO_RIGHT = (
    "needs the right to capture: run the tests as root, or have dumpcap give it to you (on Debian and Ubuntu "
    "`sudo dpkg-reconfigure wireshark-common`, `sudo usermod -a -G wireshark $USER`, and log in again)"
)


def dumpcap(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["dumpcap", *options], capture_output=True, text=True, timeout=20, check=False)


def find_loopback() -> str:
    """The name of the interface; the test is skipped where there is no dumpcap, or nothing can be captured with it."""
    if shutil.which("dumpcap") is None:
        pytest.skip(NO_DUMPCAP)
    found = re.search(r"^\d+\. (lo0?)\b", dumpcap("-D").stdout, re.MULTILINE)
    if found is None or dumpcap("-L", "-i", found[1]).returncode != 0:  # it may be listed for those who cannot open it
        pytest.skip(NO_RIGHT)
    return found[1]


@contextlib.contextmanager
def capturing(path: Path, port: int, *options: str) -> Iterator[None]:
    """Capture what goes to and from a port of this machine while the block runs."""
    loopback = find_loopback()
    command = ["dumpcap", "-q", "-p", "-i", loopback, "-f", f"port {port}", "-w", str(path), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert any(line.startswith("File: ") for line in process.stderr), "dumpcap has not begun"
            yield
            # What has been captured up to here is in the file when something that came later is.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as marker:
                marker.sendto(b"the end of the capture", ("127.0.0.1", port))
            wait_until(lambda: b"the end of the capture" in path.read_bytes())
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize(("name", "options"), [("real.pcapng", ["-n"]), ("real.pcap", ["-P"])])
def test_a_real_capture_loads_to_the_same_frames(tmp_path, name, options):
    recording, path = Recording(), tmp_path / name
    with live_server() as server, capturing(path, server.port, *options):
        talk(recording, server.url, COMPRESSIBLE)
        talk(recording, server.url, PLAIN, deflate=False)
        with RawPeer.upgraded(server) as peer:
            peer.send(text("Hello"))
            peer.read_frame()
            peer.reset()
        wait_until(lambda: not server.connections)
    loaded = Recording.load(path)

    assert loaded.connections == [1, 2, 3]
    assert [loaded.addresses[number] for number in (1, 2)] == list(recording.addresses.values())
    for number in (1, 2):
        for way in Direction:
            assert loaded.bytes_sent(number, way) == recording.bytes_sent(number, way)
    assert loaded.bytes_sent(3, UP) == request() + text("Hello")
    assert all(abs(loaded.chunks[place].time - recording.chunks[place].time) < PATIENCE for place in (0, -1))
