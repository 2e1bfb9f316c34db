"""connect: addresses, headers, and everything that a server may answer instead of an agreement."""

import errno
import os
import socket
import ssl
import sys
import time
import traceback
import zlib
from base64 import b64decode, b64encode
from hashlib import sha1
from types import SimpleNamespace

import pytest
from support.heads_and_frames import ACCEPT, KEY
from support.raw_peer import live_server, read_request, tiny_server, wait_for_end
from support.waiting import PATIENCE

from wslab import (
    ConnectionClosed,
    Frame,
    HandshakeError,
    Opcode,
    PartError,
    PermessageDeflate,
    ProtocolError,
    State,
    connect,
    serialize_frame,
)
from wslab.protocol.codec import Codec
from wslab.sockets.lookahead import LOOK_INTERVAL

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def agreement(key: str, *more: str, status: str = "101 Switching Protocols", **changed: str | None) -> bytes:
    """A server's good answer to this key, except for what is changed."""
    headers: dict[str, str | None] = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": b64encode(sha1((key + GUID).encode()).digest()).decode(),
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items() if value is not None), *more]
    return "\r\n".join([*lines, "", ""]).encode()


def answering(*more: str, body: bytes = b"", **changed: str | None):
    """What a tiny server does that answers a request like this and waits for the client to go."""

    def talk(sock: socket.socket) -> None:
        key = read_request(sock)["Sec-WebSocket-Key"]
        sock.sendall(agreement(key, *more, **changed) + body)
        wait_for_end(sock)

    return talk


def said(*frames: Frame) -> bytes:
    return b"".join(map(serialize_frame, frames))


# Addresses


def test_what_is_no_address_is_refused_before_anything_is_opened():
    with pytest.raises(ValueError, match="begins with ws:// or wss://, not 'http://localhost/'"):
        connect("http://localhost/")


def test_the_server_sees_path_query_and_host():
    def handler(connection):
        connection.send(f"{connection.request.target} {connection.request.headers['Host']}")

    with live_server(handler=handler) as server, connect(f"{server.url}a/b?c=d&e=%20") as connection:
        assert connection.receive() == f"/a/b?c=d&e=%20 127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        (iter([]), "Basic dXNlcjpzZXNhbWU="),
        (iter([("authorization", "Bearer x")]), "Bearer x"),
        ({"Authorization": "Bearer x"}, "Bearer x"),
    ],
)
def test_a_user_name_in_the_address_is_sent_unless_other_credentials_are(headers, seen):
    def handler(connection):
        connection.send(connection.request.headers["Authorization"])

    with live_server(handler=handler) as server:
        url = server.url.replace("ws://", "ws://user:sesame@")
        with connect(url, headers=headers) as connection:
            assert connection.receive() == seen


PROXY = {"HTTPS_PROXY": "http://user:sesame@proxy.example:3128", "all_proxy": "socks5://x", "HTTP_PROXY": ""}
NOT_USED = "no proxy was used, as wslab connects directly, whatever HTTPS_PROXY, all_proxy says"


@pytest.fixture
def _proxies(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in PROXY.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_proxies")
def test_a_proxy_that_is_not_used_is_named_when_there_is_no_connection():
    with pytest.raises(OSError, match=NOT_USED) as caught:
        connect("ws://nobody.invalid/")
    assert caught.value.errno
    assert "sesame" not in str(caught.value)


@pytest.mark.usefixtures("_proxies")
def test_a_proxy_is_not_named_for_this_machine():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError) as caught:
            connect(f"ws://127.0.0.1:{nobody.getsockname()[1]}/")
    assert "proxy" not in str(caught.value)


@pytest.mark.parametrize("name", ["localhost", "localhost.", "a.localhost"])
def test_a_name_works_as_well_as_a_number(name):
    with live_server() as server, connect(f"ws://{name}:{server.port}/") as connection:
        assert connection.request.headers["Host"] == f"{name}:{server.port}"
        connection.send("Hello")
        assert connection.receive() == "Hello"


# What goes out


def test_a_request_with_everything():
    seen = []

    def talk(sock: socket.socket) -> None:
        seen.append(read_request(sock))
        sock.sendall(agreement(KEY))
        sock.sendall(said(Frame(Opcode.CLOSE, b"\x03\xe8")))

    with tiny_server(talk) as url:
        connection = connect(
            f"{url}chat",
            key=KEY,
            origin="https://lab.example",
            subprotocols=["chat", "superchat"],
            headers=[("X-Name", "Ada"), ("Cookie", "a=b")],
        )
        assert list(connection) == []
    assert seen == [
        {
            "": "GET /chat HTTP/1.1",
            "Host": url.removeprefix("ws://").removesuffix("/"),
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13",
            "Origin": "https://lab.example",
            "Sec-WebSocket-Protocol": "chat, superchat",
            "X-Name": "Ada",
            "Cookie": "a=b",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        }
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"headers": [("X-Name", "Ada\r\nX-Evil: 1")]},
        {"headers": [("X-Name", "Ada\nX-Evil: 1")]},
        {"headers": [("X-Name\r\nX-Evil", "1")]},
        {"headers": [("X-Name:", "1")]},
        {"headers": [("X Name", "1")]},
        {"headers": [("", "1")]},
        {"headers": [("X-Name", "\0")]},
        {"headers": [("X-Name", "€")]},
        {"origin": "https://lab.example\r\nX-Evil: 1"},
        {"subprotocols": ["chat\r\nX-Evil: 1"]},
        {"key": "a\r\nX-Evil: 1"},
    ],
    ids=repr,
)
def test_a_header_that_would_become_two_is_refused_before_anything_is_opened(options):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen: a connection would be refused
        with pytest.raises(ValueError, match="not a legal header line"):
            connect(f"ws://127.0.0.1:{nobody.getsockname()[1]}/", **options)


@pytest.mark.parametrize("names", [[""], ["chat", "chat"], ["my chat"], ["chat,soap"], ["chät"]], ids=repr)
def test_subprotocols_that_are_no_distinct_names_are_refused_before_anything_is_opened(names):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen: a connection would be refused
        with pytest.raises(ValueError, match="subprotocols are distinct names"):
            connect(f"ws://127.0.0.1:{nobody.getsockname()[1]}/", subprotocols=names)


def test_every_connection_has_a_key_of_its_own_of_sixteen_bytes():
    keys = []
    with live_server() as server:
        for _ in range(20):
            with connect(server.url) as connection:
                keys.append(b64decode(connection.request.headers["Sec-WebSocket-Key"], validate=True))

    assert {len(key) for key in keys} == {16}
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("path", ["a\r\nX-Evil: 1", "a HTTP/1.1\r\nX-Evil: 1", "a?b\nX-Evil: 1", "a\0b"])
def test_a_path_cannot_become_a_header(path):
    with live_server() as server, connect(server.url + path) as connection:
        assert len(connection.request.headers) == 6
        assert " " not in connection.request.target
        connection.send("Hello")
        assert connection.receive() == "Hello"


@pytest.mark.parametrize(
    ("deflate", "offer"),
    [
        (False, None),
        (True, "permessage-deflate; client_max_window_bits"),
        (
            PermessageDeflate(client_no_context_takeover=True, server_max_window_bits=10, client_max_window_bits=9),
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9",
        ),
    ],
)
def test_deflate_is_offered_as_wished(deflate, offer):
    with live_server() as server, connect(server.url, deflate=deflate) as connection:
        assert connection.request.headers.get("Sec-WebSocket-Extensions") == (offer or "")
        for message in ["Hello" * 100, "Hello" * 100]:
            connection.send(message)
            assert connection.receive() == message


# What comes back


def test_frames_glued_to_the_answer_are_received():
    frames = said(Frame(Opcode.TEXT, b"one"), Frame(Opcode.TEXT, b"two"), Frame(Opcode.CLOSE, b"\x0f\xa0bye"))

    def talk(sock: socket.socket) -> None:
        sock.sendall(agreement(read_request(sock)["Sec-WebSocket-Key"]) + frames)

    with tiny_server(talk) as url, connect(url) as connection:
        assert list(connection) == ["one", "two"]
        assert (connection.close_code, connection.close_reason) == (4000, "bye")


def test_who_only_sends_learns_soon_of_a_close_frame_that_came_with_the_answer():
    def talk(sock: socket.socket) -> None:
        sock.sendall(agreement(read_request(sock)["Sec-WebSocket-Key"]) + said(Frame(Opcode.CLOSE, b"\x0f\xa0bye")))
        wait_for_end(sock)

    with tiny_server(talk) as url, connect(url) as connection:
        assert connection._transport.look_at - time.monotonic() <= LOOK_INTERVAL
        connection._transport.look_at = 0.0
        with pytest.raises(ConnectionClosed, match="4000: bye"):
            connection.send("still there?")


def test_a_fault_glued_to_the_answer_is_raised_by_receive_and_not_by_connect():
    def talk(sock: socket.socket) -> None:
        sock.sendall(agreement(read_request(sock)["Sec-WebSocket-Key"]) + b"\x83\x00")
        sock.shutdown(socket.SHUT_WR)
        wait_for_end(sock)

    with (
        tiny_server(talk) as url,
        connect(url) as connection,
        pytest.raises(ProtocolError, match="opcode 0x3 is reserved"),
    ):
        connection.receive()


def test_an_answer_may_come_byte_by_byte_in_any_letter_case_folded_with_other_headers():
    def talk(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = read_request(sock)["Sec-WebSocket-Key"]
        answer = agreement(key, "Server: tiny", "Date: today", Upgrade="WebSocket", Connection="keep-alive, upgrade")
        for octet in answer.replace(b"Sec-WebSocket-Accept: ", b"sec-websocket-ACCEPT:\r\n\t"):
            sock.sendall(bytes((octet,)))
        sock.sendall(said(Frame(Opcode.CLOSE, b"\x03\xe8")))

    with tiny_server(talk) as url, connect(url) as connection:
        assert connection.response.headers["server"] == "tiny"
        assert list(connection) == []


def swapping_case(sock: socket.socket) -> None:
    answer = agreement(read_request(sock)["Sec-WebSocket-Key"])
    sock.sendall(answer.swapcase().replace(b"http", b"HTTP"))


def sending(data: bytes):
    return lambda sock: sock.sendall(data)


def extensions(value: str):
    return answering(f"Sec-WebSocket-Extensions: {value}")


def old_version(sock: socket.socket) -> None:
    sock.sendall(agreement(read_request(sock)["Sec-WebSocket-Key"]).replace(b"HTTP/1.1", b"HTTP/1.0"))


GZIP = zlib.compress(b"you may not", wbits=31)
BAD_ANSWERS = {
    "the accept value of another key": (answering(Sec_WebSocket_Accept=ACCEPT), 101, "but the key asks for"),
    "no accept value": (answering(Sec_WebSocket_Accept=None), 101, "Sec-WebSocket-Accept is missing"),
    "an accept value in other letter case": (swapping_case, 101, "but the key asks for"),
    "no Upgrade": (answering(Upgrade=None), 101, "must say 'Upgrade: websocket'"),
    "another Upgrade": (answering(Upgrade="h2c"), 101, "must say 'Upgrade: websocket'"),
    "no Connection": (answering(Connection=None), 101, "must list 'Upgrade'"),
    "another Connection": (answering(Connection="close"), 101, "must list 'Upgrade'"),
    "a subprotocol that was not offered": (
        answering("Sec-WebSocket-Protocol: soap"),
        101,
        "soap, which was not offered",
    ),
    "two subprotocols": (answering("Sec-WebSocket-Protocol: chat, superchat"), 101, "was not offered"),
    "an extension that was not offered": (extensions("x-unknown"), 101, "was not offered"),
    "an extension twice": (extensions("permessage-deflate, permessage-deflate"), 101, "were not offered"),
    "a malformed extension": (extensions(";"), 101, "malformed"),
    "deflate with a parameter that is unknown": (extensions("permessage-deflate; x=1"), 101, "was not offered"),
    "200": (answering("Content-Length: 0", status="200 OK"), 200, "the server refused with 200 OK"),
    "301": (
        answering("Location: /login?token=sesame", "Content-Length: 0", status="301 Moved Permanently"),
        301,
        "refused with 301 Moved Permanently, and points to /login?token=[redacted]",
    ),
    "304, which has no body": (answering("Content-Length: 9", status="304 Not Modified"), 304, "with 304 Not Modified"),
    "401 after interim answers": (
        sending(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"),
        401,
        "refused with 401 Unauthorized: no",
    ),
    "500 in chunks": (
        answering("Transfer-Encoding: chunked", status="500 Oops", body=b"4\r\nbad \r\n4\r\nluck\r\n0\r\n\r\n"),
        500,
        "500 Oops: bad luck",
    ),
    "403 in gzip": (
        answering("Content-Encoding: gzip", f"Content-Length: {len(GZIP)}", status="403 Forbidden", body=GZIP),
        403,
        "403 Forbidden: you may not",
    ),
    "403 with an escape sequence": (
        answering("Content-Length: 5", status="403 Forb\x9bidden", body=b"\x1b[2J!"),
        403,
        r"\x9bidden: \x1b[2j!",
    ),
    "403 whose text stalls": (answering("Content-Length: 100", status="403 No", body=b"you may"), 403, "No: you may"),
    "403 in HTTP/1.0": (sending(b"HTTP/1.0 403 No\r\nContent-Length: 2\r\n\r\nno"), 403, "403 No: no"),
    "101 in HTTP/1.0": (old_version, 101, "an upgrade needs HTTP/1.1, not HTTP/1.0"),
    "404 with a body": (
        answering("Content-Length: 9", status="404 Not Found", body=b"No path.\n"),
        404,
        "404 Not Found: No path.",
    ),
    "no HTTP": (sending(b"220 mail.example ESMTP\r\n\r\n"), 0, "not an HTTP response"),
    "the greeting of another protocol": (sending(b"SSH-2.0-OpenSSH_9.6\r\n"), 0, "not an HTTP response: b'SSH-2.0"),
    "garbage": (sending(b"\x00\x01\x02"), 0, "control character 0x00"),
    "a header that never ends": (sending(b"HTTP/1.1 101 Yes\r\nA: " + b"b" * 50_000), 0, "more than 16384"),
    "too many header lines": (answering(*["A: b"] * 100), 0, "more than 100 header lines"),
    "a folded status line": (answering(status="101 Switching\r\n Protocols"), 0, "folded"),
}


@pytest.mark.parametrize(("talk", "status", "words"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_what_is_no_agreement_is_a_handshakeerror_and_the_client_goes(talk, status, words):
    def talk_and_wait(sock: socket.socket) -> None:
        talk(sock)
        wait_for_end(sock)

    with tiny_server(talk_and_wait) as url, pytest.raises(HandshakeError) as caught:
        connect(url, subprotocols=["chat", "superchat"])
    assert caught.value.status == status
    assert words.lower() in str(caught.value).lower()


def test_what_a_refusal_says_can_be_read_from_the_error():
    busy = answering("Retry-After: 5", "Content-Length: 0", status="503 Service Unavailable")
    with tiny_server(busy) as url, pytest.raises(HandshakeError) as caught:
        connect(url)
    assert ("Retry-After", "5") in caught.value.headers


@pytest.mark.parametrize(
    ("head", "text"),
    [("Content-Length: 500", "only this"), ("Connection: close", "no such room"), ("Transfer-Encoding: chunked", "")],
)
def test_a_refusal_that_ends_with_tcp_is_told_as_far_as_it_came(head, text):
    def talk(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(f"HTTP/1.1 401 Unauthorized\r\n{head}\r\n\r\n{text}".encode())

    with tiny_server(talk) as url, pytest.raises(HandshakeError) as caught:
        connect(url, timeout=None)
    assert str(caught.value) == "401 the server refused with 401 Unauthorized" + (f": {text}" if text else "")
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_connection_opens_after_interim_answers():
    def talk(sock: socket.socket) -> None:
        headers = read_request(sock)
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        sock.sendall(agreement(headers["Sec-WebSocket-Key"]) + said(Frame(Opcode.TEXT, headers["Expect"].encode())))
        sock.recv(100)  # the client's close frame

    with tiny_server(talk) as url, connect(url, headers=[("Expect", "100-continue")]) as client:
        assert client.receive(PATIENCE) == "100-continue"


def test_a_server_that_closes_at_once():
    with tiny_server(lambda sock: None) as url, pytest.raises(HandshakeError, match="closed the connection without an"):
        connect(url)


@pytest.mark.parametrize(
    ("start", "how"),
    [(b"", "without an"), (b"HTTP/1.1 101 Switching Protocols\r\nUpgr", "in the middle of its")],
    ids=["no answer", "half an answer"],
)
def test_a_server_that_closes_without_a_whole_answer(start, how):
    def talk(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(start)

    with tiny_server(talk) as url, pytest.raises(HandshakeError, match=f"closed the connection {how} answer"):
        connect(url)


def test_a_server_that_resets_the_connection():
    def talk(sock: socket.socket) -> None:
        read_request(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with tiny_server(talk) as url, pytest.raises(HandshakeError, match=r"without an answer \(.*[Rr]eset"):
        connect(url)


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 101 Switching Protocols\r\nUpgr"], ids=["no answer", "half an answer"]
)
def test_a_server_that_never_answers_is_a_timeouterror(start):
    def talk(sock: socket.socket) -> None:
        sock.sendall(start)
        wait_for_end(sock)

    with tiny_server(talk) as url, pytest.raises(TimeoutError, match=r"did not answer the handshake within 0\.2 s"):
        connect(url, timeout=0.2)


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_at_all_is_a_timeouterror(timeout):
    with tiny_server(wait_for_end) as url, pytest.raises(TimeoutError):
        connect(url, timeout=timeout)


@pytest.mark.parametrize("count", [1, 3])
def test_all_addresses_of_a_host_share_the_time(count, monkeypatch):
    told: list[float] = []

    class Slow(socket.socket):
        def connect(self, _):
            told.append(self.gettimeout())
            now[0] += self.gettimeout()
            raise TimeoutError("timed out")

    now = [100.0]
    found = socket.getaddrinfo("127.0.0.1", 1, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found * count)
    monkeypatch.setattr(socket, "socket", Slow)
    monkeypatch.setattr("wslab.sockets.stream.time", SimpleNamespace(monotonic=lambda: now[0]))
    with pytest.raises(TimeoutError, match="does not answer"):
        connect("ws://many.example/", timeout=6)
    assert told == [6 / count] * count


def test_a_host_is_reached_by_any_of_its_addresses(monkeypatch):
    def look_up_many(host, *arguments, **options):
        return found if host == "many.example" else look_up(host, *arguments, **options)

    look_up = socket.getaddrinfo
    with live_server() as server, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        places = [nobody.getsockname(), ("127.0.0.1", server.port)]
        found = [look_up(*place, type=socket.SOCK_STREAM)[0] for place in places]
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", look_up_many)
            with connect("ws://many.example/") as connection:
                connection.send("Hello")
                assert connection.receive() == "Hello"


@pytest.mark.skipif(sys.platform != "linux", reason="its loopback interface is called lo")
def test_an_address_is_looked_for_in_its_zone():
    with pytest.raises(OSError, match=r"fe80::1%lo port 9") as caught:
        connect("ws://[fe80::1%25lo]:9/")
    assert caught.value.errno != errno.EINVAL  # as it is for a link-local address without a zone


def test_a_port_where_nobody_listens_is_one_sentence_and_a_short_traceback():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        with pytest.raises(ConnectionRefusedError) as caught:
            connect(f"ws://127.0.0.1:{port}/")
    assert str(caught.value) == f"nobody listens on 127.0.0.1 port {port}: is the server running, and is this its port?"
    assert caught.value.errno == errno.ECONNREFUSED
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.count("  File ") == 3  # where it was called, and the two functions of wslab
    assert "During handling" not in shown


def test_a_name_that_nobody_has():
    with pytest.raises(OSError, match=r"(there is no host named|the name) nobody\.invalid") as caught:
        connect("ws://nobody.invalid/")  # RFC 6761: there is no such name, ever
    assert type(caught.value) is socket.gaierror


def test_a_server_without_tls_is_told_from_one_that_is_not_trusted():
    with live_server() as server, pytest.raises(ssl.SSLError, match="no TLS is spoken there: try ws://") as caught:
        connect(server.url.replace("ws://", "wss://"))
    assert caught.value.reason


# Messages and the end


def test_a_message_that_is_too_long_for_the_client_is_refused_with_1009():
    codes = []

    def handler(connection):
        connection.send(bytes(1001))
        list(connection)
        codes.append(connection.close_code)

    with (
        live_server(handler=handler) as server,
        connect(server.url, max_size=1000) as connection,
        pytest.raises(ProtocolError, match="1009 message too big: "),
    ):
        connection.receive()
    assert codes == [1009]


def test_no_timeout_waits_as_long_as_it_takes():
    with live_server() as server, connect(server.url, timeout=None) as connection:
        connection.send("Hello")
        assert connection.receive() == "Hello"
        assert connection.timeout is None


def test_the_timeout_of_connect_is_that_of_receive():
    with live_server() as server, connect(server.url, timeout=0.1) as connection, pytest.raises(TimeoutError):
        connection.receive()


def test_leaving_the_with_block_closes_also_after_an_exception():
    seen = []

    def handler(connection):
        list(connection)
        seen.append(connection.close_code)

    with live_server(handler=handler) as server:
        with pytest.raises(ZeroDivisionError), connect(server.url) as connection:
            raise ZeroDivisionError
        assert connection.state is State.CLOSED
    assert seen == [1000]


def test_a_server_that_vanishes_is_a_1006():
    def talk(sock: socket.socket) -> None:
        sock.sendall(agreement(read_request(sock)["Sec-WebSocket-Key"]) + said(Frame(Opcode.TEXT, b"Hello")))

    with tiny_server(talk) as url, connect(url) as connection:
        assert connection.receive() == "Hello"
        with pytest.raises(ConnectionClosed) as caught:
            connection.receive()
        assert caught.value.code == 1006


# Parts of the codec that a learner has built


def unfinished(*arguments, **options):
    raise NotImplementedError("not written yet")


@pytest.mark.parametrize("name", ["parse_response", "check_response", "accept_key"])
def test_a_part_of_the_handshake_that_raises_is_a_parterror_from_connect(name):
    with live_server() as server, pytest.raises(PartError, match=f"{name} raised NotImplementedError") as caught:
        connect(server.url, codec=Codec(**{name: unfinished}))
    assert isinstance(caught.value.__cause__, NotImplementedError)


@pytest.mark.parametrize("name", ["serialize_frame", "apply_mask", "deflate"])
def test_a_part_that_raises_in_send_is_raised_once_and_the_connection_ends(name):
    with live_server() as server:
        with pytest.raises(PartError) as caught, connect(server.url, codec=Codec(**{name: unfinished})) as connection:
            connection.send("Hello")
        assert caught.value.__context__ is caught.value.__cause__  # the end of the block has added nothing
        assert connection.state is State.CLOSED


@pytest.mark.parametrize("name", ["parse_frame", "inflate"])
def test_a_part_that_raises_in_receive_is_raised_once_and_the_server_is_told(name):
    told = []

    def handler(connection):
        connection.send(connection.receive())
        list(connection)
        told.append((connection.close_code, connection.close_reason))

    def conversation(url: str) -> None:
        with connect(url, codec=Codec(**{name: unfinished})) as connection:
            connection.send("Hello")
            connection.receive()

    with live_server(handler=handler) as server, pytest.raises(PartError, match=name):
        conversation(server.url)
    assert told == [(1011, f"{name} raised NotImplementedError: not written yet")]


def test_a_part_that_fails_only_at_the_close_is_raised_by_the_with_block():
    def serialize(frame, masking_key):
        if frame.opcode is Opcode.CLOSE:
            raise NotImplementedError
        return serialize_frame(frame, masking_key)

    with live_server() as server:
        with pytest.raises(PartError), connect(server.url, codec=Codec(serialize_frame=serialize)) as connection:
            connection.send("Hello")
        assert connection.state is State.CLOSED


def test_patience_is_longer_than_every_default_that_a_test_waits_for():
    assert PATIENCE > 10
