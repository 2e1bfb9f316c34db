"""Under which addresses others reach this machine."""

import pytest

from wslab.cli.addresses import addresses_for_others, is_open_to_others, with_port


@pytest.mark.parametrize(
    ("host", "is_open"),
    [
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("::1", False),
        ("localhost", False),
        ("a.localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.0.2.1", True),
        ("host.example", True),
    ],
)
def test_only_loopback_is_closed_to_others(host, is_open):
    assert is_open_to_others(host) is is_open


def test_an_address_is_itself_and_all_addresses_are_those_of_other_networks():
    assert addresses_for_others("192.0.2.1") == ["192.0.2.1"]
    for host in ("0.0.0.0", "::"):
        for address in addresses_for_others(host):
            assert is_open_to_others(address)
            assert "%" not in address
            assert "." in address or host == "::"


def test_a_port_stands_behind_the_brackets_of_ipv6():
    assert (with_port("::1", 80), with_port("localhost", 80)) == ("[::1]:80", "localhost:80")
