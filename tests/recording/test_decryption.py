"""Decryption: TLS connections in a capture, with their keys and without; tshark is the one that can decrypt."""

import ssl
import struct
import warnings
from pathlib import Path

import pytest
import trustme
from support.capture_files import A, B, block, conversation_packets, is_small_talk, load, pcap, segments_of
from support.raw_peer import live_server
from support.waiting import wait_until
from support.wireshark import tshark

from wslab import Direction, Recording, Tap, connect
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.packets import Segment, parse_segment, serialize_segment
from wslab.recording.pcapng import CaptureReader
from wslab.recording.tcp import CLIENT, SERVER, read_conversations

LONG = "x" * 50_000


@pytest.fixture(scope="module")
def contexts():
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@pytest.fixture(scope="module", params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def talk(request, contexts, tmp_path_factory) -> tuple[Path, Path, Recording]:
    """A capture of a conversation over TLS, the file of its keys, and what the client has recorded without TLS."""
    folder = tmp_path_factory.mktemp("tls")
    server_context, client_context = contexts
    client_context.keylog_filename = str(folder / "keys.log")
    client_context.minimum_version = client_context.maximum_version = request.param
    recording = Recording()
    with (
        live_server(ssl=server_context, deflate=False) as server,
        Tap(f"127.0.0.1:{server.port}") as tap,
        connect(f"wss://127.0.0.1:{tap.port}/", ssl=client_context, recording=recording, deflate=False) as connection,
    ):
        for message in "Hello", LONG, "", "Hello", "Hello":
            connection.send(message)
            assert connection.receive() == message
        connection.close()
        wait_until(lambda: not server.connections)
    tap.recording.save(folder / "ours.pcapng", secrets=True)  # what looks like a secret would be crossed out in it
    with (folder / "ours.pcapng").open("rb") as file:
        packets = [packet.data for packet in CaptureReader(file)]
    (folder / "tls.pcap").write_bytes(pcap(packets))  # which does not say that it is ours
    return folder / "tls.pcap", folder / "keys.log", recording


def sent(recording: Recording) -> list[bytes]:
    return [recording.bytes_sent(1, way) for way in Direction]


def segments_in(path: Path) -> list[Segment]:
    with path.open("rb") as file:
        return [segment for packet in CaptureReader(file) if (segment := parse_segment(packet.data))]


def test_with_the_file_of_keys_a_conversation_over_tls_is_read_byte_for_byte(talk, monkeypatch):
    path, keys, recording = talk
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    tshark(path)
    loaded = Recording.load(path)

    assert sent(loaded) == sent(recording)
    assert [end[0] for end in loaded.addresses[1]] == ["127.0.0.1", "127.0.0.1"]
    assert all(1_700_000_000 <= chunk.time < 1_700_000_100 for chunk in loaded.chunks)


def test_with_keys_in_the_capture_itself_it_is_read_too(talk, monkeypatch):
    path, keys, recording = talk
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    tshark(path)
    data, secrets = path.read_bytes(), keys.read_bytes()
    file = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    file += block("<", 10, b"KSLT" + struct.pack("<I", len(secrets)) + secrets)
    file += block("<", 1, struct.pack("<HHI", 101, 0, 0))
    place = 24
    while place < len(data):
        size = struct.unpack_from("<I", data, place + 8)[0]
        packet = data[place + 16 : place + 16 + size]
        file += block("<", 6, struct.pack("<IIIII", 0, 0, place, size, size) + packet)
        place += 16 + size
    (path.parent / "with-keys.pcapng").write_bytes(file)

    assert sent(Recording.load(path.parent / "with-keys.pcapng")) == sent(recording)


def test_two_connections_between_the_same_ports_are_kept_apart(talk, monkeypatch):
    path, keys, recording = talk
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    tshark(path)
    first = segments_in(path)
    second = [
        s._replace(sequence=s.sequence + 10**9, acknowledgement=s.acknowledgement + 10**9 * (s.acknowledgement > 0))
        for s in first
    ]
    (path.parent / "twice.pcap").write_bytes(pcap(list(map(serialize_segment, [*first, *second]))))
    loaded = Recording.load(path.parent / "twice.pcap")

    assert [[loaded.bytes_sent(number, way) for way in Direction] for number in (1, 2)] == [sent(recording)] * 2


def test_of_a_capture_that_has_lost_a_packet_each_side_is_decrypted_up_to_it(talk, monkeypatch):
    path, keys, recording = talk
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    tshark(path)
    segments = segments_in(path)
    server = [segment for segment in segments if segment.data and segment.source.port == segments[0].destination.port]
    segments.remove(server[-5])
    (path.parent / "lost.pcap").write_bytes(pcap(list(map(serialize_segment, segments))))
    with pytest.warns(CaptureWarning, match="has lost .* from port"):
        loaded = Recording.load(path.parent / "lost.pcap")

    up, down = sent(loaded)
    assert up == sent(recording)[0]
    assert 1000 < len(down) < len(sent(recording)[1])
    assert sent(recording)[1].startswith(down)


def talk_behind(path: Path, before: list[tuple[int, bytes]], port: int) -> bytes:
    """A capture of the same talk with a server at another port, after a proxy was asked."""
    with path.open("rb") as file:
        (conversation,) = read_conversations(CaptureReader(file))
    sent = [(CLIENT if piece.side == conversation.client else SERVER, piece.data) for piece in conversation.pieces]
    ends = {A: A, B: B._replace(port=port)}
    return pcap(
        [
            serialize_segment(segment._replace(source=ends[segment.source], destination=ends[segment.destination]))
            for segment in segments_of(*before, *sent)
        ]
    )


CONNECT = (CLIENT, b"CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1:443\r\n\r\n")
GRANTED = (SERVER, b"HTTP/1.1 200 Connection established\r\n\r\n")
REFUSED = (SERVER, b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno")
SOCKS = [(CLIENT, b"\5\1\0"), (SERVER, b"\5\0"), (CLIENT, b"\5\1\0\1" + bytes(6)), (SERVER, b"\5\0\0\1" + bytes(6))]


@pytest.mark.parametrize(
    ("before", "stays"),
    [
        ([CONNECT, GRANTED], True),
        ([CONNECT, REFUSED, CONNECT, GRANTED], True),
        (SOCKS, False),
        ([(CLIENT, b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 443\r\n")], False),
        ([(CLIENT, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12))], False),
    ],
    ids=["CONNECT", "CONNECT twice", "SOCKS", "PROXY line", "PROXY header"],
)
def test_tls_behind_a_proxy_is_decrypted_and_told_where_there_are_no_keys(talk, monkeypatch, tmp_path, before, stays):
    path, keys, recording = talk
    tshark(path)
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    with pytest.raises(
        CaptureError, match=r"^talk.pcapng has 1 TCP connection with TLS, which only its keys can decrypt"
    ):
        load(tmp_path, talk_behind(path, before, 8080))
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with warnings.catch_warnings(action="ignore"):  # that what a proxy was told is left out
        loaded = load(tmp_path, talk_behind(path, before, 8080))

    asked, answered = (b"".join(data for sender, data in before if sender == side) for side in (CLIENT, SERVER))
    assert sent(loaded) == [
        (said if stays else b"") + plain for said, plain in zip((asked, answered), sent(recording), strict=True)
    ]


@pytest.mark.parametrize("port", [102, 993, 3389])
def test_tls_at_a_port_at_which_wireshark_expects_another_protocol_is_decrypted(talk, monkeypatch, tmp_path, port):
    path, keys, recording = talk
    tshark(path)
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))

    assert sent(load(tmp_path, talk_behind(path, [], port))) == sent(recording)


def test_tls_that_a_conversation_over_plain_http_carries_is_none_of_tcp(monkeypatch, tmp_path):
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    hello = b"\x16\x03\x01\0\x05\x01\0\0\x01\0"
    with pytest.raises(CaptureError, match=r"^talk.pcapng has no WebSocket conversation in it$"):
        load(tmp_path, pcap(list(map(serialize_segment, segments_of((CLIENT, b"POST / HTTP/1.1\r\n\r\n" + hello))))))


@pytest.mark.parametrize(
    ("keys", "has_tshark", "reason"),
    [
        ("", True, "only its keys can decrypt: SSLKEYLOGFILE says in which file they are"),
        ("none", True, "its keys do not decrypt"),
        ("none", False, "tshark would decrypt with its keys: it comes with Wireshark, and is not installed here"),
    ],
)
def test_what_cannot_be_decrypted_is_told_in_one_sentence(talk, monkeypatch, keys, has_tshark, reason):
    path, _, _ = talk
    monkeypatch.setenv("SSLKEYLOGFILE", str(path.parent / keys) if keys else "")
    if has_tshark:
        tshark(path)
    else:
        monkeypatch.setenv("PATH", "")
    with pytest.raises(CaptureError) as caught:
        Recording.load(path)

    assert str(caught.value) == (
        f"tls.pcap has 1 TCP connection with TLS, which {reason}; "
        "it has no WebSocket conversation in what can be read of it"
    )


def test_what_keys_do_not_decrypt_is_told_beside_what_can_be_read_and_no_word_is_said_where_there_are_none(
    talk, monkeypatch, tmp_path
):
    path, _, _ = talk
    both = path.read_bytes() + pcap(conversation_packets())[24:]
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    assert is_small_talk(load(tmp_path, both, "both.pcap"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "none"))
    tshark(path)
    with pytest.warns(
        CaptureWarning, match=r"^both.pcap has 1 TCP connection with TLS, which its keys do not decrypt$"
    ):
        assert is_small_talk(load(tmp_path, both, "both.pcap"))
