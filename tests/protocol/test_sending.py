"""SendingHalf: what one end may send, and when, as `Protocol` sends it."""

import pytest
from support.wire import KEY, OTHER, every_role, opened, receive, sent, to

from wslab.protocol.batch import LONG
from wslab.protocol.deflate import PermessageDeflate, deflate, new_compressor
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import ConnectionClosed
from wslab.protocol.events import Binary, Close, Text
from wslab.protocol.frames import Opcode, parse_frame
from wslab.protocol.states import State

DEFLATE = PermessageDeflate()
MASKED_HELLO = bytes.fromhex("818537fa213d7f9f4d5158")

every_way_to_send = pytest.mark.parametrize(
    "action",
    [
        lambda protocol: protocol.send_text("x"),
        lambda protocol: protocol.send_bytes(b"x"),
        lambda protocol: protocol.send_messages(["x"]),
        lambda protocol: protocol.ping(),
        lambda protocol: protocol.pong(),
        lambda protocol: protocol.close(),
    ],
)


@every_role
@every_way_to_send
def test_nothing_can_be_sent_before_the_handshake_is_done(role, action):
    protocol = Protocol(role)

    with pytest.raises(RuntimeError, match="the opening handshake is not done yet"):
        action(protocol)
    assert protocol.data_to_send() == b""


def test_a_server_sends_its_frames_without_a_mask():
    server = opened("server")
    server.send_text("Hello")
    server.send_bytes(b"\x00\xff")
    server.ping(b"Hello")
    server.pong()
    server.close(1000, "bye")

    assert server.data_to_send() == bytes.fromhex(
        "81 05 48656c6c6f  82 02 00ff  89 05 48656c6c6f  8a 00  88 05 03e8 627965"
    )
    assert server.data_to_send() == b""


def test_a_client_masks_each_frame_with_a_new_key():
    keys = iter([KEY, b"\x00\x00\x00\x01"])
    client = Protocol("client", state=State.OPEN, masking_keys=lambda: next(keys))
    client.send_text("Hello")
    client.ping(b"\x01" * 5)

    assert client.data_to_send() == MASKED_HELLO + bytes.fromhex("8985 00000001 01010100 01")


def test_masking_keys_cannot_be_foreseen_unless_they_are_given():
    client, keys = Protocol("client", state=State.OPEN), set()
    for _ in range(1000):
        client.ping()
        frame, _ = parse_frame(client.data_to_send())
        keys.add(frame.masking_key)

    assert len(keys) > 990


@every_role
def test_fragments_are_sent_as_a_first_frame_and_continuations(role):
    protocol = opened(role)
    protocol.send_text("Hel", fin=False)
    protocol.ping()
    protocol.send_text("l", fin=False)
    protocol.send_text("o")
    protocol.send_bytes(b"\x01", fin=False)
    protocol.send_bytes(b"")
    protocol.send_text("x")

    assert sent(protocol) == [
        'text "Hel" (more to come)',
        "ping",
        "continuation 6c (more to come)",
        "continuation 6f",
        "binary 01 (more to come)",
        "continuation",
        'text "x"',
    ]


def test_only_the_first_frame_of_a_compressed_message_has_rsv1_and_control_frames_never_have():
    server = opened("server", permessage_deflate=DEFLATE)
    server.send_text("Hel", fin=False)
    server.ping(b"x")
    server.send_text("lo")
    server.send_text("")
    server.close(1000)

    frames, data = [], server.data_to_send()
    while data:
        frame, used = parse_frame(data)
        frames.append((frame.opcode, frame.rsv1))
        data = data[used:]
    assert frames == [
        (Opcode.TEXT, True),
        (Opcode.PING, False),
        (Opcode.CONTINUATION, False),
        (Opcode.TEXT, True),
        (Opcode.CLOSE, False),
    ]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [("send_text", "send_bytes", "text"), ("send_bytes", "send_text", "binary")],
)
def test_a_fragmented_message_is_finished_before_one_of_the_other_kind_begins(first, second, kind):
    server, data = opened("server"), {"send_text": "x", "send_bytes": b"x"}
    getattr(server, first)(data[first], fin=False)

    with pytest.raises(ValueError, match=f"a fragmented {kind} message is being sent; finish it first"):
        getattr(server, second)(data[second])
    getattr(server, first)(data[first])
    getattr(server, second)(data[second])
    assert len(sent(server)) == 3


def test_a_long_message_is_not_joined_to_its_header_and_short_ones_are_joined():
    server = opened("server")
    server.send_messages([bytes(LONG)])
    assert [len(piece) for piece in server.pieces_to_send()] == [4, LONG]

    server.ping(b"a")
    server.send_messages(["b", memoryview(b"c")])
    assert server.pieces_to_send() == [bytes.fromhex("890161 810162 820163")]
    assert server.pieces_to_send() == []


@every_role
@pytest.mark.parametrize("message", [5, None, [1], 1.5])
def test_what_is_no_message_is_not_sent_and_neither_is_what_came_with_it(role, message):
    protocol = opened(role)

    with pytest.raises(TypeError):
        protocol.send_messages(["a", message])
    assert protocol.data_to_send() == b""


@every_role
def test_with_compression_messages_are_sent_as_they_must_be(role):
    protocol = opened(role, permessage_deflate=PermessageDeflate())
    protocol.send_messages(["Hello", b"Hello"])
    peer = opened(OTHER[role], permessage_deflate=PermessageDeflate())
    assert receive(peer, protocol.data_to_send()) == [Text("Hello"), Binary(b"Hello")]


@every_role
def test_whole_messages_do_not_become_the_last_fragment_of_another(role):
    protocol = opened(role)
    protocol.send_text("Hel", fin=False)
    with pytest.raises(ValueError, match="a fragmented text message is being sent; finish it first"):
        protocol.send_messages(["whole"])
    protocol.send_text("lo")

    assert receive(opened(OTHER[role]), protocol.data_to_send()) == [Text("Hello")]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_anything_like_bytes_can_be_sent(kind):
    server = opened("server")
    server.send_bytes(kind(b"x"))
    server.ping(kind(b"y"))
    server.pong(kind(b"z"))

    assert sent(server) == ["binary 78", "ping 79", "pong 7a"]


@pytest.mark.parametrize("name", ["send_bytes", "ping", "pong"])
@pytest.mark.parametrize("data", [5, "x", None])
def test_what_is_not_bytes_is_not_sent(name, data):
    server = opened("server")

    with pytest.raises(TypeError):
        getattr(server, name)(data)
    assert server.data_to_send() == b""


@pytest.mark.parametrize("name", ["ping", "pong"])
def test_a_control_frame_that_is_too_long_is_not_sent(name):
    server = opened("server")
    getattr(server, name)(bytes(125))
    server.data_to_send()

    with pytest.raises(ValueError, match=f"a {name} has at most 125 bytes, not 126"):
        getattr(server, name)(bytes(126))
    assert server.data_to_send() == b""


@pytest.mark.parametrize("bits", [9, 12, 15])
@pytest.mark.parametrize("takeover", [True, False])
@every_role
def test_each_side_compresses_as_its_own_parameters_say(role, takeover, bits):
    text = " ".join(map(str, range(1000)))
    agreed = PermessageDeflate(**{f"{role}_no_context_takeover": not takeover, f"{role}_max_window_bits": bits})
    mine, theirs = new_compressor(bits), new_compressor(15)

    for end, compressor, fresh in [(role, mine, not takeover), (OTHER[role], theirs, False)]:
        protocol, payloads = opened(end, permessage_deflate=agreed), []
        for _ in range(2):
            protocol.send_text(text)
            payloads.append(parse_frame(protocol.data_to_send())[0].payload)
        first, again = (deflate(text.encode(), compressor) for _ in range(2))
        assert payloads == [first, first if fresh else again]


@every_role
def test_a_side_with_a_window_of_8_bits_sends_its_messages_uncompressed(role):
    protocol = opened(role, permessage_deflate=PermessageDeflate(server_max_window_bits=8, client_max_window_bits=8))
    protocol.send_text("Hello")

    assert sent(protocol) == ['text "Hello"']


@every_role
@pytest.mark.parametrize(
    ("arguments", "line", "code"),
    [
        ((), "close 1000", 1000),
        ((1001, "bye"), 'close 1001 "bye"', 1001),
        ((None,), "close", 1005),
        ((4999,), "close 4999", 4999),
    ],
)
def test_a_close_that_we_begin_ends_with_the_answer_of_the_peer(role, arguments, line, code):
    protocol = opened(role)
    protocol.close(*arguments)

    assert (sent(protocol), protocol.state, protocol.close_code) == ([line], State.CLOSING, 1006)
    with pytest.raises(ConnectionClosed) as caught:
        protocol.send_text("x")
    assert (caught.value.code, caught.value.reason) == (code, "")
    assert protocol.receive_data(to(role, "8805 03ea6e6f21", "8900")) == [Close(1002, "no!")]
    assert (protocol.data_to_send(), protocol.state, protocol.close_code) == (b"", State.CLOSING, 1002)


@every_role
@every_way_to_send
def test_nothing_can_be_sent_after_a_close_frame_and_the_error_says_how_it_closed(role, action):
    protocol = opened(role)
    receive(protocol, to(role, "8805 03e9627965"))
    protocol.data_to_send()

    for _ in range(2):
        with pytest.raises(ConnectionClosed, match="1001 going away: bye"):
            action(protocol)
        assert protocol.data_to_send() == b""
        protocol.receive_eof()


def test_nothing_can_be_sent_after_tcp_has_ended_without_a_close_frame():
    server = opened("server")
    server.receive_eof()

    with pytest.raises(ConnectionClosed, match="1006 abnormal closure"):
        server.ping()


@pytest.mark.parametrize(
    ("code", "reason"), [(1005, ""), (1006, ""), (999, ""), (5000, ""), (1000, "x" * 124), (None, "x")]
)
def test_a_close_frame_that_must_not_be_sent_is_not_sent_and_the_connection_stays_open(code, reason):
    server = opened("server")

    with pytest.raises(ValueError, match=r"must not be sent|at most 123 bytes|needs a close code"):
        server.close(code, reason)
    assert (server.state, server.data_to_send()) == (State.OPEN, b"")
