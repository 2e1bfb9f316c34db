"""sockets: every state that a TCP connection passes on its way out is seen, and what may not be seen is told."""

import socket
import sys

import psutil
import pytest
from support.waiting import wait_until

from wslab.display.netstat import sockets as sockets_module
from wslab.display.netstat.sockets import ONLY_THIS_PROCESS, TcpSocket, fresh_port, sockets_of, tcp_sockets


def state(local: socket.socket | int, remote: socket.socket | int) -> str | None:
    """The state of the socket between these two ports."""
    ports = [it if isinstance(it, int) else it.getsockname()[1] for it in (local, remote)]
    listed, _ = tcp_sockets()
    return next((it.state for it in listed if it.remote and [it.local[1], it.remote[1]] == ports), None)


@pytest.mark.skipif(
    sys.platform == "darwin", reason="TIME_WAIT is in the list of the whole machine only: it takes root"
)
def test_a_connection_is_seen_from_listen_to_time_wait():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert TcpSocket(listener.getsockname(), None, "LISTEN") in tcp_sockets()[0]
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client_port, server_port = client.getsockname()[1], server.getsockname()[1]
        with client, server:
            assert state(client, server) == state(server, client) == "ESTABLISHED"

            client.shutdown(socket.SHUT_WR)
            assert server.recv(1) == b""
            wait_until(lambda: state(client, server) == "FIN_WAIT2")
            assert state(server, client) == "CLOSE_WAIT"

            server.close()
            assert client.recv(1) == b""
        wait_until(lambda: state(client_port, server_port) == "TIME_WAIT")
        assert state(server_port, client_port) is None


def test_a_socket_that_two_processes_share_is_listed_once(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        [ours] = [it for it in psutil.Process().net_connections("tcp") if it.laddr == listener.getsockname()]
        monkeypatch.setattr(psutil, "net_connections", lambda kind: [ours, ours])

        assert tcp_sockets() == ([TcpSocket(listener.getsockname(), None, "LISTEN")], "")


def test_where_the_machine_may_not_be_listed_this_process_is_and_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr(psutil, "net_connections", denied)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listed, note = tcp_sockets()

        assert TcpSocket(listener.getsockname(), None, "LISTEN") in listed
        assert note == ONLY_THIS_PROCESS


def test_where_nothing_may_be_listed_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(psutil, "net_connections", denied)
    monkeypatch.setattr(psutil.Process, "net_connections", denied)

    with pytest.raises(OSError, match=r"^this system does not let its TCP sockets be listed: "):
        tcp_sockets()


def test_without_psutil_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)

    with pytest.raises(ImportError, match="listing sockets needs psutil; run: pip install psutil"):
        tcp_sockets()


def denied(*_arguments):
    raise psutil.AccessDenied


def test_the_sockets_of_a_port_are_those_with_it_at_either_end():
    port = fresh_port()
    with (
        socket.create_server(("127.0.0.1", port)) as listener,
        socket.create_connection(("127.0.0.1", port)),
        listener.accept()[0],
    ):
        assert sorted(it.state for it in sockets_of(port)) == ["ESTABLISHED", "ESTABLISHED", "LISTEN"]


def test_a_state_that_passes_is_waited_for_and_one_that_stays_is_told(monkeypatch):
    leaving = TcpSocket(("127.0.0.1", 80), ("127.0.0.1", 4000), "LAST_ACK")
    lists = iter([[leaving], []])
    monkeypatch.setattr(sockets_module, "tcp_sockets", lambda: (next(lists), ""))
    assert sockets_of(80) == []

    monkeypatch.setattr(sockets_module, "tcp_sockets", lambda: ([leaving], ""))
    with pytest.raises(TimeoutError, match="port 80 still has a socket"):
        sockets_of(80, timeout=0.05)


def test_a_fresh_port_is_not_one_that_the_list_still_has(monkeypatch):
    ports = [40_001, 40_002]

    class Bound:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def bind(self, address):
            self.address = address[0], ports.pop(0)

        def getsockname(self):
            return self.address

    left = TcpSocket(("127.0.0.1", 80), ("127.0.0.1", 40_001), "TIME_WAIT")
    monkeypatch.setattr(sockets_module, "tcp_sockets", lambda: ([left], ""))
    monkeypatch.setattr(sockets_module.socket, "socket", Bound)
    assert fresh_port() == 40_002
