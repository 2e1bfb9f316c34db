"""Url: an address is read as browsers read it, and what is none is refused in our own words."""

import re

import pytest

from wslab.sockets.url import WebSocketUrl, parse_url


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
        ("ws://[FE80::1%Eth0]/", WebSocketUrl(False, "fe80::1%Eth0", 80, "/"), "[fe80::1%Eth0]"),
        ("ws://localhost:/", WebSocketUrl(False, "localhost", 80, "/"), "localhost"),
        ("ws://localhost:" + "0" * 5000 + "81/", WebSocketUrl(False, "localhost", 81, "/"), "localhost:81"),
        (
            " \nws://local\r\n\thost/a\nb \n",
            WebSocketUrl(False, "localhost", 80, "/ab"),
            "localhost",
        ),  # as browsers read it
    ],
)
def test_an_address_and_the_host_header_that_goes_with_it(url, address, host_header):
    assert parse_url(url) == address
    assert address.host_header == host_header


NO_PLACES = ["localhost", "//", "///path", "//:8765/", "//user@localhost/", "//user:password@localhost/", "//a b/"]
NO_PLACES += ["//[::1]x:80/", "//[::1", "//::1/"]
NO_NAMES = ["a\x00b", 'a"b', "a..b", "a" * 64, "é" * 64, "\udc80"]
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
        *(
            (f"ws:{rest}", "is ws://host:port/path, an IPv6 host in brackets, no user name before it")
            for rest in NO_PLACES
        ),
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
