"""Whatever a peer sends: the server says what is wrong, loses nothing that came before it, and serves all others."""

import logging
import random
import zlib
from dataclasses import dataclass

import pytest
from support.raw import RawPeer, close_frame, live_server, masked, request, running, text, wait_until, wslab_threads

from wslab import Frame, Limits, Opcode, connect, parse_frame, serialize_frame

DEFLATE = ("Sec-WebSocket-Extensions: permessage-deflate",)
KEY = bytes(4)  # masks nothing: the payload in these frames is the payload on the wire
MAX_SIZE = 1000


@dataclass(frozen=True)
class Fault:
    """Bytes that no correct client sends, and the close frame that must answer them."""

    name: str
    sent: bytes
    code: int
    words: str
    deflate: bool = False


def raw_frame(first: int, payload: bytes = b"", *, length: bytes | None = None, mask: int = 0x80) -> bytes:
    """A frame from its first byte, with a length field of any form."""
    size = length if length is not None else bytes((len(payload),))
    return bytes((first, mask | size[0])) + size[1:] + (KEY if mask else b"") + payload


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def compressed(data: bytes, first: int = 0xC2) -> bytes:
    """A frame whose payload is `data`, as it is, with RSV1 set."""
    return serialize_frame(Frame(Opcode(first & 15), data, fin=bool(first & 0x80), rsv1=bool(first & 0x40)), KEY)


FAULTS = [
    Fault("no mask", raw_frame(0x81, b"Hello", mask=0), 1002, "without a mask"),
    Fault("RSV1, which nobody agreed on", raw_frame(0xC1, b"Hello"), 1002, "RSV1"),
    Fault("RSV2", raw_frame(0xA1, b"Hello"), 1002, "reserved bit"),
    Fault("RSV3", raw_frame(0x91, b"Hello"), 1002, "reserved bit"),
    Fault("RSV1 on a ping", raw_frame(0xC9, b"Hello"), 1002, "reserved bit", deflate=True),
    *(Fault(f"opcode {code:#x}", raw_frame(0x80 | code), 1002, "reserved") for code in (3, 4, 5, 6, 7, *range(11, 16))),
    Fault("a length of 125 in 2 bytes", raw_frame(0x82, bytes(125), length=b"\x7e\0\x7d"), 1002, "shortest form"),
    Fault("a length of 65535 in 8 bytes", raw_frame(0x82, length=b"\x7f" + bytes(6) + b"\xff\xff"), 1002, "shortest"),
    Fault("a length of 2^63", raw_frame(0x82, length=b"\x7f\x80" + bytes(7)), 1002, "most significant bit"),
    Fault("a ping of 126 bytes", raw_frame(0x89, bytes(126), length=b"\x7e\0\x7e"), 1002, "more than 125 bytes"),
    Fault("a fragmented ping", raw_frame(0x09), 1002, "fragmented ping"),
    Fault("a fragmented close frame", raw_frame(0x08, b"\x03\xe8"), 1002, "fragmented close"),
    Fault("a continuation of nothing", raw_frame(0x80, b"Hello"), 1002, "no message has begun"),
    Fault("a message inside a message", raw_frame(0x01, b"Hel") + raw_frame(0x81, b"lo"), 1002, "inside a fragmented"),
    Fault("a close frame with half a code", raw_frame(0x88, b"\x03"), 1002, "half a close code"),
    *(
        Fault(f"a close frame with {code}", raw_frame(0x88, code.to_bytes(2, "big")), 1002, "must not be sent")
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    ),
    Fault("a close reason that is not UTF-8", raw_frame(0x88, b"\x03\xe8\xff"), 1007, "not UTF-8"),
    Fault("a text that is not UTF-8", raw_frame(0x81, b"caf\xe9"), 1007, "not UTF-8"),
    Fault("a text that is cut in a character", raw_frame(0x81, b"caf\xc3"), 1007, "not UTF-8"),
    Fault("half a surrogate pair", raw_frame(0x81, b"\xed\xa0\x80"), 1007, "not UTF-8"),
    Fault("a wrong byte in a fragment", raw_frame(0x01, b"\xff"), 1007, "not UTF-8"),
    Fault("a wrong byte in a frame that is not all there", raw_frame(0x81, b"\xff", length=b"\x09"), 1007, "not UTF-8"),
    Fault("a wrong byte in a compressed text", compressed(deflated(b"\xff"), 0xC1), 1007, "not UTF-8", deflate=True),
    Fault(
        "RSV1 on a continuation", compressed(b"", 0x42) + compressed(b"\0", 0xC0), 1002, "continuation", deflate=True
    ),
    Fault("no DEFLATE data", compressed(b"\xff\xff\xff"), 1007, "not DEFLATE", deflate=True),
    Fault("a message one byte too long", serialize_frame(Frame(Opcode.BINARY, bytes(1001)), KEY), 1009, "1000 bytes"),
    Fault("a frame of 2^40 bytes", raw_frame(0x82, length=b"\x7f\0\0\1" + bytes(5)), 1009, "more than 1000 bytes"),
    Fault(
        "fragments that are too long together", raw_frame(0x01, b"a" * 100) + raw_frame(0x00, b"a" * 100) * 10, 1009, ""
    ),
    Fault("a deflate bomb of 20 MB", compressed(deflated(bytes(20_000_000))[:1100]), 1009, "too big", deflate=True),
]


def glued(fault: Fault) -> bytes:
    return text("before") + masked(Opcode.PING, b"alive?") + text("the fault") + fault.sent


def one_byte_at_a_time(fault: Fault) -> list[bytes]:
    return [bytes((octet,)) for octet in glued(fault)]


@pytest.fixture(scope="module")
def server():
    with live_server(limits=Limits(max_size=MAX_SIZE)) as server:
        yield server


@pytest.fixture(autouse=True)
def others_are_served(server, caplog):
    """After each test the server has no connection left, has logged no error, and serves the next one."""
    caplog.set_level(logging.INFO, "wslab")
    yield
    wait_until(lambda: not server.connections)
    assert {thread.name for thread in wslab_threads()} == {"wslab-accept"}
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    with connect(server.url) as connection:
        connection.send("Hello")
        assert connection.receive() == "Hello"
    wait_until(lambda: not server.connections)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["in one segment", "byte by byte"])
@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
def test_what_came_whole_before_a_fault_is_echoed_and_the_fault_is_told(server, fault, in_pieces, caplog):
    with RawPeer.upgraded(server, more=DEFLATE if fault.deflate else ()) as peer:
        peer.send(*(one_byte_at_a_time(fault) if in_pieces else [glued(fault)]))

        *answers, close = peer.read_frames_to_end()
        assert said(answers) == ["alive?", "before", "the fault"]
        assert close.opcode is Opcode.CLOSE
        assert int.from_bytes(close.payload[:2], "big") == fault.code
        assert fault.words in close.payload[2:].decode()
        assert len(close.payload) > 10
    wait_until(lambda: not server.connections)
    assert str(fault.code) in caplog.text


def said(answers: list[Frame]) -> list[str]:
    """What the frames say, the pong first: it may overtake the echoes, which take their way through the handler."""
    inflater = zlib.decompressobj(wbits=-15)
    texts = [
        (inflater.decompress(frame.payload + b"\0\0\xff\xff") if frame.rsv1 else frame.payload).decode()
        for frame in answers
        if frame.opcode is Opcode.TEXT
    ]
    return [frame.payload.decode() for frame in answers if frame.opcode is Opcode.PONG] + texts


def test_what_comes_behind_a_fault_is_ignored(server):
    with RawPeer.upgraded(server) as peer:
        peer.send(raw_frame(0x83) + text("too late") + bytes(300_000))

        (close,) = peer.read_frames_to_end()
        assert close == close_frame(1002, "opcode 0x3 is reserved")


def test_what_comes_behind_a_close_frame_is_ignored(server):
    with RawPeer.upgraded(server) as peer:
        peer.send(text("before") + masked(Opcode.CLOSE, b"\x0f\xa1bye") + text("too late") + bytes(300_000))

        assert peer.read_frames_to_end() == [Frame(Opcode.TEXT, b"before"), close_frame(4001)]


def test_every_illegal_first_byte_and_length_byte_of_a_frame_has_its_answer(server):
    for first in range(256):
        with RawPeer.upgraded(server) as peer:
            peer.send(raw_frame(first, b"\x03\xe8"))
            peer.send(masked(Opcode.CLOSE, b"\x03\xe8"))

            *_, close = peer.read_frames_to_end()
            assert close.opcode is Opcode.CLOSE
            assert int.from_bytes(close.payload[:2], "big") in (1000, 1002, 1007)


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_after_a_good_handshake(server, seed):
    source = random.Random(seed)
    with RawPeer.upgraded(server, more=DEFLATE if seed % 2 else ()) as peer:
        peer.send(source.randbytes(source.randrange(1, 3000)), bytes(32))
        peer.sock.shutdown(1)  # random bytes may also announce a frame and fall silent

        peer.read_to_end()


@pytest.mark.parametrize("seed", range(40))
def test_random_changes_of_a_good_conversation(server, seed):
    source = random.Random(1000 + seed)
    conversation = bytearray(request(more=DEFLATE) + text("one") + masked(Opcode.PING, b"two") + text("three" * 30))
    for _ in range(source.randrange(1, 4)):
        conversation[source.randrange(len(conversation))] = source.randrange(256)
    with RawPeer(server) as peer:
        peer.send(bytes(conversation))
        peer.sock.shutdown(1)

        assert peer.read_to_end().startswith((b"HTTP/1.1 101", b"HTTP/1.1 4", b"HTTP/1.1 505"))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="before the first byte"),
        pytest.param(request()[:50], id="in the request"),
        pytest.param(request(), id="right after the request"),
        pytest.param(request() + text("Hello")[:3], id="in a frame header"),
        pytest.param(request() + text("Hello" * 20)[:30], id="in a payload"),
        pytest.param(request() + text("Hello") * 100, id="with echoes on their way"),
        pytest.param(request() + masked(Opcode.CLOSE, b"\x03\xe8"), id="after a close frame"),
        pytest.param(request() + raw_frame(0x83), id="after a fault"),
        pytest.param(b"BREW / HTTP/1.1\r\n\r\n", id="after a bad request"),
    ],
)
@pytest.mark.parametrize("end", [RawPeer.reset, RawPeer.__exit__], ids=["with a reset", "in good order"])
def test_a_client_may_go_at_any_moment(server, sent, end):
    for _ in range(5):
        peer = RawPeer(server)
        peer.send(sent)
        end(peer)


def test_a_frame_announced_and_never_sent_hurts_nobody(server):
    with RawPeer.upgraded(server) as peer:
        peer.send(serialize_frame(Frame(Opcode.BINARY, bytes(1000)), KEY)[:20])
        with RawPeer.upgraded(server) as other:
            other.send(text("Hello"))
            assert other.read_frame() == Frame(Opcode.TEXT, b"Hello")
            assert other.says_goodbye()


def test_a_thousand_pings_in_one_segment_get_a_thousand_pongs_in_order(server):
    payloads = [str(number).encode() for number in range(1000)]
    with RawPeer.upgraded(server) as peer:
        peer.send(b"".join(masked(Opcode.PING, payload) for payload in payloads))

        assert [peer.read_frame() for _ in payloads] == [Frame(Opcode.PONG, payload) for payload in payloads]
        assert peer.says_goodbye()


def test_a_message_in_ten_thousand_empty_fragments(server):
    with RawPeer.upgraded(server) as peer:
        peer.send(raw_frame(0x01, b"a") + raw_frame(0x00) * 10_000 + raw_frame(0x80, b"b"))

        assert peer.read_frame() == Frame(Opcode.TEXT, b"ab")
        assert peer.says_goodbye()


def test_a_hundred_rude_clients_at_once_leave_a_polite_one_undisturbed(server):
    rude = [request() + fault.sent for fault in FAULTS] + [b"\x16\x03", request()[:40], b"\0" * 100]

    def be_rude() -> None:
        for number in range(100):
            with RawPeer(server) as peer:
                peer.send(rude[number % len(rude)])

    with running(be_rude), RawPeer.upgraded(server) as polite:
        for number in range(200):
            polite.send(text(str(number)))
            assert polite.read_frame() == Frame(Opcode.TEXT, str(number).encode())
        assert polite.says_goodbye()


def test_the_faults_are_faults_for_our_parser_or_our_protocol_and_the_table_is_complete():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 45
    assert {fault.code for fault in FAULTS} == {1002, 1007, 1009}
    assert parse_frame(raw_frame(0x81, b"Hello"))[0] == Frame(Opcode.TEXT, b"Hello")
