"""Acceptor: every connection is given on, whatever clients do to it, and its end comes when it is told."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from support.forks import forked, needs_fork
from support.waiting import PATIENCE, wait_until, wslab_threads

from wslab.sockets.acceptor import Acceptor


@contextlib.contextmanager
def accepting(serve: Callable[[socket.socket, tuple[str, int]], None]) -> Iterator[Acceptor]:
    """An acceptor that must leave no thread behind."""
    acceptor = Acceptor("127.0.0.1", 0, serve, "wslab-accept")
    acceptor.start()
    try:
        yield acceptor
    finally:
        acceptor.close()
        assert acceptor.wait(0)
        assert wslab_threads() == set()


def client(acceptor: Acceptor) -> socket.socket:
    return socket.create_connection(("127.0.0.1", acceptor.port), PATIENCE)


def test_every_connection_is_given_on_with_the_address_of_its_client():
    given = []

    def serve(sock: socket.socket, address: tuple[str, int]) -> None:
        given.append(address)
        sock.close()

    with accepting(serve) as acceptor:
        for _ in range(3):
            with client(acceptor) as sock:
                assert sock.recv(1) == b""
                assert given[-1] == sock.getsockname()


@pytest.mark.parametrize("error", [ConnectionResetError, OSError, ValueError])
def test_a_client_that_cannot_be_served_costs_nobody_a_pause(error, monkeypatch):
    monkeypatch.setattr("wslab.sockets.acceptor.PAUSE", 3 * PATIENCE)
    count = iter(range(100))

    def serve(sock: socket.socket, address: tuple[str, int]) -> None:
        with sock:
            if next(count) < 5:
                raise error("gone")
            sock.sendall(b"served")

    with accepting(serve) as acceptor:
        for answer in [b""] * 5 + [b"served"]:
            with client(acceptor) as sock:
                assert sock.recv(100) == answer


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_where_the_system_has_no_more_to_give_it_waits_and_then_goes_on(error, monkeypatch, caplog):
    monkeypatch.setattr("wslab.sockets.acceptor.PAUSE", 0.01)
    errors = [error]

    def serve(sock: socket.socket, address: tuple[str, int]) -> None:
        with sock:
            if errors:
                raise errors.pop()
            sock.sendall(b"served")

    with accepting(serve) as acceptor:
        for answer in (b"", b"served"):
            with client(acceptor) as sock:
                assert sock.recv(100) == answer
    assert f"a connection could not be accepted: {error}" in caplog.text


def test_closing_ends_a_pause(monkeypatch):
    monkeypatch.setattr("wslab.sockets.acceptor.PAUSE", 3 * PATIENCE)
    is_called = threading.Event()

    def serve(sock: socket.socket, address: tuple[str, int]) -> None:
        sock.close()
        is_called.set()
        raise RuntimeError("can't start new thread")

    with accepting(serve) as acceptor, client(acceptor):
        assert is_called.wait(PATIENCE)


def test_it_can_be_closed_twice_and_before_it_was_started():
    acceptor = Acceptor("127.0.0.1", 0, lambda sock, address: None, "wslab-accept")
    acceptor.close()
    acceptor.close()
    acceptor.start()  # the thread finds that it is too late
    wait_until(lambda: wslab_threads() == set())
    with pytest.raises(ConnectionRefusedError):
        client(acceptor)


def test_where_no_thread_can_be_had_nothing_stays_open(monkeypatch):
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    acceptor = Acceptor("127.0.0.1", 0, lambda sock, address: None, "wslab-accept")
    with pytest.raises(RuntimeError):
        acceptor.start()
    with pytest.raises(ConnectionRefusedError):
        client(acceptor)


@needs_fork
def test_a_fork_that_lives_on_keeps_neither_the_thread_nor_the_port():
    acceptor = Acceptor("127.0.0.1", 0, lambda sock, address: None, "wslab-accept")
    acceptor.start()
    with forked():
        acceptor.close()
        assert wslab_threads() == set()
        with pytest.raises(ConnectionRefusedError):
            client(acceptor)
        Acceptor("127.0.0.1", acceptor.port, lambda sock, address: None, "wslab-accept").close()


@needs_fork
def test_a_fork_cannot_close_what_is_not_its_own():
    with accepting(lambda sock, address: sock.close()) as acceptor, forked(acceptor.close), client(acceptor) as sock:
        assert sock.recv(1) == b""
