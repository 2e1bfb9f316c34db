"""TornadoServer: Tornado answers and echoes, and leaves nothing behind."""

import socket
import threading

import pytest

import wslab
from wslab.labs.tornado_server import TornadoServer


@pytest.mark.parametrize("message", ["Hello", b"\x00\xff"], ids=repr)
def test_it_sends_every_message_back_as_it_came(message):
    with TornadoServer() as server, wslab.connect(server.url) as client:
        client.send(message)
        assert client.receive() == message


def test_it_is_tornado_that_answers():
    with TornadoServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = sock.recv(4096)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"Server: TornadoServer" in head


def test_starting_twice_and_closing_twice_is_once():
    server = TornadoServer().start()
    port = server.port
    assert server.start().port == port
    server.close()
    server.close()
    assert server.port == 0
    assert "wslab-tornado" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)


def test_a_server_that_was_closed_can_be_started_again():
    server = TornadoServer()
    for _ in range(2):
        with server, wslab.connect(server.url) as client:
            client.send("again")
            assert client.receive() == "again"
