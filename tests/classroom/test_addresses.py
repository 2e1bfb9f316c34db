"""Addresses: whom a browser may ask for a class, and where others find it."""

import ipaddress

import pytest

from wslab.classroom.addresses import addresses_of_this_machine, is_for_us, is_from_our_page
from wslab.protocol.http import Headers, Request


def asking(host, origin=None):
    lines = [("Host", host), *([("Origin", origin)] if origin is not None else [])]
    return Request("GET", "/", Headers(tuple(lines)))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "192.168.1.5", "[::1]:8000", "localhost:8000", "a.localhost", "Teacher.local:80"]
)
def test_a_class_answers_at_addresses_and_at_its_own_name(host):
    assert is_for_us(asking(host), "teacher.local")


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "127.0.0.1.evil.example", "", "[", "localhost.evil.example", "1"]
)
def test_a_name_that_was_made_to_point_here_is_not_ours(host):
    assert not is_for_us(asking(host), "teacher.local")


@pytest.mark.parametrize(
    "origin", [None, "", "http://127.0.0.1:8000", "https://127.0.0.1:8000", "HTTP://127.0.0.1:8000"]
)
def test_our_page_and_programs_may_connect(origin):
    assert is_from_our_page(asking("127.0.0.1:8000", origin))


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://127.0.0.1:8001", "http://127.0.0.1", "127.0.0.1:8000"]
)
def test_a_foreign_page_may_not(origin):
    assert not is_from_our_page(asking("127.0.0.1:8000", origin))


def test_the_addresses_of_this_machine_are_such_that_others_can_use_them():
    found = addresses_of_this_machine()
    assert len(set(found)) == len(found)
    assert not any(ipaddress.ip_address(address).is_loopback for address in found)


def test_without_a_network_there_are_no_addresses(monkeypatch):
    monkeypatch.setattr("wslab.classroom.addresses.socket.getaddrinfo", fail)
    monkeypatch.setattr("wslab.classroom.addresses.socket.socket.connect", fail)
    assert addresses_of_this_machine() == []


def fail(*_arguments):
    raise OSError("no network")
