"""sockets: every state that a TCP connection passes on its way out is seen, and what may not be seen is told."""

import socket
import sys

import psutil
import pytest
from support.waiting import wait_until

from wslab.display.netstat.sockets import ONLY_THIS_PROCESS, TcpSocket, tcp_sockets


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
