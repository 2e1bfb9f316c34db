"""BodyReader: where bodies end, however they are framed and cut, and what is kept of them."""

import codecs
import zlib

import pytest

from wslab.protocol.body import MAX_BODY_SIZE, MAX_CHUNK_LINE, BodyReader, decode_body, text_of_body
from wslab.protocol.http import Headers, Request, Response

CHUNKED = ("Transfer-Encoding", "chunked")
CHUNKS = b'2;a="b"\r\nno\r\n 3\r\nt h\r\n000\r\nX-Digest: 1\r\n\r\n'.replace(b" 3", b"3 ")
MORE = b"HTTP/1.1 101"


def length(value: str) -> tuple[str, str]:
    return "Content-Length", value


def of_response(*headers: tuple[str, str], status: int = 200, method: str = "GET") -> BodyReader:
    return BodyReader(Response(status, "", Headers(headers)), method)


def of_request(*headers: tuple[str, str]) -> BodyReader:
    return BodyReader(Request("POST", "/", Headers(headers)))


@pytest.mark.parametrize(
    ("begin", "body", "kept"),
    [
        (lambda: of_response(length("5")), b"no\r\nx", b"no\r\nx"),
        (lambda: of_response(length("5"), length("5")), b"no\r\nx", b"no\r\nx"),
        (lambda: of_request(length("5")), b"no\r\nx", b"no\r\nx"),
        (lambda: of_response(CHUNKED, length("1")), CHUNKS, b"not h"),
        (lambda: of_response(("transfer-encoding", "gzip, Chunked")), CHUNKS, b"not h"),
        (lambda: of_request(CHUNKED), CHUNKS, b"not h"),
        (lambda: of_response(CHUNKED), b"2\nno\n0\n\n", b"no"),
        (lambda: of_response(CHUNKED), b"0" * 20 + b"2\r\nno\r\n" + b"0" * 20 + b"\r\n\r\n", b"no"),
        (lambda: of_response(length("0" * 5000 + "2")), b"no", b"no"),
    ],
)
def test_a_body_ends_where_its_head_or_its_chunks_say_however_it_is_cut(begin, body, kept):
    for size in range(1, len(body) + 1):
        reader, used = begin(), 0
        for start in range(0, len(body), size):
            assert not reader.is_enough
            used += reader.read((body + MORE)[start : start + size])
        used += reader.read(MORE)
        assert (used, reader.size, bytes(reader.kept)) == (len(body), len(body), kept)
        assert reader.is_whole
        assert reader.is_enough
        assert not reader.is_broken
        assert not reader.is_endless


@pytest.mark.parametrize(
    "reader",
    [
        of_request(),
        of_request(length("0")),
        of_response(length("0")),
        of_response(length("5"), status=103),
        of_response(length("5"), status=101),
        of_response(CHUNKED, status=204),
        of_response(length("5"), status=304),
        of_response(length("5"), method="HEAD"),
        of_response(length("5"), method="CONNECT"),
    ],
)
def test_some_heads_have_no_body_whatever_they_announce(reader):
    assert reader.is_whole
    assert reader.read(MORE) == 0


@pytest.mark.parametrize(
    "reader",
    [
        of_response(),
        of_response(length("-2")),
        of_response(length("2"), length("3")),
        of_response(("Transfer-Encoding", "gzip"), length("5")),
        of_request(("Transfer-Encoding", "gzip")),
        of_request(length("2, x")),
    ],
)
def test_where_no_length_is_told_only_the_end_of_tcp_ends_a_body(reader):
    assert reader.is_endless
    assert reader.read(MORE) == len(MORE)
    assert not reader.is_enough
    assert bytes(reader.kept) == MORE


def test_a_refused_tunnel_has_a_body():
    assert of_response(length("2"), status=407, method="CONNECT").read(b"no") == 2


@pytest.mark.parametrize("chunks", [b"2\r\nnox", b"2\r\nno\r\n-1\r\n", b"2\r\nno\r\n" + b"0" * (MAX_CHUNK_LINE + 1)])
def test_chunks_that_are_none_have_no_end(chunks):
    reader = of_response(CHUNKED)
    reader.read(chunks + b"\r\n0\r\n\r\n")

    assert reader.is_broken
    assert reader.is_enough
    assert not reader.is_whole
    assert bytes(reader.kept) == b"no"


def test_4_kib_of_a_body_are_kept_and_are_enough():
    reader = of_response(length("10000"))
    reader.read(bytes(MAX_BODY_SIZE - 1))
    assert not reader.is_enough
    reader.read(bytes(2))
    assert reader.is_enough
    assert (bytes(reader.kept), reader.missing) == (bytes(MAX_BODY_SIZE), 10_000 - MAX_BODY_SIZE - 1)


def test_chunks_with_far_more_around_them_than_in_them_are_enough():
    reader = of_response(CHUNKED)
    while not reader.is_enough:
        reader.read(b"1;" + b"x" * 1000 + b"\r\na\r\n")

    assert reader.size < 5 * MAX_BODY_SIZE


GZIP = zlib.compress(b"you may not", wbits=31)


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        ("", b"you may not", b"you may not"),
        ("gzip", GZIP, b"you may not"),
        ("X-GZip", GZIP, b"you may not"),
        ("deflate", zlib.compress(b"you may not"), b"you may not"),
        ("deflate", zlib.compress(b"you may not", wbits=-15), b"you may not"),
        ("deflate, gzip", zlib.compress(zlib.compress(b"you may not"), wbits=31), b"you may not"),
        ("gzip", GZIP[:-12], b"you may "),
        ("gzip", zlib.compress(bytes(1_000_000), wbits=31), bytes(MAX_BODY_SIZE)),
        ("gzip", GZIP[:15] + b"\xff" * 9, b"you "),
        ("deflate", zlib.compress(b"you may not")[:-4] + b"\0" * 4, b"you may not"),
        ("identity", b"you may not", b"you may not"),
        ("Identity, gzip", GZIP, b"you may not"),
        ("gzip", b"no gzip", b""),
        ("br", b"\x1b\x0a", b""),
        ("gzip", b"", b""),
    ],
)
def test_a_body_is_decompressed_as_far_as_it_is_there_and_not_too_far(coding, body, text):
    assert decode_body(Headers((("Content-Encoding", coding),)), body)[: len(text) or None] == text
    transfer = Headers((("Transfer-Encoding", f"{coding}, chunked"),))
    assert decode_body(transfer, body)[: len(text) or None] == text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", "größer €".encode()),
        ("", codecs.BOM_UTF8 + "größer €".encode()),
        ("", "größer €".encode("utf-16")),
        ("text/plain; charset=iso-8859-1", codecs.BOM_UTF16_BE + "größer €".encode("utf-16-be")),  # the mark counts
        ("text/plain; charset=utf-16be", "größer €".encode("utf-16-be")),
        ("text/html;x=y ; CharSet=Windows-1252;x=y", "größer €".encode("windows-1252")),
        ('text/plain; charset="iso-8859-15"', "größer €".encode("iso-8859-15")),
        ("text/plain; charset='iso-8859-15'", "größer €".encode("iso-8859-15")),
        ("text/plain; xcharset=iso-8859-15", "größer €".encode()),
        ("text/plain; charset=", "größer €".encode()),
        ("text/plain; charset=x-unknown", "größer €".encode()),
        ("text/plain; charset=hex", "größer €".encode()),  # a codec of Python, and no charset
        ("text/plain; charset=undefined", "größer €".encode()),
    ],
)
def test_a_body_is_read_in_the_charset_that_it_names(content_type, body):
    assert text_of_body(Headers((("Content-Type", content_type),)), body) == "größer €"


def test_what_is_no_character_in_its_charset_is_replaced():
    assert text_of_body(Headers(), b"gr\xfc") == "gr\ufffd"
    assert text_of_body(Headers(), "gr".encode("utf-16") + b"\xfc") == "gr\ufffd"


def test_a_body_is_decompressed_before_it_is_read():
    headers = Headers((("Content-Encoding", "gzip"), ("Content-Type", "text/plain; charset=iso-8859-1")))
    assert text_of_body(headers, zlib.compress(b"gr\xfc\xdfe", wbits=31)) == "grüße"
