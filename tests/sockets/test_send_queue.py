"""SendQueue: one thread writes for all, nobody's bytes are forgotten, and a failure is told to everybody."""

import contextlib
import socket
import threading

import pytest
from support.waiting import PATIENCE, is_held, running, wait_until

from wslab import ConnectionClosed
from wslab.protocol.batch import LONG
from wslab.sockets.send_queue import MAX_BUFFERS, SendQueue
from wslab.sockets.stream import Stream, deadline_in, stream_of
from wslab.sockets.traffic import DirectionCounters


@contextlib.contextmanager
def queue_and_peer(write_timeout: float = PATIENCE):
    """A queue, and the socket at which its bytes arrive."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(PATIENCE)
        yield SendQueue(stream_of(ours), write_timeout, DirectionCounters()), theirs


def read(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += peer.recv(size - len(data))
    return data


def test_what_is_queued_is_written_in_order():
    with queue_and_peer() as (queue, peer):
        for data in [b"one ", b"", b"two ", b"three"]:
            queue.enqueue([data])
        assert len(queue) == 4
        queue.flush()

        assert peer.recv(100) == b"one two three"
        assert len(queue) == 0


@pytest.mark.parametrize("taken", range(11))
@pytest.mark.parametrize("pieces", [[b"0123456789"], [b"01", b"234567", b"89"]])
def test_what_the_system_does_not_take_at_once_is_written_as_well(pieces, taken, monkeypatch):
    with queue_and_peer() as (queue, peer):

        def write(pieces):
            monkeypatch.undo()
            return queue._stream._sock.send(b"".join(pieces)[:taken]) if taken else 0

        monkeypatch.setattr(queue._stream, "write", write)
        queue.enqueue(pieces)
        queue.flush()

        assert read(peer, 10) == b"0123456789"


@pytest.mark.skipif(not Stream.gathers, reason="this system does not write several pieces in one call")
def test_as_much_is_written_together_as_is_worth_it_and_small_pieces_are_joined_first():
    with queue_and_peer() as (queue, _):
        writes, write = [], queue._stream.write

        def noted(pieces):
            writes.append([len(piece) for piece in pieces])
            return write(pieces)

        queue._stream.write = noted
        sizes = [10, LONG, 10, LONG, *[1] * (MAX_BUFFERS + 1)]
        queue.enqueue(map(bytes, sizes))
        queue.flush()

        assert writes == [[10, LONG], [10, LONG], [MAX_BUFFERS], [1]]


def test_a_stream_that_takes_one_piece_gets_them_as_one():
    with queue_and_peer() as (queue, peer):
        queue._stream.gathers, writes, write = False, [], queue._stream.write
        queue._stream.write = lambda pieces: writes.append(pieces) or write(pieces)
        queue.enqueue([b"01", b"234567", b"89"])
        queue.flush()

        assert writes == [[b"0123456789"]]
        assert read(peer, 10) == b"0123456789"


def test_what_is_left_to_the_writing_thread_is_written_by_it():
    with queue_and_peer() as (queue, peer):
        queue.enqueue([bytes(10_000_000)])
        with running(queue.flush):
            wait_until(lambda: is_held(queue.writing))
            queue.enqueue([b"left"])
            queue.flush_nowait()
            assert len(queue) == 1

            assert read(peer, 10_000_004)[-4:] == b"left"


def test_what_is_left_in_the_moment_when_the_writing_thread_has_finished_is_written_too():
    class LateLock:
        """A lock whose owner is interrupted once, just before it lets go."""

        def __init__(self) -> None:
            self._lock, self.late = threading.RLock(), [lambda: (queue.enqueue([b"late"]), queue.flush_nowait())]
            self.acquire, self._is_owned = self._lock.acquire, self._lock._is_owned

        def release(self) -> None:
            while self.late:
                self.late.pop()()
            self._lock.release()

    with queue_and_peer() as (queue, peer):
        queue.writing = LateLock()
        queue.enqueue([b"in time, "])
        queue.flush()

        assert read(peer, 13) == b"in time, late"


def test_who_waits_for_the_writing_thread_gives_up_in_time():
    with queue_and_peer() as (queue, peer):
        queue.enqueue([bytes(10_000_000)])
        with running(queue.flush):
            wait_until(lambda: is_held(queue.writing))
            with pytest.raises(TimeoutError, match="another thread is still writing"):
                queue.flush(deadline_in(0.01))
            read(peer, 10_000_000)


def test_whose_bytes_another_thread_failed_to_write_is_told_so():
    with queue_and_peer(write_timeout=0.1) as (queue, _):
        queue.enqueue([b"mine"])
        queue.enqueue([bytes(10_000_000)])
        for _ in range(2):
            with pytest.raises(ConnectionClosed, match=r"1006 .* the peer does not read"):
                queue.flush()


def test_the_time_for_all_that_is_queued_is_not_the_time_for_each_piece():
    with queue_and_peer() as (queue, _):
        queue.enqueue([bytes(10_000_000)])
        with pytest.raises(ConnectionClosed, match="does not read"):
            queue.flush(deadline_in(0.1))


def test_the_first_reason_is_the_one_that_is_told():
    with queue_and_peer() as (queue, peer):
        queue.abort("first")
        queue.abort("second")
        assert peer.recv(1) == b""
        with pytest.raises(ConnectionClosed, match="first"):
            queue.flush()


def test_close_wakes_the_writing_thread_and_waits_for_it():
    def flush() -> None:
        with pytest.raises(ConnectionClosed, match="writing failed"):
            queue.flush()

    with queue_and_peer() as (queue, _):
        queue.enqueue([bytes(10_000_000)])
        with running(flush):
            wait_until(lambda: is_held(queue.writing))
            queue.close()


def fill_up(queue: SendQueue) -> None:
    """Write until the system takes no more."""
    while queue._stream.write([bytes(100_000)]):
        pass


def test_where_there_is_room_what_is_queued_is_written_without_waiting():
    with queue_and_peer() as (queue, peer):
        queue.enqueue([b"goodbye"])

        assert queue.try_flush()
        assert peer.recv(100) == b"goodbye"


def test_where_there_is_no_room_what_is_queued_stays_there_and_nothing_is_cut():
    with queue_and_peer() as (queue, peer):
        fill_up(queue)
        queue.enqueue([b"goodbye"])

        assert not queue.try_flush()
        assert (len(queue), queue.broken) == (1, "")
        with running(queue.flush):
            while not peer.recv(10_000_000).endswith(b"goodbye"):
                pass


def test_while_another_thread_writes_what_is_queued_is_left_to_it():
    with queue_and_peer() as (queue, _peer):
        queue.enqueue([b"goodbye"])
        with queue.writing:
            assert not queue.try_flush()
            assert len(queue) == 1


def test_when_tcp_has_ended_there_is_nothing_to_write_and_what_is_queued_nevertheless_is_refused():
    with queue_and_peer() as (queue, _):
        queue.abort("enough")
        queue.close()

        with pytest.raises(ConnectionClosed, match="enough"):
            queue.try_flush()
    with queue_and_peer() as (queue, _):
        queue.close()

        assert queue.try_flush()
