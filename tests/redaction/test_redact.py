"""Redaction: what is secret is crossed out, wherever it stands and however it is written, and nothing else."""

import random

import pytest

from wslab.redaction.redact import (
    cross_out,
    harmless,
    printable,
    redact_body,
    redact_bytes,
    redact_header,
    redact_line,
    redact_part,
    redact_part_of_payload,
    redact_payload,
    redact_stream,
    redact_target,
)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/lab?token=abc", "/lab?token=[redacted]"),
        ("/lab?token=abc&reset", "/lab?token=[redacted]&reset"),
        ("/lab?a=b&token=abc#top", "/lab?a=b&token=[redacted]#top"),
        ("/lab?access_token=abc&_token=def", "/lab?access_token=[redacted]&_token=[redacted]"),
        ("/lab?token=", "/lab?token="),
        ("/token=abc", "/token=[redacted]"),
        ("/lab?tokens=abc", "/lab?tokens=abc"),
        (
            "/lab?api_key=abc&apikey=d&session_id=e&x=f",
            "/lab?api_key=[redacted]&apikey=[redacted]&session_id=[redacted]&x=f",
        ),
        ("/a?next=%2Fb%3fx%3D1%26token%3dabc&c=d", "/a?next=%2Fb%3fx%3D1%26token%3d[redacted]&c=d"),
        ("/a?next=%252Fb%253Ftoken%253Dabc", "/a?next=%252Fb%253Ftoken%253D[redacted]"),
        ("http://user:pass@localhost/a@b", "http://[redacted]@localhost/a@b"),
        ("http://localhost/a@b?c=d@e", "http://localhost/a@b?c=d@e"),
    ],
)
def test_a_token_in_an_address_is_hidden_and_nothing_else(target, shown):
    assert redact_target(target) == shown
    assert redact_header("Referer", target) == shown


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (b"Cookie: a=1; b=2\r\nHost: x\r\n\r\n", b"Cookie: xxxx xxx\r\nHost: x\r\n\r\n"),
        (b"GET / HTTP/1.1\r\ncookie:a=1\r\nCOOKIE: b", b"GET / HTTP/1.1\r\ncookie:xxx\r\nCOOKIE: x"),
        (b"Set-Cookie: a\r\nProxy-Authorization: b", b"Set-Cookie: x\r\nProxy-Authorization: x"),
        (b"GET / HTTP/1.1\n \tAuthorization \t: a b", b"GET / HTTP/1.1\n \tAuthorization \t: x x"),
        (b"X: 1\rCookie: a\r\n b\n\tc\r\nd", b"X: 1\rCookie: x\r\n x\n\tx\r\nd"),
        (b"GET /?Token=a&_token=b&x=c HTTP/1.1\r\n", b"GET /?Token=x&_token=x&x=c HTTP/1.1\r\n"),
        (b"Wslab-Ticket: a\r\nwslab-token: b", b"Wslab-Ticket: x\r\nwslab-token: x"),
        (b"Referer: http://x/?access_token=\xff\x00#top", b"Referer: http://x/?access_token=xx#top"),
        (b"GET http://a:b@c/ HTTP/1.1\r\nX-XSRFToken: d", b"GET http://xxx@c/ HTTP/1.1\r\nX-XSRFToken: x"),
        (b"X: base64url.bearer.authorization.k8s.io.abc, d", b"X: base64url.bearer.authorization.k8s.io.xxx, d"),
        (
            b"X-Cookie: a\r\nCookies: b\r\nCookie\r\nGET /?tokens=c",
            b"X-Cookie: x\r\nCookies: x\r\nCookie\r\nGET /?tokens=c",
        ),
        (b"", b""),
    ],
)
def test_secrets_in_the_bytes_of_a_head_are_crossed_out_even_where_it_is_illegal_or_cut(head, shown):
    assert redact_bytes(head) == shown


@pytest.mark.parametrize(
    "name", ["Cookie", "authorization", "PROXY-Authorization", "Set-Cookie", "X-XSRFToken", "x-api-key"]
)
def test_a_header_that_is_nothing_but_a_secret_is_hidden_as_a_whole(name):
    assert redact_header(name, "a=1; b=2") == "[redacted]"


def test_a_header_that_says_that_there_is_no_secret_is_shown():
    assert redact_header("X-Auth", "none") == "none"


def test_the_token_in_the_name_of_a_subprotocol_is_hidden_so_that_it_stays_a_name():
    offered = "chat, base64url.bearer.authorization.k8s.io.abc_1, base64.binary.k8s.io"

    assert redact_header("Sec-WebSocket-Protocol", offered) == offered.replace("abc_1", "xxx")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Cookie : a=1", "[redacted]"),
        ("C ookie a=1", "[redacted]"),
        ("R ferer: /?token=abc", "R ferer: /?token=[redacted]"),
        ("x" * 50, "x" * 40),
    ],
)
def test_a_line_that_is_no_header_line_is_shown_cut_and_only_if_its_name_is_harmless(line, shown):
    assert redact_line(line) == shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"token": "abc", "x": "y"}', b'{"token": "xxx", "x": "y"}'),
        (rb'{"apiKey":"a\"b"}', rb'{"apiKey":"xxxx"}'),
        (b"password=abc&_xsrf=d&x=y", b"password=xxx&_xsrf=x&x=y"),
        (
            b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\n\r\n/lab?token=b",
            b"HTTP/1.1 200 OK\r\nSet-Cookie: x\r\n\r\n/lab?token=x",
        ),
        (b"tokens are words", b"tokens are words"),
    ],
)
def test_secrets_in_json_and_in_forms_are_crossed_out(body, shown):
    assert redact_body(body) == shown


def test_what_moves_the_cursor_of_a_terminal_is_escaped():
    assert printable("Hé\r\n\x1b[2J\u202e") == "Hé\\r\\n\\x1b[2J\\u202e"


def test_a_harmless_line_has_neither_secrets_nor_control_characters():
    assert harmless("/?token=sesame&a=\n") == "/?token=[redacted]&a=\\n"


def test_text_is_crossed_out_so_that_its_places_stay():
    assert cross_out('a; token="b c" d') == 'a; token="x x" d'


def test_a_body_that_is_compressed_is_crossed_out_as_a_whole():
    assert redact_body(b"abc", "br") == b"xxx"
    assert redact_body(b"abc", "Identity") == b"abc"
    assert redact_body(b"\x1f\x8b\x08abc") == b"xxxxxx"


def test_nothing_in_noise_looks_like_a_secret_and_words_in_it_are_searched():
    noise = random.Random(6455).randbytes(200_000)
    assert redact_body(noise) != noise
    assert redact_payload(noise) == noise
    assert redact_payload(noise + b"\x00password=sesame\xff") == noise + b"\x00password=xxxxxx\xff"


def test_a_part_of_a_text_is_read_as_a_text_wherever_it_was_cut():
    text = 'ä {"token": "pässwörd"} ö'.encode()
    for part in (text, text[1:], text[:-1], text[1:-1]):
        assert b"sw" not in redact_payload(part)
        assert len(redact_payload(part)) == len(part)


@pytest.mark.parametrize(
    ("before", "part", "has_more", "shown"),
    [
        ("", "tok", True, "tok"),
        ("tok", "en=ses", True, "en=[redacted]"),
        ("token=ses", "ame&x=1", False, "[redacted]&x=1"),
        ("", "eyJhbGc", True, "[redacted]"),
        ("", "eyJhbGc", False, "eyJhbGc"),
        ("", "ws://john:ses", True, "ws://[redacted]"),
        ("token=ses&x=", "1", False, "1"),
        ("", "Hello wo", True, "Hello wo"),
    ],
)
def test_of_a_part_is_hidden_what_is_a_secret_in_the_whole(before, part, has_more, shown):
    assert redact_part(part, before, has_more) == shown
    crossed_out = redact_part_of_payload(part.encode(), before.encode(), has_more).decode()
    begin, _, end = shown.partition("[redacted]")
    assert crossed_out == begin + "x" * (len(part) - len(begin) - len(end)) + end


def test_heads_and_bodies_in_a_stream_are_crossed_out_alike():
    stream = b'GET /?token=a HTTP/1.1\r\nCook ie: b\r\n\r\n{"token": "c"}'
    assert redact_stream(stream) == b'GET /?token=x HTTP/1.1\r\nCook xxx x\r\n\r\n{"token": "x"}'
