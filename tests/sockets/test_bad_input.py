"""Bad input, a few bytes at a time: the server names the fault, has answered all before it, and serves all others.

What a program still gets when its peer fails is the subject of test_delivery; attacks at full size, of test_attacks.
"""

import logging
import random

import pytest
from support.bad_frames import FAULTS, MAX_SIZE, Fault, glued, said
from support.heads_and_frames import DEFLATE, ZERO_KEY, close_frame, masked, raw_frame, request, text
from support.raw_peer import RawPeer, live_server
from support.waiting import running, wait_until, wslab_threads

from wslab import Frame, Limits, Opcode, connect, parse_frame, serialize_frame


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
    wait_until(lambda: {thread.name for thread in wslab_threads()} == {"wslab-accept"})  # the last one may be leaving
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
        peer.send(serialize_frame(Frame(Opcode.BINARY, bytes(1000)), ZERO_KEY)[:20])
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
