"""Ctrl-C at any step of a call leaves a connection that works, or one that says that it was interrupted."""

import contextlib
import gc
import signal
import socket
import sys
import threading
from random import Random

import pytest
from support.interrupts import Interruption, every_interrupt, held_locks
from support.waiting import PATIENCE, running

from wslab import ConnectionClosed, EchoServer, PermessageDeflate, Protocol, Recording, Role, State, connect
from wslab.protocol.events import Binary, Close, Ping, Text
from wslab.sockets.connection import Connection

# That the garbage collector closes a socket, which an interrupted call has left to it, is a warning.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("swept"),
]

DEFLATE = PermessageDeflate()
OTHER = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}

both_roles = pytest.mark.parametrize("role", Role)
with_and_without_deflate = pytest.mark.parametrize("deflate", [None, DEFLATE], ids=["plain", "deflate"])
with_and_without_recording = pytest.mark.parametrize("records", [False, True], ids=["", "recording"])
# Each test takes some of the steps, and those that are marked as slow all of them, and each moment of a real signal.
some_and_all_steps = pytest.mark.parametrize(
    ("opcodes", "every"),
    [
        pytest.param(False, 17, id="some lines"),
        pytest.param(False, 1, marks=pytest.mark.slow, id="all lines"),
        pytest.param(True, 1, marks=pytest.mark.slow, id="all signals"),
    ],
)


class Peer:
    """The other end of a connection, in the same thread: a protocol and a bare socket."""

    def __init__(self, sock: socket.socket, role: Role, deflate: PermessageDeflate | None) -> None:
        self.sock = sock
        self.protocol = Protocol(role, state=State.OPEN, permessage_deflate=deflate)

    def say(self) -> None:
        self.sock.sendall(self.protocol.data_to_send())

    def hear(self) -> list[object]:
        """Everything that has arrived up to now, or up to the end of TCP."""
        heard: list[object] = []
        self.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while data := self.sock.recv(65536):
                heard += self.protocol.receive_data(data)
                while self.protocol.withheld:
                    heard += self.protocol.receive_data()
        return heard


@contextlib.contextmanager
def joined(role: Role, deflate: PermessageDeflate | None, records: bool):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        protocol = Protocol(role, state=State.OPEN, permessage_deflate=deflate)
        connection = Connection(
            ours,
            protocol,
            remote_address=("127.0.0.1", 1),
            timeout=PATIENCE,
            close_timeout=1.0,
            recording=Recording() if records else None,
        )
        yield connection, Peer(theirs, OTHER[role], deflate)
        connection.abort()


def is_sound(connection: Connection) -> bool:
    """Whether the connection is open; if not, it must say that it was interrupted. No lock may be left."""
    transport = connection._transport
    assert held_locks(transport.lock, transport.reading, transport.send_queue.writing) == 0
    assert connection.error is None
    if connection.is_open:
        return True
    assert connection.close_code == 1006
    with pytest.raises(ConnectionClosed, match=r"1006 .*interrupted"):
        connection.send("more")
    return False


SENDING = {
    "send": lambda connection: connection.send("text 1"),
    "send_many": lambda connection: connection.send_many(["text 1", b"binary 2"]),
    "send long": lambda connection: connection.send("text 1" * 20_000),
    "send_fragment": lambda connection: (connection.send_fragment("text "), connection.send_fragment("1", fin=True)),
    "ping": lambda connection: connection.ping(b"ping 1"),
}
SENT = {
    "send": [Text("text 1")],
    "send_many": [Text("text 1"), Binary(b"binary 2")],
    "send long": [Text("text 1" * 20_000)],
    "send_fragment": [Text("text 1")],
    "ping": [Ping(b"ping 1")],
}


def sending(call: str, role: Role, deflate: PermessageDeflate | None, records: bool):
    """Send once while it is interrupted, and if that left a connection that works, once more."""

    def scenario(interruption: Interruption) -> None:
        with joined(role, deflate, records) as (connection, peer):
            with interruption.armed():
                SENDING[call](connection)
            if is_sound(connection):
                with contextlib.suppress(ValueError):  # a fragment has been sent, and the message is still open
                    connection.send("after")
                heard = peer.hear()
                assert heard in (SENT[call] + [Text("after")], [Text("after")], [])
                assert heard or call == "send_fragment"
            else:
                assert peer.hear() in (SENT[call], [])

    return scenario


@some_and_all_steps
@both_roles
@with_and_without_deflate
@with_and_without_recording
@pytest.mark.parametrize("call", SENDING)
def test_what_is_sent_is_sent_once_or_not_at_all(call, role, deflate, records, opcodes, every):
    assert every_interrupt(sending(call, role, deflate, records), opcodes, every) > 20


@both_roles
@with_and_without_deflate
@pytest.mark.parametrize("call", SENDING)
@pytest.mark.parametrize("error", [RuntimeError, ValueError, TimeoutError])
def test_a_signal_handler_may_raise_what_looks_like_a_mistake_or_like_a_fault_of_the_system(error, call, role, deflate):
    """As one that raises TimeoutError, which `signal.alarm` calls in time, limits the time of anything."""
    assert every_interrupt(sending(call, role, deflate, False), every=9, error=error) > 20


def say_something(peer: Peer) -> None:
    peer.protocol.send_text("text 1")
    peer.protocol.ping(b"ping 2")
    peer.protocol.send_bytes(b"binary 3")
    peer.say()


RECEIVING = {
    "receive": lambda connection: [connection.receive()],
    "receive_many": lambda connection: connection.receive_many(),
    "receive_event": lambda connection: [connection.receive_event().data],
    "next": lambda connection: [next(iter(connection))],
}


def receiving(call: str, role: Role, deflate: PermessageDeflate | None, records: bool):
    """Receive once while it is interrupted, and if that left a connection that works, everything else."""

    def scenario(interruption: Interruption) -> None:
        with joined(role, deflate, records) as (connection, peer):
            say_something(peer)
            got = []
            with interruption.armed():
                got = RECEIVING[call](connection)
            if is_sound(connection):
                connection.send("after")
                peer.protocol.send_text("text 4")
                peer.say()
                while not got or got[-1] != "text 4":
                    got.append(connection.receive())
                assert got == ["text 1", b"binary 3", "text 4"]
                assert sorted(map(str, peer.hear())) == ["Pong(payload=b'ping 2')", "Text(data='after')"]
            else:
                got += list(connection)
                assert got == ["text 1", b"binary 3"][: len(got)]

    return scenario


@some_and_all_steps
@both_roles
@with_and_without_deflate
@with_and_without_recording
@pytest.mark.parametrize("call", RECEIVING)
def test_what_is_received_is_received_once_while_the_connection_is_open(call, role, deflate, records, opcodes, every):
    assert every_interrupt(receiving(call, role, deflate, records), opcodes, every) > 20


@both_roles
@pytest.mark.parametrize("call", RECEIVING)
@pytest.mark.parametrize("error", [RuntimeError, ValueError, OSError])
def test_what_a_signal_handler_raises_is_not_taken_for_a_fault_of_the_peer_or_the_system(error, call, role):
    assert every_interrupt(receiving(call, role, DEFLATE, False), every=9, error=error) > 20


@some_and_all_steps
@both_roles
@with_and_without_deflate
def test_an_iterator_goes_on_after_an_interrupt(role, deflate, opcodes, every):
    def scenario(interruption: Interruption) -> None:
        with joined(role, deflate, False) as (connection, peer):
            say_something(peer)
            messages, got = iter(connection), []
            with interruption.armed():
                got.append(next(messages))
            if is_sound(connection):
                while len(got) < 2:
                    got.append(next(messages))
                assert got == ["text 1", b"binary 3"]

    assert every_interrupt(scenario, opcodes, every) > 20


@some_and_all_steps
@both_roles
@with_and_without_deflate
@with_and_without_recording
def test_a_close_that_is_interrupted_can_be_done_again_and_ends_tcp(role, deflate, records, opcodes, every):
    def scenario(interruption: Interruption) -> None:
        with joined(role, deflate, records) as (connection, peer):
            peer.protocol.send_text("text 1")
            peer.protocol.close(1000)
            peer.say()
            peer.sock.shutdown(socket.SHUT_WR)
            with interruption.armed():
                connection.close()
            connection.close()

            assert connection.state is State.CLOSED
            assert connection.close_code in (1000, 1006)
            assert connection._transport.stream._sock.fileno() == -1
            assert list(connection) in (["text 1"], [])
            transport = connection._transport
            assert held_locks(transport.lock, transport.reading, transport.send_queue.writing) == 0
            assert [event for event in peer.hear() if not isinstance(event, Close)] == []

    assert every_interrupt(scenario, opcodes, every) > 20


@some_and_all_steps
@both_roles
def test_an_abort_that_is_interrupted_can_be_done_again(role, opcodes, every):
    def scenario(interruption: Interruption) -> None:
        with joined(role, None, False) as (connection, _):
            with interruption.armed():
                connection.abort()
            connection.abort()
            assert connection._transport.stream._sock.fileno() == -1

    assert every_interrupt(scenario, opcodes, every) > 10


@pytest.mark.slow
@with_and_without_deflate
def test_after_a_connect_that_is_interrupted_another_connects(deflate):
    with EchoServer() as server:

        def scenario(interruption: Interruption) -> None:
            with interruption.armed(), connect(server.url, deflate=bool(deflate), timeout=PATIENCE):
                pass

        every_interrupt(scenario, every=17)
        with connect(server.url, deflate=bool(deflate), timeout=PATIENCE) as connection:
            connection.send("still there?")
            assert connection.receive() == "still there?"
    gc.collect()


# Signal handlers


@contextlib.contextmanager
def on_signal(handler, interval=0.0):
    """Call `handler` in this thread a little later, and again at each interval."""
    before = signal.signal(signal.SIGALRM, lambda number, frame: handler())
    signal.setitimer(signal.ITIMER_REAL, 0.02, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("call", ["receive", "receive_many", "close"])
def test_a_signal_handler_may_close_the_connection_that_its_own_thread_waits_for(call):
    with joined(Role.CLIENT, None, False) as (connection, peer):
        peer.protocol.close(1001, "enough")

        def close() -> None:
            peer.say()
            peer.sock.shutdown(socket.SHUT_WR)
            connection.close(1001, "enough")

        with on_signal(close), contextlib.suppress(ConnectionClosed):
            getattr(connection, call)(timeout=PATIENCE)

        assert (connection.state, connection.close_code) == (State.CLOSED, 1001)
        assert connection._transport.stream._sock.fileno() == -1


@both_roles
def test_a_signal_handler_may_abort_the_connection_that_its_own_thread_waits_for(role):
    with joined(role, None, False) as (connection, _):
        with on_signal(connection.abort), pytest.raises(ConnectionClosed, match="this side has cut it off"):
            connection.receive()

        assert (connection.state, connection.close_code) == (State.CLOSED, 1006)


def test_a_signal_handler_may_abort_the_connection_that_its_own_thread_writes_to():
    with joined(Role.CLIENT, None, False) as (connection, _):
        with on_signal(connection.abort), pytest.raises(ConnectionClosed, match="this side has cut it off"):
            connection.send(bytes(10_000_000))

        connection.close()
        assert connection._transport.stream._sock.fileno() == -1


def test_a_signal_handler_may_send_and_receive_while_its_own_thread_waits():
    with joined(Role.CLIENT, None, False) as (connection, peer):

        def talk() -> None:
            peer.protocol.send_text("text 1")
            peer.say()
            connection.send(connection.receive())
            peer.protocol.send_text("text 2")
            peer.say()

        with on_signal(talk):
            assert connection.receive() == "text 2"

        assert peer.hear() == [Text("text 1")]


@pytest.mark.parametrize("call", ["close", "abort", "send", "receive"])
@both_roles
def test_a_signal_handler_that_interrupts_the_work_itself_does_not_wait_for_it(role, call):
    def handler(connection: Connection) -> None:
        with contextlib.suppress(RuntimeError, ConnectionClosed, TimeoutError):
            connection.send("from the handler") if call == "send" else getattr(connection, call)()

    def scenario(interruption: Interruption) -> None:
        with joined(role, None, False) as (connection, peer):
            connection.timeout = connection._transport.close_timeout = 0.01
            interruption.act = lambda: handler(connection)
            say_something(peer)
            got = []
            with interruption.armed(), contextlib.suppress(ConnectionClosed, TimeoutError):
                connection.send("text 1")
                got.append(connection.receive())
            assert connection.error is None
            assert got in ([], ["text 1"], [b"binary 3"])
            transport = connection._transport
            assert held_locks(transport.lock, transport.reading, transport.send_queue.writing) == 0
            heard = peer.hear()
            assert heard.count(Text("text 1")) <= 1
            assert heard.count(Text("from the handler")) <= 1

    assert every_interrupt(scenario, every=11) > 20


@both_roles
def test_a_connection_that_a_signal_handler_has_cut_off_in_the_middle_of_a_call_is_closed(role):
    def scenario(interruption: Interruption) -> None:
        with joined(role, None, False) as (connection, _):
            interruption.act = connection.abort
            with interruption.armed(), contextlib.suppress(ConnectionClosed):
                connection.send("text 1")
            if interruption.where:
                assert (connection.state, connection.is_open) == (State.CLOSED, False)

    assert every_interrupt(scenario, every=3) > 20


@pytest.mark.slow
@pytest.mark.parametrize("records", [False, True], ids=["", "recording"])
@pytest.mark.parametrize("deflate", [False, True], ids=["plain", "deflate"])
def test_five_hundred_interrupts_under_load_leave_no_connection_that_lies(deflate, records):
    """Real ones, 2,000 in all: each comes some time during an echo, and after it the same connection is used again."""
    random, sound, cut, reasons = Random(1), 0, 0, set()
    with EchoServer() as server, contextlib.ExitStack() as stack:
        connection: Connection | None = None
        while sound + cut < 500:
            if connection is None or not connection.is_open:
                recording = Recording() if records else None
                connection = stack.enter_context(connect(server.url, deflate=deflate, recording=recording, timeout=5.0))
                sent = received = 0
            before = signal.signal(signal.SIGALRM, signal.default_int_handler)
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.004))
                while True:
                    connection.send(str(sent))
                    sent += 1
                    number = int(connection.receive())
                    assert received <= number <= sent
                    received = number + 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            try:
                connection.send("after")
                while connection.receive() != "after":
                    pass
                sound += 1
            except ConnectionClosed as error:
                reasons.add(str(error).rpartition(": ")[2])
                cut += 1
            assert connection.error is None
    assert reasons == {"interrupted"}
    assert sound


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_an_alarm_limits_the_time_of_connect_as_of_everything_else(timeout):
    def alarm() -> None:
        raise TimeoutError("the alarm")

    with socket.create_server(("127.0.0.1", 0)) as silent, on_signal(alarm), pytest.raises(TimeoutError, match="alarm"):
        connect(f"ws://127.0.0.1:{silent.getsockname()[1]}/", timeout=timeout)


def test_a_wait_ends_at_its_deadline_however_often_signals_interrupt_it():
    def count() -> None:
        signals.append(0)
        if len(signals) > 1000:
            raise AssertionError("the deadline was forgotten")

    signals: list[int] = []
    with joined(Role.CLIENT, None, False) as (connection, _):
        with on_signal(count, interval=0.01), pytest.raises(TimeoutError):
            connection.receive(timeout=0.1)

        assert signals


# The tools


def test_interrupts_leave_no_exception_to_the_tests_that_follow():
    assert sys.exc_info() == (None, None, None)


def test_the_locks_of_a_thread_are_seen_by_another():
    lock = threading.RLock()
    with lock:
        assert held_locks(lock) == 1
    assert held_locks(lock) == 0


def test_a_step_that_is_interrupted_is_one_of_wslab():
    with joined(Role.CLIENT, None, False) as (connection, _), running(lambda: None):
        with Interruption(3).armed() as interruption:
            connection.send("text")
        assert interruption.where.partition(":")[0] in ("connection.py", "transport.py")
