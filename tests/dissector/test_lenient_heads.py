"""Lenient heads: what peers may make of a head that breaks the rules of HTTP, without what is secret or illegible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wslab.dissector.lenient_heads import END_OF_HEAD, may_be_a_head, read_leniently
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
        (CLIENT, b"GET / HTTP/1.1\nA : b\t\n c\n: d\nE\nF: g\x00\n\n", Request("GET", "/", Headers((("A", "b"),)))),
        (SERVER, b"HTTP/1.1  200\n\n", Response(200, "")),
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


@pytest.mark.parametrize("sender", [CLIENT, SERVER])
@given(head=st.binary(max_size=100) | st.binary(max_size=60).map(lambda rest: b"GET / HTTP/1.1\n" + rest))
def test_what_is_read_can_be_written(sender, head):
    if found := read_leniently(sender, head):
        Response(200, "", found.headers).serialize()


def test_the_beginning_of_a_head_is_told_from_other_protocols():
    assert may_be_a_head(CLIENT, b"\nGET /\xc3")
    assert may_be_a_head(SERVER, b"HTTP/1.1 2")
    for other in b"\x16\x03\x01", b"<html>", b"GET \x00", b"PING\r\n":
        assert not may_be_a_head(CLIENT, other)
    assert not may_be_a_head(SERVER, b"SSH-2.0")
