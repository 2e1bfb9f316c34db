"""Lesson 11 in false worlds: a port for each client, a program that closes, and a client that ends TCP first."""

import pytest
from support.false_worlds import changed_cells

pytestmark = pytest.mark.slow  # each world runs a kernel

LESSON = "11-watching-connections"

A_PORT_FOR_EACH_CLIENT = """
servers, connect = [], wslab.connect
def connect_elsewhere(url, **options):
    servers.append(wslab.EchoServer().start())
    return connect(servers[-1].url, **options)
wslab.connect = connect_elsewhere
"""

THE_PROGRAM_CLOSES = """
class Closing:
    def __init__(self, listener):
        self.listener = listener
    def accept(self):
        sock, address = self.listener.accept()
        sock.close()
        return sock, address
    def close(self):
        self.listener.close()
listener = Closing(listener)
"""

THE_CLIENT_ENDS_TCP_FIRST = """
slow.close()
def look(port):
    print(*[line for line in lines(server.port) if "TIME_WAIT" in line and "SLOW" in line], sep="\\n")
class Closed:
    def sendall(self, data):
        pass
    def recv(self, size):
        return b""
    def getsockname(self):
        return ["", 0]
slow = Closed()
"""


def test_a_server_with_a_port_for_each_client_is_seen():
    assert "cell-06" in changed_cells(LESSON, A_PORT_FOR_EACH_CLIENT, until="cell-06", after="cell-02")


def test_a_program_that_closes_leaves_no_pile():
    assert "cell-46" in changed_cells(LESSON, THE_PROGRAM_CLOSES, until="cell-46", after="cell-41")


def test_a_client_that_ends_tcp_first_has_the_time_wait():
    says = changed_cells(LESSON, THE_CLIENT_ENDS_TCP_FIRST, until="cell-76", after="cell-74")["cell-76"]
    assert says.splitlines()[1].split() == ["tcp4", "127.0.0.1.SLOW", "127.0.0.1.SERVER", "TIME_WAIT"]
