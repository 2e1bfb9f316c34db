"""OpeningHandshake: what each end asks, answers and agrees to before there are frames."""

import pytest
from support.wire import RFC_HANDSHAKE, fault

from wslab.protocol.codec import Codec
from wslab.protocol.deflate import PermessageDeflate
from wslab.protocol.errors import HandshakeError
from wslab.protocol.handshake import build_request, build_response
from wslab.protocol.http import Headers, Request, Response, parse_response
from wslab.protocol.limits import Limits
from wslab.protocol.opening import OpeningHandshake
from wslab.protocol.states import Role

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = build_request("localhost", key=KEY)
DEFLATE = PermessageDeflate()


def handshake(role, *, wish=None, **limits):
    return OpeningHandshake(role, Codec(), Limits(**limits), wish)


def asked(wish=None, **limits):
    """A client that has sent its request."""
    client = handshake(Role.CLIENT, wish=wish, **limits)
    client.ask(REQUEST)
    return client


def answer(**options):
    return build_response(REQUEST, **options).serialize()


def refused(function, *arguments):
    with pytest.raises(HandshakeError) as caught:
        function(*arguments)
    return caught.value.status, caught.value.reason


def test_a_client_and_a_server_agree():
    client, server = handshake(Role.CLIENT, wish=DEFLATE), handshake(Role.SERVER, wish=DEFLATE)
    request = client.ask(build_request("localhost", key=KEY, subprotocols=["a", "b"]))
    head, used = server.receive(request.serialize())
    response = server.accept(["b"], [("X", "y")])
    client.receive(response.serialize())

    assert (head.target, used) == ("/", len(request.serialize()))
    assert response.headers["X"] == "y"
    assert client.subprotocol == server.subprotocol == "b"
    assert client.permessage_deflate == server.permessage_deflate == DEFLATE
    assert client.response.status == 101


def test_without_a_wish_nothing_is_offered_and_nothing_is_agreed_on():
    client, server = handshake(Role.CLIENT), handshake(Role.SERVER)
    request = client.ask(REQUEST)
    server.receive(handshake(Role.CLIENT, wish=DEFLATE).ask(REQUEST).serialize())
    server.accept([], [])

    assert "Sec-WebSocket-Extensions" not in request.headers
    assert server.permessage_deflate is None


def test_a_server_reads_one_request_and_then_answers_first():
    server = handshake(Role.SERVER)
    assert server.receive(REQUEST.serialize()[:20]) is None
    server.receive(REQUEST.serialize())

    assert server.receive(REQUEST.serialize()) is None


def test_a_client_that_has_asked_nothing_reads_a_request():
    assert fault(handshake(Role.CLIENT).receive, b"HTTP/1.1 101 x\r\n\r\n") is not None


def test_nothing_can_be_accepted_before_a_request_has_arrived():
    with pytest.raises(RuntimeError, match="no request has arrived yet"):
        handshake(Role.SERVER).accept([], [])


@pytest.mark.parametrize(("method", "body"), [("GET", b"Hello"), ("HEAD", b"")])
def test_an_answer_has_a_body_unless_only_the_head_was_asked_for(method, body):
    server = handshake(Role.SERVER)
    server.receive(Request(method, "/", Headers((("Host", "x"),))).serialize())

    assert server.answer(Response(200, "OK", Headers(), b"Hello")).body == body
    assert server.response.body == body


@pytest.mark.parametrize(("begin", "status"), [(lambda **limits: handshake(Role.SERVER, **limits), 431), (asked, 0)])
def test_a_head_has_limits(begin, status):
    long = b"GET / HTTP/1.1\r\nX: " if status else b"HTTP/1.1 101 x\r\nX: "

    assert begin(max_header_size=5000).receive(long + bytes(1).replace(b"\0", b"x") * 100) is None
    assert refused(begin(max_header_size=1000).receive, long + b"x" * 6000) == (
        status,
        "a header block of more than 1000 bytes",
    )
    many = long[:-3] + b"A: b\r\n" * 5 + b"\r\n"
    assert refused(begin(max_headers=4).receive, many) == (status, "more than 4 header lines")


@pytest.mark.parametrize(
    ("wish", "extensions", "reason"),
    [
        (None, "permessage-deflate", "the server answered with extensions that were not offered"),
        (
            DEFLATE,
            "permessage-deflate, permessage-deflate",
            "the server answered with extensions that were not offered",
        ),
        (DEFLATE, "a=", "Sec-WebSocket-Extensions is malformed at '='"),
    ],
)
def test_a_client_refuses_extensions_that_it_has_not_offered(wish, extensions, reason):
    assert refused(asked(wish).receive, answer(extensions=extensions)) == (101, reason)


def test_the_example_of_the_rfc_is_accepted():
    server = handshake(Role.SERVER)
    server.receive(RFC_HANDSHAKE.request_bytes)
    assert server.accept(["chat"], []).headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# What comes before the final answer, and behind it

INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = b"HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\n"


def test_an_interim_answer_is_read_and_not_given():
    client = asked()
    assert client.receive(INTERIM + answer()) == (None, len(INTERIM))
    response, used = client.receive(answer())
    assert (response, used) == (client.response, len(answer()))


def test_there_is_a_limit_to_interim_answers():
    client = asked()
    for _ in range(20):
        client.receive(INTERIM)
    assert refused(client.receive, INTERIM) == (0, "more than 20 interim answers before the final one")


def test_a_refusal_is_raised_when_its_body_is_there():
    client = asked()
    assert client.receive(REFUSAL + b"n") == (None, len(REFUSAL) + 1)
    assert client.response is None
    assert client.receive(b"o") == (None, 1)
    assert refused(client.receive, b"! and more") == (403, "the server refused with 403 No: no!")
    assert refused(asked().receive, REFUSAL + b"no!") == (403, "the server refused with 403 No: no!")


def test_a_refusal_can_be_ended_early():
    client = asked()
    client.end_refusal()
    client.receive(REFUSAL)
    assert refused(client.end_refusal) == (403, "the server refused with 403 No")


@pytest.mark.parametrize("begin", [lambda: handshake(Role.SERVER, max_header_size=100), asked])
def test_a_head_is_due_while_it_is_short_and_when_something_decisive_comes(begin):
    def due(*pieces):
        end = begin()
        return [end.is_due(piece) for piece in pieces]

    assert due(*[b"x"] * 20) == [True] * 16 + [False] * 4
    assert (
        due(b"x" * 16, b"x", b" ", b" ", b"(")
        == due(b"x" * 16, b"x", b"(", b" ", b"(")
        == [True, False, True, False, False]
    )
    assert due(b"\r\n" + b"x" * 14, b"x", b"\r", b"\n") == [True, False, True, False]
    assert due(b"x" * 15 + b" ", b"\r\na: b\r\n", b"\r\n") == [True, False, True]
    assert due(b"x" * 15 + b" ", *[bytes((octet,)) for octet in b"\r\na\r\n\r\n"])[1:] == [False] * 6 + [True]
    assert due(b"x" * 16, b"\x00") == due(b"x" * 16, b"\n") == due(b"x" * 14 + b" \r", b"x") == [True, True]


def test_a_head_is_due_when_it_is_too_long_and_not_once_it_is_there():
    server = handshake(Role.SERVER, max_header_size=100)
    assert [server.is_due(b"x" * 50) for _ in range(3)] == [True, False, True]
    server = handshake(Role.SERVER)
    server.receive(REQUEST.serialize())
    assert not server.is_due(b"\r\n\r\n")
    client = asked()
    client.receive(REFUSAL)
    assert [client.is_due(b"x") for _ in range(20)] == [True] * 20


def test_a_replaced_parser_may_read_the_body_itself():
    codec = Codec(parse_response=lambda data: parse_response(data))
    client = OpeningHandshake(Role.CLIENT, codec, Limits(), None)
    client.ask(REQUEST)
    assert client.receive(REFUSAL + b"no") is None
    assert refused(client.receive, REFUSAL + b"no!") == (403, "the server refused with 403 No: no!")
