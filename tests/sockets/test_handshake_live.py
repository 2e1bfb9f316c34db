"""The opening handshake against the live server: what a client may write, and how everything else is refused."""

import contextlib
import socket
import sys
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha1

import pytest
from support.heads_and_frames import ACCEPT, KEY, close_frame, masked, request, text
from support.raw_peer import Answer, RawPeer, live_server
from support.waiting import PATIENCE, wait_until

from wslab import Frame, Limits, Opcode

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OTHER_KEY = "AQIDBAUGBwgJCgsMDQ4PEC=="  # RFC 6455 §4.1; the C has bits that belong to no byte, and must not matter
UPGRADE_REQUIRED = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
TLS_CLIENT_HELLO = bytes.fromhex("16030100c4010000c00303") + bytes(range(185))


@dataclass(frozen=True)
class Case:
    """What is sent, and what must come back: a status, header values, and words of the sentence in the body."""

    name: str
    sent: bytes
    status: int
    words: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    key: str = KEY


def accepted(name: str, sent: bytes, key: str = KEY, **headers: str) -> Case:
    return Case(name, sent, 101, "", {name.replace("_", "-"): value for name, value in headers.items()}, key)


def refused(name: str, status: int, words: str, sent: bytes, headers: dict[str, str] | None = None) -> Case:
    return Case(name, sent, status, words, headers or {})


ONE_KEY = "exactly one Sec-WebSocket-Key: 16 bytes in base64"
ONE_VERSION = "exactly one Sec-WebSocket-Version"
ASK_FOR_IT = "ask for it with 'Upgrade: websocket'"

ACCEPTED = [
    accepted("the example of the RFC", request()),
    accepted("another key gets another answer", request(Sec_WebSocket_Key=OTHER_KEY), key=OTHER_KEY),
    accepted("a path and a query", request("GET /chat?room=1&token=sesame HTTP/1.1")),
    accepted("a target that is a whole address", request("GET http://localhost/chat HTTP/1.1")),
    accepted("a later minor version of HTTP", request("GET / HTTP/1.2")),
    accepted("one empty line before the request", b"\r\n" + request()),
    accepted("Upgrade in other letter case", request(Upgrade="WebSocket")),
    accepted("Upgrade as a list", request(Upgrade="h2c, websocket")),
    accepted("Upgrade on two lines", request(Upgrade="h2c", more=("Upgrade: websocket",))),
    accepted("Connection in other letter case", request(Connection="upgrade")),
    accepted("Connection as Firefox long sent it", request(Connection="keep-alive, Upgrade")),
    accepted("Connection on two lines", request(Connection="keep-alive", more=("Connection: Upgrade",))),
    accepted("empty elements in a list", request(Connection=", ,Upgrade,")),
    accepted("header names in capitals", request().replace(b"Sec-WebSocket", b"SEC-WEBSOCKET")),
    accepted("header names in small letters", request().replace(b"Sec-WebSocket", b"sec-websocket")),
    accepted("no space after the colon", request().replace(b": ", b":")),
    accepted("spaces and tabs around a value", request(Sec_WebSocket_Key=f" \t {KEY} \t")),
    accepted("a header value that is not ASCII", request(User_Agent="Gr\xfc\xdfe")),
    accepted("an empty header value", request(Cookie="")),
    accepted("as many header lines as are allowed", request(more=("A: b",) * 95)),
    accepted("an Origin, where every origin may connect", request(Origin="https://elsewhere.example")),
    accepted("an announced body of 0 bytes", request(Content_Length="0")),
    accepted("an extension that the server does not know", request(Sec_WebSocket_Extensions="x-unknown; a=1; b")),
    accepted(
        "an extension with a quoted value",
        request(Sec_WebSocket_Extensions='x-unknown; a="b", permessage-deflate; server_max_window_bits="10"'),
        Sec_WebSocket_Extensions="permessage-deflate; server_max_window_bits=10",
    ),
    accepted(
        "permessage-deflate as browsers offer it",
        request(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits"),
        Sec_WebSocket_Extensions="permessage-deflate",
    ),
    accepted(
        "permessage-deflate with an unknown parameter is declined",
        request(Sec_WebSocket_Extensions="permessage-deflate; x=1"),
    ),
    accepted("a subprotocol that the server does not speak", request(Sec_WebSocket_Protocol="soap")),
    accepted(
        "the first of the client's subprotocols that the server speaks",
        request(Sec_WebSocket_Protocol="soap, superchat, chat"),
        Sec_WebSocket_Protocol="superchat",
    ),
    accepted(
        "subprotocols on two lines",
        request(Sec_WebSocket_Protocol="soap", more=("Sec-WebSocket-Protocol: chat",)),
        Sec_WebSocket_Protocol="chat",
    ),
    accepted("a subprotocol in other letter case is another one", request(Sec_WebSocket_Protocol="CHAT")),
]

REFUSED = [
    # Requests that are good HTTP and do not ask for WebSocket, or not as a server can agree to
    refused("a plain GET", 426, ASK_FOR_IT, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", UPGRADE_REQUIRED),
    refused("an Upgrade to HTTP/2", 426, ASK_FOR_IT, request(Upgrade="h2c"), UPGRADE_REQUIRED),
    refused("a name that only begins with websocket", 426, ASK_FOR_IT, request(Upgrade="websocket2"), UPGRADE_REQUIRED),
    refused("a Connection header without Upgrade", 400, "must list 'Upgrade'", request(Connection="keep-alive")),
    refused("no Connection header", 400, "must list 'Upgrade'", request(Connection=None)),
    refused("version 8", 426, "version 13, not 8", request(Sec_WebSocket_Version="8"), UPGRADE_REQUIRED),
    refused("version 013", 426, "version 13, not 013", request(Sec_WebSocket_Version="013"), UPGRADE_REQUIRED),
    refused("two versions in one line", 426, "not 13, 8", request(Sec_WebSocket_Version="13, 8"), UPGRADE_REQUIRED),
    refused("two version lines", 400, ONE_VERSION, request(more=("Sec-WebSocket-Version: 13",))),
    refused("no version", 400, ONE_VERSION, request(Sec_WebSocket_Version=None)),
    refused("POST", 405, "is a GET, not a POST", request("POST / HTTP/1.1"), {"Allow": "GET"}),
    refused("OPTIONS", 405, "is a GET, not a OPTIONS", request("OPTIONS / HTTP/1.1"), {"Allow": "GET"}),
    refused("get in small letters is another method", 501, "'get' is no method", request("get / HTTP/1.1")),
    refused("a method that nobody knows", 501, "'BREW' is no method", request("BREW / HTTP/1.1")),
    refused("HTTP/1.0", 426, "needs HTTP/1.1, not HTTP/1.0", request("GET / HTTP/1.0"), UPGRADE_REQUIRED),
    refused("HTTP/2.0 in the request line", 505, "speaks HTTP/1.1, not HTTP/2.0", request("GET / HTTP/2.0")),
    refused("a body with Content-Length", 400, "has no body", request(Content_Length="5") + b"Hello"),
    refused("a body in chunks", 400, "has no body", request(Transfer_Encoding="chunked") + b"0\r\n\r\n"),
    # Keys
    refused("a key of 15 bytes", 400, ONE_KEY, request(Sec_WebSocket_Key=b64encode(bytes(15)).decode())),
    refused("a key of 17 bytes", 400, ONE_KEY, request(Sec_WebSocket_Key=b64encode(bytes(17)).decode())),
    refused("a key that is not base64", 400, ONE_KEY, request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZ!==")),
    refused("a key without its padding", 400, ONE_KEY, request(Sec_WebSocket_Key=KEY.rstrip("="))),
    refused("a key that is not ASCII", 400, ONE_KEY, request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25j\xe9g==")),
    refused("an empty key", 400, ONE_KEY, request(Sec_WebSocket_Key="")),
    refused("no key", 400, ONE_KEY, request(Sec_WebSocket_Key=None)),
    refused("two keys", 400, ONE_KEY, request(more=(f"Sec-WebSocket-Key: {KEY}",))),
    # Hosts, extensions, subprotocols
    refused("no Host", 400, "exactly one Host", request(Host=None)),
    refused("two Hosts", 400, "exactly one Host", request(more=("Host: elsewhere.example",))),
    refused("an extension without a name", 400, "malformed at '; a=1'", request(Sec_WebSocket_Extensions="; a=1")),
    refused("a quote that never ends", 400, "malformed", request(Sec_WebSocket_Extensions='x; a="b')),
    refused(
        "a quoted value with a space", 400, "not a legal extension", request(Sec_WebSocket_Extensions='x; a="b c"')
    ),
    refused("a subprotocol offered twice", 400, "distinct names", request(Sec_WebSocket_Protocol="chat, soap, chat")),
    refused("a subprotocol with a space", 400, "distinct names", request(Sec_WebSocket_Protocol="my chat")),
    # Header blocks that are not well-formed: every one of them has been used to smuggle something past a proxy
    refused("a header line folded onto the next", 400, "folded", request(more=("A: b", " c"))),
    refused("a folded line right after the request line", 400, "folded", b"GET / HTTP/1.1\r\n A: b\r\n\r\n"),
    refused("a space before the colon", 400, "not a header line: 'Upgrade", request(more=("Upgrade : websocket",))),
    refused("a header without a name", 400, "not a header line: ': b'", request(more=(": b",))),
    refused("a header line without a colon", 400, "not a header line: 'Upgrade", request(more=("Upgrade websocket",))),
    refused("a NUL", 400, "control character 0x00", request(more=("A: b\0c",))),
    refused("an escape character", 400, "control character 0x1b", request(more=("A: \x1b[31m",))),
    refused("a bare carriage return", 400, "a carriage return without a line feed", request(more=("A: b\rC: d",))),
    refused("a bare line feed", 400, "a line feed without a carriage return", request(more=("A: b\nC: d",))),
    refused("lines that end with line feeds", 400, "a line feed without", request().replace(b"\r\n", b"\n")),
    refused("a cookie is not shown", 400, "not a header line: '[redacted]'", request(more=("Cookie : sesame",))),
    refused("nor one without a colon", 400, "not a header line: '[redacted]'", request(more=("Cookie a=sesame",))),
    refused("nor one with a blank in its name", 400, "not a header line: '[redacted]'", request(more=("Coo kie: a",))),
    refused("nor one in brackets", 400, "not a header line: '[redacted]'", request(more=("(Cookie: a=sesame",))),
    refused("nor a token there", 400, "not a header line: '[redacted]'", request(more=("(?token=sesame",))),
    refused("nor a token for a version", 400, "'?token=[redacted]' is not an HTTP", request("GET / ?token=sesame")),
    # Request lines
    refused("a request line of two words", 400, "request line is not", request("GET /")),
    refused("a request line of four words", 400, "request line is not", request("GET / HTTP/1.1 now")),
    refused("two spaces in the request line", 400, "request line is not", request("GET  / HTTP/1.1")),
    refused("a target without a slash", 400, "request line is not", request("GET chat HTTP/1.1")),
    refused("a target with a fragment", 400, "request line is not", request("GET /#here HTTP/1.1")),
    refused("a target that is not ASCII", 400, "request line is not", request("GET /\xe9 HTTP/1.1")),
    refused("http in small letters", 400, "'http/1.1' is not an HTTP version", request("GET / http/1.1")),
    refused("HTTP/1.10", 400, "'HTTP/1.10' is not an HTTP version", request("GET / HTTP/1.10")),
    refused("two empty lines before the request", 400, "does not begin with an HTTP method", b"\r\n\r\n" + request()),
    # What is not HTTP
    refused("a TLS ClientHello", 400, "look like TLS", TLS_CLIENT_HELLO),
    refused("garbage", 400, "control character 0x01", b"\x01\x02\x03\x04"),
    refused("a line that begins with no method", 400, "does not begin with an HTTP method", b"(hello)\r\n"),
    refused("the preface of HTTP/2", 505, "speaks HTTP/1.1, not HTTP/2.0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("a WebSocket frame instead of a request", 400, "control character", text("Hello")),
    # Too much
    refused("one header line too many", 431, "more than 100 header lines", request(more=("A: b",) * 96)),
    refused("a header block that is too long", 431, "more than 16384 bytes", request(Cookie="c" * 16384)),
    refused("a request line without an end", 431, "more than 16384 bytes", b"GET /" + b"a" * 20000),
    refused("a method without an end", 431, "more than 16384 bytes", b"G" * 20000),
    refused("a header block without an end", 431, "more than 16384 bytes", request()[:-2] + b"A: b\r\n" * 4000),
]


def by_name(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.fixture(scope="module")
def server():
    with live_server(subprotocols=["chat", "superchat"]) as server:
        yield server


def one_byte_at_a_time(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def said(frames: list[Frame]) -> list[str]:
    """The texts in the frames of a server, decompressed where RSV1 says so."""
    inflater = zlib.decompressobj(wbits=-15)
    assert {frame.opcode for frame in frames} == {Opcode.TEXT}
    return [
        (inflater.decompress(frame.payload + b"\0\0\xff\xff") if frame.rsv1 else frame.payload).decode()
        for frame in frames
    ]


def check_agreement(answer: Answer, case: Case) -> None:
    expected = b64encode(sha1((case.key + GUID).encode()).digest()).decode()
    assert answer.status == 101
    assert answer.headers == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": expected,
        **case.headers,
    }


def check_refusal(answer: Answer, case: Case) -> None:
    sentence = answer.body.decode()
    assert answer.status == case.status
    assert case.words.lower() in sentence.lower()
    assert sentence[0].isupper() or not sentence[0].isalpha()
    assert sentence.endswith(".\n")
    assert answer.headers.pop("Connection").startswith("close")
    assert answer.headers.pop("Content-Length") == str(len(answer.body))
    assert answer.headers.pop("Content-Type") == "text/plain; charset=utf-8"
    assert answer.headers == case.headers


def test_the_table_is_as_long_as_it_should_be_and_has_no_case_twice():
    names, requests = {case.name for case in ACCEPTED + REFUSED}, {case.sent for case in ACCEPTED + REFUSED}

    assert len(names) == len(requests) == len(ACCEPTED + REFUSED) >= 45


def test_the_expected_answer_is_that_of_the_rfc():
    check_agreement(
        Answer(101, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": ACCEPT}), ACCEPTED[0]
    )


@pytest.mark.parametrize("case", by_name(ACCEPTED))
def test_accepted_and_then_an_echo_works(server, case):
    with RawPeer(server) as peer:
        peer.send(case.sent)

        check_agreement(peer.read_head(), case)
        peer.send(text("Hello"))
        assert said([peer.read_frame()]) == ["Hello"]
        assert peer.says_goodbye()


@pytest.mark.parametrize("case", by_name(ACCEPTED))
def test_accepted_one_byte_at_a_time(server, case):
    with RawPeer(server) as peer:
        peer.send(*one_byte_at_a_time(case.sent))

        check_agreement(peer.read_head(), case)
        assert peer.says_goodbye()


@pytest.mark.parametrize("case", by_name(ACCEPTED))
def test_frames_glued_to_the_request_are_served(server, case):
    with RawPeer(server) as peer:
        peer.send(case.sent + text("first") + text("second") + masked(Opcode.CLOSE, b"\x03\xe8"))

        check_agreement(peer.read_head(), case)
        *echoes, last = peer.read_frames_to_end()
        assert said(echoes) == ["first", "second"]
        assert last == close_frame(1000)


@pytest.mark.parametrize("case", by_name(REFUSED))
def test_refused_with_a_sentence_and_an_orderly_end(server, case):
    with RawPeer(server) as peer:
        peer.send(case.sent)

        check_refusal(Answer.from_bytes(peer.read_to_end()), case)


@pytest.mark.parametrize("case", by_name([case for case in REFUSED if len(case.sent) < 1000]))
def test_refused_one_byte_at_a_time(server, case):
    with RawPeer(server) as peer:
        peer.send(*one_byte_at_a_time(case.sent))

        answer = Answer.from_bytes(peer.read_to_end())
        assert answer.status == case.status
        assert answer.body.endswith(b".\n")


@pytest.mark.parametrize("case", by_name(REFUSED))
def test_what_comes_behind_a_refused_request_does_not_hide_the_refusal(server, case):
    with RawPeer(server) as peer:
        peer.send(case.sent + b"more" * 50_000)

        assert Answer.from_bytes(peer.read_to_end()).status == case.status


def test_a_refused_head_gets_no_body(server):
    with RawPeer(server) as peer:
        peer.send(request("HEAD / HTTP/1.1"))

        answer = Answer.from_bytes(peer.read_to_end())
        assert (answer.status, answer.headers["Allow"], answer.body) == (405, "GET", b"")


# Origin


@pytest.mark.parametrize("origin", ["https://lab.example", "HTTPS://LAB.EXAMPLE"])
def test_a_page_from_a_listed_origin_may_connect(origin):
    with live_server(origins=["https://lab.example", "http://localhost:8888"]) as server, RawPeer(server) as peer:
        peer.send(request(Origin=origin))

        assert peer.read_head().status == 101
        assert peer.says_goodbye()


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("https://evil.example", "https://evil.example"),
        ("http://lab.example", "http://lab.example"),
        ("https://lab.example.evil.example", "https://lab.example.evil.example"),
        ("null", "null"),
        (None, "nowhere"),
        ("https://lab.example, https://lab.example", "https://lab.example, https://lab.example"),
    ],
)
def test_a_page_from_elsewhere_is_refused_with_403(origin, told):
    with live_server(origins=["https://lab.example"]) as server, RawPeer(server) as peer:
        peer.send(request(Origin=origin))

        answer = Answer.from_bytes(peer.read_to_end())
        assert answer.status == 403
        assert answer.body.decode() == f"A page from {told} may not connect to this server.\n"


def test_two_origin_lines_are_not_the_listed_origin():
    with live_server(origins=["https://lab.example"]) as server, RawPeer(server) as peer:
        peer.send(request(Origin="https://lab.example", more=("Origin: https://lab.example",)))

        assert Answer.from_bytes(peer.read_to_end()).status == 403


# Time and number


@pytest.mark.parametrize("half", [b"", b"\r\n", b"GET", request()[:-1], request()[:-2]], ids=repr)
def test_half_a_request_is_answered_with_408_when_its_time_is_over(half):
    with live_server(limits=Limits(handshake_timeout=0.2)) as server, RawPeer(server) as peer:
        peer.send(half)

        answer = Answer.from_bytes(peer.read_to_end())
        assert (answer.status, answer.body) == (408, b"No whole request within 0.2 s.\n")


def test_a_client_that_sends_a_byte_now_and_then_does_not_get_more_time():
    with live_server(limits=Limits(handshake_timeout=0.5)) as server, RawPeer(server) as peer:
        peer.sock.settimeout(0.02)
        peer.send(b"GET /")
        with contextlib.suppress(OSError):  # the server may have ended already
            while not _has_answer(peer.sock):
                peer.send(b"a")

        peer.sock.settimeout(PATIENCE)
        assert Answer.from_bytes(peer.read_to_end()).status == 408


def _has_answer(sock: socket.socket) -> bool:
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False


def test_one_connection_too_many_is_refused_with_503_until_another_one_ends():
    with live_server(limits=Limits(max_connections=2)) as server, RawPeer.upgraded(server) as first:
        with RawPeer.upgraded(server):
            for _ in range(5):
                with RawPeer(server) as third:
                    third.send(request())
                    answer = Answer.from_bytes(third.read_to_end())
                    assert (answer.status, answer.body) == (503, b"This server has its 2 connections already.\n")
                wait_until(lambda: len(server.connections) == 2)

            first.send(text("Hello"))
            assert first.read_frame().payload == b"Hello"
        wait_until(lambda: len(server.connections) == 1)

        with RawPeer.upgraded(server) as fourth:
            assert fourth.says_goodbye()
        assert first.says_goodbye()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has 127.0.0.1 only, of all addresses of loopback")
def test_one_address_can_be_kept_from_taking_all_connections():
    limits = Limits(max_per_address=2)
    with live_server(limits=limits) as server, RawPeer.upgraded(server) as first, RawPeer.upgraded(server):
        with RawPeer(server) as third:
            third.send(request())
            answer = Answer.from_bytes(third.read_to_end())
        assert (answer.status, answer.body) == (503, b"This address has its 2 connections already.\n")
        with socket.create_connection((server.host, server.port), PATIENCE, ("127.0.0.2", 0)) as other:
            other.sendall(request())
            assert other.recv(12) == b"HTTP/1.1 101"
        assert first.says_goodbye()


def test_a_silent_client_of_a_full_server_is_refused_as_well(monkeypatch):
    monkeypatch.setattr("wslab.sockets.session.REFUSAL_TIMEOUT", 0.1)
    limits = Limits(max_connections=1, handshake_timeout=3 * PATIENCE)
    with live_server(limits=limits) as server, RawPeer.upgraded(server) as first:
        with RawPeer(server) as second:
            assert Answer.from_bytes(second.read_to_end()).status == 503
        assert first.says_goodbye()


def test_those_who_are_being_refused_are_not_served_without_end(monkeypatch):
    monkeypatch.setattr("wslab.sockets.server.MAX_REFUSALS", 3)
    with live_server(limits=Limits(max_connections=1)) as server, contextlib.ExitStack() as stack:
        first = stack.enter_context(RawPeer.upgraded(server))
        waiting = [stack.enter_context(RawPeer(server)) for _ in range(3)]
        wait_until(lambda: len(server.connections) == 4)

        with RawPeer(server) as turned_away:
            assert turned_away.read_to_end() == b""
        for peer in waiting:
            peer.send(request())
            assert Answer.from_bytes(peer.read_to_end()).status == 503
        assert first.says_goodbye()
