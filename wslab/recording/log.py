"""Log: what passed over connections, with times: the bytes of both directions, and the calls of an endpoint's API.

`Log` is the plain list that every view is computed from; `Recording` adds files to it. What adds to a log needs no
more of it than an `Observer` has, and waits for no longer than another thread takes to append one entry.

Locks: `_keeping` protects the counts, and is held for one entry. Without it, threads that run at the same time
(free-threaded Python) lose more than half of what they count, and the limit is exceeded.
"""

import heapq
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple, Self
from typing import Protocol as Interface

from wslab.dissector.wording import how_many
from wslab.protocol.limits import check_count
from wslab.protocol.states import Direction
from wslab.recording.locks import hold

SocketAddress = tuple[str, int]  # an IP address and a port
MAX_RECORDED = 256 * 1024 * 1024  # bytes of memory, about
COARSE = 0.001  # seconds: in a step of the clock that is longer, a call could not be told from what came after it
ENTRY_COST = 200  # bytes of memory, about, beside the bytes or the argument themselves


def fine_clock() -> Callable[[], float]:
    """Return a clock that tells the time of day. On Windows before Python 3.13, that of Python has steps of 16 ms."""
    if time.get_clock_info("time").resolution < COARSE:
        return time.time
    start = time.time() - time.perf_counter()
    return lambda: start + time.perf_counter()


time_of_day = fine_clock()  # one for all logs, so that those of both ends of a connection can be compared


class Chunk(NamedTuple):
    """The bytes of one read or write, with the time in seconds and the number of the connection.

    In what was read from a capture, a chunk with a `Gap` may stand between them.
    """

    time: float
    connection: int
    direction: Direction
    data: bytes


class Gap(bytes):
    """No bytes, as the data of a chunk, in the place of `size` bytes that a capture has lost.

    Unless the frame before tells where the next one begins, it begins `skipped` bytes later; None if nobody knows.
    """

    size: int
    skipped: int | None

    def __new__(cls, size: int, skipped: int | None = None) -> Self:
        """No bytes, in the place of `size`."""
        gap = super().__new__(cls)
        gap.size, gap.skipped = size, skipped
        return gap


class Call(NamedTuple):
    """A call of an endpoint's API, such as `send` or `close`, with a short form of its argument."""

    time: float
    connection: int
    direction: Direction
    name: str
    argument: str


class Observer(Interface):
    """What a connection tells of itself. Several threads may call each method at the same time."""

    def opened(self, connection: int, client: SocketAddress, server: SocketAddress) -> None:
        """Take note of the IP addresses and ports that a connection joins."""

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Take note of the bytes of one read or write."""

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Take note of a call of the API, or of what happened to TCP."""


class Both:
    """Two observers of one connection, each told of everything."""

    def __init__(self, first: Observer, second: Observer) -> None:
        self._observers = first, second

    def opened(self, connection: int, client: SocketAddress, server: SocketAddress) -> None:
        """Tell both of the addresses."""
        for observer in self._observers:
            observer.opened(connection, client, server)

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Tell both of the bytes of one read or write."""
        for observer in self._observers:
            observer.add(connection, direction, data)

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Tell both of a call."""
        for observer in self._observers:
            observer.mark(connection, direction, name, argument)


class Log:
    """An observer that keeps what passes: `chunks` of bytes, `calls` of the API, and the `addresses` of both ends.

    The bytes are kept as they were: views redact what is secret, these lists do not. `clock` gives the times. Once the
    log takes about `limit` bytes of memory, nothing more is kept: `left_out` says so, as every view and file does.
    Raises ValueError for a limit that is no whole number, or negative.
    """

    def __init__(self, clock: Callable[[], float] = time_of_day, limit: int = MAX_RECORDED) -> None:
        check_count("limit", limit)
        self.clock = clock
        self.limit = limit
        self.chunks: list[Chunk] = []
        self.calls: list[Call] = []
        self.addresses: dict[int, tuple[SocketAddress, SocketAddress]] = {}
        self._used = 0  # bytes of memory, about
        self._is_full = False
        self._lost = {Chunk: 0, Call: 0}
        self._keeping: Any = threading.RLock()  # it knows its owner: a signal handler may come in the middle of `keep`
        self._numbers = threading.Lock()
        self._last_number = 0
        self._numbered = 0  # how many chunks it takes into account

    @property
    def left_out(self) -> str:
        """The sentence that says what is missing since the log was full. Empty if nothing is."""
        if not self._is_full:
            return ""
        chunks, calls = how_many(self._lost[Chunk], "chunk"), how_many(self._lost[Call], "call")
        return (
            f"The recording was full at {self.limit:,} bytes: {chunks} of bytes and {calls} after that were left out. "
            "A larger limit keeps more."
        )

    def new_number(self) -> int:
        """The next number for a connection that has none yet. Threads may call it at the same time."""
        with self._numbers:
            fresh = self.chunks[self._numbered :]
            self._numbered += len(fresh)
            self._last_number = max(self._last_number, *(chunk.connection for chunk in fresh), 0) + 1
            return self._last_number

    def opened(self, connection: int, client: SocketAddress, server: SocketAddress) -> None:
        """Record the IP addresses and ports that a connection joins. Files name them, or invent some."""
        hold(self._keeping, self._keep_addresses, connection, (client, server))

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Record the bytes of one read or write. Threads may call it at the same time."""
        self.keep(Chunk(self.clock(), connection, direction, data))

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Record a call of the API. Threads may call it at the same time."""
        self.keep(Call(self.clock(), connection, direction, name, argument))

    def keep(self, entry: Chunk | Call) -> None:
        """Keep an entry, unless the log is full: then none is kept any more, so that nothing has a gap."""
        hold(self._keeping, self._keep, entry)

    def _keep_addresses(self, connection: int, ends: tuple[SocketAddress, SocketAddress]) -> None:
        self._used += ENTRY_COST
        if not self._is_full:
            self.addresses[connection] = ends

    def _keep(self, entry: Chunk | Call) -> None:
        self._used += ENTRY_COST + len(entry[-1])
        if self._is_full or self._used > self.limit:
            self._is_full = True
            self._lost[type(entry)] += 1
        elif isinstance(entry, Chunk):
            self.chunks.append(entry)
        else:
            self.calls.append(entry)

    @property
    def connections(self) -> list[int]:
        """The numbers of the connections, in the order in which they appeared."""
        return list(dict.fromkeys(chunk.connection for chunk in self.chunks))

    def bytes_sent(self, connection: int, direction: Direction) -> bytes:
        """All bytes of one direction of a connection, joined: TCP keeps no other boundaries."""
        chunks = self.chunks
        return b"".join(c.data for c in chunks if c.connection == connection and c.direction == direction)

    def events(self, connection: int) -> Iterator[Chunk | Call]:
        """The chunks and calls of one connection in the order of their times.

        Where times are equal, a call to send comes before the bytes, and a call to receive after them. A clock that is
        set back changes no order: of two chunks, or of two calls, the one recorded later comes later.
        """
        tracks = (_timed(entries, connection) for entries in (self.chunks, self.calls))
        return map(itemgetter(1), heapq.merge(*tracks, key=itemgetter(0)))

    def __repr__(self) -> str:
        connections, chunks = how_many(len(self.connections), "connection"), how_many(len(self.chunks), "chunk")
        size, full = how_many(sum(len(chunk.data) for chunk in self.chunks)), ", full" if self._is_full else ""
        return f"{type(self).__name__}({connections}, {chunks}, {size}{full})"


def _timed(entries: Iterable[Chunk | Call], connection: int) -> Iterator[tuple[tuple[float, int], Chunk | Call]]:
    """The entries of one connection, each with its place in time."""
    latest = -math.inf
    for entry in entries:
        if entry.connection == connection:
            latest = max(latest, entry.time)
            rank = 1 if isinstance(entry, Chunk) else 2 if entry.name == "receive" else 0
            yield (latest, rank), entry
