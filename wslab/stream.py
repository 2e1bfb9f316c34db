"""Stream: a TCP or TLS socket that one thread reads while another writes, with a deadline for every wait."""

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

READ_SIZE = 64 * 1024
MAX_WAIT = 1_000_000.0  # seconds: poll counts milliseconds in 32 bits


def deadline_in(seconds: float | None) -> float | None:
    """The time, as `time.monotonic` tells it, when so many seconds will have passed; None for never."""
    return None if seconds is None else time.monotonic() + min(seconds, MAX_WAIT)


def seconds_to(deadline: float | None) -> float:
    """How long a lock may be waited for until `deadline`; -1 is for ever."""
    return -1 if deadline is None else max(0.0, deadline - time.monotonic())


class Stream:
    """The bytes of a connected socket, in both directions; a `deadline` is a time of `time.monotonic`, None for never.

    One thread at a time may read and one may write; `shutdown` wakes both, and must do so before `close`.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._receive: Callable[[int], bytes] = sock.recv
        self._lock = threading.Lock()  # OpenSSL must not read and write one connection at the same time

    def read(self, deadline: float | None) -> bytes:
        """What has arrived, waiting for it; b"" at the end. Raises TimeoutError, and OSError if TCP is broken."""
        while True:
            try:
                with self._lock:
                    return self._receive(READ_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError):
                _wait(self._sock, to_write=False, deadline=deadline)
            except ssl.SSLWantWriteError:
                _wait(self._sock, to_write=True, deadline=deadline)

    def write(self, data: bytes, deadline: float | None) -> None:
        """Write all of `data`. Raises TimeoutError, and OSError if TCP is broken; a part may then have been written."""
        rest = memoryview(data)
        while rest:
            try:
                with self._lock:
                    rest = rest[self._sock.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                _wait(self._sock, to_write=True, deadline=deadline)
            except ssl.SSLWantReadError:
                _wait(self._sock, to_write=False, deadline=deadline)

    def end_writing(self) -> None:
        """Tell the peer that nothing more will come. What is read from now on is good for nothing but its end."""
        with self._lock:
            if isinstance(self._sock, ssl.SSLSocket):
                with contextlib.suppress(OSError, ValueError):  # the close_notify is out, or TLS is broken
                    self._sock.unwrap()
                self._receive = super(ssl.SSLSocket, self._sock).recv
            socket.socket.shutdown(self._sock, socket.SHUT_WR)

    def shutdown(self) -> None:
        """End TCP at once, in both directions; whoever reads or writes is woken."""
        with contextlib.suppress(OSError):  # it may not be connected any more
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back; nobody may use it any more."""
        self._sock.close()


def _wait(sock: socket.socket, *, to_write: bool, deadline: float | None) -> None:
    timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
    if hasattr(select, "poll"):  # unlike select, poll takes any file descriptor
        poller = select.poll()
        poller.register(sock, select.POLLOUT if to_write else select.POLLIN)
        ready = bool(poller.poll(None if timeout is None else timeout * 1000))
    else:
        ready = any(select.select([] if to_write else [sock], [sock] if to_write else [], [], timeout))
    if not ready:
        raise TimeoutError("nothing moved in time")
