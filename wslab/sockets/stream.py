"""Stream: a TCP or TLS socket that one thread reads while another writes, with a deadline for every wait."""

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence

READ_SIZE = 65 * 1024  # bytes: a message of 64 KiB and its header
LATE = "nothing moved in time"
MAX_WAIT = 1_000_000.0  # seconds: poll counts milliseconds in 32 bits


def deadline_in(seconds: float | None) -> float | None:
    """The time, as `time.monotonic` tells it, when so many seconds will have passed; None for never."""
    return None if seconds is None else time.monotonic() + min(seconds, MAX_WAIT)


def seconds_to(deadline: float | None) -> float:
    """How long a lock may be waited for until `deadline`; -1 is for ever."""
    return -1 if deadline is None else max(0.0, deadline - time.monotonic())


class Stream:
    """The bytes of a connected TCP socket, in both directions.

    One thread at a time may read and one may write; `shutdown` wakes both, and must do so before `close`.
    A `timeout` is in seconds, None for no limit; a `deadline` is a time of `time.monotonic`, None for never.
    """

    gathers = hasattr(socket.socket, "sendmsg")  # whether several pieces can be written in one call
    _now = getattr(socket, "MSG_DONTWAIT", 0)

    def __init__(self, sock: socket.socket) -> None:
        # For reading: the operating system keeps the time, and no call is needed to wait (an echo of 32 bytes: 3 %).
        sock.setblocking(True)
        self._sock = sock
        self._write_waiter = _Waiter(sock)
        self._timeout: float | None = None  # what the operating system has been told

    def read(self, timeout: float | None) -> bytes:
        """What has arrived, waiting for it; b"" at the end. Raises TimeoutError, and OSError if TCP is broken."""
        if timeout != self._timeout:
            self._set_timeout(timeout)
        try:
            return self._sock.recv(READ_SIZE)
        except BlockingIOError:
            raise TimeoutError(LATE) from None

    def _set_timeout(self, timeout: float | None) -> None:
        microseconds = 0 if timeout is None else max(1, int(min(timeout, MAX_WAIT) * 1e6))  # 0 is for ever
        timeval = struct.pack("ll", *divmod(microseconds, 1_000_000))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        self._timeout = timeout

    def write_some(self, pieces: Sequence[bytes]) -> int:
        """Write as much of `pieces`, one after the other, as can be written at once; how much that was. Raises OSError.

        Only a stream that `gathers` takes several: a long payload and its header travel in one call without being
        copied together first (an echo of 64 KiB: 2 %).
        """
        try:
            if len(pieces) == 1:
                return self._sock.send(pieces[0], self._now)
            return self._sock.sendmsg(pieces, (), self._now)
        except BlockingIOError:
            return 0

    def write(self, data: bytes | memoryview, deadline: float | None) -> None:
        """Write all of `data`. Raises TimeoutError, and OSError if TCP is broken; a part may then have been written."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._sock.send(rest, self._now) :]
            except BlockingIOError:
                self._write_waiter.wait(deadline, to_write=True)

    def has_room(self) -> bool:
        """Whether the operating system would take some bytes at once; for the thread that writes."""
        try:
            self._write_waiter.wait(0, to_write=True)
        except TimeoutError:
            return False
        return True

    def end_writing(self) -> None:
        """Tell the peer that nothing more will come. What is read from now on is good for nothing but its end."""
        self._sock.shutdown(socket.SHUT_WR)

    def shutdown(self) -> None:
        """End TCP at once, in both directions; whoever reads or writes is woken."""
        with contextlib.suppress(OSError):  # it may not be connected any more
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back; nobody may use it any more."""
        self._sock.close()


class WaitingStream(Stream):
    """A stream that asks the operating system when it can read and write: for TLS, and for Windows."""

    gathers = False

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        sock.setblocking(False)
        self._receive: Callable[[int], bytes] = sock.recv
        self._read_waiter = _Waiter(sock)
        self._lock = threading.Lock()  # OpenSSL must not read and write one connection at the same time

    def read(self, timeout: float | None) -> bytes:
        """As `Stream.read`."""
        deadline = deadline_in(timeout)
        while True:
            try:
                with self._lock:
                    return self._receive(READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._read_waiter.wait(deadline)
            except ssl.SSLWantWriteError:
                self._read_waiter.wait(deadline, to_write=True)

    def write_some(self, pieces: Sequence[bytes]) -> int:
        """As `Stream.write_some`, for one piece."""
        try:
            with self._lock:
                return self._sock.send(pieces[0])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def write(self, data: bytes | memoryview, deadline: float | None) -> None:
        """As `Stream.write`."""
        rest = memoryview(data)
        while rest:
            try:
                with self._lock:
                    rest = rest[self._sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._write_waiter.wait(deadline, to_write=True)
            except ssl.SSLWantReadError:
                self._write_waiter.wait(deadline)

    def end_writing(self) -> None:
        """As `Stream.end_writing`."""
        with self._lock:
            if isinstance(self._sock, ssl.SSLSocket):
                with contextlib.suppress(OSError, ValueError):  # the close_notify is out, or TLS is broken
                    self._sock.unwrap()
                self._receive = super(ssl.SSLSocket, self._sock).recv
            socket.socket.shutdown(self._sock, socket.SHUT_WR)


def stream_of(sock: socket.socket) -> Stream:
    """The stream that suits `sock`."""
    waits = isinstance(sock, ssl.SSLSocket) or not hasattr(socket, "MSG_DONTWAIT")
    return WaitingStream(sock) if waits else Stream(sock)


class _Waiter:
    """Waits for a socket, for one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waits_to_write = False
        if hasattr(select, "poll"):  # unlike select, poll takes any file descriptor
            self._poll = select.poll()
            self._poll.register(sock, select.POLLIN)

    def wait(self, deadline: float | None, to_write: bool = False) -> None:
        """Wait until there is something to read, or room to write. Raises TimeoutError."""
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        if hasattr(self, "_poll"):
            if to_write is not self._waits_to_write:
                self._poll.modify(self._sock, select.POLLOUT if to_write else select.POLLIN)
                self._waits_to_write = to_write
            ready = bool(self._poll.poll(None if timeout is None else timeout * 1000))
        else:
            ready = any(select.select([] if to_write else [self._sock], [self._sock] if to_write else [], [], timeout))
        if not ready:
            raise TimeoutError(LATE)
