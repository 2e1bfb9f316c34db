"""The opening handshake: the request that asks for WebSocket and the response that agrees."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import CAPTURE_2014, HANDSHAKES, RFC_HANDSHAKE, named

from wslab.protocol.errors import HandshakeError
from wslab.protocol.handshake import (
    Extension,
    accept_key,
    build_request,
    build_response,
    check_request,
    check_response,
    offered_subprotocols,
    parse_extensions,
)
from wslab.protocol.http import Headers, Request, Response

every_handshake = pytest.mark.parametrize("wanted", named(HANDSHAKES))


def with_header(message, name, *values):
    """`message` with these values for the header instead of those it has."""
    others = [line for line in message.headers if line[0].lower() != name.lower()]
    return replace(message, headers=Headers((*others, *((name, value) for value in values))))


def refusal(function, *arguments, **options):
    with pytest.raises(HandshakeError) as caught:
        function(*arguments, **options)
    return caught.value


# The key and the answer


@every_handshake
def test_the_answer_proves_that_the_key_was_read(wanted):
    assert accept_key(wanted.key) == wanted.accept


# Extensions


@pytest.mark.parametrize(
    ("value", "extensions"),
    [
        ("", []),
        (" ,\t, ", []),
        ("a", [("a", ())]),
        ("a, b ,c", [("a", ()), ("b", ()), ("c", ())]),
        (",a,,b,", [("a", ()), ("b", ())]),
        ("a;b", [("a", (("b", None),))]),
        ("a; b=1; c", [("a", (("b", "1"), ("c", None)))]),
        (" a ;\tb = 1 ;c , d ", [("a", (("b", "1"), ("c", None))), ("d", ())]),
        ('a; b="1"', [("a", (("b", "1"),))]),
        ('a; b = "1" ; c', [("a", (("b", "1"), ("c", None)))]),
        (r'a; b="\1\0"', [("a", (("b", "10"),))]),
        ("a; b; b=1", [("a", (("b", None), ("b", "1")))]),
        (
            "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame",
            [("permessage-deflate", (("client_max_window_bits", None),)), ("x-webkit-deflate-frame", ())],
        ),
    ],
)
def test_a_list_of_extensions_is_read(value, extensions):
    assert [(extension.name, extension.parameters) for extension in parse_extensions(value)] == extensions


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (";", "malformed at ';'"),
        ("a;", "malformed at ';'"),
        ("a; b=", "malformed at '='"),
        ("a; =b", "malformed at '; =b'"),
        ("a b", "malformed at ' b'"),
        ("a=b", "malformed at '=b'"),
        ('a; b="1', "malformed at '=\"1'"),
        ('a; b="1\\', "malformed at '=\"1"),
        ('"a"', "malformed at"),
        ("a;" + "\x0b" * 30, f"malformed at {(';' + chr(11) * 19)!r}"),
        ('a; b=""', "not a legal extension: 'a; b='"),
        ('a; b="c d"', "not a legal extension: 'a; b=c d'"),
        ('a; b="c,d"', "not a legal extension: 'a; b=c,d'"),
        (r'a; b="\"1"', "not a legal extension"),
        ("a(b", "not a legal extension: 'a(b'"),
        ("a; b@=1", "not a legal extension: 'a; b@=1'"),
        ("a; b=é", "not a legal extension"),
        ("(" + "x" * 80, f"not a legal extension: '({'x' * 59}'"),
    ],
)
def test_what_the_grammar_does_not_allow_is_refused(value, reason):
    error = refusal(parse_extensions, value)

    assert error.status == 400
    assert reason in error.reason


TOKENS = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=8)
EXTENSIONS = st.builds(
    Extension, TOKENS, st.lists(st.tuples(TOKENS, st.none() | TOKENS), max_size=3).map(lambda pairs: tuple(pairs))
)


@given(st.lists(EXTENSIONS, max_size=4), st.booleans())
def test_any_extensions_are_read_back_quoted_or_not(extensions, quoted):
    value = ", ".join(
        "; ".join(
            [
                extension.name,
                *(
                    name if value is None else f'{name}="{value}"' if quoted else f"{name}={value}"
                    for name, value in extension.parameters
                ),
            ]
        )
        for extension in extensions
    )

    assert parse_extensions(value) == extensions
    assert parse_extensions(", ".join(map(str, extensions))) == extensions


@given(st.text('ab;,="\\ \t()é') | st.text())
def test_whatever_stands_there_is_a_list_of_extensions_or_a_handshake_error(value):
    try:
        extensions = parse_extensions(value)
    except HandshakeError:
        return
    assert parse_extensions(", ".join(map(str, extensions))) == extensions


# The request


def test_the_request_of_the_rfc_is_built():
    request = build_request(
        "server.example.com",
        "/chat",
        key=RFC_HANDSHAKE.key,
        origin="http://example.com",
        subprotocols=["chat", "superchat"],
    )

    assert request.target == RFC_HANDSHAKE.request.target
    assert set(request.headers) == set(RFC_HANDSHAKE.request.headers)


def test_a_request_has_no_more_headers_than_it_needs():
    request = build_request("localhost", key=RFC_HANDSHAKE.key)

    assert request.serialize() == (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )


@pytest.mark.parametrize("headers", [[("Cookie", "c=d")], {"Cookie": "c=d"}, Headers((("Cookie", "c=d"),))])
def test_a_request_carries_what_it_was_given(headers):
    request = build_request("localhost", key="", origin="", extensions="a; b", headers=headers)

    assert request.headers.lines[5:] == (("Origin", ""), ("Sec-WebSocket-Extensions", "a; b"), ("Cookie", "c=d"))


@every_handshake
def test_a_right_request_is_accepted(wanted):
    check_request(wanted.request)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Upgrade", ["WebSocket"]),
        ("Upgrade", ["h2c, websocket"]),
        ("Upgrade", ["h2c", "websocket"]),
        ("Connection", ["upgrade"]),
        ("Connection", ["keep-alive, Upgrade"]),
        ("Connection", ["keep-alive", "UPGRADE"]),
        ("Content-Length", ["0"]),
        ("Origin", []),
    ],
)
def test_a_request_may_spell_its_headers_in_other_ways(name, values):
    check_request(with_header(RFC_HANDSHAKE.request, name, *values))


@pytest.mark.parametrize(
    ("name", "values", "status", "reason"),
    [
        ("Host", [], 400, "exactly one Host"),
        ("Host", ["a", "b"], 400, "exactly one Host"),
        ("Transfer-Encoding", ["chunked"], 400, "has no body"),
        ("Content-Length", ["1"], 400, "has no body"),
        ("Content-Length", ["0", "0"], 400, "has no body"),
        ("Upgrade", [], 426, "Upgrade: websocket"),
        ("Upgrade", ["h2c"], 426, "Upgrade: websocket"),
        ("Upgrade", ["websocket13"], 426, "Upgrade: websocket"),
        ("Connection", [], 400, "must list 'Upgrade'"),
        ("Connection", ["keep-alive"], 400, "must list 'Upgrade'"),
        ("Sec-WebSocket-Version", [], 400, "exactly one Sec-WebSocket-Version"),
        ("Sec-WebSocket-Version", ["13", "13"], 400, "exactly one Sec-WebSocket-Version"),
        ("Sec-WebSocket-Version", ["13, 8"], 426, "version 13, not 13, 8"),
        ("Sec-WebSocket-Version", ["8"], 426, "version 13, not 8"),
        ("Sec-WebSocket-Version", ["9" * 30], 426, f"version 13, not {'9' * 20}"),
        ("Sec-WebSocket-Version", [""], 426, "version 13, not "),
        ("Sec-WebSocket-Key", [], 400, "exactly one Sec-WebSocket-Key"),
        ("Sec-WebSocket-Key", [RFC_HANDSHAKE.key] * 2, 400, "exactly one Sec-WebSocket-Key"),
        ("Sec-WebSocket-Key", [""], 400, "16 bytes in base64"),
        ("Sec-WebSocket-Key", ["AAAAAAAAAAAAAAAAAAAA"], 400, "16 bytes in base64"),
        ("Sec-WebSocket-Key", ["AAAAAAAAAAAAAAAAAAAAAAA="], 400, "16 bytes in base64"),
        ("Sec-WebSocket-Key", ["AAAAAAAAAAAAAAAAAAAAAA"], 400, "16 bytes in base64"),
        ("Sec-WebSocket-Key", ["dGhlIHNhbXBs ZSBub25jZQ=="], 400, "16 bytes in base64"),
        ("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZQ==é"], 400, "16 bytes in base64"),
    ],
)
def test_a_wrong_request_is_refused_with_the_status_that_says_why(name, values, status, reason):
    error = refusal(check_request, with_header(RFC_HANDSHAKE.request, name, *values))

    assert error.status == status
    assert reason in error.reason
    wanted = (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")) if status == 426 else ()
    assert error.headers == wanted


def test_another_method_than_get_is_refused_with_405_and_the_right_one():
    error = refusal(check_request, replace(RFC_HANDSHAKE.request, method="POST"))

    assert (error.status, error.headers) == (405, (("Allow", "GET"),))
    assert error.reason.endswith("not a POST")


# Subprotocols


@pytest.mark.parametrize(
    ("values", "names"),
    [([], []), ([""], []), (["chat"], ["chat"]), (["a, b", "c"], ["a", "b", "c"]), (["a", "A"], ["a", "A"])],
)
def test_subprotocols_are_offered_in_the_order_of_preference(values, names):
    assert offered_subprotocols(with_header(RFC_HANDSHAKE.request, "Sec-WebSocket-Protocol", *values)) == names


@pytest.mark.parametrize("values", [["a, a"], ["a", "b", "a"], ["a b"], ["a/b"], ["é"]])
def test_subprotocols_that_are_no_tokens_or_stand_there_twice_are_refused(values):
    error = refusal(offered_subprotocols, with_header(RFC_HANDSHAKE.request, "Sec-WebSocket-Protocol", *values))

    assert (error.status, error.reason) == (400, "Sec-WebSocket-Protocol must list distinct names")


# The response


def test_the_response_of_the_rfc_is_built():
    assert build_response(RFC_HANDSHAKE.request, subprotocol="chat") == RFC_HANDSHAKE.response


@pytest.mark.parametrize("headers", [[("Server", "wslab")], {"Server": "wslab"}])
def test_a_response_carries_what_it_was_given(headers):
    response = build_response(CAPTURE_2014.request, extensions="a; b", headers=headers)

    assert response.headers.lines == (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", CAPTURE_2014.accept),
        ("Sec-WebSocket-Extensions", "a; b"),
        ("Server", "wslab"),
    )


def test_a_response_is_built_and_checked_with_another_function_for_the_accept_key():
    request = RFC_HANDSHAKE.request
    response = build_response(request, accept_key=str.upper)

    assert response.headers["Sec-WebSocket-Accept"] == RFC_HANDSHAKE.key.upper()
    check_response(response, request, accept_key=str.upper)
    assert "the key asks for" in refusal(check_response, response, request).reason


@every_handshake
def test_a_right_response_is_accepted(wanted):
    check_response(wanted.response, wanted.request)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Upgrade", ["WEBSOCKET"]),
        ("Connection", ["upgrade"]),
        ("Connection", ["keep-alive", "Upgrade"]),
        ("Sec-WebSocket-Protocol", []),
        ("Sec-WebSocket-Protocol", ["superchat"]),
    ],
)
def test_a_response_may_spell_its_headers_in_other_ways(name, values):
    check_response(with_header(RFC_HANDSHAKE.response, name, *values), RFC_HANDSHAKE.request)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("Upgrade", [], "must say 'Upgrade: websocket'"),
        ("Upgrade", ["h2c, websocket"], "must say 'Upgrade: websocket'"),
        ("Connection", [], "must list 'Upgrade'"),
        ("Connection", ["keep-alive"], "must list 'Upgrade'"),
        ("Sec-WebSocket-Accept", [], f"is missing, but the key asks for {RFC_HANDSHAKE.accept}"),
        ("Sec-WebSocket-Accept", [""], "but the key asks for"),
        ("Sec-WebSocket-Accept", [RFC_HANDSHAKE.key], f"is {RFC_HANDSHAKE.key}, but the key asks for"),
        ("Sec-WebSocket-Accept", [RFC_HANDSHAKE.accept.lower()], "but the key asks for"),
        ("Sec-WebSocket-Accept", [RFC_HANDSHAKE.accept] * 2, "but the key asks for"),
        ("Sec-WebSocket-Protocol", ["mqtt"], "the subprotocol mqtt, which was not offered"),
        ("Sec-WebSocket-Protocol", ["chat, superchat"], "which was not offered"),
        ("Sec-WebSocket-Protocol", ["chat", "superchat"], "chat, superchat, which was not offered"),
        ("Sec-WebSocket-Protocol", [""], "which was not offered"),
    ],
)
def test_a_wrong_response_is_refused_and_says_why(name, values, reason):
    response = with_header(RFC_HANDSHAKE.response, name, *values)

    error = refusal(check_response, response, RFC_HANDSHAKE.request)
    assert (error.status, error.headers) == (101, response.headers.lines)
    assert reason in error.reason


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response(404, "Not Found"), "the server refused with 404 Not Found"),
        (Response(403, "Forbidden", body=b" No.\n\xff"), "the server refused with 403 Forbidden: No.\n\ufffd"),
        (Response(403, "No", body=b'{"token": "sesame"}'), 'the server refused with 403 No: {"token": "xxxxxx"}'),
        (Response(200, "OK", Headers((("a", "b"),))), "the server refused with 200 OK"),
        (Response(403, "", body=b"No."), "the server refused with 403: No."),
        (Response(403, "No", body="grö\x9b".encode("utf-16")), r"the server refused with 403 No: grö\x9b"),
        (Response(403, "No", body="token=sesame".encode("utf-16")), "the server refused with 403 No: token=xxxxxx"),
    ],
)
def test_a_refusal_keeps_its_status_its_headers_and_what_it_said(response, reason):
    error = refusal(check_response, response, RFC_HANDSHAKE.request)

    assert (error.status, error.headers, error.reason) == (response.status, response.headers.lines, reason)


# Any request whatever

MANGLED = st.lists(
    st.tuples(
        st.sampled_from([name for name, _ in RFC_HANDSHAKE.request.headers] + ["Sec-WebSocket-Extensions"]),
        st.sampled_from([value for _, value in RFC_HANDSHAKE.request.headers]) | st.text(max_size=9),
    ),
    max_size=10,
)


@given(MANGLED)
def test_whatever_a_request_says_it_is_accepted_or_refused_with_a_status(lines):
    request = Request("GET", "/", Headers(tuple(lines)))
    for check in (check_request, offered_subprotocols):
        try:
            check(request)
            status = None
        except HandshakeError as error:
            status = error.status
        assert status in (None, 400, 426)


def test_one_subprotocol_is_not_taken_for_a_list_of_letters():
    with pytest.raises(TypeError, match="list of names"):
        build_request("localhost", key=RFC_HANDSHAKE.key, subprotocols="chat")
