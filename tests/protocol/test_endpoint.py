"""Protocol: one WebSocket connection without a socket; bytes in, events and bytes out."""

from contextlib import suppress
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.looked_at import grows_linearly
from support.wire import (
    BAD_UTF8,
    CAPTURE_2014,
    COMPRESSED,
    GOOD_UTF8,
    HANDSHAKES,
    KEY,
    RFC_HANDSHAKE,
    ROLES,
    Wire,
    every_role,
    fault,
    handshake,
    named,
    opened,
    outcome,
    receive,
    sent,
    to,
)

from wslab.protocol import frames
from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate, deflate, new_compressor
from wslab.protocol.endpoint import Protocol
from wslab.protocol.errors import ConnectionClosed, HandshakeError, PartError, ProtocolError
from wslab.protocol.events import Binary, Close, Ping, Pong, Text
from wslab.protocol.frames import Frame, Opcode, parse_frame, serialize_frame
from wslab.protocol.handshake import build_request
from wslab.protocol.http import Headers, Request, Response, parse_response
from wslab.protocol.limits import Limits
from wslab.protocol.states import TRANSITIONS, Role, State, Step

DEFLATE = PermessageDeflate()
REQUEST = build_request("localhost", key=RFC_HANDSHAKE.key)
RESPONSE = b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" % (
    RFC_HANDSHAKE.accept.encode()
)
HEAD = REQUEST.serialize()
MASKED_HELLO = bytes.fromhex("818537fa213d7f9f4d5158")


def refusal(action, *arguments):
    with pytest.raises(HandshakeError) as caught:
        action(*arguments)
    return caught.value


# The opening handshake


@pytest.mark.parametrize("sizes", [(), (1,), (2, 3, 50)])
def test_client_and_server_open_a_connection_however_the_bytes_are_cut(sizes):
    client, server = Protocol("client"), Protocol("server")

    wire = handshake(client, server, sizes)

    assert wire.events == {"server": [client.request], "client": [server.response]}
    assert (server.request, client.response) == (client.request, server.response)
    assert client.permessage_deflate is server.permessage_deflate is client.subprotocol is server.subprotocol is None


@pytest.mark.parametrize("wanted", named(HANDSHAKES))
def test_a_server_answers_a_request_that_arrives_cut_at_any_byte(wanted):
    for cut in range(len(wanted.request_bytes)):
        server = Protocol("server")

        assert server.receive_data(wanted.request_bytes[:cut]) == []
        assert server.receive_data(wanted.request_bytes[cut:]) == [wanted.request]
        assert server.accept(subprotocols=["chat"]).headers["Sec-WebSocket-Accept"] == wanted.accept
        assert server.data_to_send() == server.response.serialize()
        assert (server.state, server.withheld) == (State.OPEN, False)


@pytest.mark.parametrize("wanted", named(HANDSHAKES))
def test_a_client_takes_an_answer_that_arrives_cut_at_any_byte(wanted):
    for cut in range(len(wanted.response_bytes)):
        client = Protocol("client")
        client.connect(wanted.request)

        assert client.data_to_send() == wanted.request_bytes
        assert client.receive_data(wanted.response_bytes[:cut]) == []
        assert client.receive_data(wanted.response_bytes[cut:]) == [wanted.response]
        assert client.state is State.OPEN


def test_frames_glued_to_the_request_are_withheld_until_it_is_accepted():
    server = Protocol("server")

    assert server.receive_data(HEAD + MASKED_HELLO[:6]) == [REQUEST]
    assert server.receive_data(MASKED_HELLO[6:]) == []
    assert (server.state, server.withheld) == (State.CONNECTING, False)
    server.accept()
    assert server.withheld
    assert server.receive_data() == [Text("Hello")]
    assert not server.withheld


def test_frames_glued_to_the_response_come_right_after_it():
    client = Protocol("client")
    client.connect(REQUEST)

    response, text, more = client.receive_data(RESPONSE + b"\r\n" + bytes.fromhex("810548656c6c6f 8900 81"))
    assert (response.status, text, more) == (101, Text("Hello"), Ping())


def test_a_close_frame_glued_to_the_response_is_withheld():
    client = Protocol("client")
    client.connect(REQUEST)

    assert len(client.receive_data(RESPONSE + b"\r\n" + bytes.fromhex("8800"))) == 1
    assert (client.state, client.withheld) == (State.OPEN, True)
    assert client.receive_data() == [Close(1005)]


@pytest.mark.parametrize(
    ("offered", "known", "chosen"),
    [
        (["chat", "superchat"], ["superchat", "chat"], "chat"),
        (["a", "b"], ["b"], "b"),
        (["a"], ["A"], None),
        (["a"], [], None),
        ([], ["a"], None),
    ],
)
def test_the_server_chooses_the_first_subprotocol_of_the_client_that_it_knows(offered, known, chosen):
    client, server = Protocol("client"), Protocol("server")
    client.connect(build_request("localhost", key=RFC_HANDSHAKE.key, subprotocols=offered))
    server.receive_data(client.data_to_send())

    response = server.accept(subprotocols=known, headers=[("Server", "wslab")])
    client.receive_data(server.data_to_send())

    assert client.subprotocol == server.subprotocol == chosen
    assert response.headers.get_all("Sec-WebSocket-Protocol") == ([chosen] if chosen else [])
    assert response.headers["Server"] == "wslab"


def test_chrome_of_2014_would_have_got_its_compression():
    server = Protocol("server", deflate=DEFLATE)
    server.receive_data(CAPTURE_2014.request_bytes)

    assert server.accept().headers["Sec-WebSocket-Extensions"] == "permessage-deflate"
    assert server.permessage_deflate == DEFLATE


def test_a_server_that_does_not_wish_to_compress_leaves_the_offer_unanswered():
    server = Protocol("server")
    server.receive_data(CAPTURE_2014.request_bytes)

    assert "Sec-WebSocket-Extensions" not in server.accept().headers
    assert server.permessage_deflate is None


def test_a_client_offers_compression_besides_the_extensions_in_its_request():
    client = Protocol("client", deflate=PermessageDeflate(server_no_context_takeover=True))
    client.connect(build_request("localhost", key=RFC_HANDSHAKE.key, extensions="x"))

    assert client.request.headers.get_all("Sec-WebSocket-Extensions") == [
        "x",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits",
    ]
    assert client.data_to_send() == client.request.serialize()


@pytest.mark.parametrize(
    ("deflate_wish", "line", "reason"),
    [
        (None, b"Sec-WebSocket-Extensions: permessage-deflate", "extensions that were not offered"),
        (DEFLATE, b"Sec-WebSocket-Extensions: x", "'x', which was not offered"),
        (DEFLATE, b"Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate", "that were not offered"),
        (DEFLATE, b"Sec-WebSocket-Extensions: permessage-deflate; x", "which was not offered"),
        (DEFLATE, b"Sec-WebSocket-Extensions: permessage-deflate;", "malformed"),
        (None, b"Sec-WebSocket-Protocol: chat", "which was not offered"),
        (None, b"Upgrade: x", "'Upgrade: websocket'"),
    ],
)
def test_a_client_refuses_a_wrong_answer_and_sends_nothing_more(deflate_wish, line, reason):
    client = Protocol("client", deflate=deflate_wish)
    client.connect(REQUEST)
    client.data_to_send()

    assert reason in refusal(client.receive_data, RESPONSE + line + b"\r\n\r\n").reason
    assert (client.state, client.data_to_send(), client.response) == (State.CONNECTING, b"", None)
    assert client.receive_data(RESPONSE + b"\r\n") == []


def test_a_client_tells_what_a_server_said_when_it_refused():
    client = Protocol("client")
    client.connect(REQUEST)

    error = refusal(client.receive_data, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX: y\r\n\r\nNo.")
    assert (error.status, error.headers) == (403, (("Content-Length", "3"), ("X", "y")))
    assert str(error) == "403 the server refused with 403 Forbidden: No."


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01", 400),
        (b"GET / HTTP/1.1\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
    ],
)
def test_a_server_answers_what_is_no_request_with_a_status_and_ignores_the_rest(data, status):
    server = Protocol("server")

    error = refusal(server.receive_data, data)
    response, _ = parse_response(server.data_to_send())
    assert (error.status, response.status) == (status, status)
    assert response == server.response
    assert response.body.decode().casefold() == f"{error.reason}.\n".casefold()
    assert server.receive_data(HEAD) == []
    assert (server.state, server.data_to_send()) == (State.CONNECTING, b"")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("GET", "/", Headers((("Host", "a"),))), 426),
        (Request("POST", "/", REQUEST.headers), 405),
        (Request("GET", "/", Headers((*REQUEST.headers, ("Sec-WebSocket-Protocol", "a, a")))), 400),
        (Request("GET", "/", Headers((*REQUEST.headers, ("Sec-WebSocket-Extensions", "a;")))), 400),
    ],
)
def test_a_server_does_not_accept_a_request_that_is_no_handshake_and_can_reject_it(request_, status):
    server = Protocol("server", deflate=DEFLATE)
    assert server.receive_data(request_.serialize()) == [request_]

    error = refusal(server.accept)
    assert (error.status, server.state, server.data_to_send()) == (status, State.CONNECTING, b"")
    response = server.reject(error)
    assert (response.status, server.data_to_send()) == (status, response.serialize())
    assert server.receive_data(MASKED_HELLO) == []


def test_the_answer_to_a_head_request_has_no_body():
    server = Protocol("server")
    server.receive_data(HEAD.replace(b"GET", b"HEAD"))
    response = server.reject(refusal(server.accept))

    assert (response.status, response.body) == (405, b"")
    assert int(response.headers["Content-Length"]) > 0
    assert server.data_to_send() == response.serialize()


def test_a_server_may_answer_with_plain_http_and_is_then_done():
    server = Protocol("server")
    server.receive_data(HEAD)
    page = Response(200, "OK", Headers((("Content-Length", "5"),)), b"Hello")

    assert server.answer(page) == server.response == page
    assert server.data_to_send() == page.serialize()
    assert (server.receive_data(MASKED_HELLO), server.state) == ([], State.CONNECTING)


@pytest.mark.parametrize("cut", range(6))
def test_the_body_of_a_request_is_there_once_all_of_it_has_arrived(cut):
    server = Protocol("server")
    assert server.request_body(1) is None
    server.receive_data(HEAD + b"Hello"[:cut])

    assert server.request_body(5) == (b"Hello" if cut == 5 else None)
    server.receive_data(b"Hello and more"[cut:])
    assert (server.request_body(5), server.request_body(0)) == (b"Hello", b"")


def test_there_is_nothing_to_accept_before_a_request_has_arrived():
    with pytest.raises(RuntimeError, match="no request has arrived yet"):
        Protocol("server").accept()


def test_nothing_is_withheld_at_the_beginning():
    assert not Protocol("client").withheld
    assert not opened("server").withheld


def test_a_role_is_client_or_server():
    assert (Protocol("client").role, Protocol(Role.SERVER).role) == (Role.CLIENT, Role.SERVER)
    with pytest.raises(ValueError, match="proxy"):
        Protocol("proxy")


# Limits of the handshake

LIMITS = Limits(max_size=100, max_header_size=300, max_headers=8)


def padded(head, size):
    """`head` with one more header that makes it `size` bytes long, empty line and all."""
    return head[:-2] + b"X: " + b"x" * (size - len(head) - 5) + b"\r\n\r\n"


def connecting(role, limits=LIMITS):
    protocol = Protocol(role, limits=limits)
    if role == "client":
        protocol.connect(REQUEST)
        protocol.data_to_send()
    return protocol


HEADS = {"server": HEAD, "client": RESPONSE + b"\r\n"}
MOST = 300


@every_role
def test_a_header_block_may_be_as_long_as_the_limit(role):
    data = padded(HEADS[role], MOST)

    assert len(data) == MOST
    assert len(receive(connecting(role), data)) == 1
    assert len(receive(connecting(role), data, sizes=(50,))) == 1


@every_role
@pytest.mark.parametrize("sizes", [(), (50,)])
def test_a_header_block_longer_than_the_limit_is_refused(role, sizes):
    protocol = connecting(role)

    error = refusal(receive, protocol, padded(HEADS[role], MOST + 1), sizes)
    assert error.reason == "a header block of more than 300 bytes"
    assert error.status == (431 if role == "server" else 0)
    assert protocol.data_to_send().startswith(b"HTTP/1.1 431 " if role == "server" else b"")


@every_role
def test_a_header_block_is_refused_before_its_end_has_arrived(role):
    protocol, data = connecting(role), padded(HEADS[role], 9000)

    assert protocol.receive_data(data[:MOST]) == []
    assert refusal(protocol.receive_data, data[MOST : MOST + 1]).status == (431 if role == "server" else 0)


# Whoever sends a head byte by byte must not make us read it again and again.
DRIPPED = {
    "a request of many lines": ("server", b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
    "a request of one line": ("server", b"GET / HTTP/1.1\r\nX: ", b"a"),
    "a request of blank lines and tabs": ("server", b"GET / HTTP/1.1\r\n", b"a:\t\t\t\t\r\n"),
    "a long target": ("server", b"GET /", b"a"),
    "the body of a request": ("server", HEAD, b"a"),
    "an answer of many lines": ("client", b"HTTP/1.1 101 Yes\r\n", b"a: b\r\n"),
    "a refusal with a long body": ("client", b"HTTP/1.1 403 No\r\n\r\n", b"a"),
    "a refusal in small chunks": ("client", b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "a chunk with a long extension": ("client", b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a"),
}


@pytest.mark.parametrize(("role", "start", "rest"), DRIPPED.values(), ids=DRIPPED.keys())
@pytest.mark.parametrize("step", [1, 3])
def test_what_comes_before_the_frames_is_looked_at_once_however_it_drips(role, start, rest, step):
    def drip(size):
        protocol = connecting(role, Limits(max_headers=10_000))
        data = start + rest * (size // len(rest))
        return lambda: [protocol.receive_data(data[at : at + step]) for at in range(0, len(data), step)]

    assert grows_linearly(drip, 200)


def test_interim_answers_are_read_over_however_they_are_cut():
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + b"HTTP/1.1 100 Continue\r\n\r\n"
    data = early * 3 + RESPONSE + b"\r\n\x81\x02Hi"
    for size in range(1, 60):
        client = connecting("client")
        response, *messages = receive(client, data, (size,))

        assert (response.status, client.response, messages) == (101, response, [Text("Hi")])


def test_a_server_that_gives_interim_answers_only_is_left():
    client = connecting("client")
    for _ in range(20):
        assert client.receive_data(b"HTTP/1.1 102 Processing\r\n\r\n") == []

    error = refusal(client.receive_data, b"HTTP/1.1 102 Processing\r\n\r\n")
    assert (error.status, error.reason) == (0, "more than 20 interim answers before the final one")


def test_a_refusal_is_told_when_its_body_is_whole_or_nothing_more_is_to_be_waited_for():
    client = connecting("client")
    client.end_refusal()
    assert client.receive_data(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno") == []

    assert (client.state, client.response) == (State.CONNECTING, None)
    assert refusal(client.end_refusal).reason == "the server refused with 403 Forbidden: no"
    assert client.receive_data(b"t ") == []
    assert refusal(client.receive_data, b"you").reason == "the server refused with 403 Forbidden: not y"


def test_the_frames_glued_to_a_request_do_not_count_as_its_header_block():
    assert len(connecting("server").receive_data(HEAD + MASKED_HELLO * 100)) == 1


@every_role
@pytest.mark.parametrize(("count", "allowed"), [(8, True), (9, False)])
def test_there_is_a_limit_to_the_number_of_header_lines(role, count, allowed):
    head = HEADS[role]
    data = head[:-2] + b"X: y\r\n" * (count + 1 - head.count(b"\r\n") + 1) + b"\r\n"
    assert data.count(b"\r\n") - 2 == count

    if allowed:
        assert len(connecting(role).receive_data(data)) == 1
    else:
        error = refusal(connecting(role).receive_data, data)
        assert (error.reason, error.status) == ("more than 8 header lines", 431 if role == "server" else 0)


# Messages


@every_role
def test_every_example_of_section_5_7_is_a_message_or_a_control_frame(role):
    data = to(role, "8105 48656c6c6f", "0103 48656c", "8002 6c6f", "8905 48656c6c6f", "8a05 48656c6c6f")
    data += to(role, "827e0100 " + bytes(range(256)).hex(), "827f0000000000010000 " + (bytes(range(256)) * 256).hex())
    events = [
        Text("Hello"),
        Text("Hello"),
        Ping(b"Hello"),
        Pong(b"Hello"),
        Binary(bytes(range(256))),
        Binary(bytes(range(256)) * 256),
    ]

    for sizes in ((), (1, 2, 3), (7,), (1000,)):
        assert receive(opened(role), data, sizes) == events


@pytest.mark.parametrize("wanted", named(COMPRESSED))
def test_compressed_messages_are_read_cut_at_any_byte_and_followed_by_others(wanted):
    messages = [Text(message) for message in wanted.messages]
    for cut in range(len(wanted.wire)):
        client = opened("client", permessage_deflate=DEFLATE)
        events = client.receive_data(wanted.wire[:cut]) + client.receive_data(wanted.wire[cut:] + b"\x81\x02Hi")
        assert events == [*messages, Text("Hi")]
    assert receive(opened("client", permessage_deflate=DEFLATE), wanted.wire, (1,)) == messages


@pytest.mark.parametrize(
    ("name", "agreed"),
    [
        ("7.2.3.1 one block", DEFLATE),
        ("7.2.3.2 shared window", DEFLATE),
        ("7.2.3.2 fresh window", PermessageDeflate(server_no_context_takeover=True)),
        ("7.2.3.6 empty", DEFLATE),
    ],
)
def test_compressed_messages_are_written_as_in_the_rfc(name, agreed):
    (wanted,) = (example for example in COMPRESSED if example.name == name)
    server = opened("server", permessage_deflate=agreed)

    for message in wanted.messages:
        server.send_text(message)
    assert server.data_to_send() == wanted.wire


@every_role
def test_each_side_decompresses_as_the_parameters_of_the_other_say(role):
    hello, again = to(role, "c107 f248cdc9c90700"), to(role, "c105 f200110000")
    for end in ROLES:
        protocol = opened(role, permessage_deflate=PermessageDeflate(**{f"{end}_no_context_takeover": True}))
        assert protocol.receive_data(hello) == [Text("Hello")]
        assert outcome(protocol, again) == (([Text("Hello")], None) if end == role else ([], 1007))


def test_an_event_is_a_value_that_nobody_can_change():
    for event, name in [(Ping(), "payload"), (Pong(), "payload"), (Close(1000), "reason")]:
        with pytest.raises(FrozenInstanceError):
            setattr(event, name, "x")
        assert hash(event) == hash(type(event)(*([1000] if name == "reason" else [])))


# Pings


@every_role
def test_a_ping_is_answered_with_its_own_payload_and_a_pong_is_not_answered(role):
    protocol = opened(role)

    assert receive(protocol, to(role, "8900", "8903 010203", "8a01 04")) == [
        Ping(),
        Ping(b"\x01\x02\x03"),
        Pong(b"\x04"),
    ]
    assert sent(protocol) == ["pong", "pong 01 02 03"]


@every_role
def test_nothing_of_a_segment_is_kept_once_it_has_been_used(role):
    protocol = opened(role)
    receive(protocol, to(role, "827eea60 " + "00" * 60_000, "8900"))

    assert (protocol._buffer.data, len(protocol._buffer)) == (b"", 0)


@every_role
def test_reads_of_whole_messages_and_of_half_a_message_give_each_message_once(role):
    protocol = opened(role)

    for _ in range(2):
        assert protocol.receive_data(to(role, "8102 4869")) == [Text("Hi")]
    wire = to(role, "8102 4869", "8105 48656c6c6f")
    assert protocol.receive_data(wire[:-2]) == [Text("Hi")]
    assert protocol.receive_data(wire[-2:]) == [Text("Hello")]


def test_a_frame_that_must_be_read_as_a_whole_is_judged_by_its_header_and_awaited():
    whole = Codec(parse_frame=lambda data: parse_frame(data))
    server = Protocol("server", state=State.OPEN, codec=whole, limits=Limits(max_size=5))

    assert server.receive_data(bytes.fromhex("8185 00000000 4865")) == []
    assert server.receive_data(bytes.fromhex("6c6c6f")) == [Text("Hello")]
    with pytest.raises(ProtocolError, match="1009"):
        server.receive_data(bytes.fromhex("8186 00000000"))


@every_role
def test_control_frames_come_between_the_fragments_of_a_message(role):
    protocol = opened(role)

    events = receive(protocol, to(role, "0103 48656c", "8901 78", "0001 6c", "8a00", "8001 6f"))
    assert events == [Ping(b"x"), Pong(), Text("Hello")]
    assert sent(protocol) == ["pong 78"]


@every_role
def test_after_our_close_frame_pings_are_answered_and_messages_arrive_until_that_of_the_peer(role):
    protocol = opened(role)
    protocol.close(1001, "bye")
    protocol.data_to_send()

    events = receive(protocol, to(role, "8902 6869", "8105 48656c6c6f", "8802 03e9", "8900"))
    assert events == [Ping(b"hi"), Text("Hello"), Close(1001, "")]
    assert sent(protocol) == ["pong 68 69"]


# What a peer must not send: the frames, the close code, words of the reason. The last byte is the one that is too much.

FAULTS = [
    (["8300"], 1002, "opcode 0x3 is reserved"),
    (["8700"], 1002, "opcode 0x7 is reserved"),
    (["8b00"], 1002, "opcode 0xb is reserved"),
    (["8f00"], 1002, "opcode 0xf is reserved"),
    (["c100"], 1002, "RSV1 is set, but no extension"),
    (["c200"], 1002, "RSV1 is set, but no extension"),
    (["a100"], 1002, "a reserved bit"),
    (["9200"], 1002, "a reserved bit"),
    (["c900"], 1002, "a reserved bit"),
    (["a800"], 1002, "a reserved bit"),
    (["9a00"], 1002, "a reserved bit"),
    (["0900"], 1002, "a fragmented ping"),
    (["0a00"], 1002, "a fragmented pong"),
    (["0800"], 1002, "a fragmented close"),
    (["897e"], 1002, "a ping frame of more than 125 bytes"),
    (["887f"], 1002, "a close frame of more than 125 bytes"),
    (["817e007d"], 1002, "length 125 is not in its shortest form"),
    (["817f000000000000ffff"], 1002, "length 65535 is not in its shortest form"),
    (["827f8000000000000000"], 1002, "the most significant bit"),
    (["827f0000010000000000"], 1009, "a message of more than 1048576 bytes"),  # 2^40, refused at the header
    (["827f0000000000100001"], 1009, "a message of more than 1048576 bytes"),
    (["817f7fffffffffffffff"], 1009, "a message of more than 1048576 bytes"),
    (["8000"], 1002, "a continuation frame, but no message has begun"),
    (["0000"], 1002, "a continuation frame, but no message has begun"),
    (["8100", "8000"], 1002, "a continuation frame, but no message has begun"),
    (["0100", "8000", "8000"], 1002, "a continuation frame, but no message has begun"),
    (["0100", "8100"], 1002, "a text frame inside a fragmented message"),
    (["0200", "0000", "8200"], 1002, "a binary frame inside a fragmented message"),
    (["0100", "c000"], 1002, "RSV1 is set on a continuation frame"),
    (["8801 03"], 1002, "half a close code"),
    (["8802 03e7"], 1002, "close code 999 must not be sent"),
    (["8802 03ec"], 1002, "close code 1004 must not be sent"),
    (["8802 03ed"], 1002, "close code 1005 must not be sent"),
    (["8802 03ee"], 1002, "close code 1006 must not be sent"),
    (["8802 03f7"], 1002, "close code 1015 must not be sent"),
    (["8802 0bb7"], 1002, "close code 2999 must not be sent"),
    (["8802 1388"], 1002, "close code 5000 must not be sent"),
    (["8803 03e8ff"], 1007, "a close reason that is not UTF-8"),
    (["8804 03e8eda0"], 1007, "a close reason that is not UTF-8"),
    (["8101 ff"], 1007, "the text is not UTF-8"),
    (["8101 c3"], 1007, "the text is not UTF-8"),
    (["0101 c3", "8000"], 1007, "the text is not UTF-8"),
]
every_fault = pytest.mark.parametrize(("frames", "code", "reason"), FAULTS)


@every_role
@every_fault
def test_a_fault_fails_the_connection_with_its_code_and_ignores_what_follows(role, frames, code, reason):
    protocol = opened(role)

    with pytest.raises(ProtocolError, match=reason) as caught:
        receive(protocol, to(role, *frames))
    assert (caught.value.code, protocol.state, protocol.withheld) == (code, State.CLOSING, False)
    close = Frame(Opcode.CLOSE, code.to_bytes(2, "big") + caught.value.reason.encode())
    assert sent(protocol) == [str(close)]
    assert protocol.receive_data(to(role, "8105 48656c6c6f")) == []
    assert (protocol.data_to_send(), protocol.close_code) == (b"", 1006)


@every_fault
def test_a_fault_is_found_with_the_byte_that_makes_it_one(frames, code, reason):
    client, data = opened("client"), to("client", *frames)

    receive(client, data[:-1], sizes=(1,))
    assert client.state is State.OPEN
    assert outcome(client, data[-1:]) == ([], code)


@every_role
@every_fault
@pytest.mark.parametrize("sizes", [(), (1,), (8, 100)])
def test_messages_that_arrived_whole_come_before_the_fault(role, frames, code, reason, sizes):
    protocol = opened(role)
    data = to(role, "8105 48656c6c6f", "8900", *frames, "8105 48656c6c6f")

    events, found = outcome(protocol, data, sizes)
    before = [Text("") for frame in frames[:-1] if frame == "8100"]
    after = [Text("") for frame in frames[1:-1] if frame == "8000"]
    assert (events, found) == ([Text("Hello"), Ping(), *before, *after], code)
    assert sent(protocol)[0] == "pong"


@every_role
def test_a_fault_behind_a_message_is_withheld_so_that_the_message_can_be_answered(role):
    protocol = opened(role)

    assert protocol.receive_data(to(role, "8105 48656c6c6f", "8300")) == [Text("Hello")]
    assert (protocol.withheld, protocol.state) == (True, State.OPEN)
    protocol.send_text("Hi")
    with pytest.raises(ProtocolError, match="opcode 0x3"):
        protocol.receive_data(to(role, "8105 48656c6c6f"))
    assert sent(protocol) == ['text "Hi"', 'close 1002 "opcode 0x3 is reserved"']


@every_role
def test_a_mistake_in_a_part_behind_a_message_is_withheld_and_the_peer_is_told_nothing(role):
    def mine(data):
        return frames.parse_frame(data) if data[:1] == b"\x81" else 1 / 0

    protocol = opened(role, codec=Codec(parse_frame=mine))
    assert protocol.receive_data(to(role, "8105 48656c6c6f", "8900")) == [Text("Hello")]
    assert protocol.withheld
    for _ in range(2):
        with pytest.raises(PartError, match="parse_frame raised ZeroDivisionError"):
            protocol.receive_data()
    assert (protocol.state, protocol.data_to_send()) == (State.OPEN, b"")


@every_role
def test_a_fault_in_a_frame_that_is_not_complete_is_withheld_too(role):
    protocol = opened(role)

    assert protocol.receive_data(to(role, "8105 48656c6c6f", "8105 ff")) == [Text("Hello")]
    assert protocol.withheld
    assert outcome(protocol, to(role, "8105 48656c6c6f")) == ([], 1007)


@every_role
@every_fault
def test_a_fault_after_our_close_frame_ends_the_connection_without_a_second_one(role, frames, code, reason):
    protocol = opened(role)
    protocol.close()
    protocol.data_to_send()

    assert fault(receive, protocol, to(role, *frames)) == code
    assert protocol.data_to_send() == b""
    assert receive(protocol, to(role, "8800")) == []


def test_a_client_masks_and_a_server_does_not():
    server, client = opened("server"), opened("client")

    assert fault(server.receive_data, to("client", "8105 48656c6c6f")) == 1002
    assert sent(server) == ['close 1002 "a frame from a client without a mask"']
    assert fault(client.receive_data, to("server", "8105 48656c6c6f")) == 1002
    assert sent(client) == ['close 1002 "a masked frame from a server"']


@pytest.mark.parametrize(
    ("role", "header"), [("server", "8105"), ("client", "81ff00000000000fffff01020304"), ("server", "8900")]
)
def test_a_wrong_mask_is_found_in_the_header(role, header):
    assert fault(opened(role).receive_data, bytes.fromhex(header)) == 1002


@pytest.mark.parametrize("frames", [["0100", "c000"], ["c901 00"], ["a100"], ["d100"], ["4100", "c000"]])
def test_with_compression_rsv1_still_means_something_only_on_the_first_frame_of_a_message(frames):
    client = opened("client", permessage_deflate=DEFLATE)

    assert fault(receive, client, to("client", *frames)) == 1002


def test_compressed_data_that_is_no_deflate_is_refused_with_1007():
    client = opened("client", permessage_deflate=DEFLATE)

    assert fault(client.receive_data, to("client", "c17e0100 06")) == 1007
    assert sent(client) == ['close 1007 "the payload is not DEFLATE data"']


@pytest.mark.parametrize("error", [ProtocolError("é" * 100), ProtocolError("x" + "é" * 100), ProtocolError("x" * 200)])
def test_a_reason_that_is_too_long_for_a_close_frame_is_cut_between_characters(error):
    server = opened("server")
    server.fail(error)

    frame, _ = parse_frame(server.data_to_send())
    reason = frame.payload[2:].decode()
    assert error.reason.startswith(reason)
    assert 122 <= len(reason.encode()) <= 123


# UTF-8, checked as it arrives


@every_role
@pytest.mark.parametrize("wrong", BAD_UTF8, ids=bytes.hex)
def test_an_invalid_byte_is_found_in_a_frame_that_is_not_complete(role, wrong):
    text = GOOD_UTF8.encode() + wrong
    data = to(role, "817e0400 " + text.hex())

    protocol = opened(role)
    assert receive(protocol, data[:-1], sizes=(1,)) == []
    assert outcome(protocol, data[-1:]) == ([], 1007)
    for sizes in ((), (3,), (7, 11), (len(data) - 1,)):
        assert outcome(opened(role), data, sizes) == ([], 1007)


@every_role
@pytest.mark.parametrize("wrong", BAD_UTF8, ids=bytes.hex)
def test_an_invalid_byte_is_found_in_a_fragment_though_the_message_goes_on(role, wrong):
    fragments = [f"0102 {b'Hi'.hex()}", *(f"0001 {octet:02x}" for octet in wrong), "8900"]
    protocol = opened(role)

    assert receive(protocol, to(role, *fragments[:-2])) == []
    assert outcome(protocol, to(role, *fragments[-2:])) == ([], 1007)


@pytest.mark.parametrize("wrong", BAD_UTF8, ids=bytes.hex)
def test_an_invalid_byte_is_found_in_a_compressed_message_before_its_frame_is_complete(wrong):
    payload = deflate(GOOD_UTF8.encode() + wrong, new_compressor(15), fin=False)
    client = opened("client", permessage_deflate=DEFLATE)

    assert outcome(client, b"\xc1\x7e\x04\x00" + payload, sizes=(1,)) == ([], 1007)
    assert "not UTF-8" in sent(client)[0]


@every_role
@given(st.text(max_size=40), st.lists(st.integers(1, 9), min_size=1), st.lists(st.integers(1, 9), min_size=1))
def test_text_cut_into_any_fragments_and_any_reads_is_the_whole_text(role, text, fragment_sizes, sizes):
    data, rest, number = b"", text.encode(), 0
    while rest:
        size = fragment_sizes[number % len(fragment_sizes)]
        opcode = Opcode.CONTINUATION if number else Opcode.TEXT
        frame = Frame(opcode, rest[:size], fin=len(rest) <= size)
        data += serialize_frame(frame, KEY if role == "server" else None)
        rest, number = rest[size:], number + 1

    assert receive(opened(role), data, sizes) == ([Text(text)] if text else [])


# Limits of a message


@every_role
@pytest.mark.parametrize("kind", ["81", "82"])
def test_a_message_may_be_as_long_as_the_limit_and_no_longer(role, kind):
    assert len(receive(opened(role, limits=LIMITS), to(role, f"{kind}64 " + "78" * 100))) == 1
    assert fault(opened(role, limits=LIMITS).receive_data, to(role, f"{kind}65 ")) == 1009


@every_role
def test_fragments_are_limited_together_and_control_frames_not_at_all(role):
    frames = ["023c " + "00" * 60, "897d " + "00" * 125, "8028 " + "00" * 40]
    assert receive(opened(role, limits=LIMITS), to(role, *frames)) == [Ping(bytes(125)), Binary(bytes(100))]

    protocol = opened(role, limits=LIMITS)
    assert fault(protocol.receive_data, to(role, "023c " + "00" * 60, "8029")) == 1009
    assert sent(protocol) == ['close 1009 "a message of more than 100 bytes"']


def test_a_message_is_limited_after_decompression():
    compressor = new_compressor(15)
    fits, bursts = deflate(bytes(100), compressor), deflate(bytes(101), compressor)
    client = opened("client", permessage_deflate=DEFLATE, limits=LIMITS)

    assert client.receive_data(serialize_frame(Frame(Opcode.BINARY, fits, rsv1=True))) == [Binary(bytes(100))]
    assert fault(client.receive_data, serialize_frame(Frame(Opcode.BINARY, bursts, rsv1=True))) == 1009


def test_a_bomb_is_found_before_its_frame_is_complete():
    bomb = deflate(bytes(2**24), new_compressor(15))
    client = opened("client", permessage_deflate=DEFLATE)
    data = serialize_frame(Frame(Opcode.BINARY, bomb, rsv1=True))

    assert fault(client.receive_data, data[: len(data) // 2]) == 1009


def test_what_comes_behind_more_messages_than_the_limit_is_withheld_until_they_have_been_taken():
    message = deflate(bytes(100), new_compressor(15))
    frame = serialize_frame(Frame(Opcode.BINARY, message, rsv1=True))
    fresh = replace(DEFLATE, server_no_context_takeover=True)
    client = opened("client", permessage_deflate=fresh, limits=Limits(max_size=100))

    assert client.receive_data(frame * 3) == [Binary(bytes(100))] * 2
    assert client.withheld
    assert client.receive_data() == [Binary(bytes(100))]
    assert not client.withheld
    assert client.receive_data(frame * 2) == [Binary(bytes(100))] * 2
    assert not client.withheld


def test_the_fragments_of_a_bomb_are_limited_together():
    compressor = new_compressor(15)
    client = opened("client", permessage_deflate=DEFLATE, limits=LIMITS)
    first, second = (deflate(bytes(60), compressor, fin) for fin in (False, True))

    assert client.receive_data(serialize_frame(Frame(Opcode.BINARY, first, fin=False, rsv1=True))) == []
    assert fault(client.receive_data, serialize_frame(Frame(Opcode.CONTINUATION, second))) == 1009


# The closing handshake


@every_role
@pytest.mark.parametrize(
    ("frame", "event", "answer"),
    [
        ("8800", Close(1005), "close"),
        ("8802 03e8", Close(1000), "close 1000"),
        ("8805 03e9627965", Close(1001, "bye"), "close 1001"),
        ("8802 0fa0", Close(4000), "close 4000"),
    ],
)
def test_a_close_frame_is_answered_with_its_own_code_and_what_follows_is_ignored(role, frame, event, answer):
    protocol = opened(role)

    assert protocol.receive_data(to(role, frame, "8105 48656c6c6f", "ff00")) == [event]
    assert (protocol.state, protocol.close_code, protocol.close_reason) == (State.CLOSING, event.code, event.reason)
    assert sent(protocol) == [answer]
    assert protocol.receive_data(to(role, "8800", "8300")) == []
    assert protocol.data_to_send() == b""


@every_role
def test_a_close_frame_behind_messages_is_withheld_so_that_they_can_be_answered(role):
    protocol = opened(role)

    assert protocol.receive_data(to(role, "8105 48656c6c6f", "8900", "8802 03e8", "8300")) == [Text("Hello"), Ping()]
    assert (protocol.withheld, protocol.state) == (True, State.OPEN)
    protocol.send_text("Hi")
    assert protocol.receive_data() == [Close(1000)]
    assert (protocol.withheld, protocol.state) == (False, State.CLOSING)
    assert sent(protocol) == ["pong", 'text "Hi"', "close 1000"]
    assert protocol.receive_data() == []


@every_role
def test_a_close_frame_that_comes_with_the_end_of_a_message_is_withheld_wherever_it_is_cut(role):
    data = to(role, "8105 48656c6c6f", "8805 03e9627965")
    for cut in range(1, len(data)):
        protocol = opened(role)
        events = protocol.receive_data(data[:cut])
        assert Close(1001, "bye") not in events
        while protocol.withheld:
            events += protocol.receive_data()
        assert events + receive(protocol, data[cut:]) == [Text("Hello"), Close(1001, "bye")]


def test_both_ends_may_begin_to_close_at_the_same_time():
    client, server = opened("client"), opened("server")
    wire = Wire(client, server)
    client.close(1001)
    server.close(4000, "enough")
    wire.flow()

    assert wire.events == {"server": [Close(1001)], "client": [Close(4000, "enough")]}
    assert (client.state, server.state) == (State.CLOSING, State.CLOSING)


@every_role
def test_the_end_of_tcp_closes_the_connection_and_without_a_close_frame_the_code_is_1006(role):
    protocol = opened(role)
    receive(protocol, to(role, "8105 4865"))
    protocol.receive_eof()
    protocol.receive_eof()

    assert (protocol.state, protocol.close_code, protocol.data_to_send()) == (State.CLOSED, 1006, b"")
    assert protocol.receive_data(to(role, "8105 48656c6c6f")) == []


def test_failing_tells_the_peer_once_and_only_where_there_is_a_way_to():
    error = ProtocolError("no", 1008)
    for protocol, lines in [
        (opened("server"), ['close 1008 "no"']),
        (opened("client"), ['close 1008 "no"']),
        (Protocol("server"), []),
        (Protocol("client"), []),
    ]:
        protocol.fail(error)
        protocol.fail(error)
        assert sent(protocol) == lines
        assert protocol.receive_data(HEAD) == []

    client = Protocol("client")
    client.fail(HandshakeError("no"))
    assert client.data_to_send() == b""
    server = Protocol("server")
    server.fail(HandshakeError("no", 403))
    assert server.data_to_send().startswith(b"HTTP/1.1 403 Forbidden\r\n")


# The table is the state machine


class Dissected(dict):
    """A copy of the table that notes what is looked up in it."""

    def __init__(self, table):
        super().__init__(table)
        self.steps = []

    def __getitem__(self, key):
        self.steps.append(key)
        return super().__getitem__(key)


@pytest.fixture
def seen(monkeypatch):
    table = Dissected(TRANSITIONS)
    monkeypatch.setattr("wslab.protocol.sending.TRANSITIONS", table)
    return table


def close(protocol):
    protocol.close()


def receive_close(protocol):
    receive(protocol, to(protocol.role, "8800"))


def end_tcp(protocol):
    protocol.receive_eof()


# How each entry of the table is reached: what happens before, what happens then, and the entries that it goes through.
WAYS = {
    (State.CONNECTING, Step.TCP_CLOSED): ([], end_tcp, 1),
    (State.OPEN, Step.CLOSE_SENT): ([], close, 1),
    (State.OPEN, Step.CLOSE_RECEIVED): ([], receive_close, 2),
    (State.OPEN, Step.TCP_CLOSED): ([], end_tcp, 1),
    (State.CLOSING, Step.CLOSE_RECEIVED): ([close], receive_close, 1),
    (State.CLOSING, Step.TCP_CLOSED): ([close, receive_close], end_tcp, 1),
}


@every_role
@pytest.mark.parametrize(("state", "step"), WAYS)
def test_each_step_goes_through_its_entry_of_the_table(role, state, step, seen):
    before, action, count = WAYS[state, step]
    protocol = Protocol(role, state=State.CONNECTING if state is State.CONNECTING else State.OPEN)
    for earlier in before:
        earlier(protocol)
    seen.steps.clear()

    action(protocol)
    assert seen.steps[0] == (state, step)
    assert len(seen.steps) == count
    assert protocol.state is TRANSITIONS[seen.steps[-1]]


def test_each_handshake_goes_through_its_entry_of_the_table(seen):
    handshake(Protocol("client"), Protocol("server"))

    assert seen.steps == [(State.CONNECTING, Step.HANDSHAKE_DONE)] * 2


def test_the_answer_to_a_close_frame_goes_through_its_entry_of_the_table(seen):
    server = opened("server")
    receive_close(server)

    assert seen.steps == [(State.OPEN, Step.CLOSE_RECEIVED), (State.CLOSING, Step.CLOSE_SENT)]
    reached = {*WAYS, *seen.steps, (State.CONNECTING, Step.HANDSHAKE_DONE)}
    assert reached == set(TRANSITIONS)


def quietly(action):
    """Do what may be refused; anything else goes on: a KeyError would be a step that the table does not have."""
    with suppress(ConnectionClosed, ProtocolError, RuntimeError, ValueError):
        action()


STEPS = {
    "text": lambda protocol: protocol.send_text("Hello"),
    "fragment": lambda protocol: protocol.send_bytes(b"Hello", fin=False),
    "ping": lambda protocol: protocol.ping(),
    "close": close,
    "close 1001": lambda protocol: protocol.close(1001, "bye"),
    "wrong close": lambda protocol: protocol.close(1005),
    "receive text": lambda protocol: receive(protocol, to(protocol.role, "8105 48656c6c6f")),
    "receive close": receive_close,
    "receive text and close": lambda protocol: protocol.receive_data(to(protocol.role, "8100", "8800")),
    "receive fault": lambda protocol: receive(protocol, to(protocol.role, "8300")),
    "receive nothing": lambda protocol: protocol.receive_data(),
    "fail": lambda protocol: protocol.fail(ProtocolError("no")),
    "end of TCP": end_tcp,
}


@every_role
@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12), st.sampled_from([State.CONNECTING, State.OPEN]))
def test_whatever_happens_in_whatever_order_the_table_knows_the_way(role, names, state):
    protocol, states = Protocol(role, state=state), [state]
    for name in names:
        quietly(lambda name=name: STEPS[name](protocol))
        states.append(protocol.state)

    assert [state.value for state in states] == sorted(state.value for state in states)
    lines = [] if state is State.CONNECTING else sent(protocol)
    assert [line.startswith("close") for line in lines].count(True) <= 1
    assert all(not line.startswith("close") for line in lines[:-1])
