"""handshake_lines: each line of a handshake with what it says, what it means, and which rule it breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heads_and_frames import request, response
from support.tables import faults, meanings

from wslab import inspect
from wslab.dissector.handshake_lines import begins_a_head
from wslab.protocol.frames import Frame, Opcode, serialize_frame


def fields(data: bytes) -> list[tuple[str, ...]]:
    """Byte, field, value and meaning of each row."""
    table = inspect(data)
    assert table.heading == ("byte", "field", "value", "meaning")
    return list(table.rows)


def test_each_line_of_a_request_is_a_row_with_its_meaning():
    assert fields(b"GET /chat HTTP/1.1\r\nHost: a\r\nUser-Agent: me\r\nX-Mine: 1\r\n\r\n") == [
        ("0-19", "request line", "GET /chat HTTP/1.1", "GET asks for a resource by its path (§4.1, 2-3)"),
        ("20-28", "Host", "a", "which site is meant: one machine can serve many (§4.1, 4)"),
        ("29-44", "User-Agent", "me", "which program it claims to be"),
        ("45-55", "X-Mine", "1", "no matter of WebSocket: ignored (§4.2.1)"),
        ("", "Upgrade", "missing", "so this asks for a page and not for WebSocket (§4.1, 5)"),
        ("56-57", "empty line", "", "the end of the head (RFC 9112 §2.1)"),
    ]


def test_each_line_of_a_handshake_cites_the_section_of_its_rule():
    told = [(row[1], row[3]) for row in fields(request() + response())]
    assert told == [
        ("request line", "GET asks for a resource by its path (§4.1, 2-3)"),
        ("Host", "which site is meant: one machine can serve many (§4.1, 4)"),
        ("Upgrade", "which protocol to speak instead of HTTP (§4.1, 5)"),
        ("Connection", "that Upgrade is meant for the next machine on the way (§4.1, 6)"),
        ("Sec-WebSocket-Key", "16 random bytes in base64: prove that you have read this (§4.1, 7)"),
        ("its 16 bytes", "random, and new for each connection (§4.1, 7)"),
        ("Sec-WebSocket-Version", "which version of the protocol: 13 (§4.1, 9)"),
        ("empty line", "the end of the head (RFC 9112 §2.1)"),
        ("status line", "yes: the protocol is switched (§4.2.2, 5)"),
        ("Upgrade", "which protocol is meant (§4.2.2, 5)"),
        ("Connection", "that Upgrade is meant for the next machine on the way (§4.2.2, 5)"),
        ("Sec-WebSocket-Accept", "the proof that the key was read (§4.2.2, 5)"),
        ("its 20 bytes", "SHA-1 of the key, as text, and the GUID (§4.2.2, 5)"),
        ("expected", "the answer fits the key (§4.1)"),
        ("empty line", "the end of HTTP: frames follow (§4.2.2)"),
    ]


def test_a_key_is_decoded_and_extensions_are_parsed():
    asked = request(more=("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; a=b",))
    table = fields(asked)
    assert ("", "its 16 bytes", b"the sample nonce".hex(" ")) in [row[:3] for row in table]
    assert [row[1:3] for row in table if row[1].startswith("· ")] == [
        ("· permessage-deflate", "client_max_window_bits"),
        ("· x", "a=b"),
    ]


def test_an_answer_fits_its_key_or_does_not():
    assert meanings(request() + response())["expected"] == "the answer fits the key (§4.1)"
    wrong = request() + response().replace(b"Accept: s", b"Accept: S")
    assert meanings(wrong)["expected"] == "the answer does not fit the key (§4.1)"
    assert [name for name, _ in faults(inspect(wrong))] == ["Sec-WebSocket-Accept"]
    assert "expected" not in meanings(response())
    assert faults(inspect(response().replace(b"Sec-WebSocket-Accept", b"Accept"))) == [
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept is missing (§4.1)")
    ]


def test_a_refusal_is_shown_with_its_body():
    table = fields(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 3\r\n\r\nno\n")
    assert table[0][3] == "no: this connection stays HTTP (§4.1)"
    assert table[-1] == ("52-54", "body", "no\\n", "what the server says to it")


def test_a_secret_in_the_body_of_a_refusal_is_not_shown():
    table = fields(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 19\r\n\r\n{"token": "sesame"}')
    assert table[-1][1:3] == ("body", '{"token": "xxxxxx"}')


def test_frames_behind_an_early_request_are_frames_and_behind_a_plain_one_they_are_its_body():
    assert inspect(request() + b"\x89\x00").rows[-1][3] == "payload length"
    assert fields(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x89\x00")[-1][1] == "body"


def test_an_interim_answer_is_not_yet_the_answer():
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    table = fields(early * 2 + response())
    assert [row[3] for row in table if row[1] == "status line"] == [
        *["not yet: the final answer follows (RFC 9110 §15.2)"] * 2,
        "yes: the protocol is switched (§4.2.2, 5)",
    ]
    assert inspect(early + response() + b"\x89\x00").rows[-1][3] == "payload length"
    assert [row[1] for row in fields(early)].count("body") == 0


@pytest.mark.parametrize(
    ("page", "size"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\n\r\n", 12),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", 2),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nno", 2),
    ],
)
def test_a_handshake_behind_a_page_is_one(page, size):
    table = fields(page + request())
    [body] = [row for row in table if row[1] == "body"]
    assert body[0] == f"{len(page) - size}-{len(page) - 1}"
    assert [row[1] for row in table].count("Sec-WebSocket-Key") == 1
    assert [row[1] for row in fields(page + b"no head")].count("body") == 1


# What is illegal


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (request("GET / HTTP/1.0"), ["request line"]),
        (request("BREW / HTTP/1.1"), ["request line"]),
        (request("GET /"), ["request line"]),
        (request(Host=None), ["Host"]),
        (request(Host=None, Upgrade="websockets", Sec_WebSocket_Key="x", Sec_WebSocket_Version="8"),
         ["Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host"]),
        (request(more=("Sec-WebSocket-Protocol: a, a",)), ["Sec-WebSocket-Protocol"]),
        (request(more=("Sec-WebSocket-Extensions: =",)), ["Sec-WebSocket-Extensions"]),
        (request(more=("Transfer-Encoding: chunked",)), ["Transfer-Encoding"]),
        (request(more=("no colon", " folded", "Sp ace: a", "X: \x01")), ["header line"] * 4),
        (request().replace(b"\r\nHost", b"\nHost"), ["request line"]),
        (request().replace(b"\r\n\r\n", b"\n\r\n"), ["header line", "Sec-WebSocket-Version"]),
        (b"\r\n\r\n" + request(), ["empty line"]),
        (b"Host: a\r\n" + request(), ["request line", "header line"]),
        (response().replace(b"Upgrade: websocket\r\n", b""), ["Upgrade"]),
        (b"HTTP/1.1 huh\r\n\r\n", ["status line"]),
        (response().replace(b"HTTP/1.1", b"HTTP/1.0"), ["status line"]),
    ],
)  # fmt: skip
def test_each_line_that_breaks_a_rule_is_named(data, told):
    assert [name for name, _ in faults(inspect(data))] == told


def test_a_fault_says_how_a_server_answers():
    assert faults(inspect(request("GET / HTTP/1.0"))) == [
        ("request line", "a WebSocket handshake needs HTTP/1.1, not HTTP/1.0 (§4.2.1): answer with 426")
    ]
    assert faults(inspect(request(Sec_WebSocket_Version="8"))) == [
        ("Sec-WebSocket-Version", "this server speaks WebSocket version 13, not 8 (§4.2.1): answer with 426")
    ]


@pytest.mark.parametrize("size", range(4, len(request()) - 1))
def test_a_head_cut_short_says_so_and_nothing_is_missed_in_it(size):
    table = inspect(request()[:size])
    assert faults(table) == []
    assert table.rows[-1][1:] == ("cut short", "", "the empty line that ends the head is not there")


# Secrets


SECRETS = ["Cookie: a=sesame", "Coo kie: sesame", "(Cookie: sesame", "Cookie sesame", " sesame", "Cookie sesame: a",
           "authorization:sesame", "Cook\x00ie: sesame", "Set-Cookie : sesame", "X\tCookie: sesame",
           "Cookie=sesame; b: c", "Authorization: a\r\n sesame: b", "Cookie: a\r\n\tb sesame: c"]  # fmt: skip


@pytest.mark.parametrize("line", SECRETS)
def test_no_line_shows_its_secret_however_it_is_mangled(line):
    for ending in (b"\r\n", b"\n", b"\r", b"\r\n\r\n", b""):
        data = request("GET /?token=sesame HTTP/1.1", more=(line,))[:-4] + ending
        for shown in (data, data.replace(b"GET ", b""), data.replace(b"GET /?token=sesame HTTP/1.1\r\n", b"")):
            table = inspect(shown)
            assert "sesame" not in repr(table) + table._repr_html_()


def test_a_mangled_name_is_shown_without_its_value():
    assert [row[2] for row in fields(request(more=("Coo kie: x", "(Cookie: x")))[-3:-1]] == ["Coo kie: …", "(Cookie: …"]


@given(st.lists(st.sampled_from([*SECRETS, "Host: a", "\r", "\n", "\r\n"]), max_size=8), st.integers(0, 300))
def test_no_secret_is_shown_of_any_lines_that_are_cut_anywhere(lines, size):
    data = b"GET /?token=sesame HTTP/1.1\r\n" + "\r\n".join(lines).encode()
    assert "sesame" not in repr(inspect(data[:size]))


# What is a head at all


def test_frames_are_no_heads_and_text_is():
    for opcode in Opcode:
        for masking_key in (None, b"abcd"):
            assert not begins_a_head(serialize_frame(Frame(opcode, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), masking_key))
    for data in (request(), response(), b"\r\n" + request(), b"get / HTTP/1.1\r\n", b"Host: a\r\n", b"GET / HT"):
        assert begins_a_head(data)
    assert not begins_a_head(b"Hello")
