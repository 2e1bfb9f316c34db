"""Lenient heads: what peers may make of a head that breaks the rules of HTTP, without what is secret or illegible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.dissector.lenient_heads import END_OF_HEAD, may_be_a_head, read_head, read_leniently
from wslab.protocol.errors import HandshakeError
from wslab.protocol.http import Headers, Request, Response
from wslab.protocol.states import Role

CLIENT, SERVER = Role.CLIENT, Role.SERVER


@pytest.mark.parametrize(
    ("head", "rest"),
    [(b"a\r\n\r\n", b"b"), (b"a\n\n", b"b"), (b"a\n\r\n", b"\nb"), (b"a\r\n\n", b""), (b"\r\n\r\na\r\n\r\n", b"\x81")],
)
def test_an_empty_line_behind_another_ends_a_head(head, rest):
    assert END_OF_HEAD.search(head + rest).end() == len(head)
    assert END_OF_HEAD.search(head[:-1]) is None


@pytest.mark.parametrize(
    ("sender", "head", "read"),
    [
        (CLIENT, b"get\t/  HTTP/1.0 \n\n", Request("get", "/", version="HTTP/1.0")),
        (CLIENT, b"\n\nGET /\xff#x HTTP/1.1\r\n\r\n", Request("GET", "/%FF#x")),
        (CLIENT, b"GET / HTTP/1.1\nA : b\t\n c\n: d\nE\nF: g\x00\n\n", Request("GET", "/", Headers((("A", "b\t c"),)))),
        (
            CLIENT,
            b"GET / http/1.1\r\n folded: a\r\nB:\r\n\tc\r\n d\r\n\r\n",
            Request("GET", "/", Headers((("B", "c d"),))),
        ),
        (SERVER, b"HTTP/1.1  200\n\n", Response(200, "")),
        (SERVER, b"\r\nhttp/1.1 200 OK\r\n\r\n", Response(200, "OK")),
        (
            SERVER,
            b"HTTP/1.0 404 No\x1b Way\nA: b\n\n",
            Response(404, "No? Way", Headers((("A", "b"),)), version="HTTP/1.0"),
        ),
        (CLIENT, b"GET /\r\n\r\n", None),
        (CLIENT, b"G(T / HTTP/1.1\r\n\r\n", None),
        (CLIENT, b"GET / HTTP/2.0\r\n\r\n", None),
        (CLIENT, b"\r\n\r\n", None),
        (SERVER, b"HTTP/1.1 huh\r\n\r\n", None),
        (SERVER, b"HTTP/2 200\r\n\r\n", None),
    ],
)
def test_a_head_is_read_as_far_as_it_is_legible(sender, head, read):
    assert read_leniently(sender, head) == read


MANY = 2_000_000  # so many that what looks at each of them again from the next one on would not come to an end


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nA: b" + b"\r" * MANY + b"c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b" + b"\r\n " * MANY + b"\r\n\r\n",
        b"GET /" + b" " * MANY + b"HTTP/1.1\r\n\r\n",
        b"GET " + b" " * MANY + b"/ HTTP/1.1\r\n\r\n",
    ],
)
def test_blanks_and_carriage_returns_cost_as_much_as_other_characters(head):
    assert read_leniently(CLIENT, head).method == "GET"


@pytest.mark.parametrize("head", [b"GET /" + b" " * MANY + b"HTTP/2\r\n\r\n", b"GET" + b" " * MANY + b"/\r\n\r\n"])
def test_nor_do_they_cost_more_where_no_version_follows(head):
    assert read_leniently(CLIENT, head) is None


@pytest.mark.parametrize("sender", [CLIENT, SERVER])
@given(head=st.binary(max_size=100) | st.binary(max_size=60).map(lambda rest: b"GET / HTTP/1.1\n" + rest))
def test_what_is_read_can_be_written(sender, head):
    if found := read_leniently(sender, head):
        Response(200, "", found.headers).serialize()


@pytest.mark.parametrize(
    ("sender", "head", "read"),
    [
        (CLIENT, b"GET / HTTP/1.1\r\n\r\nmore", (Request("GET", "/"), 18, "")),
        (SERVER, b"HTTP/1.1 200 OK\r\n", (None, 0, "")),
        (CLIENT, b"GET / HTTP/1.1\r\nKey sesame\r\n\r\n", (Request("GET", "/"), 30, "not a header line")),
    ],
)
def test_what_an_endpoint_refuses_is_read_all_the_same_and_why_is_said_without_a_quote(sender, head, read):
    assert read_head(sender, head) == read


@pytest.mark.parametrize(("sender", "head"), [(CLIENT, b"G(T / HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 huh\r\n\r\n")])
def test_what_nobody_can_have_read_is_refused(sender, head):
    with pytest.raises(HandshakeError):
        read_head(sender, head)


def test_the_beginning_of_a_head_is_told_from_other_protocols():
    assert may_be_a_head(CLIENT, b"\nGET /\xc3")
    assert may_be_a_head(SERVER, b"HTTP/1.1 2")
    for other in b"\x16\x03\x01", b"<html>", b"GET \x00", b"PING\r\n":
        assert not may_be_a_head(CLIENT, other)
    assert not may_be_a_head(SERVER, b"SSH-2.0")
