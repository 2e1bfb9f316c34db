"""Talker: a function for each TCP connection, and an end for all of them."""

import logging
import socket
import threading

import pytest

from wslab.labs.talker import Talker


def echo(sock):
    while piece := sock.recv(4096):
        sock.sendall(piece)


def connect_to(talker):
    return socket.create_connection(("127.0.0.1", talker.port), timeout=20)


def test_each_connection_gets_a_talk_of_its_own():
    with Talker(echo) as talker, connect_to(talker) as first, connect_to(talker) as second:
        second.sendall(b"two")
        assert second.recv(4096) == b"two"
        first.sendall(b"one")
        assert first.recv(4096) == b"one"


def test_a_function_that_returns_ends_its_connection():
    with Talker(lambda sock: sock.sendall(b"bye")) as talker, connect_to(talker) as sock:
        assert sock.recv(4096) == b"bye"
        assert sock.recv(4096) == b""


def test_what_it_raises_is_logged_and_ends_this_connection_only(caplog):
    def fail(sock):
        if sock.recv(4096) == b"fail":
            raise ValueError("on purpose")
        sock.sendall(b"fine")

    caplog.set_level(logging.INFO, "wslab")
    with Talker(fail) as talker:
        with connect_to(talker) as sock:
            sock.sendall(b"fail")
            assert sock.recv(4096) == b""
        with connect_to(talker) as sock:
            sock.sendall(b"go on")
            assert sock.recv(4096) == b"fine"
    assert "on purpose" in caplog.text


def test_closing_ends_open_connections_and_the_port():
    talker = Talker(echo).start()
    port = talker.port
    assert talker.start().port == port
    with connect_to(talker) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        talker.close()
        talker.close()
        assert sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)
    for thread in threading.enumerate():
        if thread.name in ("wslab-talker", "wslab-talk"):
            thread.join(20)
            assert not thread.is_alive()
