"""Conversation: from the bytes of both sides to heads and frames, and to one sentence where there are none."""

import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heads_and_frames import ACCEPT, DEFLATE, GREETING, PLAIN, compressed, deflated, request, response, text
from support.looked_at import grows_linearly

from wslab.dissector.conversation import MAX_HEAD, Conversation
from wslab.dissector.frames import Dissected, DissectedFrame
from wslab.protocol.frames import Frame, Opcode, serialize_frame
from wslab.protocol.http import Request, Response, parse_request
from wslab.protocol.states import Role

CLIENT, SERVER = Role.CLIENT, Role.SERVER
REQUEST = request(more=("Cookie: a=sesame", "Sec-WebSocket-Extensions: permessage-deflate"))
CRLF = b"\r\n"
NOBODY_AGREED = "RSV1 is set, but no extension that uses it was agreed on"
NOT_WEBSOCKET = "not WebSocket: what follows is not read"


def talk(*said: tuple[Role, bytes], conversation: Conversation | None = None) -> list[str]:
    """The lines of a conversation, with the arrow of the side that each is of."""
    conversation = conversation or Conversation()
    seen = [one for sender, data in said for one in conversation.receive(sender, data)]
    return [f"{'>' if one.sender is CLIENT else '<'} {one}" for one in seen]


# WebSocket


def test_a_handshake_and_frames_in_both_directions():
    assert talk((CLIENT, REQUEST), (SERVER, response()), (CLIENT, text("Hello")), (SERVER, GREETING)) == [
        "> GET / HTTP/1.1",
        "< HTTP/1.1 101 Switching Protocols",
        '> text "Hello"',
        '< text "Welcome"',
    ]


def test_the_heads_are_kept_and_everything_tells_where_its_bytes_are():
    conversation = Conversation()
    sent = {CLIENT: REQUEST + text("Hello"), SERVER: response() + GREETING}
    seen = [one for role in (CLIENT, SERVER) for one in conversation.receive(role, sent[role])]

    assert isinstance(conversation.request, Request)
    assert isinstance(conversation.response, Response)
    assert conversation.request.headers["Cookie"] == "a=sesame"
    assert [type(one.what) for one in seen] == [Request, Response, DissectedFrame, DissectedFrame]
    assert [sent[one.sender][one.start : one.end] for one in seen] == [REQUEST, response(), text("Hello"), GREETING]


def test_frames_that_come_before_the_answer_wait_for_it():
    assert talk((CLIENT, REQUEST + text("early")), (CLIENT, text("too")), (SERVER, response() + GREETING)) == [
        "> GET / HTTP/1.1",
        "< HTTP/1.1 101 Switching Protocols",
        '> text "early"',
        '> text "too"',
        '< text "Welcome"',
    ]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("permessage-deflate; server_no_context_takeover", "> binary 48 65 6c 6c 6f (compressed to 7 bytes)"),
        ("x-snappy", "> binary f2 48 cd c9 c9 07 00 (rsv1)"),
        ("", f"> binary f2 48 cd c9 c9 07 00 (rsv1) - illegal: {NOBODY_AGREED}"),
        ("=", f"> binary f2 48 cd c9 c9 07 00 (rsv1) - illegal: {NOBODY_AGREED}"),
    ],
)
def test_what_the_server_agreed_to_decides_what_a_compressed_frame_is(answer, line):
    agreed = response(f"Sec-WebSocket-Extensions: {answer}")
    assert talk((CLIENT, REQUEST), (SERVER, agreed), (CLIENT, compressed(deflated(b"Hello"))))[2] == line


def test_a_handshake_that_breaks_a_rule_is_illegal_and_its_frames_are_read_if_the_server_agrees():
    without_host = request(Host=None)
    assert talk((CLIENT, without_host), (SERVER, response()), (SERVER, GREETING)) == [
        "> GET / HTTP/1.1 - illegal: a request needs exactly one Host header",
        "< HTTP/1.1 101 Switching Protocols",
        '< text "Welcome"',
    ]
    wrong = response().replace(ACCEPT.encode(), b"x")
    assert talk((CLIENT, REQUEST), (SERVER, wrong + GREETING)) == [
        "> GET / HTTP/1.1",
        f"< HTTP/1.1 101 Switching Protocols - illegal: Sec-WebSocket-Accept is x, but the key asks for {ACCEPT}",
        '< text "Welcome"',
    ]


def test_a_refusal_ends_what_is_read_whether_its_body_comes_or_not():
    refused = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
    for body in (b"", b"Go away.\n", b"Go away.\n" + GREETING):
        assert talk((CLIENT, REQUEST), (SERVER, refused + body), (CLIENT, text("Hello")), (SERVER, GREETING)) == [
            "> GET / HTTP/1.1",
            "< HTTP/1.1 403 Forbidden",
            f"< {NOT_WEBSOCKET}",
        ]


# A connection that stays open: the next request may be the one that asks for WebSocket

CHALLENGE = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno"
POST = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\npassword="
PAGE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\n\r\n"
IN_CHUNKS = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\n\r\n"
OLD_UPGRADE = "an upgrade needs HTTP/1.1, not HTTP/1.0"
UPGRADED = ["> GET / HTTP/1.1", "< HTTP/1.1 101 Switching Protocols", '> text "Hello"', '< text "Welcome"']


@pytest.mark.parametrize(
    ("asked", "answered", "lines"),
    [
        (REQUEST, CHALLENGE, ["> GET / HTTP/1.1", "< HTTP/1.1 401 Unauthorized", "< a body of 2 bytes"]),
        (PLAIN, CHALLENGE, ["> GET / HTTP/1.1", "< HTTP/1.1 401 Unauthorized", "< a body of 2 bytes"]),
        (PLAIN, b"HTTP/1.1 204 No Content\r\n\r\n", ["> GET / HTTP/1.1", "< HTTP/1.1 204 No Content"]),
        (
            PLAIN.replace(b"GET", b"HEAD"),
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            ["> HEAD / HTTP/1.1", "< HTTP/1.1 200 OK"],
        ),
        (POST, CHALLENGE, ["> POST /login HTTP/1.1", "< HTTP/1.1 401 Unauthorized", "< a body of 2 bytes"]),
        (IN_CHUNKS, CHALLENGE, ["> POST / HTTP/1.1", "< HTTP/1.1 401 Unauthorized", "< a body of 2 bytes"]),
        (REQUEST, PAGE, ["> GET / HTTP/1.1", "< HTTP/1.1 200 OK", "< a body of 12 bytes"]),
        (
            PLAIN.replace(b"1.1", b"1.0").replace(CRLF, b"\r\nConnection: keep-alive\r\n", 1),
            CHALLENGE.replace(b"1.1", b"1.0").replace(CRLF, b"\r\nConnection: keep-alive\r\n", 1),
            ["> GET / HTTP/1.0", "< HTTP/1.0 401 Unauthorized", "< a body of 2 bytes"],
        ),
        (
            POST.replace(CRLF, b"\r\nExpect: 100-continue\r\n", 1),
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\n" + CHALLENGE,
            [
                "> POST /login HTTP/1.1",
                "< HTTP/1.1 100 Continue",
                "< HTTP/1.1 103 Early Hints",
                "< HTTP/1.1 401 Unauthorized",
                "< a body of 2 bytes",
            ],
        ),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_an_upgrade_behind_other_requests_is_found(asked, answered, lines, size):
    said = [(CLIENT, asked), (SERVER, answered)] * 2
    said += [(CLIENT, REQUEST), (SERVER, response()), (CLIENT, text("Hello")), (SERVER, GREETING)]
    pieces = [(role, data[start : start + size]) for role, data in said for start in range(0, len(data), size)]
    conversation = Conversation()
    assert not conversation.has_frames
    assert talk(*pieces, conversation=conversation) == lines * 2 + UPGRADED
    assert conversation.has_frames


def test_requests_that_do_not_wait_for_their_answers_are_read_when_these_come():
    asked, answered = POST + PLAIN + REQUEST + text("Hello"), CHALLENGE + CHALLENGE + response() + GREETING
    found = talk((CLIENT, asked), (SERVER, answered))
    assert [line for line in found if line[0] == "<"] == [
        *("< HTTP/1.1 401 Unauthorized", "< a body of 2 bytes") * 2,
        "< HTTP/1.1 101 Switching Protocols",
        '< text "Welcome"',
    ]
    assert [line for line in found if line[0] == ">"] == ["> POST /login HTTP/1.1", "> GET / HTTP/1.1", *UPGRADED[::2]]


def test_a_long_upload_is_skipped_and_what_comes_with_too_much_before_an_answer_is_not_found():
    upload = POST.replace(b"Content-Length: 9", b"Content-Length: 200000") + bytes(200_000 - 9)
    pieces = [(CLIENT, upload[start : start + 10_000]) for start in range(0, len(upload), 10_000)]
    ending = [(CLIENT, REQUEST), (SERVER, response())]
    assert talk(*pieces, (SERVER, CHALLENGE), *ending)[3:] == UPGRADED[:2]
    assert talk(*pieces[:-1], (SERVER, CHALLENGE), pieces[-1], *ending)[3:] == UPGRADED[:2]
    assert talk(*pieces, (CLIENT, PLAIN * 2000), (SERVER, CHALLENGE), *ending)[2:] == [f"< {NOT_WEBSOCKET}"]


@pytest.mark.parametrize(
    ("answer", "line"),
    [(CHALLENGE, "cut short: 1 of 2 bytes of a body"), (PAGE, "cut short: 11 bytes of a body")],
)
def test_a_body_that_is_cut_short_is_told_at_the_end(answer, line):
    conversation = Conversation()
    talk((CLIENT, PLAIN), (SERVER, answer[:-1]), conversation=conversation)
    assert [str(one) for one in conversation.end(SERVER)] == [line]
    assert conversation.end(CLIENT) == []


def test_chunks_that_are_none_are_told_once():
    said = [(CLIENT, PLAIN), (SERVER, PAGE.replace(b"2\r\n", b"two\r\n")), (CLIENT, REQUEST), (SERVER, response())]
    assert talk(*said)[2:] == ["< not WebSocket: a body in chunks without an end"]


@pytest.mark.parametrize("early", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
def test_interim_answers_come_before_the_one_that_counts(early):
    lines = [f"< {early.partition(CRLF)[0].decode()}"]
    for size in (1, 7, 1000):
        wire = early * 3 + response()
        pieces = [(SERVER, wire[start : start + size]) for start in range(0, len(wire), size)]
        said = (CLIENT, REQUEST), *pieces, (CLIENT, text("Hello")), (SERVER, GREETING)
        assert talk(*said) == [UPGRADED[0], *lines * 3, *UPGRADED[1:]]


def test_between_two_requests_nothing_is_cut_short_and_the_server_may_not_speak():
    conversation = Conversation()
    talk((CLIENT, PLAIN), (SERVER, CHALLENGE), conversation=conversation)
    assert conversation.end(CLIENT) == conversation.end(SERVER) == []
    assert talk((SERVER, CHALLENGE), conversation=conversation) == ["< not WebSocket: the server speaks first"]


# What begins late

LATE = "begins in mid-conversation: the handshake is missing"


def test_frames_without_a_handshake_are_read_and_what_is_missing_is_told():
    last_piece = serialize_frame(Frame(Opcode.CONTINUATION, b"lo"))
    squeezed = compressed(deflated(b"Hello"), 0xC1)
    found = talk((SERVER, last_piece + GREETING), (CLIENT, text("Hello")), (CLIENT, squeezed), (SERVER, last_piece))
    assert found == [
        f"< {LATE}",
        "< continuation 6c 6f",
        '< text "Welcome"',
        '> text "Hello"',
        "> text (7 bytes, compressed, and not to be decompressed)",
        "< continuation 6c 6f - illegal: a continuation frame, but no message has begun",
    ]


@pytest.mark.parametrize("data", [text("Hello"), text("x" * 70_000)])
def test_it_is_told_once_however_the_first_frame_is_cut(data):
    for size in (1, 2, 3, len(data)):
        first, *_ = lines_in_pieces({CLIENT: data}, size)
        assert str(first) == LATE


@pytest.mark.parametrize("said", [(CLIENT, GREETING), (SERVER, text("Hello")), (CLIENT, b"\xb1\x80\0\0\0\0")])
def test_bytes_that_their_sender_may_not_begin_with_are_no_frames(said):
    assert LATE not in talk(said)[0]


BEGUN = "< begins with the answer: the request is missing"


def test_an_answer_without_its_request_tells_what_was_agreed_on():
    squeezed = compressed(deflated(b"Hello"), 0xC1)
    answer = response(*DEFLATE)
    found = talk((SERVER, answer[:20]), (SERVER, answer[20:] + GREETING), (CLIENT, squeezed))

    assert found == [
        BEGUN,
        "< HTTP/1.1 101 Switching Protocols",
        '< text "Welcome"',
        '> text "Hello" (compressed to 7 bytes)',
    ]
    assert talk((SERVER, response()), (CLIENT, squeezed))[2].endswith(NOBODY_AGREED)


def test_what_refers_to_frames_before_an_answer_without_its_request_breaks_no_rule():
    compressor = zlib.compressobj(wbits=-15)
    _, second = (compressor.compress(b"Hello!") + compressor.flush(zlib.Z_SYNC_FLUSH) for _ in range(2))
    found = talk((SERVER, response(*DEFLATE)), (CLIENT, compressed(second[:-4], 0xC1)), (CLIENT, text("Hello")))

    assert found[2:] == ["> text (5 bytes, compressed, and not to be decompressed)", '> text "Hello"']


# What is missing


def test_where_bytes_of_frames_are_missing_it_is_read_on():
    conversation = Conversation()
    talk((CLIENT, REQUEST), (SERVER, response() + GREETING[:3]), conversation=conversation)

    assert conversation.lose(SERVER, 2, None) == []
    assert talk((SERVER, GREETING[5:]), (CLIENT, text("Hello")), conversation=conversation) == [
        "< text: 7 bytes, 2 of them missing",
        '> text "Hello"',
    ]
    assert [str(one) for one in conversation.lose(CLIENT, 5, 1)] == [
        "5 bytes missing: read on 1 byte later where a segment begins with a frame"
    ]
    assert talk((CLIENT, b"\xff" + text("Hello")), conversation=conversation) == ['> text "Hello"']


def test_where_bytes_of_a_head_are_missing_nothing_more_is_read():
    conversation = Conversation()
    talk((CLIENT, REQUEST[:40]), conversation=conversation)

    assert list(map(str, conversation.lose(CLIENT, 10, None))) == ["10 bytes missing: what follows is not read"]
    assert conversation.lose(SERVER, 10, None) == []
    assert talk((CLIENT, REQUEST), (SERVER, response()), conversation=conversation) == []


# What is not WebSocket


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\n" + bytes(100),
        b"HTTP/1.0 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",  # it ends TCP, though it need not say so
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n",
        response(upgrade="h2c"),
        response(),
    ],
)
def test_plain_http_is_two_heads_and_one_sentence(answer):
    asked = [(CLIENT, PLAIN + b"a body"), (CLIENT, b"more of it")]
    first, second, *rest = talk(*asked, (SERVER, answer), (CLIENT, PLAIN), (SERVER, answer))
    assert first == "> GET / HTTP/1.1"
    assert second == f"< {answer.partition(CRLF)[0].decode()}"
    assert rest == [f"< {NOT_WEBSOCKET}"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ((CLIENT, b"\x16\x03\x01\x02\x00\x01"), "> not WebSocket: these bytes look like TLS"),
        ((CLIENT, b"<html>"), "> not WebSocket: the first line does not begin with an HTTP method"),
        ((CLIENT, b"PING\r\n\x00"), "> not WebSocket: the "),
        ((CLIENT, b"GET / HTTP/2.0\r\n\r\n"), "> not WebSocket: this server speaks HTTP/1.1, not HTTP/2.0"),
        ((CLIENT, b"GET /" + b"a" * MAX_HEAD), f"> not WebSocket: a head of more than {MAX_HEAD} bytes"),
        ((SERVER, b"SSH-2.0-OpenSSH_9\r\n"), "< not WebSocket: the server speaks no HTTP"),
        ((SERVER, b"HTTP/1.1 200 OK\r\nA\x00\r\n\r\n"), "< not WebSocket: the server speaks first"),
        ((CLIENT, b"GET / HTTP/1.1\0" + bytes(MAX_HEAD)), f"> not WebSocket: a head of more than {MAX_HEAD} bytes"),
        ((SERVER, b"HTTP/1.1 200 OK\r\n\r\n"), "< not WebSocket: the server speaks first"),
    ],
)
def test_other_protocols_are_told_once(said, line):
    assert "".join(talk(said, said, (CLIENT, PLAIN), (SERVER, response()))).startswith(line)
    assert len(talk(said, said, (CLIENT, PLAIN), (SERVER, response()))) == 1


def test_what_is_no_http_response_to_a_good_request_is_told_once():
    assert talk((CLIENT, REQUEST), (SERVER, b"HTTP/1.1 huh\r\n\r\n"), (SERVER, GREETING)) == [
        "> GET / HTTP/1.1",
        "< not WebSocket: this is not an HTTP response",
    ]


LONG_MESSAGE = "x" * (MAX_HEAD + 1)


@pytest.mark.parametrize("size", [1000, 10**6])
@pytest.mark.parametrize(
    ("answer", "note"), [((), ""), (DEFLATE, " (compressed to 7 bytes)")], ids=["plain", "compressed"]
)
def test_much_that_comes_before_the_answer_is_read_and_what_follows_it(answer, note, size):
    hello = compressed(deflated(b"Hello"), 0xC1) if answer else text("Hello")
    early = REQUEST + text(LONG_MESSAGE) + hello
    pieces = [(CLIENT, early[start : start + size]) for start in range(0, len(early), size)]
    assert talk(*pieces, (SERVER, response(*answer)), (CLIENT, text("Bye")), (SERVER, GREETING)) == [
        "> GET / HTTP/1.1",
        "< HTTP/1.1 101 Switching Protocols",
        f'> text "{"x" * 60}…" ({len(LONG_MESSAGE)} bytes)',
        f'> text "Hello"{note}',
        '> text "Bye"',
        '< text "Welcome"',
    ]


def test_a_frame_that_goes_on_when_the_answer_comes_is_read_to_its_end():
    early = text(LONG_MESSAGE)
    found = talk((CLIENT, REQUEST + early[:-1]), (SERVER, response()), (CLIENT, early[-1:] + text("Bye")))
    assert found[2:] == [f'> text "{"x" * 60}…" ({len(LONG_MESSAGE)} bytes)', '> text "Bye"']


def test_of_too_many_frames_before_the_answer_the_first_are_kept_and_the_others_counted():
    count = 20_000
    found = talk((CLIENT, REQUEST + text("early") * count), (SERVER, response()), (CLIENT, text("Bye")))
    shown = found.count('> text "early"')
    assert 100 < shown < count
    assert found[-2:] == [f"> {count - shown:,} more frames before the answer, which are not kept", '> text "Bye"']


def test_much_before_the_answer_that_an_unknown_extension_has_changed_is_left_out():
    said = (CLIENT, REQUEST + text(LONG_MESSAGE)), (SERVER, response("Sec-WebSocket-Extensions: x-snappy") + GREETING)
    assert talk(*said, (CLIENT, text("Bye")))[2:] == [
        "> frames before the answer, which an extension has changed",
        '< text "Welcome"',
    ]


def test_much_before_a_refusal_is_left():
    said = (CLIENT, REQUEST + text(LONG_MESSAGE)), (CLIENT, text("Bye")), (SERVER, b"HTTP/1.1 403 No\r\n\r\n")
    assert talk(*said) == ["> GET / HTTP/1.1", "< HTTP/1.1 403 No", f"< {NOT_WEBSOCKET}"]


def test_line_ends_behind_a_loose_request_are_no_frames_however_much_follows():
    loose = REQUEST.replace(CRLF, b"\n") + b"\n" + text(LONG_MESSAGE)
    assert talk((CLIENT, loose), (SERVER, response()))[2:] == [f'> text "{"x" * 60}…" ({len(LONG_MESSAGE)} bytes)']


def test_a_cookie_in_a_broken_head_is_not_shown():
    broken = REQUEST.replace(b"Cookie", b"Coo kie")
    conversation = Conversation()
    assert talk((CLIENT, broken), conversation=conversation) == ["> GET / HTTP/1.1 - illegal: not a header line"]
    assert "sesame" not in str(conversation.request)


# What breaks a rule, and both ends accept it

BARE = REQUEST.replace(CRLF, b"\n")
LINE_FEED = "a line feed without a carriage return in the header block"
BAD_LINE = "the request line is not 'GET /path HTTP/1.1'"


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (BARE, f"> GET / HTTP/1.1 - illegal: {LINE_FEED}"),
        (BARE + CRLF * 2, f"> GET / HTTP/1.1 - illegal: {LINE_FEED}"),  # as typed, until a server takes it for whole
        (b"\n\n" + REQUEST, f"> GET / HTTP/1.1 - illegal: {LINE_FEED}"),
        (REQUEST.replace(b"GET /", "GET /größe".encode()), f"> GET /gr%C3%B6%C3%9Fe HTTP/1.1 - illegal: {BAD_LINE}"),
        (REQUEST.replace(b"GET /", b"GET /a b"), f"> GET /a%20b HTTP/1.1 - illegal: {BAD_LINE}"),
        (REQUEST.replace(b"GET /", b"GET  /"), f"> GET / HTTP/1.1 - illegal: {BAD_LINE}"),
        (REQUEST.replace(b"GET /", b"GET ws://h/a"), f"> GET ws://h/a HTTP/1.1 - illegal: {BAD_LINE}"),
        (REQUEST.replace(b"GET /", b"GET http://h/a"), "> GET http://h/a HTTP/1.1"),
        (
            REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"),
            "> GET / HTTP/1.0 - illegal: a WebSocket handshake needs HTTP/1.1, not HTTP/1.0",
        ),
        (
            REQUEST.replace(b"\r\nHost", b"\r\nX: a\x01b\r\nHost"),
            "> GET / HTTP/1.1 - illegal: the control character 0x01 in the header block",
        ),
        (REQUEST.replace(b"\r\nHost", b"\r\n folded\r\nHost"), "> GET / HTTP/1.1 - illegal: a folded header line"),
        (REQUEST.replace(b"Upgrade: ", b"Upgrade:\r\n "), "> GET / HTTP/1.1 - illegal: a folded header line"),
        (
            REQUEST.replace(b"HTTP/1.1", b"http/1.1"),
            "> GET / HTTP/1.1 - illegal: 'http/1.1' is not an HTTP version",
        ),
        (REQUEST.replace(b"Host:", b"Host :"), "> GET / HTTP/1.1 - illegal: not a header line"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_frames_behind_a_head_that_both_ends_have_accepted_are_shown_and_its_fault_is_named(asked, line, size):
    pieces = [(CLIENT, asked[start : start + size]) for start in range(0, len(asked), size)]
    found = talk(*pieces, (SERVER, response()), (CLIENT, text("Hello")), (SERVER, GREETING))
    assert found == [line, *UPGRADED[1:]]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (response().replace(CRLF, b"\n"), f"< HTTP/1.1 101 Switching Protocols - illegal: {LINE_FEED}"),
        (CRLF + response(), "< HTTP/1.1 101 Switching Protocols"),
        (
            response().replace(b"Upgrade: ", b"Upgrade:\r\n "),
            "< HTTP/1.1 101 Switching Protocols - illegal: a folded header line",
        ),
        (
            response().replace(b"HTTP/1.1", b"http/1.1"),
            "< HTTP/1.1 101 Switching Protocols - illegal: this is not an HTTP response",
        ),
        (
            response().replace(b"websocket", b"websocket, h2c"),
            "< HTTP/1.1 101 Switching Protocols - illegal: the response must say 'Upgrade: websocket'",
        ),
        (response().replace(b"HTTP/1.1", b"HTTP/1.0"), f"< HTTP/1.0 101 Switching Protocols - illegal: {OLD_UPGRADE}"),
    ],
)
def test_so_are_those_behind_an_answer(answer, line):
    assert talk((CLIENT, REQUEST), (SERVER, answer + GREETING)) == [UPGRADED[0], line, UPGRADED[3]]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_tunnel_through_a_proxy_is_followed(version):
    asked = b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n"
    agreed = f"HTTP/{version} 200 Connection established\r\nContent-Length: 9\r\n\r\n".encode()
    tunnel = ["> CONNECT localhost:80 HTTP/1.1", f"< HTTP/{version} 200 Connection established"]
    said = (CLIENT, REQUEST), (SERVER, response()), (CLIENT, text("Hello")), (SERVER, GREETING)
    assert talk((CLIENT, asked), (SERVER, agreed), *said) == [*tunnel, *UPGRADED]
    assert talk((CLIENT, asked), (SERVER, agreed), (CLIENT, b"\x16\x03\x01"))[2:] == [
        "> not WebSocket: these bytes look like TLS, but this port speaks plain HTTP"
    ]


V2 = b"\r\n\r\n\0\r\nQUIT\n"
PROXY_HEADERS = {
    "line": (b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n", "a PROXY line"),
    "unknown": (b"PROXY UNKNOWN\r\n", "a PROXY line"),
    "bytes": (
        V2 + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 19, 136, 0, 80]),
        "a PROXY header of 28 bytes",
    ),
    "none": (V2 + b"\x20\x00\x00\x00", "a PROXY header of 16 bytes"),
    "long": (V2 + b"\x21\x11\x01\x00" + b"\n" * 256, "a PROXY header of 272 bytes"),
}


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("header", "what"), PROXY_HEADERS.values(), ids=PROXY_HEADERS.keys())
def test_the_header_of_a_balancer_is_told_and_skipped(header, what, size):
    asked = header + REQUEST
    pieces = [(CLIENT, asked[start : start + size]) for start in range(0, len(asked), size)]
    found = talk(*pieces, (SERVER, response()), (CLIENT, text("Hello")), (SERVER, GREETING))
    assert found == [f"> {what}, by which a balancer says for whom it asks", *UPGRADED]


@pytest.mark.parametrize(
    "begin", [b"PROXY " + b"x" * 200 + CRLF * 2, V2[:-1] + b"x" * 40 + CRLF * 2, b"PUT / x" + CRLF * 2]
)
def test_what_only_looks_like_one_is_none(begin):
    assert [line.partition(":")[0] for line in talk((CLIENT, begin))] == ["> not WebSocket"]


# The end


def test_what_is_cut_short_is_told_at_the_end():
    conversation = Conversation()
    assert conversation.end(SERVER) == []
    conversation.receive(CLIENT, REQUEST[:20])
    assert [str(one) for one in conversation.end(CLIENT)] == ["cut short: 20 bytes of a head"]
    assert conversation.end(CLIENT) == []

    conversation = Conversation()
    conversation.receive(CLIENT, REQUEST)
    assert conversation.end(CLIENT) == []
    conversation.receive(SERVER, response() + GREETING[:3])
    assert conversation.end(CLIENT) == []
    assert [str(one) for one in conversation.end(SERVER)] == ["cut short: 1 of 7 bytes of a text frame"]


# However the bytes are cut, and whatever they are


def lines_in_pieces(sent: dict[Role, bytes], size: int) -> list[Dissected]:
    conversation = Conversation()
    return [
        one
        for role, data in sent.items()
        for start in range(0, len(data), size)
        for one in conversation.receive(role, data[start : start + size])
    ]


@pytest.mark.parametrize(
    "sent",
    [
        {CLIENT: REQUEST, SERVER: response() + GREETING * 3},
        {CLIENT: b"\r\n" + REQUEST, SERVER: b"\r\n" + response() + GREETING},
        {CLIENT: REQUEST, SERVER: b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nHello"},
        {CLIENT: PLAIN + REQUEST, SERVER: CHALLENGE + response() + GREETING},
        {CLIENT: PLAIN, SERVER: b"HTTP/1.1 200 OK\r\n\r\nHello"},
        {CLIENT: REQUEST[:40] + b"\x00" + REQUEST[40:]},
        {CLIENT: REQUEST, SERVER: b"HTTP/2 200\r\n\r\n"},
    ],
)
def test_wherever_the_bytes_are_cut_the_same_is_found(sent):
    whole = [str(one) for one in lines_in_pieces(sent, 100_000)]
    assert whole
    for size in range(1, 60):
        assert [str(one) for one in lines_in_pieces(sent, size)] == whole


@given(st.lists(st.tuples(st.sampled_from(list(Role)), st.binary(max_size=200)), max_size=8))
def test_no_bytes_make_it_raise(said):
    conversation = Conversation()
    for sender, data in said:
        conversation.receive(sender, data)
    assert len(conversation.end(CLIENT) + conversation.end(SERVER)) <= 2


@given(st.integers(0, 2**32))
def test_changed_bytes_of_a_good_conversation_do_not_make_it_raise(seed):
    source = random.Random(seed)
    sent = {CLIENT: bytearray(REQUEST + text("Hello") * 3), SERVER: bytearray(response() + GREETING * 3)}
    for data in sent.values():
        for _ in range(source.randrange(3)):
            data[source.randrange(len(data))] = source.randrange(256)
    assert all("sesame" not in str(one) and "\n" not in str(one) for one in lines_in_pieces(sent, 50))


def test_a_long_head_that_comes_byte_by_byte_is_not_read_again_for_every_byte(monkeypatch):
    sizes = []

    def counting(data: bytes) -> tuple[Request, int] | None:
        sizes.append(len(data))
        return parse_request(data)

    monkeypatch.setattr("wslab.dissector.lenient_heads.parse_request", counting)
    head = request(more=tuple(f"X-{number}: {'x' * 590}" for number in range(100)))
    assert [str(one) for one in lines_in_pieces({CLIENT: head}, 1)] == ["GET / HTTP/1.1"]
    assert sizes == [*range(1, 17), len(head)]


# What both sides have said before, what one side says piece by piece, and the size of the pieces.
DRIPPED = {
    "a request": ([], CLIENT, b"GET / HTTP/1.1\r\n", b"a: b\r\n", 1),
    "a response": ([(CLIENT, REQUEST)], SERVER, b"HTTP/1.1 101 Yes\r\n", b"a: b\r\n", 1),
    "a response of one line": ([(CLIENT, REQUEST)], SERVER, b"HTTP/1.1 101 ", b"a", 1),
    "a body in chunks": ([(CLIENT, PLAIN)], SERVER, PAGE.partition(b"2\r\n")[0], b"1\r\na\r\n", 1),
    "interim answers": ([(CLIENT, REQUEST)], SERVER, b"", b"HTTP/1.1 102 x\r\n\r\n", 5),
    "requests that wait": ([(CLIENT, PLAIN)], CLIENT, b"", PLAIN, 50),
    "answers to requests that wait": ([(CLIENT, PLAIN * 500)], SERVER, b"", CHALLENGE, len(CHALLENGE)),
}


@pytest.mark.parametrize(("before", "role", "start", "rest", "step"), DRIPPED.values(), ids=DRIPPED.keys())
def test_each_byte_is_looked_at_a_few_times_however_it_drips(before, role, start, rest, step):
    def drip(size):
        conversation = Conversation()
        talk(*before, conversation=conversation)
        data = start + rest * (size // len(rest))
        return lambda: [conversation.receive(role, data[at : at + step]) for at in range(0, len(data), step)]

    assert grows_linearly(drip, 600)


def test_many_bodies_in_one_piece_are_each_looked_at_once():
    def answers(count):
        conversation = Conversation()
        talk((CLIENT, b"GET / HTTP/1.1\r\n\r\n" * count), conversation=conversation)
        data = (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: %b\r\n\r\na" % (b"x" * 400)) * count
        return lambda: conversation.receive(SERVER, data)

    assert grows_linearly(answers, 50)


def test_megabytes_of_no_websocket_take_no_memory():
    piece = random.Random(5).randbytes(64 * 1024)
    for first in (b"", PLAIN, b"GET /", REQUEST):
        conversation = Conversation()
        conversation.receive(CLIENT, first)
        tracemalloc.start()
        try:
            for _ in range(100):
                conversation.receive(CLIENT, piece)
                conversation.receive(SERVER, piece)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20 * len(piece)
