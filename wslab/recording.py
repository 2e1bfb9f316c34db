"""Recording: what went over the wire and what the endpoints' callers asked for, with times."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import NamedTuple


class Direction(StrEnum):
    """Which way bytes went, whoever recorded them."""

    CLIENT_TO_SERVER = "client → server"
    SERVER_TO_CLIENT = "server → client"


Address = tuple[str, int]


class Chunk(NamedTuple):
    """The bytes of one read or write, with the time in seconds and the number of the connection."""

    time: float
    connection: int
    direction: Direction
    data: bytes


class Call(NamedTuple):
    """A call of an endpoint's API, such as `send` or `close`, with a short form of its argument."""

    time: float
    connection: int
    direction: Direction
    name: str
    argument: str


@dataclass
class Recording:
    """Everything that one endpoint saw, in order: `chunks` of bytes and `calls` of its API.

    Give it to `EchoServer` or `connect`; give another `clock` to have other times. The bytes are kept as they were:
    views redact what is secret, this list does not.
    """

    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Start empty."""
        self.chunks: list[Chunk] = []
        self.calls: list[Call] = []
        self.addresses: dict[int, tuple[Address, Address]] = {}

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Record the bytes of one read or write. Threads may call it at the same time."""
        self.chunks.append(Chunk(self.clock(), connection, direction, data))

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Record a call of the API. Threads may call it at the same time."""
        self.calls.append(Call(self.clock(), connection, direction, name, argument))

    def opened(self, connection: int, client: Address, server: Address) -> None:
        """Record the addresses of both ends of a connection: host and port."""
        self.addresses[connection] = (client, server)

    def address(self, connection: int) -> tuple[Address, Address]:
        """The addresses of client and server; made up where they were not recorded."""
        return self.addresses.get(connection, (("127.0.0.1", 49152 + connection), ("127.0.0.1", 80)))

    def save(self, path: str | Path, *, secrets: bool = False) -> None:
        """Save as .pcapng, which Wireshark opens. Cookies, credentials and tokens are overwritten unless `secrets`.

        Raises ValueError for another ending and for a recording that is empty, OSError if it cannot be written.
        """
        if Path(path).suffix != ".pcapng":
            raise ValueError(f"a recording is saved as .pcapng, not as {Path(path).name!r}")
        if not self.chunks:
            raise ValueError("there is nothing in this recording to be saved")
        import_module("wslab.capture").save_pcapng(self, Path(path), secrets=secrets)

    @classmethod
    def load(cls, path: str | Path) -> "Recording":
        """The WebSocket conversations in a .pcapng or .pcap file, as Wireshark or `save` has written it.

        Raises ValueError with one sentence for a file without any, OSError if it cannot be read.
        """
        recording = cls()
        try:
            import_module("wslab.capture").load_pcapng(recording, Path(path))
        except ValueError as error:
            raise type(error)(f"{Path(path).name} cannot be read: {error}") from None
        return recording

    @property
    def connections(self) -> list[int]:
        """The numbers of the connections, in the order in which they appeared."""
        return list(dict.fromkeys(chunk.connection for chunk in self.chunks))

    def bytes_sent(self, connection: int, direction: Direction) -> bytes:
        """All bytes of one direction of a connection, joined: TCP keeps no other boundaries."""
        chunks = self.chunks
        return b"".join(c.data for c in chunks if c.connection == connection and c.direction == direction)

    def __repr__(self) -> str:
        size = sum(len(chunk.data) for chunk in self.chunks)
        return f"Recording({len(self.connections)} connections, {len(self.chunks)} chunks, {size} bytes)"
