"""Capture: what is saved is what Wireshark reads, and what Wireshark has captured is what is loaded."""

import contextlib
import json
import shutil
import struct
import subprocess
import time
from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw import PATIENCE, RawPeer, masked, request, wait_until

from wslab import Direction, EchoServer, Frame, Opcode, Recording, connect, parse_frame, serialize_frame
from wslab.capture import CaptureError
from wslab.capture.conversation import LARGEST_SEGMENT, Stream, conversations, segments_of
from wslab.capture.packets import (
    ETHERNET,
    IPV4_ONLY,
    LINUX_COOKED,
    LINUX_COOKED_2,
    NULL,
    RAW_IP,
    Segment,
    build_packet,
    checksum,
    parse_packet,
)

UP, DOWN = Direction.CLIENT_TO_SERVER, Direction.SERVER_TO_CLIENT
CLIENT, SERVER = ("127.0.0.1", 50001), ("127.0.0.1", 8765)
REQUEST, RESPONSE = request(), b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
HELLO = masked(Opcode.TEXT, b"Hello")

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="needs tshark, the terminal's Wireshark: Debian's package is called tshark"
)


def recorded(*chunks, client=CLIENT, server=SERVER):
    """A recording of one connection with these (direction, bytes), one every millisecond."""
    recording = Recording(clock=iter(1_700_000_000 + i / 1000 for i in range(len(chunks))).__next__)
    recording.opened(1, client, server)
    for way, data in chunks:
        recording.add(1, way, data)
    return recording


def said(recording, number=1):
    return {way: recording.bytes_sent(number, way) for way in Direction}


def saved(recording, tmp_path, **options):
    path = tmp_path / "conversation.pcapng"
    recording.save(path, **options)
    return path


# Saved and loaded again


@pytest.mark.parametrize(
    ("client", "server"), [(CLIENT, SERVER), (("::1", 50001), ("::1", 8765))], ids=["IPv4", "IPv6"]
)
def test_what_is_saved_is_what_is_loaded(client, server, tmp_path):
    original = recorded(
        (UP, REQUEST), (DOWN, RESPONSE), (UP, HELLO), (DOWN, b"x" * 100_000), client=client, server=server
    )
    loaded = Recording.load(saved(original, tmp_path))

    assert said(loaded) == said(original)
    assert loaded.addresses == {1: (client, server)}
    assert [chunk.direction for chunk in loaded.chunks][:4] == [UP, DOWN, UP, DOWN]
    assert [chunk.time for chunk in loaded.chunks[:4]] == pytest.approx([c.time for c in original.chunks], abs=1e-5)


def test_a_long_chunk_is_cut_into_segments():
    sizes = [len(s.payload) for s in segments_of(recorded((UP, bytes(2 * LARGEST_SEGMENT + 1))), 1, True)]

    assert [size for size in sizes if size] == [LARGEST_SEGMENT, LARGEST_SEGMENT, 1]


def test_connections_at_the_same_time_are_kept_apart(tmp_path):
    recording = Recording()
    for data in (REQUEST, HELLO):
        for number in (3, 5):
            recording.add(number, UP, data + bytes((number,)))
    loaded = Recording.load(saved(recording, tmp_path))

    assert [said(loaded, number)[UP] for number in (1, 2)] == [said(recording, number)[UP] for number in (3, 5)]
    assert loaded.addresses[1] == (("127.0.0.1", 49155), ("127.0.0.1", 80))


def test_a_live_connection_is_saved_with_its_addresses(tmp_path):
    recording = Recording()
    with EchoServer() as server, connect(server.url, recording=recording) as connection:
        connection.send("Hello")
        connection.receive()
    loaded = Recording.load(saved(recording, tmp_path))

    assert loaded.addresses == {1: (connection.local_address, ("127.0.0.1", server.port))}
    assert said(loaded) == said(recording)


# Secrets

SECRET_REQUEST = request("GET /?token=s3cret&a=1 HTTP/1.1", more=("Cookie: a=s3cret", "Authorization: Bearer s3cret"))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_secrets_are_overwritten_however_the_head_was_cut_and_nothing_moves(size, tmp_path):
    cut = [(UP, SECRET_REQUEST[i : i + size]) for i in range(0, len(SECRET_REQUEST), size)]
    answer = RESPONSE[:-2] + b"Set-Cookie: s3cret\r\n\r\n"
    original = recorded(*cut, (DOWN, answer), (UP, HELLO))
    loaded = said(Recording.load(saved(original, tmp_path)))

    assert b"s3cret" not in b"".join(loaded.values())
    assert b"GET /?token=xxxxxx&a=1 HTTP/1.1\r\n" in loaded[UP]
    assert b"\r\nCookie: xxxxxxxx\r\nAuthorization: xxxxxxxxxxxxx\r\n\r\n" + HELLO in loaded[UP]
    assert [len(loaded[way]) for way in Direction] == [len(said(original)[way]) for way in Direction]


def test_secrets_are_saved_when_they_are_asked_for(tmp_path):
    original = recorded((UP, SECRET_REQUEST), (DOWN, RESPONSE))

    assert said(Recording.load(saved(original, tmp_path, secrets=True))) == said(original)


def test_secrets_in_a_head_without_its_end_are_overwritten_too(tmp_path):
    original = recorded((UP, SECRET_REQUEST[:-2]))

    assert b"s3cret" not in said(Recording.load(saved(original, tmp_path)))[UP]


# What tshark says of it


def tshark(path, port, *options):
    checks = [f"-otcp.check_checksum:{True}", f"-oip.check_checksum:{True}", f"-dtcp.port=={port},http"]
    command = ["tshark", "-n", "-r", str(path), *checks, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def frames_of(data):
    """The frames behind a head."""
    rest, frames = data.partition(b"\r\n\r\n")[2], []
    while rest:
        frame, used = parse_frame(rest)
        frames.append(frame)
        rest = rest[used:]
    return frames


def frames_told_by_tshark(path, port):
    """Every frame as tshark dissects it: its bits, opcode, key, length and payload."""
    names = ["fin", "opcode", "mask", "masking_key", "payload_length", "payload_length_ext_16", "payload_length_ext_64"]
    fields = [f"-ewebsocket.{name}" for name in names]
    layers = json.loads(tshark(path, port, "-Tjson", "--no-duplicate-keys", "-Ywebsocket", *fields))
    found = []
    for packet in layers:
        values = {name: packet["_source"]["layers"].get(f"websocket.{name}", []) for name in names}
        keys = iter(values["masking_key"])
        longer = {126: iter(values["payload_length_ext_16"]), 127: iter(values["payload_length_ext_64"])}
        for index in range(len(values["fin"])):
            is_masked = values["mask"][index] in ("1", "True")
            key = bytes.fromhex(next(keys).removeprefix("0x").replace(":", "")) if is_masked else None
            length = int(values["payload_length"][index])
            length = int(next(longer[length])) if length in longer else length
            found.append((values["fin"][index] in ("1", "True"), int(values["opcode"][index]), key, length))
    return found


@needs_tshark
def test_tshark_finds_no_fault_and_the_same_frames(tmp_path):
    recording = Recording()
    with EchoServer() as server, connect(server.url, recording=recording, deflate=False) as connection:
        for message in ["Hello", b"\x00\xff" * 60_000, "", "é€😀"]:
            connection.send(message)
            connection.receive()
        connection.ping(b"alive?")
        connection.send_fragment("one ")
        connection.send_fragment("two", fin=True)
        connection.receive()
        connection.close(1001, "bye")
    path = saved(recording, tmp_path)

    ours = [
        (chunk_frame.fin, int(chunk_frame.opcode), chunk_frame.masking_key, len(chunk_frame.payload))
        for way in Direction
        for chunk_frame in frames_of(recording.bytes_sent(1, way))
    ]
    assert sorted(frames_told_by_tshark(path, server.port), key=repr) == sorted(ours, key=repr)
    assert tshark(path, server.port, "-Y_ws.expert.severity >= 0x00600000 || _ws.malformed || tcp.analysis.flags") == ""
    assert tshark(path, server.port, "-Y", "websocket.payload.close.status_code == 1001") != ""
    assert "bye" in tshark(path, server.port, "-Y", "websocket.opcode == 8", "-V")


@needs_tshark
def test_tshark_decompresses_what_was_compressed(tmp_path):
    recording = Recording()
    with EchoServer() as server, connect(server.url, recording=recording) as connection:
        connection.send("a word that comes again, a word that comes again")
        connection.receive()

    told = tshark(saved(recording, tmp_path), server.port, "-Ywebsocket.opcode == 1", "-V")
    assert told.count("a word that comes again, a word that comes again") >= 2


# What was captured elsewhere


def pcap(link_type, packets, order="<", magic=0xA1B2C3D4, ticks=10**6):
    """An old-fashioned pcap file."""
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    records = [
        struct.pack(f"{order}IIII", 1_700_000_000, index * ticks // 1000, len(data), len(data)) + data
        for index, data in enumerate(packets)
    ]
    return head + b"".join(records)


LINKS = {
    NULL: b"\x02\x00\x00\x00",
    ETHERNET: bytes(12) + b"\x08\x00",
    RAW_IP: b"",
    IPV4_ONLY: b"",
    LINUX_COOKED: bytes(14) + b"\x08\x00",
    LINUX_COOKED_2: b"\x08\x00" + bytes(18),
}
CONVERSATION = [(UP, REQUEST), (DOWN, RESPONSE), (UP, HELLO)]


@pytest.mark.parametrize("link_type", LINKS)
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("magic", "ticks"), [(0xA1B2C3D4, 10**6), (0xA1B23C4D, 10**9)])
def test_a_pcap_of_any_link_layer_and_byte_order_is_loaded(link_type, order, magic, ticks, tmp_path):
    original = recorded(*CONVERSATION)
    packets = [LINKS[link_type] + build_packet(segment) for segment in segments_of(original, 1, True)]
    path = tmp_path / "captured.pcap"
    path.write_bytes(pcap(link_type, packets, order, magic, ticks))
    loaded = Recording.load(path)

    assert said(loaded) == said(original)
    assert loaded.chunks[1].time - loaded.chunks[0].time == pytest.approx(0.001, abs=1e-5)


def test_what_is_not_tcp_is_passed_over(tmp_path):
    segments = [build_packet(segment) for segment in segments_of(recorded(*CONVERSATION), 1, True)]
    vlan = [bytes(12) + b"\x81\x00\x00\x07\x08\x00" + packet for packet in segments]
    udp = bytes(12) + b"\x08\x00" + segments[0][:9] + b"\x11" + segments[0][10:]
    others = [b"", bytes(10), bytes(12) + b"\x08\x06" + bytes(28), udp, vlan[0][:40]]
    path = tmp_path / "captured.pcap"
    path.write_bytes(pcap(ETHERNET, [*others, *vlan, *others]))

    assert said(Recording.load(path))[UP] == REQUEST + HELLO
    assert parse_packet(147, 0.0, segments[0]) is None


def test_a_conversation_whose_beginning_was_missed_is_loaded_from_its_request_on():
    segments = [segment for segment in segments_of(recorded(*CONVERSATION), 1, True) if segment.payload]

    for seen in (segments, [segments[1], segments[0], segments[2]]):  # the answer first: the ends are told by the words
        [found] = conversations(seen)
        assert (found.client, found.server) == (CLIENT, SERVER)
        assert b"".join(data for _, data in found.streams[UP].pieces) == REQUEST + HELLO


def test_a_port_that_is_used_again_is_another_conversation():
    first, second = (list(segments_of(recorded((UP, REQUEST), (UP, data)), 1, True)) for data in (b"one", b"two"))

    found = conversations(first + second)
    assert [b"".join(data for _, data in one.streams[UP].pieces) for one in found] == [
        REQUEST + b"one",
        REQUEST + b"two",
    ]


DATA = bytes(range(256)) * 4


@st.composite
def captured_streams(draw):
    """DATA in segments that overlap, come twice and in any order, with sequence numbers that may go beyond 2^32."""
    start = draw(st.sampled_from([0, 1000, 2**32 - 500, 2**31 - 3]))
    cuts = sorted({0, len(DATA), *draw(st.lists(st.integers(0, len(DATA)), max_size=10))})
    spans = [
        *pairwise(cuts),
        *draw(st.lists(st.tuples(st.sampled_from(cuts), st.sampled_from(cuts)))),
    ]
    segments = [
        Segment(float(index), CLIENT, SERVER, (start + begin) % 2**32, 0, 0x10, DATA[begin:end])
        for index, (begin, end) in enumerate(spans)
        if begin < end
    ]
    return start, draw(st.permutations(segments))


@given(captured_streams(), st.booleans())
def test_segments_in_any_order_doubled_and_overlapping_are_the_same_bytes(stream, saw_the_beginning):
    start, segments = stream
    pieces = Stream(start if saw_the_beginning else None, segments).pieces

    assert b"".join(data for _, data in pieces) == DATA
    assert [time for time, _ in pieces] == sorted(time for time, _ in pieces)


def test_bytes_behind_a_segment_that_was_not_captured_are_left_out():
    one, _, three = (Segment(0.0, CLIENT, SERVER, 10 * i, 0, 0x10, bytes(10)) for i in range(3))

    assert [len(data) for _, data in Stream(0, [one, three]).pieces] == [10]
    assert Stream(0, []).pieces == []


@given(st.binary(max_size=100))
def test_the_checksum_is_the_sum_of_rfc_1071(data):
    words = [int.from_bytes((data + b"\0")[i : i + 2], "big") for i in range(0, len(data), 2)]
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)

    assert checksum(data) == ~total & 0xFFFF


@given(
    st.binary(max_size=50), st.integers(0, 2**32 - 1), st.sampled_from(["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"])
)
def test_a_packet_is_the_segment_that_was_built(payload, sequence, host):
    other = ("::", 1) if ip_address(host).version == 6 else ("10.0.0.1", 1)
    segment = Segment(1.5, (host, 65535), other, sequence, 7, 0x18, payload)

    assert parse_packet(RAW_IP, 1.5, build_packet(segment)) == segment


GOODBYE = serialize_frame(Frame(Opcode.CLOSE, (3000).to_bytes(2, "big")))


@needs_tshark
def test_a_real_capture_on_loopback_is_loaded_as_what_was_recorded(tmp_path):
    path, recording = tmp_path / "real.pcapng", Recording()
    with EchoServer() as server, capturing(server, path):
        with connect(server.url, recording=recording) as connection:
            for message in ["Hello", bytes(100_000), "last"]:
                connection.send(message)
                connection.receive()
            connection.close(3000)
        wait_until(lambda: GOODBYE in path.read_bytes())
    loaded = Recording.load(path)
    number = next(n for n, (client, _) in loaded.addresses.items() if client == connection.local_address)

    assert said(loaded, number) == said(recording)


@contextlib.contextmanager
def capturing(server, path):
    """Capture what goes to and from `server` in the `with` block; skip where nobody may capture."""
    command = ["dumpcap", "-i", "lo", "-f", f"tcp port {server.port}", "-w", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for_capture(process, path, server)
            yield
        finally:
            process.terminate()


def wait_for_capture(process, path, server):
    """Visit the server until a visit is in the file."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip(f"this machine does not let us capture: {process.stderr.read().splitlines()[-1]}")
        with RawPeer.upgraded(server) as peer:
            peer.says_goodbye()
        if path.exists() and b"Sec-WebSocket-Accept" in path.read_bytes():
            return
    pytest.fail("dumpcap has captured nothing")


# Bad input


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "neither a pcapng nor a pcap file"),
        (b"GIF89a, and so on", "neither a pcapng nor a pcap file"),
        (b"\x0a\x0d\x0d\x0a", "cut short"),
        (b"\x0a\x0d\x0d\x0a\xff\xff\xff\x7f\x4d\x3c\x2b\x1a", "damaged: a block of 2147483631 bytes"),
        (pcap(RAW_IP, []), "no WebSocket conversation"),
        (pcap(RAW_IP, [b"abc"])[:-1], "cut short"),
    ],
)
def test_what_is_no_capture_of_websocket_is_told_in_one_sentence(content, sentence, tmp_path):
    path = tmp_path / "odd.pcapng"
    path.write_bytes(content)

    with pytest.raises(CaptureError, match=f"^odd.pcapng cannot be read: .*{sentence}"):
        Recording.load(path)


def test_a_capture_that_is_cut_anywhere_is_told_or_gives_what_is_there(tmp_path):
    original = recorded(*CONVERSATION)
    whole, path = saved(original, tmp_path).read_bytes(), tmp_path / "cut.pcapng"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        try:
            loaded = Recording.load(path)
        except CaptureError:
            continue
        assert said(original)[UP].startswith(said(loaded)[UP])


@given(st.binary(max_size=200), st.booleans())
def test_whatever_is_in_a_file_only_a_capture_error_comes_out(tmp_path_factory, noise, with_head):
    path = tmp_path_factory.mktemp("noise") / "noise.pcapng"
    path.write_bytes((pcap(ETHERNET, []) if with_head else b"\x0a\x0d\x0d\x0a") + noise)

    with pytest.raises(CaptureError):
        Recording.load(path)


def test_plain_http_is_no_websocket(tmp_path):
    path = saved(recorded((UP, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), (DOWN, b"HTTP/1.1 200 OK\r\n\r\n")), tmp_path)

    with pytest.raises(CaptureError, match="no WebSocket conversation"):
        Recording.load(path)


def test_a_recording_is_saved_under_a_name_that_says_what_it_is_and_only_if_there_is_something(tmp_path):
    with pytest.raises(ValueError, match=r"is saved as \.pcapng, not as 'a\.txt'"):
        recorded((UP, REQUEST)).save(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="nothing in this recording"):
        Recording().save(tmp_path / "a.pcapng")


def test_a_hundred_thousand_frames_are_saved_and_loaded(tmp_path):
    frame = serialize_frame(Frame(Opcode.TEXT, b"Hello"))
    recording = recorded((UP, REQUEST), (DOWN, RESPONSE))
    recording.clock = lambda: 1_700_000_001.0
    for _ in range(100_000):
        recording.add(1, DOWN, frame)

    assert len(Recording.load(saved(recording, tmp_path)).chunks) == 100_002
