"""Acceptor: every connection is given on, whatever clients do to it, and its end comes when it is told."""

import contextlib
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from IPython.core.interactiveshell import InteractiveShell
from support.forks import forked, needs_fork
from support.interrupted_lines import interrupted_at_each_line, needs_lines_of_311
from support.raw_peer import RawPeer, fresh_port
from support.waiting import PATIENCE, wait_until, wslab_threads
from traitlets.config import Config

from wslab import ConnectionClosed, EchoServer, Limits, Tap, connect
from wslab.sockets.acceptor import Acceptor, listening

pytestmark = pytest.mark.usefixtures("swept")


class Place:
    """What an acceptor needs to know of a server."""

    def __init__(self, port: int = 0) -> None:
        self.host, self.port = "127.0.0.1", port

    def close(self) -> None:
        """Nothing else is to be closed."""


@contextlib.contextmanager
def accepting(serve: Callable[[socket.socket, tuple[str, int]], None]) -> Iterator[Acceptor]:
    """An acceptor that must leave no thread behind."""
    acceptor = Acceptor(Place(), serve, "wslab-accept")
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


@pytest.mark.parametrize("port", [-1, 65536, 70_000, "80", 1.5, float("nan")])
@pytest.mark.parametrize("make", [EchoServer, lambda port: Tap("127.0.0.1:1", port=port)])
def test_what_is_no_port_is_refused_and_not_taken_for_another_one(make, port):
    with pytest.raises(ValueError, match=rf"^a port is a number from 0 to 65535, not {port!r}$"):
        make(port=port).start()


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
    acceptor = Acceptor(Place(), lambda sock, address: None, "wslab-accept")
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
    for owner in (EchoServer(port=fresh_port()), Tap("127.0.0.1:1", port=fresh_port())):
        with pytest.raises(RuntimeError):
            owner.start()
        with pytest.raises(ConnectionRefusedError):
            client(owner)
        assert listening() == []


# Cells that are run again


@pytest.fixture
def run_cell():
    """Runs code as a notebook does, in a namespace that stays."""
    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=settings)

    def run(code: str):
        result = shell.run_cell(code, store_history=True)
        result.raise_error()
        return result.result

    run("import wslab")
    yield run
    for owner in listening():
        owner.close()
    InteractiveShell.clear_instance()


REPLACED = "what an earlier cell had started on port {} was closed, and this has taken its place"


@pytest.mark.parametrize("forget", ["", "server = None", "del server"])
def test_a_cell_that_is_run_again_replaces_its_server(run_cell, forget):
    port = fresh_port()
    cell = f"server = wslab.EchoServer(port={port}).start()"
    run_cell(cell)
    (old,) = listening()
    with connect(f"ws://127.0.0.1:{port}/") as connection, ThreadPoolExecutor(1) as client:
        received = client.submit(connection.receive)
        run_cell(forget)
        with pytest.warns(UserWarning, match=REPLACED.format(port)):
            run_cell(cell)
        with pytest.raises(ConnectionClosed, match="1001"):
            received.result(PATIENCE)
    assert not old.is_listening
    with connect(f"ws://127.0.0.1:{port}/") as connection:
        connection.send("Hello")
        assert connection.receive() == "Hello"
    run_cell("server.close()")
    assert listening() == []


def test_a_tap_is_replaced_as_well_and_a_server_is_not_replaced_by_a_tap(run_cell):
    port = fresh_port()
    tap = f"tap = wslab.Tap('127.0.0.1:1', port={port}).start()"
    run_cell(tap)
    with pytest.warns(UserWarning, match=REPLACED.format(port)):
        run_cell(tap)
    with pytest.raises(OSError, match="a server or tap of this program has it"):
        run_cell(f"wslab.EchoServer(port={port}).start()")
    assert [type(owner) for owner in listening()] == [Tap]


def test_within_a_cell_and_where_another_has_chosen_its_port_freely_nothing_is_replaced(run_cell):
    port = fresh_port()
    with pytest.raises(OSError, match="a server or tap of this program has it"):
        run_cell(f"both = [wslab.EchoServer(port={port}).start() for _ in range(2)]")
    run_cell("any_port = wslab.EchoServer().start()")
    with pytest.raises(OSError, match="a server or tap of this program has it"):
        run_cell("wslab.EchoServer(port=any_port.port).start()")
    assert len(listening()) == 2


def test_what_a_part_of_the_old_server_has_raised_does_not_hinder_the_new_one(run_cell):
    port = fresh_port()
    cell = f"server = wslab.EchoServer(port={port}, codec=wslab.Codec(parse_frame=lambda data: 1 / 0)).start()"
    run_cell(cell)
    with connect(f"ws://127.0.0.1:{port}/") as connection:
        connection.send("Hello")
        with pytest.raises(ConnectionClosed):
            connection.receive()
    with pytest.warns(UserWarning, match=REPLACED.format(port)):
        run_cell(cell)
    assert len(listening()) == 1


def test_outside_of_a_notebook_the_second_is_refused_and_told_who_has_the_port():
    with EchoServer(port=fresh_port()) as server:
        with pytest.raises(OSError, match="a server or tap of this program has it"):
            EchoServer(port=server.port).start()
        assert server.is_listening


# Forks


@needs_fork
def test_a_fork_that_lives_on_keeps_neither_the_thread_nor_the_port():
    acceptor = Acceptor(Place(), lambda sock, address: None, "wslab-accept")
    acceptor.start()
    with forked():
        acceptor.close()
        assert wslab_threads() == set()
        with pytest.raises(ConnectionRefusedError):
            client(acceptor)
        Acceptor(Place(acceptor.port), lambda sock, address: None, "wslab-accept").close()


@needs_fork
def test_a_fork_cannot_close_what_is_not_its_own():
    with accepting(lambda sock, address: sock.close()) as acceptor, forked(acceptor.close), client(acceptor) as sock:
        assert sock.recv(1) == b""


# The same port again


@pytest.mark.parametrize("kind", [EchoServer, lambda port=0: Tap("127.0.0.1:1", port=port)], ids=["server", "tap"])
def test_one_that_no_name_refers_to_any_more_can_be_found_and_closed_as_the_error_says(kind):
    first = kind().start()
    second = kind(port=first.port)
    with pytest.raises(OSError, match="already in use: a server or tap of this program has it") as error:
        second.start()
    del first
    gc.collect()
    exec("import wslab\n" + str(error.value).rpartition("any more: ")[2])
    assert listening() == []
    second.start()
    assert listening() == [second]
    second.close()


def test_a_port_that_another_program_has_is_the_systems_error():
    with socket.create_server(("127.0.0.1", 0)) as other, EchoServer():
        server = EchoServer(port=other.getsockname()[1])
        with pytest.raises(OSError, match="already in use") as error:
            server.start()
    assert "of this program" not in str(error.value)


# Interrupts

closes_what_nobody_refers_to = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@closes_what_nobody_refers_to
@needs_lines_of_311
def test_an_interrupt_in_any_line_of_start_leaves_a_server_that_can_be_started_or_closed():
    for server in interrupted_at_each_line("acceptor.py", "server.py", prepare=EchoServer, act=EchoServer.start):
        server.start()
        with connect(server.url) as connection:
            connection.send("Hello")
            assert connection.receive() == "Hello"
        server.close()
        wait_until(lambda: wslab_threads() == set())


@closes_what_nobody_refers_to
@needs_lines_of_311
def test_an_interrupt_in_any_line_of_close_leaves_a_server_that_can_be_closed():
    with contextlib.ExitStack() as peers:

        def serving() -> EchoServer:
            server = EchoServer(limits=Limits(close_timeout=0.02)).start()
            peers.enter_context(RawPeer.upgraded(server))
            return server

        files = "acceptor.py", "stream.py", "server.py", "threading.py"
        for server in interrupted_at_each_line(*files, prepare=serving, act=EchoServer.close):
            server.close()
            wait_until(lambda: wslab_threads() == set())
            assert not server.is_listening
            with pytest.raises(ConnectionRefusedError):
                connect(server.url)
