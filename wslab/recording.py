"""Recording: what went over the wire and what the endpoints' callers asked for, with times."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Direction(StrEnum):
    """Which way bytes went, whoever recorded them."""

    CLIENT_TO_SERVER = "client → server"
    SERVER_TO_CLIENT = "server → client"


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

    def add(self, connection: int, direction: Direction, data: bytes) -> None:
        """Record the bytes of one read or write. Threads may call it at the same time."""
        self.chunks.append(Chunk(self.clock(), connection, direction, data))

    def mark(self, connection: int, direction: Direction, name: str, argument: str = "") -> None:
        """Record a call of the API. Threads may call it at the same time."""
        self.calls.append(Call(self.clock(), connection, direction, name, argument))

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
