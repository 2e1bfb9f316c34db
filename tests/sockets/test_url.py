"""Url: an address is read as browsers read it, and what is none is refused in our own words."""

import re
import subprocess
import sys

import pytest

from wslab.sockets.server import EchoServer
from wslab.sockets.url import WebSocketUrl, parse_url

# As Chromium, Firefox and Node make them (WHATWG URL, UTS 46)
NAMES = {
    "faß.de": "xn--fa-hia.de",
    "STRASSE.example": "strasse.example",
    "κλαρα-σωλις.ευ": "xn----ylba7abgd9bnh0e.xn--qxa6a",
    "☃.net": "xn--n3h.net",
    "xn--n3h.net": "xn--n3h.net",
    "xn--fa-hia.de": "xn--fa-hia.de",
    "a\u0301.example": "xn--1ca.example",
    "a\u00adb.example": "ab.example",
    "例え。テスト": "xn--r8jz45g.xn--zckzah",
    "ex%41mple.com": "example.com",
    "b%C3%BCcher.example": "xn--bcher-kva.example",
    "a_b.-c.d--e": "a_b.-c.d--e",
    "-é-.example": "xn-----bja.example",
    "a·b.example": "xn--ab-0ea.example",
    "\u0915\u094d\u200d\u0937.example": "xn--11b2ezcw70k.example",
    "127.1": "127.0.0.1",
    "0x7f.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "\uff11\uff12\uff17.0.0.1": "127.0.0.1",
}


@pytest.mark.parametrize(
    ("url", "address", "host_header"),
    [
        ("ws://localhost", WebSocketUrl(False, "localhost", 80, "/"), "localhost"),
        ("wss://localhost/", WebSocketUrl(True, "localhost", 443, "/"), "localhost"),
        ("WS://LOCALHOST:80/", WebSocketUrl(False, "localhost", 80, "/"), "localhost"),
        ("ws://localhost:443/", WebSocketUrl(False, "localhost", 443, "/"), "localhost:443"),
        ("wss://localhost:80/", WebSocketUrl(True, "localhost", 80, "/"), "localhost:80"),
        ("ws://localhost:0/", WebSocketUrl(False, "localhost", 0, "/"), "localhost:0"),
        (
            "ws://127.0.0.1:8765/chat?room=1&b=2",
            WebSocketUrl(False, "127.0.0.1", 8765, "/chat?room=1&b=2"),
            "127.0.0.1:8765",
        ),
        ("ws://[::1]:8765/", WebSocketUrl(False, "::1", 8765, "/"), "[::1]:8765"),
        ("ws://localhost?room=1", WebSocketUrl(False, "localhost", 80, "/?room=1"), "localhost"),
        ("ws://localhost/a b", WebSocketUrl(False, "localhost", 80, "/a%20b"), "localhost"),
        ("ws://localhost/%20?q=%26", WebSocketUrl(False, "localhost", 80, "/%20?q=%26"), "localhost"),
        ("ws://localhost/é?q=ü", WebSocketUrl(False, "localhost", 80, "/%C3%A9?q=%C3%BC"), "localhost"),
        ("ws://bücher.example/", WebSocketUrl(False, "xn--bcher-kva.example", 80, "/"), "xn--bcher-kva.example"),
        ("ws://[0:0:0:0:0:0:0:01]/", WebSocketUrl(False, "::1", 80, "/"), "[::1]"),
        ("ws://[FE80::1%Eth0]/", WebSocketUrl(False, "fe80::1%Eth0", 80, "/"), "[fe80::1]"),  # RFC 6874 §1: not sent
        ("ws://[fe80::1%25eth0]:81/", WebSocketUrl(False, "fe80::1%eth0", 81, "/"), "[fe80::1]:81"),
        ("ws://[fe80::1%25]/", WebSocketUrl(False, "fe80::1%25", 80, "/"), "[fe80::1]"),
        ("ws://localhost./", WebSocketUrl(False, "localhost.", 80, "/"), "localhost."),
        *((f"ws://{name}/", WebSocketUrl(False, host, 80, "/"), host) for name, host in NAMES.items()),
        ("ws://localhost:/", WebSocketUrl(False, "localhost", 80, "/"), "localhost"),
        ("ws://localhost:" + "0" * 5000 + "81/", WebSocketUrl(False, "localhost", 81, "/"), "localhost:81"),
        (
            " \n\x01ws://local\r\n\thost/a\nb \x1f\n",
            WebSocketUrl(False, "localhost", 80, "/ab"),
            "localhost",
        ),  # as browsers read it
    ],
)
def test_an_address_and_the_host_header_that_goes_with_it(url, address, host_header):
    assert parse_url(url) == address
    assert address.host_header == host_header


def test_a_number_sign_in_a_path_or_a_query_is_written_percent_23():
    assert parse_url("ws://localhost/a%23b?c=%23d").resource_name == "/a%23b?c=%23d"


NO_PLACES = ["localhost", "//", "///path", "//:8765/", "//user@/", "//user@:80/", "//a b/"]
NO_PLACES += [r"//user\@localhost/", r"//localhost\user:@elsewhere/", "//[::1]x:80/", "//[::1", "//::1/"]
NO_NAMES = ["a,b", "a\x00b", 'a"b', "a..b", "a" * 64, "é" * 64, "\udc80"]
NO_NAMES += ["256.1.1.1", "1.2.3.4.5", "a.0x7g.9", ".", "..", "a%00b", "a%ff", "a%2fb", "\u200dx", "\u0627a"]
NO_NAMES += ["\U0001f468\u200d\U0001f469", "xn--1uga80807aba", "\u0301a", "xn--a", "xn--", "xn--a\u00e9"]
NO_NAMES += ["\u037a", "a\u2100b", "a\uff1a80"]  # IDNA reads them as a blank and an iota, a/c, and a colon
NO_PORTS = ["65536", "-1", "http", "\u0663"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "begins with ws:// or wss://"),
        ("localhost:8765", "begins with ws:// or wss://"),
        ("//localhost/", "begins with ws:// or wss://"),
        ("http://localhost/", "begins with ws:// or wss://, not 'http://localhost/'"),
        ("https://localhost/", "begins with ws:// or wss://"),
        ("wsx://localhost/", "begins with ws:// or wss://"),
        *((f"ws:{rest}", "is ws://host:port/path, an IPv6 host in brackets") for rest in NO_PLACES),
        *((f"ws://{name}/", f"{name[:40]!r} is not the name of a host") for name in NO_NAMES),
        ("ws://[x]/", "'x' is no IPv6 address, which is what stands in brackets"),
        ("ws://[127.0.0.1]/", "'127.0.0.1' is no IPv6 address, which is what stands in brackets"),
        ("ws://[::1%a b]/", "'a b' is no zone of an IPv6 address"),
        ("ws://[::1%]/", "'' is no zone of an IPv6 address"),
        ("ws://localhost/#part", "no #fragment"),
        ("ws://localhost/#", "no #fragment"),
        *((f"ws://a:{port}/", f"a port is a number from 0 to 65535, not {port!r}") for port in NO_PORTS),
        ("ws://localhost/\udc80", "half a surrogate pair is no character"),
        ("ws://localhost/?\udc80", "half a surrogate pair is no character"),
    ],
)
def test_what_is_no_address_is_a_valueerror_that_says_why_in_our_own_words(url, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_url(url)


def test_a_server_is_no_address_and_the_error_says_where_it_has_one():
    with pytest.raises(TypeError, match="the `url` of a server, not EchoServer"):
        parse_url(EchoServer())


@pytest.mark.parametrize(
    ("userinfo", "credentials"),
    [
        ("Aladdin:open%20sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617 §2
        ("user", "dXNlcjo="),
        (":x", "Ong="),
        ("u:a:b@c", "dTphOmJAYw=="),
        ("test:123£", "dGVzdDoxMjPCow=="),  # RFC 7617 §2.1
    ],
)
def test_a_user_name_and_a_password_are_basic_credentials_that_no_repr_shows(userinfo, credentials):
    address = parse_url(f"ws://{userinfo}@localhost/")

    assert address.authorization == f"Basic {credentials}"
    assert address == WebSocketUrl(False, "localhost", 80, "/", f"Basic {credentials}")
    assert credentials not in repr(address)
    assert address.host_header == "localhost"


def test_an_empty_user_name_is_none():
    assert parse_url("ws://@localhost/") == parse_url("ws://localhost/")


@pytest.mark.parametrize(
    "url",
    [
        "user:SESAME@localhost",
        "http://user:SESAME@localhost/",
        "https://localhost/lab?token=SESAME",
        "http://localhost/lab#token=SESAME",
        "ws://SESAME:password@a b/",
        "ws://user:SESAME@localhost:x/",
        "ws://user:SES/AME@localhost/",
        "ws://SES AME:/x@localhost/",
        "ws://user:SESAME@[x]/",
        "ws://user:SESAME@localhost/#",
        "ws://localhost/?token=SESAME&x=\udc80",
    ],
)
def test_no_error_shows_what_is_secret_in_an_address(url):
    with pytest.raises(ValueError, match="a ") as caught:
        parse_url(url)
    assert not re.search("SES|AME", str(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_name_that_a_certificate_must_have_is_that_of_the_host_alone():
    assert parse_url("wss://localhost./").name == "localhost"
    assert parse_url("wss://[fe80::1%25eth0]/").name == "fe80::1"


WITHOUT_IDNA = """
import sys
sys.modules["idna"] = None
from wslab.sockets.url import parse_url
print(parse_url("ws://Bücher.example/").host, parse_url("ws://xn--n3h.net").host)
for name in "faß.de", "☃" * 64:
    try:
        print(parse_url(f"ws://{name}/"))
    except ValueError as error:
        print(error)
"""


def test_without_the_package_idna_the_names_in_which_it_differs_are_refused():
    command = [sys.executable, "-X", "utf8", "-c", WITHOUT_IDNA]
    told = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()

    assert told.splitlines() == [
        "xn--bcher-kva.example xn--n3h.net",
        "which host this is, the package `idna` can tell: pip install idna",
        f"{'☃' * 40!r} is not the name of a host",
    ]
