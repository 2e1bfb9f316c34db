"""Wire: TCP sockets whose bytes stay in memory; they look like those of `socket` as far as this course uses them."""

import errno
import itertools
import os
import socket as sockets
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self

from wslab.in_memory.strands import Strands

ROOM = 256 * 1024  # bytes that may be on their way in one direction
LOOPBACK = ("", "localhost", "0.0.0.0")
NO_NETWORK = "Python has no network in a browser and reaches only servers of the same notebook, at 127.0.0.1"

Address = tuple[str, int]


class Pipe:
    """The bytes on their way in one direction."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.has_ended = False  # its writer will send no more
        self.is_cut = False  # its reader has gone, or the connection was reset

    @property
    def is_readable(self) -> bool:
        """Whether there are bytes, or nothing will come any more."""
        return bool(self.data) or self.has_ended or self.is_cut

    @property
    def is_writable(self) -> bool:
        """Whether there is room, or none is needed any more."""
        return len(self.data) < ROOM or self.has_ended or self.is_cut


class Network:
    """Who listens on which port, and the sockets by their numbers."""

    def __init__(self, strands: Strands) -> None:
        self.strands = strands
        self.listeners: weakref.WeakValueDictionary[int, MemorySocket] = weakref.WeakValueDictionary()
        self.sockets: weakref.WeakValueDictionary[int, MemorySocket] = weakref.WeakValueDictionary()
        self.numbers = itertools.count(10)
        self._ports = itertools.cycle(range(49152, 65536))

    def free_port(self) -> int:
        """Return a port on which nobody listens."""
        return next(port for port in self._ports if port not in self.listeners)

    def look_up(self, host: str | bytes | None, port: str | int | None, *_: int, **__: int) -> list[tuple[Any, ...]]:
        """As `socket.getaddrinfo`, for the one host that there is."""
        name = host.decode() if isinstance(host, bytes) else host or ""
        if name not in LOOPBACK and not name.startswith("127."):
            raise OSError(NO_NETWORK)
        return [(sockets.AF_INET, sockets.SOCK_STREAM, sockets.IPPROTO_TCP, "", (_host(name), int(port or 0)))]

    def pair(self, *_: int) -> "tuple[MemorySocket, MemorySocket]":
        """As `socket.socketpair`."""
        one, other = MemorySocket(), MemorySocket()
        one.join(other)
        return one, other

    def select(
        self, read: Sequence[Any], write: Sequence[Any], _: Sequence[Any], timeout: float | None = None
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """As `select.select`."""
        readable: list[Any] = []
        writable: list[Any] = []

        def look() -> bool:
            readable[:] = [it for it in read if self._of(it).is_readable]
            writable[:] = [it for it in write if self._of(it).is_writable]
            return bool(readable or writable)

        self.strands.wait(look, timeout)
        return readable, writable, []

    def _of(self, file: Any) -> "MemorySocket":
        return self.sockets[file if isinstance(file, int) else file.fileno()]


class MemorySocket:
    """As `socket.socket`, for TCP at 127.0.0.1."""

    network: Network
    _number = -1  # closed, or not yet open
    makefile = sockets.socket.makefile

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if fileno is not None or type == sockets.SOCK_DGRAM:
            raise OSError(NO_NETWORK)
        self.family, self.type, self.proto = sockets.AF_INET, sockets.SOCK_STREAM, sockets.IPPROTO_TCP
        self._io_refs = 0  # what `makefile` counts
        self._number = next(self.network.numbers)
        self.network.sockets[self._number] = self
        self._timeout: float | None = sockets.getdefaulttimeout()
        self._in: Pipe | None = None
        self._out: Pipe | None = None
        self._waiting: deque[MemorySocket] | None = None  # clients, if this one listens
        self._address: Address = ("0.0.0.0", 0)
        self._peer_address: Address | None = None

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What there is to know

    @property
    def is_readable(self) -> bool:
        """Whether `recv` or `accept` would not wait."""
        return bool(self._waiting) if self._in is None else self._in.is_readable

    @property
    def is_writable(self) -> bool:
        """Whether `send` would not wait."""
        return self._out is not None and self._out.is_writable

    def fileno(self) -> int:
        """Return the number of the socket, -1 if it is closed."""
        return self._number

    def getsockname(self) -> Address:
        """Return its own address."""
        return self._address

    def getpeername(self) -> Address:
        """Return the address of the other end."""
        if self._peer_address is None:
            raise _error(errno.ENOTCONN)
        return self._peer_address

    def getsockopt(self, level: int, option: int, length: int = 0) -> int:
        """Return what kind of socket it is; nothing else can be set."""
        return int(sockets.SOCK_STREAM) if option == sockets.SO_TYPE else 0

    def setsockopt(self, *_: object) -> None:
        """Take any option: none makes a difference here."""

    def gettimeout(self) -> float | None:
        """Return the seconds that each call may wait; None for no limit."""
        return self._timeout

    def settimeout(self, timeout: float | None) -> None:
        """Bound the waiting of each call."""
        self._timeout = timeout

    def setblocking(self, blocking: bool) -> None:
        """Let calls wait, or not."""
        self._timeout = None if blocking else 0.0

    # Connecting

    def bind(self, address: Address) -> None:
        """Take an address; port 0 is any free one."""
        host, port = address[:2]
        if port in self.network.listeners:
            raise _error(errno.EADDRINUSE)
        self._address = (_host(host), port or self.network.free_port())

    def listen(self, backlog: int = 0) -> None:
        """Let clients come."""
        self._waiting = deque()
        self.network.listeners[self._address[1]] = self

    def connect(self, address: Address) -> None:
        """Connect to the listener there."""
        [(*_, (_, port))] = self.network.look_up(*address[:2])
        listener = self.network.listeners.get(port)
        if listener is None or listener._waiting is None:
            raise _error(errno.ECONNREFUSED)
        self._address, served = ("127.0.0.1", self.network.free_port()), MemorySocket()
        served._address = ("127.0.0.1", port)
        self.join(served)
        listener._waiting.append(served)

    def accept(self) -> "tuple[MemorySocket, Address]":
        """Return the next client and its address."""
        if self._waiting is None:
            raise _error(errno.EINVAL)
        self._await(lambda: bool(self._waiting) or self._number < 0)
        if not self._waiting:
            raise _error(errno.EBADF)
        served = self._waiting.popleft()
        return served, served.getpeername()

    def join(self, other: "MemorySocket") -> None:
        """Make this and another socket the two ends of a connection."""
        self._in = other._out = Pipe()
        self._out = other._in = Pipe()
        self._peer_address, other._peer_address = other._address, self._address
        self.network.strands.changed()

    # Bytes

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return at most `size` bytes that have arrived, b"" at the end."""
        incoming = self._pipe(self._in)
        self._await(lambda: incoming.is_readable or self._number < 0)
        if incoming.is_cut and not incoming.has_ended:
            raise _error(errno.ECONNRESET)
        data = bytes(incoming.data[:size])
        if not flags & sockets.MSG_PEEK:
            del incoming.data[:size]
            self.network.strands.changed()
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """As `recv`, into a buffer. Return how many bytes that were."""
        data = self.recv(size or len(buffer), flags)
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | bytearray | memoryview, flags: int = 0) -> int:
        """Send as much as there is room for. Return how much that was."""
        outgoing = self._pipe(self._out)
        self._await(lambda: outgoing.is_writable or self._number < 0)
        if outgoing.is_cut or outgoing.has_ended:
            raise _error(errno.EPIPE)
        sent = memoryview(data).cast("B")[: ROOM - len(outgoing.data)]
        outgoing.data += sent
        self.network.strands.changed()
        return len(sent)

    def sendall(self, data: bytes | bytearray | memoryview, flags: int = 0) -> None:
        """Send all of `data`."""
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self.send(rest) :]

    def _pipe(self, pipe: Pipe | None) -> Pipe:
        if self._number < 0 or pipe is None:
            raise _error(errno.EBADF if self._number < 0 else errno.ENOTCONN)
        return pipe

    def _await(self, ready: Callable[[], bool]) -> None:
        if self._timeout == 0.0 and not ready():
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if not self.network.strands.wait(ready, self._timeout):
            raise TimeoutError("timed out")

    # The end

    def shutdown(self, how: int) -> None:
        """Say that no more bytes will be sent, or read, or both."""
        if self._out is None or self._in is None:
            raise _error(errno.ENOTCONN)
        if how in (sockets.SHUT_WR, sockets.SHUT_RDWR):
            self._out.has_ended = True
        if how in (sockets.SHUT_RD, sockets.SHUT_RDWR):
            self._in.has_ended = True
        self.network.strands.changed()

    def close(self) -> None:
        """Give the socket back. Bytes that nobody has read reset the connection (RFC 9293 §3.6.1)."""
        if self._number < 0 or self._io_refs:
            return
        if self._in is not None and self._out is not None:
            self._out.is_cut = self._out.is_cut or bool(self._in.data)
            self._out.has_ended = self._out.has_ended or not self._out.is_cut
            self._in.is_cut = True
        if self._waiting is not None:
            self.network.listeners.pop(self._address[1], None)
        self._number = -1
        self.network.strands.changed()

    def _decref_socketios(self) -> None:
        self._io_refs -= 1


def _host(name: str) -> str:
    return "127.0.0.1" if name in ("", "localhost") else name


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))  # of the class that belongs to the number
