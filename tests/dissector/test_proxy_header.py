"""The PROXY protocol: how long its header is, as far as its bytes have come."""

import pytest

from wslab.dissector.proxy_header import MOST_OF_A_LINE, SIGNATURE, find_proxy_header

LINE = b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n"
BYTES = SIGNATURE + b"\x21\x11\x00\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 19, 136, 0, 80])


@pytest.mark.parametrize("header", [LINE, b"PROXY UNKNOWN\r\n", BYTES, SIGNATURE + b"\x20\x00\x00\x00"])
def test_a_header_is_found_when_it_is_whole_and_not_before(header):
    for size in range(1, len(header)):
        assert find_proxy_header(header[:size], size) is None
    size, what = find_proxy_header(header + b"GET", len(header) + 3)
    assert (size, what.endswith("by which a balancer says for whom it asks")) == (len(header), True)


def test_of_a_long_header_only_its_beginning_is_looked_at():
    begin = SIGNATURE + b"\x21\x11\xff\xff"
    assert find_proxy_header(begin, 16 + 65534) is None
    assert find_proxy_header(begin, 16 + 65535)[0] == 16 + 65535


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n", b"PUT", SIGNATURE[:-1] + b"x", b"PROXY " + b"x" * MOST_OF_A_LINE]
)
def test_what_is_none_has_no_bytes(data):
    assert find_proxy_header(data, len(data))[0] == 0
