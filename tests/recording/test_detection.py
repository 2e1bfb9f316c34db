"""Which of the connections in a capture are WebSocket, and who is the client."""

import pytest
from support.capture_files import A, captured, segments_of, sent_by
from support.heads_and_frames import masked, request

from wslab import Frame, Opcode, serialize_frame
from wslab.recording.detection import detect_websocket
from wslab.recording.packets import (
    FIN,
    Endpoint,
    Segment,
)
from wslab.recording.socks import sizes_of_socks
from wslab.recording.tcp import CLIENT, SERVER

HEADS = [(CLIENT, request()), (SERVER, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")]
UP = [(CLIENT, masked(Opcode.TEXT, b"Hello")), (CLIENT, masked(Opcode.PING, b"?"))]
DOWN = [(SERVER, serialize_frame(Frame(Opcode.TEXT, b"Hello"))), (SERVER, serialize_frame(Frame(Opcode.CLOSE)))]


def client_of(segments: list[Segment]) -> Endpoint | None:
    (conversation,) = captured(segments)
    detected = detect_websocket(conversation)
    return None if detected is None else conversation.ends[detected.client]


def test_the_one_that_asks_for_websocket_is_the_client():
    segments = segments_of(*HEADS, *UP, *DOWN)

    assert client_of(segments) == A
    assert client_of(segments[3:]) == A
    assert client_of(segments[4:]) == A, "the answer alone"
    assert client_of(segments[1:]) == A
    assert client_of([*segments[4:8], segments[3]]) == A, "what comes first need not be the client's"


@pytest.mark.parametrize("sent", [UP, DOWN, [*UP, *DOWN], [*DOWN, *UP], [UP[0], *DOWN, UP[1]]])
def test_without_the_handshake_the_one_that_masks_is_the_client(sent):
    assert client_of(segments_of(*sent)[3:]) == A


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([(CLIENT, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\n\r\n")], id="HTTP"),
        pytest.param([(CLIENT, b"\x16\x03\x01\x02\x00\x01" + bytes(30)), (SERVER, b"\x17\x03\x03")], id="TLS"),
        pytest.param([(CLIENT, b"SSH-2.0-x\r\n"), (SERVER, b"SSH-2.0-y\r\n")], id="SSH"),
        pytest.param([(CLIENT, bytes(100)), (SERVER, bytes(100))], id="zeros"),
        pytest.param([(CLIENT, bytes(100))], id="zeros of one side"),
        pytest.param([(CLIENT, UP[0][1]), (SERVER, UP[0][1])], id="both sides mask"),
        pytest.param([(CLIENT, DOWN[0][1]), (SERVER, DOWN[0][1])], id="no side masks"),
        pytest.param([(CLIENT, UP[0][1] + DOWN[0][1])], id="now masked, now not"),
        pytest.param([(CLIENT, b"\x81")], id="too little to tell"),
        pytest.param([(CLIENT, masked(Opcode.TEXT, b"Hello", rsv2=True))], id="a bit that no extension uses"),
        pytest.param([], id="nothing"),
    ],
)
def test_what_is_no_websocket_has_no_client(sent):
    assert client_of(segments_of(*sent)[3:]) is None


def test_what_opens_without_a_handshake_is_no_websocket():
    assert client_of(segments_of(*UP, *DOWN)) is None


def test_a_capture_that_begins_inside_a_frame_begins_with_the_next_one():
    message = masked(Opcode.BINARY, bytes(range(200, 256)) * 100)
    segments = segments_of((CLIENT, message), *UP, *DOWN)
    late = [s for s in segments[4:] if not s.flags & FIN]
    (conversation,) = captured(late)

    detected = detect_websocket(conversation)

    assert conversation.ends[detected.client] == A
    assert sent_by(detected, 0) == UP[0][1] + UP[1][1]
    assert sent_by(detected, 1) == DOWN[0][1] + DOWN[1][1]


def test_the_rest_of_a_frame_that_looks_like_a_frame_does_not_hide_the_next_ones():
    rest = [(CLIENT, b"\x82\x7e\xff\xff" + bytes(100)), (SERVER, b"\x82\xfe\xff\xff" + bytes(100))]
    (conversation,) = captured(segments_of(*rest, *UP, *DOWN)[3:7] + segments_of(*rest, *UP, *DOWN)[7:-4])

    detected = detect_websocket(conversation)

    assert conversation.ends[detected.client] == A
    assert [piece.data for piece in detected.pieces] == [data for _, data in [*UP, DOWN[0], DOWN[1]]]


PROXY_LINE = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
PROXY_HEADER = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes((192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2))


@pytest.mark.parametrize("header", [PROXY_LINE, PROXY_HEADER, b"PROXY UNKNOWN\r\n", PROXY_HEADER[:14] + bytes(2)])
@pytest.mark.parametrize("is_glued", [True, False])
def test_what_a_proxy_says_of_its_client_is_left_out(header, is_glued):
    first = [(CLIENT, header + request())] if is_glued else [(CLIENT, header[:5]), (CLIENT, header[5:]), HEADS[0]]
    (conversation,) = captured(segments_of(*first, HEADS[1], *UP, *DOWN))
    detected = detect_websocket(conversation)

    assert detected.left_out == "a PROXY header"
    assert sent_by(detected, CLIENT) == request() + b"".join(data for _, data in UP)
    assert sent_by(detected, SERVER) == b"".join(data for _, data in (HEADS[1], *DOWN))


@pytest.mark.parametrize(
    "head",
    [
        request("GET /gr\xf6\xdfe HTTP/1.1"),
        "GET /größe HTTP/1.1".encode() + request()[14:],
        request("GET / http/1.1"),
        request().replace(b"Upgrade: ", b"Upgrade:\r\n\t"),
    ],
)
def test_what_only_a_lenient_server_accepts_is_a_request(head):
    (conversation,) = captured(segments_of((CLIENT, head)))

    assert conversation.ends[detect_websocket(conversation).client] == A


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ([b"\5\1\0", b"\5\1\0\3\1h\0\x50"], [b"\5\0", b"\5\0\0\1" + bytes(6)]),
        ([b"\5\2\0\2", b"\1\3ada\6sesame", b"\5\1\0\1\x7f\0\0\1\0\x50"], [b"\5\2", b"\1\0", b"\5\0\0\4" + bytes(18)]),
        ([b"\4\1\0\x50\x7f\0\0\1ada\0"], [b"\0\x5a" + bytes(6)]),
        ([b"\4\1\0\x50\0\0\0\1\0example.test\0"], [b"\0\x5a" + bytes(6)]),
    ],
)
def test_what_a_client_and_a_socks_proxy_say_is_left_out(asked, answered):
    before = [
        (end, data)
        for both in zip(asked, answered, strict=True)
        for end, data in zip((CLIENT, SERVER), both, strict=True)
    ]
    (conversation,) = captured(segments_of(*before, *HEADS, *UP, *DOWN))
    detected = detect_websocket(conversation)

    assert detected.left_out == "the handshake of a SOCKS proxy"
    assert sent_by(detected, CLIENT) == b"".join(data for _, data in (HEADS[0], *UP))
    assert sent_by(detected, SERVER) == b"".join(data for _, data in (HEADS[1], *DOWN))


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (b"\5\1\0" + b"\5\1\0\3\1h\0\x50", b"\5\xff"),  # no method is accepted
        (b"\5\1\0" + b"\5\1\0\3\1h\0\x50", b"\5\0" + b"\5\5\0\1" + bytes(6)),  # refused
        (b"\5\1\0" + b"\5\1\0\7\1h\0\x50", b"\5\0" + b"\5\0\0\1" + bytes(6)),
        (b"\5\1\0" + b"\5\1\0\3\xffh", b"\5\0" + b"\5\0\0\1" + bytes(6)),
        (b"\4\1\0\x50\x7f\0\0\1ada\0", b"\0\x5b" + bytes(6)),
        (b"\4\1\0\x50\x7f\0\0\1ada", b"\0\x5a" + bytes(6)),
        (b"\5", b"\5"),
        (b"", b""),
    ],
)
def test_what_a_proxy_has_refused_or_is_cut_is_no_handshake_of_socks(asked, answered):
    assert sizes_of_socks(asked, answered) is None
