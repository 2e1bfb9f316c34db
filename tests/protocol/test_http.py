"""HTTP heads: bytes to Request or Response and back, strictly."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wire import HANDSHAKES, named

from wslab.protocol.errors import HandshakeError
from wslab.protocol.http import (
    Headers,
    Request,
    Response,
    build_refusal,
    lines_of,
    parse_request,
    parse_response,
    parse_response_head,
)
from wslab.redaction.redact import redact_bytes

every_handshake = pytest.mark.parametrize("wanted", named(HANDSHAKES))
PARSERS = [parse_request, parse_response]

TOKENS = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=12)
# Any character of a header value, which the parser strips of blanks at both ends.
VALUES = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]) | st.just("\t"), max_size=20).map(
    lambda value: value.strip(" \t")
)
HEADERS = st.lists(st.tuples(TOKENS, VALUES), max_size=5).map(lambda lines: Headers(tuple(lines)))


def refusal(parser, data):
    with pytest.raises(HandshakeError) as caught:
        parser(data)
    return caught.value


# Examples, read and written


@every_handshake
def test_a_request_is_read_and_written(wanted):
    assert parse_request(wanted.request_bytes) == (wanted.request, len(wanted.request_bytes))
    assert wanted.request.serialize() == wanted.request_bytes


@every_handshake
def test_a_response_is_read_and_written(wanted):
    assert parse_response(wanted.response_bytes) == (wanted.response, len(wanted.response_bytes))
    assert wanted.response.serialize() == wanted.response_bytes


@every_handshake
def test_a_head_cut_short_is_not_yet_a_head(wanted):
    assert all(parse_request(wanted.request_bytes[:size]) is None for size in range(len(wanted.request_bytes)))
    assert all(parse_response(wanted.response_bytes[:size]) is None for size in range(len(wanted.response_bytes)))


@every_handshake
@pytest.mark.parametrize("more", [b"\x81\x85\x37\xfa", b"\x00\n\r", b"\r\n\r\n", b"GET"])
def test_bytes_after_a_head_are_left_alone(wanted, more):
    assert parse_request(wanted.request_bytes + more) == (wanted.request, len(wanted.request_bytes))
    assert parse_response(wanted.response_bytes + more) == (wanted.response, len(wanted.response_bytes))


@given(TOKENS, st.text("/?&=%azAZ09._~-", max_size=20), HEADERS, st.binary(max_size=9), st.data())
def test_any_request_is_read_back_wherever_it_was_cut_and_whatever_follows(method, path, headers, more, data):
    request = Request(method, "/" + path, headers)
    wire = request.serialize()

    assert parse_request(wire + more) == (request, len(wire))
    assert parse_request(wire[: data.draw(st.integers(0, len(wire) - 1))]) is None


@given(st.integers(100, 599), VALUES, HEADERS, st.sampled_from("01"), st.binary(max_size=9), st.data())
def test_any_response_is_read_back_wherever_it_was_cut_and_whatever_follows(status, phrase, headers, minor, more, data):
    response = Response(status, phrase, headers, version=f"HTTP/1.{minor}")
    wire = response.serialize()

    assert parse_response(wire + more) == (response, len(wire))
    assert parse_response(wire[: data.draw(st.integers(0, len(wire) - 1))]) is None


# Bytes that begin like a head, and any others.
ALMOST_HTTP = st.lists(
    st.sampled_from([b"GET ", b"/", b" ", b"HTTP/1.1", b"101", b"\r\n", b"\r", b"\n", b"a: b", b":", b"\x00", b"\xff"])
    | st.binary(max_size=3)
).map(b"".join)


@pytest.mark.parametrize("parser", PARSERS)
@given(data=ALMOST_HTTP)
def test_whatever_arrives_is_a_head_or_not_yet_one_or_a_handshake_error(parser, data):
    try:
        parsed = parser(data)
    except HandshakeError as error:
        parsed = None
        error.reason.encode()
    assert parsed is None or 0 < parsed[1] <= len(data)


@pytest.mark.parametrize("parser", PARSERS)
@given(data=ALMOST_HTTP)
def test_bytes_that_cannot_become_a_head_do_not_become_one_when_more_arrive(parser, data):
    refused = False
    for size in range(len(data) + 1):
        try:
            parsed = parser(data[:size])
        except HandshakeError:
            refused = True
        else:
            assert not refused
            if parsed is not None:
                return


# What no request may say


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16", "these bytes look like TLS"),
        (b" ", "does not begin with an HTTP method"),
        (b":", "does not begin with an HTTP method"),
        (b"\xff", "does not begin with an HTTP method"),
        (b"G(", "does not begin with an HTTP method"),
        (b"\r\n:", "does not begin with an HTTP method"),
        (b"\r\n\r", "does not begin with an HTTP method"),
        (b"101\r", "does not begin with an HTTP method"),
        (b"GET /\x00", "the control character 0x00"),
        (b"GET /\x0b", "the control character 0x0b"),
        (b"GET /\x1f", "the control character 0x1f"),
        (b"GET / HTTP/1.1\r\na: \x7f", "the control character 0x7f"),
        (b"GET / HTTP/1.1\n", "a line feed without a carriage return"),
        (b"\n", "a line feed without a carriage return"),
        (b"GET / HTTP/1.1\rX", "a carriage return without a line feed"),
        (b"GET / HTTP/1.1\r\nHost: a\r\r", "a carriage return without a line feed"),
    ],
)
def test_a_request_is_refused_with_the_first_byte_that_makes_it_illegal(data, reason):
    assert parse_request(data[:-1]) is None
    error = refusal(parse_request, data)
    assert error.status == 400
    assert reason in error.reason


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"GET / HTTP/1.1 x", 400, "the request line is not"),
        (b"GET  / HTTP/1.1", 400, "the request line is not"),
        (b"GET /", 400, "the request line is not"),
        (b"GET", 400, "the request line is not"),
        (b"GET chat HTTP/1.1", 400, "the request line is not"),
        (b"GET * HTTP/1.1", 400, "the request line is not"),
        (b"GET ftp://host/ HTTP/1.1", 400, "the request line is not"),
        (b"GET http:/// HTTP/1.1", 400, "the request line is not"),  # RFC 9110 §4.2.1, §4.2.4
        (b"GET http://?a HTTP/1.1", 400, "the request line is not"),
        (b"GET http://user@host/ HTTP/1.1", 400, "the request line is not"),
        (b"GET http://host:x/ HTTP/1.1", 400, "the request line is not"),
        (b"GET http://a,b/ HTTP/1.1", 400, "the request line is not"),
        (b"CONNECT a:b:80 HTTP/1.1", 400, "the request line is not"),
        (b"GET /chat#top HTTP/1.1", 400, "the request line is not"),
        (b"GET /caf\xe9 HTTP/1.1", 400, "the request line is not"),
        (b"GET / http/1.1", 400, "'http/1.1' is not an HTTP version"),
        (b"GET / HTTP/1.10", 400, "'HTTP/1.10' is not an HTTP version"),
        (b"GET / " + b"x" * 30, 400, f"'{'x' * 20}' is not an HTTP version"),
        (b"GET / HTTP/0.9", 505, "speaks HTTP/1.1, not HTTP/0.9"),
        (b"PRI / HTTP/2.0", 505, "speaks HTTP/1.1, not HTTP/2.0"),
        (b"PRI * HTTP/2.0", 505, "speaks HTTP/1.1, not HTTP/2.0"),
        (b"GET / HTTP/3.0", 505, "speaks HTTP/1.1, not HTTP/3.0"),
        (b"GET / HTTP/1.1\r\n folded", 400, "a folded header line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n b", 400, "a folded header line"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\tb", 400, "a folded header line"),
        (b"GET / HTTP/1.1\r\nHost", 400, "not a header line: 'Host'"),
        (b"GET / HTTP/1.1\r\n: a", 400, "not a header line: ': a'"),
        (b"GET / HTTP/1.1\r\nHost : a", 400, "not a header line: 'Host : a'"),
        (b"GET / HTTP/1.1\r\nH\xf6st: a", 400, "not a header line"),
        (b"GET / HTTP/1.1\r\nH ost: " + b"a" * 50, 400, f"not a header line: 'H ost: {'a' * 33}'"),
    ],
)
def test_an_illegal_head_is_refused_with_the_status_that_says_why(head, status, reason):
    error = refusal(parse_request, head + b"\r\n\r\n")

    assert (error.status, reason in error.reason) == (status, True), error.reason


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"])
def test_any_later_http_1_will_do(version):
    request, _ = parse_request(f"GET / {version}\r\n\r\n".encode())

    assert request.version == version
    assert request.serialize() == f"GET / {version}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("target", "resource_name"),
    [
        ("/", "/"),
        ("/chat?room=1&x", "/chat?room=1&x"),
        ("http://example.com", "/"),
        ("HTTP://example.com:80/chat?room=1", "/chat?room=1"),
        ("https://example.com/chat", "/chat"),
        ("http://[::1]:8765?a", "/?a"),
        ("/http://example.com/", "/http://example.com/"),
    ],
)
def test_the_resource_name_is_path_and_query_also_of_a_whole_address(target, resource_name):
    request, _ = parse_request(f"GET {target} HTTP/1.1\r\n\r\n".encode())

    assert (request.target, request.resource_name) == (target, resource_name)


def test_one_empty_line_before_the_request_is_skipped_wherever_it_is_cut():
    wire = b"\r\nGET / HTTP/1.1\r\n\r\n"

    assert all(parse_request(wire[:size]) is None for size in range(len(wire)))
    assert parse_request(wire + b"more") == (Request("GET", "/"), len(wire))


def test_a_value_loses_the_blanks_around_it_and_keeps_those_within():
    request, _ = parse_request(b"GET / HTTP/1.1\r\na: \t b  c \t\r\nd:\r\n\r\n")

    assert request.headers.lines == (("a", "b  c"), ("d", ""))


# Responses


@pytest.mark.parametrize(
    "head",
    [
        *(b"HTTP/2 200", b"HTTP/1.1", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK", b"SSH-2.0-OpenSSH", b""),
        *(b"HTTP/1.1 200OK", b"HTTP/1.1 000 OK", b"HTTP/1.1 073 OK"),
    ],
)
def test_a_head_that_is_no_response_is_refused_without_a_status(head):
    error = refusal(parse_response, head + b"\r\n\r\n\r\n\r\n")

    assert error.status == 0
    assert "this is not an HTTP response" in error.reason


@pytest.mark.parametrize("start", [b"SSH-2.0-OpenSSH_9.6\r\n", b"2", b"\r\nHTTX"])
def test_what_does_not_begin_like_a_response_is_refused_at_once(start):
    assert "this is not an HTTP response" in refusal(parse_response, start).reason


def test_a_server_may_be_asked_for_a_tunnel_or_for_its_options_though_it_has_none():
    for line in b"CONNECT localhost:80", b"CONNECT [::1]:80", b"OPTIONS *":
        request, _ = parse_request(line + b" HTTP/1.1\r\n\r\n")
        assert request.serialize() == line + b" HTTP/1.1\r\n\r\n"
    for line in b"GET *", b"GET localhost:80", b"CONNECT a@b:80", b"CONNECT localhost", b"CONNECT a/b:80":
        assert refusal(parse_request, line + b" HTTP/1.1\r\n\r\n").status == 400


@pytest.mark.parametrize("head", [b"HTTP/1.1 101 OK\r\n folded", b"HTTP/1.1 101 OK\r\nHost", b"HTTP/1.1 101 \x00"])
def test_a_response_with_illegal_headers_is_refused_without_a_status(head):
    assert refusal(parse_response, head + b"\r\n\r\n").status == 0


def test_a_folded_line_of_a_response_is_unfolded_for_a_client():
    head = b"HTTP/1.1 101 OK\r\nA: b\r\n c,\r\n\t\td\r\n \r\nE:\r\n f\r\n\r\n"
    response, used = parse_response_head(head, unfold=True)

    assert response.headers.lines == (("A", "b c, d"), ("E", "f"))
    assert used == len(head)
    assert refusal(parse_response_head, head).reason == "a folded header line"


def test_a_folded_line_behind_the_status_line_has_nothing_to_continue():
    assert parse_response_head(b"HTTP/1.1 101 OK\r\n\r\n", unfold=True) == (Response(101, "OK"), 19)
    with pytest.raises(HandshakeError, match="a folded header line"):
        parse_response_head(b"HTTP/1.1 101 OK\r\n folded\r\n\r\n", unfold=True)


@pytest.mark.parametrize(
    ("line", "status", "phrase"),
    [
        (b"HTTP/1.1 101 Switching Protocols", 101, "Switching Protocols"),
        (b"HTTP/1.0 404 Not Found", 404, "Not Found"),
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.1 200", 200, ""),
        (b"HTTP/1.1 400 Mauvaise Requ\xeate", 400, "Mauvaise Requête"),
    ],
)
def test_a_status_line_has_a_status_and_perhaps_a_phrase(line, status, phrase):
    response, used = parse_response(line + b"\r\n\r\n")

    assert (response.status, response.phrase, used) == (status, phrase, len(line) + 4)


def test_a_refusal_is_read_with_its_body_cut_anywhere_and_what_follows_is_left_alone():
    wire = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nno\r\nx"

    assert all(parse_response(wire[:size]) is None for size in range(len(wire)))
    response, used = parse_response(wire + b"more")
    assert (response.body, used) == (b"no\r\nx", len(wire))
    assert response.serialize() == wire


def test_the_head_of_a_refusal_can_be_read_without_its_body():
    wire = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n"

    assert parse_response_head(wire[:-1]) is None
    response, used = parse_response_head(wire + b"no")
    assert (response.body, used) == (b"", len(wire))


def test_at_most_4_kib_of_a_body_are_read():
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5000\r\n\r\n"

    assert parse_response(head + bytes(4095)) is None
    response, used = parse_response(head + bytes(5000))
    assert (response.body, used) == (bytes(4096), len(head) + 4096)


@pytest.mark.parametrize("length", ["", "-1", "1.5", "0x10", "5, 5", "9" * 10])
def test_a_content_length_that_is_no_number_announces_no_body(length):
    wire = f"HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n".encode()

    assert parse_response(wire + b"x" * 9)[1] == len(wire)


def test_an_agreement_has_no_body_whatever_its_headers_say():
    wire = b"HTTP/1.1 101 OK\r\nContent-Length: 5\r\n\r\n"

    assert parse_response(wire + b"\x81\x05Hello") == (
        Response(101, "OK", Headers((("Content-Length", "5"),))),
        len(wire),
    )


# Headers


@pytest.mark.parametrize("headers", [[("Host", "a"), ("X", "1")], {"Host": "a", "X": "1"}])
def test_header_lines_may_be_pairs_or_a_mapping(headers):
    assert [*lines_of(headers)] == [("Host", "a"), ("X", "1")]


def test_header_names_are_looked_up_in_any_case_and_lines_keep_their_order():
    headers = Headers((("Host", "a"), ("X", "1"), ("x", "2")))

    assert (headers["HOST"], headers["x"], headers.get_all("X")) == ("a", "1, 2", ["1", "2"])
    assert "hOsT" in headers
    assert list(headers) == [("Host", "a"), ("X", "1"), ("x", "2")]
    assert len(headers) == 3


def test_a_header_that_is_not_there_is_not_there():
    headers = Headers((("Host", "a"),))

    assert "Hos" not in headers
    assert 1 not in headers
    assert (headers.get("Hos"), headers.get("Hos", "b"), headers.get_all("Hos")) == ("", "b", [])
    with pytest.raises(KeyError, match="Hos"):
        headers["Hos"]


def test_an_empty_value_is_a_value():
    assert Headers((("Host", ""),)).get("Host", "default") == ""


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        (["Upgrade"], ["Upgrade"]),
        (["keep-alive, Upgrade"], ["keep-alive", "Upgrade"]),
        (["keep-alive", "Upgrade"], ["keep-alive", "Upgrade"]),
        ([" ,, a ,\tb\t,"], ["a", "b"]),
        (["a b"], ["a b"]),
        ([""], []),
        ([], []),
    ],
)
def test_a_list_has_elements_between_commas_over_all_its_lines(values, tokens):
    assert Headers(tuple(("Connection", value) for value in values)).tokens("connection") == tokens


def test_a_token_is_found_in_any_case_but_only_whole():
    headers = Headers((("Connection", "keep-alive, UPGRADE"),))

    assert headers.has_token("Connection", "Upgrade")
    assert not headers.has_token("Connection", "Up")
    assert not headers.has_token("Upgrade", "Upgrade")


def test_a_head_is_a_value_that_nobody_can_change():
    for value, name in [(Headers(), "lines"), (Request("GET", "/"), "method"), (Response(101, "OK"), "status")]:
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, None)


# Writing


@pytest.mark.parametrize(
    ("name", "value"),
    [("", "a"), ("a b", "c"), ("a:", "b"), ("ä", "b"), ("a\r\nb", "c"), ("a", "b\r\nc: d"), ("a", "\n"), ("a", "\x00")],
)
def test_a_header_that_could_not_be_read_back_is_not_written(name, value):
    headers = Headers(((name, value),))

    with pytest.raises(ValueError, match="not a legal header line"):
        Request("GET", "/", headers).serialize()
    with pytest.raises(ValueError, match="not a legal header line"):
        Response(101, "OK", headers).serialize()


@pytest.mark.parametrize(
    ("method", "target"),
    [("", "/"), ("G T", "/"), ("GET", ""), ("GET", "chat"), ("GET", "/a b"), ("GET", "/\r\nHost: a"), ("GET", "/é")],
)
def test_a_request_line_that_could_not_be_read_back_is_not_written(method, target):
    with pytest.raises(ValueError, match="not a legal request line"):
        Request(method, target).serialize()


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(0, ""), (99, "OK"), (1000, "OK"), (-100, "OK"), (101, "OK\r\nHost: a"), (101, "\n"), (101, "\x7f"), (101, "ř")],
)
def test_a_status_line_that_could_not_be_read_back_is_not_written(status, phrase):
    with pytest.raises(ValueError, match="not a legal status line"):
        Response(status, phrase).serialize()


@pytest.mark.parametrize("phrase", ["", " ", "\t", "é"])
def test_any_other_phrase_is_legal(phrase):
    response = Response(101, phrase)

    assert parse_response(response.serialize()) == (response, len(response.serialize()))


def test_a_tab_in_a_value_is_legal():
    assert Request("GET", "/", Headers((("a", "b\tc"),))).serialize() == b"GET / HTTP/1.1\r\na: b\tc\r\n\r\n"


def test_a_refusal_says_its_reason_as_a_sentence_in_the_body():
    response = build_refusal(HandshakeError("ask for it with 'Upgrade: é'", 426, [("Upgrade", "websocket")]))

    assert (
        response.serialize()
        == (
            "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 31\r\nConnection: close, Upgrade\r\n\r\nAsk for it with 'Upgrade: é'.\n"
        ).encode()
    )
    assert parse_response(response.serialize()) == (response, len(response.serialize()))


# Redaction: what a reader of a notebook may see

SECRET_HEADERS = Headers(
    (
        ("Host", "localhost"),
        ("Cookie", "SECRET"),
        ("authorization", "token SECRET"),
        ("PROXY-Authorization", "SECRET"),
        ("Set-Cookie", "a=SECRET; Secure"),
        ("Referer", "http://localhost/lab?token=SECRET&x=1"),
        ("X-XSRFToken", "SECRET"),
        ("X-Auth-Token", "SECRET"),
        ("x-api-key", "SECRET"),
        ("Sec-WebSocket-Protocol", "chat, base64url.bearer.authorization.k8s.io.SECRET, base64.binary.k8s.io"),
    )
)


def test_text_and_repr_of_a_request_hide_cookies_credentials_and_tokens():
    request = Request("GET", "/lab?x=1&TOKEN=SECRET", SECRET_HEADERS)

    assert str(request) == (
        "GET /lab?x=1&TOKEN=[redacted] HTTP/1.1\n"
        "Host: localhost\n"
        "Cookie: [redacted]\n"
        "authorization: [redacted]\n"
        "PROXY-Authorization: [redacted]\n"
        "Set-Cookie: [redacted]\n"
        "Referer: http://localhost/lab?token=[redacted]&x=1\n"
        "X-XSRFToken: [redacted]\n"
        "X-Auth-Token: [redacted]\n"
        "x-api-key: [redacted]\n"
        "Sec-WebSocket-Protocol: chat, base64url.bearer.authorization.k8s.io.xxx, base64.binary.k8s.io"
    )
    assert repr(request).startswith("Request('GET', '/lab?x=1&TOKEN=[redacted]', Headers([('Host', 'localhost'), ")
    assert "SECRET" not in repr(request)
    assert b"SECRET" in request.serialize()


def test_text_and_repr_of_a_response_hide_cookies():
    response = Response(200, "OK", SECRET_HEADERS, b"Hello \xff")

    assert str(response).startswith("HTTP/1.1 200 OK\nHost: localhost\nCookie: [redacted]\n")
    assert str(response).endswith("\n\nHello \ufffd")
    assert repr(response).startswith("Response(200, 'OK', Headers([('Host', 'localhost'), ('Cookie', '[redacted]'), ")
    assert repr(response).endswith(", body=b'Hello \\xff')")
    assert "SECRET" not in str(response) + repr(response)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"token": "SECRET", "x": "y"}', '{"token": "xxxxxx", "x": "y"}'),
        (rb'{"apiKey":"SECRET\"SECRET"}', '{"apiKey":"xxxxxxxxxxxxxx"}'),
        (b'{"token": "SECR', '{"token": "xxxx'),
        (b'{"tokens": "abc", "token": 5}', '{"tokens": "abc", "token": x}'),
        (b"password=SECRET&_xsrf=SECRET&x=y", "password=xxxxxx&_xsrf=xxxxxx&x=y"),
        (b'<a href="/lab?token=SECRET&x=1">', '<a href="/lab?token=xxxxxx&x=1">'),
        (b"Cookie: a=SECRET", "Cookie: xxxxxxxx"),
    ],
)
def test_text_and_repr_of_a_response_hide_what_is_secret_in_its_body(body, shown):
    response = Response(403, "Forbidden", body=body)

    assert str(response) == f"HTTP/1.1 403 Forbidden\n\n{shown}"
    assert repr(response).endswith(f", body={shown.encode()!r})")
    assert response.body == body


# As JupyterLab 4.5 sends it, and what a browser then asks for.
LOGIN = b"""HTTP/1.1 302 Found\r
Server: TornadoServer/6.5.2\r
Content-Type: text/html; charset=UTF-8\r
Location: /login?next=%2Flab%3Ftoken%3DSECRET%26reset\r
Content-Length: 0\r
\r
"""
AT_LOGIN = b"GET /login?next=%2Flab%3Ftoken%3DSECRET HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_a_token_that_a_redirect_to_a_login_carries_on_is_hidden():
    (response, _), (request, _) = parse_response(LOGIN), parse_request(AT_LOGIN)

    assert "\nLocation: /login?next=%2Flab%3Ftoken%3D[redacted]\n" in str(response)
    assert str(request).startswith("GET /login?next=%2Flab%3Ftoken%3D[redacted] HTTP/1.1\n")
    for said in str(response), repr(response), str(request), repr(request):
        assert "SECRET" not in said
    for data in LOGIN, AT_LOGIN:
        assert b"SECRET" not in redact_bytes(data)
        assert len(redact_bytes(data)) == len(data)


def test_text_and_repr_of_a_response_without_a_body_show_none():
    response = Response(101, "OK", Headers((("a", "b"),)))

    assert str(response) == "HTTP/1.1 101 OK\na: b"
    assert repr(response) == "Response(101, 'OK', Headers([('a', 'b')]))"


@pytest.mark.parametrize("data", [bytes.fromhex("15 0303 0002 0228"), bytes.fromhex("16 0303")])
def test_a_server_that_speaks_tls_is_told_from_its_first_byte(data):
    with pytest.raises(HandshakeError, match="the other end speaks TLS: use wss://, not ws://") as caught:
        parse_response(data)
    assert caught.value.status == 0


def test_a_response_keeps_the_version_in_which_it_was_sent():
    response, _ = parse_response(b"HTTP/1.0 200 OK\r\n\r\n")

    assert response.version == "HTTP/1.0"
    assert str(response) == "HTTP/1.0 200 OK"


@pytest.mark.parametrize(
    "action",
    [
        lambda: Request("GET", "/", Headers((("Cookie", "SECRET\n"),))).serialize(),
        lambda: Request("GET", "/ ?token=SECRET").serialize(),
        lambda: parse_request(b"GET / HTTP/1.1\r\nCookie : SECRET\r\n\r\n"),
        lambda: parse_request(b"GET / HTTP/1.1\r\nR ferer: /?token=SECRET\r\n\r\n"),
    ],
)
def test_an_error_message_hides_what_a_view_hides(action):
    with pytest.raises((ValueError, HandshakeError), match="redacted") as caught:
        action()
    assert "SECRET" not in str(caught.value)
