"""Stream: a TCP or TLS socket that one thread reads while another writes, with a deadline for every wait."""

import contextlib
import errno
import os
import select
import selectors
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence

READ_SIZE = 65 * 1024  # bytes: a message of 64 KiB and its header
RECORD_SIZE = 16 * 1024  # bytes: the most that one record of TLS holds (RFC 8446 §5.1)
MOST_RECORDS = 5  # that are read together: a message of 64 KiB and its header
MAX_WAIT = 1_000_000.0  # seconds: poll counts milliseconds in 32 bits, and locks take no infinity
WAKE_INTERVAL = 0.1  # seconds: on Windows, neither Ctrl-C nor `shutdown` ends a `select`

# What waits for several: unlike epoll, poll needs no file of its own; unlike select, it takes any file descriptor.
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


def deadline_in(seconds: float | None) -> float | None:
    """Return the time, as `time.monotonic` tells it, when so many seconds will have passed; None for never."""
    return None if seconds is None else time.monotonic() + min(seconds, MAX_WAIT)


def seconds_to(deadline: float | None) -> float:
    """Return how long a lock may be waited for until `deadline`; -1 is for ever."""
    return -1 if deadline is None else min(MAX_WAIT, max(0.0, deadline - time.monotonic()))


def shut_down(sock: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    """End TCP at once, in both directions or in one, also where a fork of this process has the socket, too."""
    with contextlib.suppress(OSError):  # it may not be connected any more
        socket.socket.shutdown(sock, how)


def send_at_once(sock: socket.socket) -> None:
    """Let no byte wait until there are more of them to be sent (TCP_NODELAY)."""
    with contextlib.suppress(OSError):  # macOS refuses it if the peer has gone already, which the first read will tell
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def is_ready(
    sock: socket.socket, timeout: float | None, is_over: Callable[[], bool] = lambda: False, to_write: bool = False
) -> bool:
    """Wait until something can be read, or written, or it is the end. Return False if none of it is so in time.

    On Windows, where `shut_down` wakes nobody, `is_over` tells that it is the end.
    """
    timeout = None if timeout is None else min(max(0.0, timeout), MAX_WAIT)
    if hasattr(select, "poll"):  # unlike select, poll takes any file descriptor
        poll = _poll_for(sock, select.POLLOUT if to_write else select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))
    deadline, rest = deadline_in(timeout), WAKE_INTERVAL
    while not is_over():
        if deadline is not None:
            rest = min(WAKE_INTERVAL, seconds_to(deadline))
        if any(select.select([] if to_write else [sock], [sock] if to_write else [], [], rest)):
            return True
        if rest == 0:
            return False
    return True


def _poll_for(sock: socket.socket, event: int) -> "select.poll":
    poll = select.poll()
    poll.register(sock, event)
    return poll


class Stream:
    """The bytes of a connected TCP socket, in both directions.

    One thread at a time may read and one may write; `shutdown` wakes both, and must do so before `close`. Nothing waits
    but the two methods that say so, and an exception that ends such a wait (Ctrl-C) has lost no byte. `waits` is how
    many calls wait for something to read: more than one where a signal handler has interrupted the first. `is_over`
    says that this side has ended TCP.
    A `timeout` is in seconds, None for no limit; a `deadline` is a time of `time.monotonic`, None for never.
    """

    gathers = hasattr(socket.socket, "sendmsg")  # whether several buffers can be written in one call
    # macOS has the flag as well, and `send` waits in spite of it. The timeval of `read_waiting` is one of 64 bits.
    _now = getattr(socket, "MSG_DONTWAIT", 0) if sys.platform == "linux" and struct.calcsize("l") == 8 else 0
    can_block = bool(_now)  # whether `read_waiting` may be called

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(bool(self._now))
        self.waits = 0
        self.error = ""  # why TCP is broken, if it is
        self.is_over = False
        self._sock = sock
        self._timeout: float | None = None  # what the operating system has been told
        self._poll = _poll_for(sock, select.POLLIN).poll if hasattr(select, "poll") else None

    def await_bytes(self, timeout: float | None) -> bool:
        """Wait until there is something to read, or the end. Return False if there is nothing in time."""
        self.waits += 1
        try:
            if self._poll is not None and self.waits == 1:  # a poll object cannot wait twice
                return bool(self._poll(None if timeout is None else min(timeout, MAX_WAIT) * 1000))
            return self._wait(timeout, to_write=False)
        finally:
            self.waits -= 1

    def read(self) -> bytes | None:
        """Return what has arrived; b"" at the end, and if TCP is broken (`error` says why); None if nothing has."""
        try:
            return self._sock.recv(READ_SIZE, self._now)
        except OSError as error:
            return self._no_bytes(error)

    def _no_bytes(self, error: OSError) -> bytes | None:
        if isinstance(error, BlockingIOError | ssl.SSLWantReadError):
            return None
        if error.errno is None:  # a signal handler has raised it
            raise error
        self.error = str(error)
        return b""

    def read_waiting(self, timeout: float | None) -> bytes | None:
        """Do both at once: the operating system keeps the time, and one call fewer is needed (an echo: a sixth).

        Only for a thread in which no signal handler runs: after an exception, nobody knows whether bytes were read.
        """
        if timeout != self._timeout:
            microseconds = 0 if timeout is None else max(1, int(min(timeout, MAX_WAIT) * 1e6))  # 0 is for ever
            timeval = struct.pack("ll", *divmod(microseconds, 1_000_000))
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
            self._timeout = timeout
        self.waits += 1
        try:
            return self._sock.recv(READ_SIZE)
        except OSError as error:
            return self._no_bytes(error)
        finally:
            self.waits -= 1

    def await_room(self, deadline: float | None) -> bool:
        """Wait until something can be written. Return False if nothing can be by `deadline`."""
        return self._wait(None if deadline is None else deadline - time.monotonic(), to_write=True)

    def _wait(self, timeout: float | None, to_write: bool) -> bool:
        return is_ready(self._sock, timeout, lambda: self.is_over, to_write)

    def write(self, buffers: Sequence[bytes | memoryview]) -> int:
        """Write as much of `buffers`, one after the other, as can be written at once. Return how much that was.

        Only a stream that `gathers` takes several: a long payload and its header travel in one call without being
        copied together first (an echo of 64 KiB: 2 %). Raises OSError.
        """
        try:
            if len(buffers) == 1:
                return self._sock.send(buffers[0], self._now)
            return self._sock.sendmsg(buffers, (), self._now)
        except BlockingIOError:
            return 0

    def fault(self) -> str:
        """Why TCP is broken, if it is, although there may be more to read."""
        number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return os.strerror(number) if number else ""

    def end_writing(self) -> None:
        """Tell the peer that nothing more will come. What is read from now on is good for nothing but its end."""
        self._sock.shutdown(socket.SHUT_WR)

    def shutdown(self) -> None:
        """End TCP at once, in both directions, unless that is done; the threads that read or write are woken."""
        if not self.is_over:
            shut_down(self._sock)
            self.is_over = True

    def close(self) -> None:
        """Give the socket back; nothing may use it any more."""
        self._sock.close()


class TLSStream(Stream):
    """A stream through TLS, which may have to write before it can read, and read before it can write."""

    gathers, can_block, _now = False, True, 0

    def __init__(self, sock: ssl.SSLSocket) -> None:
        super().__init__(sock)
        self._tls = sock
        self._receive: Callable[[int], bytes] = sock.recv
        self._lock = threading.RLock()  # OpenSSL must not read and write one connection at the same time
        self._must_write_to_read = self._must_read_to_write = False

    def await_bytes(self, timeout: float | None) -> bool:
        """As `Stream.await_bytes`; what OpenSSL has decrypted already need not be waited for."""
        if self._must_write_to_read:
            return self._wait(timeout, to_write=True)
        return bool(self._tls.pending()) or super().await_bytes(timeout)

    def read(self) -> bytes | None:
        """As `Stream.read`. Of a message of several records, all that are there are taken (64 KiB: a third faster)."""
        data = self._read_record()
        if data is None or len(data) < RECORD_SIZE:
            return data
        pieces = [data]
        while len(pieces[-1]) == RECORD_SIZE and len(pieces) < MOST_RECORDS and (data := self._read_record()):
            pieces.append(data)
        return b"".join(pieces)

    def _read_record(self) -> bytes | None:
        self._must_write_to_read = False
        try:
            with self._lock:
                return self._receive(RECORD_SIZE)
        except ssl.SSLWantWriteError:
            self._must_write_to_read = True
            return None
        except OSError as error:
            return self._no_bytes(error)

    def read_waiting(self, timeout: float | None) -> bytes | None:
        """As `Stream.read_waiting`: the next record has often arrived with the one before (16 KiB in flight: a fifth).

        Unlike there, nothing is waited for in `recv`.
        """
        deadline = deadline_in(timeout)
        while (data := self.read()) is None and self.await_bytes(None if deadline is None else seconds_to(deadline)):
            pass
        return data

    def await_room(self, deadline: float | None) -> bool:
        """As `Stream.await_room`."""
        timeout = None if deadline is None else deadline - time.monotonic()
        return self._wait(timeout, to_write=not self._must_read_to_write)

    def write(self, buffers: Sequence[bytes | memoryview]) -> int:
        """As `Stream.write`, for one buffer."""
        with self._lock:
            try:
                return self._sock.send(buffers[0])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                self._must_read_to_write = isinstance(error, ssl.SSLWantReadError)
                if self._tls.version() is None:
                    raise ConnectionAbortedError(errno.ECONNABORTED, "the TLS handshake was not finished") from None
                return 0

    def end_writing(self) -> None:
        """As `Stream.end_writing`."""
        with self._lock:
            with contextlib.suppress(OSError, ValueError):  # the close_notify is out, or TLS is broken
                self._tls.unwrap()
            self._receive = super(ssl.SSLSocket, self._tls).recv
            socket.socket.shutdown(self._sock, socket.SHUT_WR)


def stream_of(sock: socket.socket) -> Stream:
    """Return the stream that suits `sock`."""
    return TLSStream(sock) if isinstance(sock, ssl.SSLSocket) else Stream(sock)
