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
    """Return the time, as `time.monotonic` tells it, when so many seconds will have passed; None for never."""
    return None if seconds is None else time.monotonic() + min(seconds, MAX_WAIT)


def seconds_to(deadline: float | None) -> float:
    """Return how long a lock may be waited for until `deadline`; -1 is for ever."""
    return -1 if deadline is None else max(0.0, deadline - time.monotonic())


def shut_down(sock: socket.socket) -> None:
    """End TCP at once, in both directions, also where a fork of this process has the socket, too."""
    with contextlib.suppress(OSError):  # it may not be connected any more
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Stream:
    """The bytes of a connected TCP socket, in both directions.

    One thread at a time may read and one may write; `shutdown` wakes both, and must do so before `close`.
    A `timeout` is in seconds, None for no limit; a `deadline` is a time of `time.monotonic`, None for never.
    """

    gathers = hasattr(socket.socket, "sendmsg")  # whether several buffers can be written in one call
    _now = getattr(socket, "MSG_DONTWAIT", 0)

    def __init__(self, sock: socket.socket) -> None:
        # For reading: the operating system keeps the time, and no call is needed to wait (an echo of 32 bytes: 3 %).
        sock.setblocking(True)
        self._sock = sock
        self._timeout: float | None = None  # what the operating system has been told
        self._must_read_to_write = False

    def read(self, timeout: float | None) -> bytes:
        """Wait for what arrives and return it; b"" at the end. Raises TimeoutError, and OSError if TCP is broken."""
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

    def write_some(self, buffers: Sequence[bytes | memoryview]) -> int:
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

    def write(self, data: bytes | memoryview, deadline: float | None) -> None:
        """Write all of `data`. Raises TimeoutError, and OSError if TCP is broken; a part may then have been written."""
        rest = memoryview(data)
        while rest:
            if written := self.write_some([rest]):
                rest = rest[written:]
            elif not _wait(self._sock, deadline, to_write=not self._must_read_to_write):
                raise TimeoutError(LATE)

    def is_writable(self) -> bool:
        """Return True if the operating system would take some bytes at once. For the thread that writes."""
        return _wait(self._sock, 0, to_write=True)

    def end_writing(self) -> None:
        """Tell the peer that nothing more will come. What is read from now on is good for nothing but its end."""
        self._sock.shutdown(socket.SHUT_WR)

    def shutdown(self) -> None:
        """End TCP at once, in both directions; the threads that read or write are woken."""
        shut_down(self._sock)

    def close(self) -> None:
        """Give the socket back; nothing may use it any more."""
        self._sock.close()


class WaitingStream(Stream):
    """A stream that asks the operating system when it can read and write: for TLS, and for Windows."""

    gathers = False

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        sock.setblocking(False)
        self._receive: Callable[[int], bytes] = sock.recv
        self._lock = threading.Lock()  # OpenSSL must not read and write one connection at the same time

    def read(self, timeout: float | None) -> bytes:
        """As `Stream.read`."""
        deadline, to_write = deadline_in(timeout), False
        while True:
            try:
                with self._lock:
                    return self._receive(READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError):
                to_write = False
            except ssl.SSLWantWriteError:
                to_write = True
            if not _wait(self._sock, deadline, to_write):
                raise TimeoutError(LATE)

    def write_some(self, buffers: Sequence[bytes | memoryview]) -> int:
        """As `Stream.write_some`, for one buffer."""
        with self._lock:
            try:
                return self._sock.send(buffers[0])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                self._must_read_to_write = isinstance(error, ssl.SSLWantReadError)
                if isinstance(self._sock, ssl.SSLSocket) and self._sock.version() is None:
                    raise ConnectionAbortedError("the TLS handshake was not finished") from None
                return 0

    def end_writing(self) -> None:
        """As `Stream.end_writing`."""
        with self._lock:
            if isinstance(self._sock, ssl.SSLSocket):
                with contextlib.suppress(OSError, ValueError):  # the close_notify is out, or TLS is broken
                    self._sock.unwrap()
                self._receive = super(ssl.SSLSocket, self._sock).recv
            socket.socket.shutdown(self._sock, socket.SHUT_WR)


def stream_of(sock: socket.socket) -> Stream:
    """Return the stream that suits `sock`."""
    waits = isinstance(sock, ssl.SSLSocket) or not hasattr(socket, "MSG_DONTWAIT")
    return WaitingStream(sock) if waits else Stream(sock)


def _wait(sock: socket.socket, deadline: float | None, to_write: bool) -> bool:
    """Wait until the socket can be read, or written. Return False if it cannot be by `deadline`."""
    timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
    if hasattr(select, "poll"):  # unlike select, poll takes any file descriptor
        poll = select.poll()
        poll.register(sock, select.POLLOUT if to_write else select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))
    return any(select.select([] if to_write else [sock], [sock] if to_write else [], [], timeout))
