"""Recording: what went over the wire and what the endpoints' callers asked for, with times."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from wslab.protocol.states import Direction

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
    """Everything that one endpoint saw, in order: `chunks` of bytes and `calls` of its API, and who is at both ends.

    Give it to `EchoServer` or `connect`; give another `clock` to have other times. The bytes are kept as they were:
    views redact what is secret, this list does not.
    """

    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Start empty."""
        self.chunks: list[Chunk] = []
        self.calls: list[Call] = []
        self.addresses: dict[int, tuple[Address, Address]] = {}
        self._numbers = threading.Lock()
        self._last_number = 0

    def new_number(self) -> int:
        """A number for a connection that has none yet, the next one. Threads may call it at the same time."""
        with self._numbers:
            self._last_number = max(self._last_number, *self.connections, 0) + 1
            return self._last_number

    def opened(self, connection: int, client: Address, server: Address) -> None:
        """Record the IP addresses and ports that a connection joins; files name them, or invent some."""
        self.addresses[connection] = client, server

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

    def save(self, path: str | os.PathLike[str], *, secrets: bool = False) -> None:
        """Write a file: `.pcapng` holds all bytes and opens in Wireshark, `.har` the messages as Chrome exports them.

        Cookies, credentials and tokens in the handshakes are crossed out unless `secrets` is true. Calls are in
        neither, except that a capture ends TCP as a tap has seen it end, or in good order behind both close frames; a
        HAR has text and binary messages only: no frames, no pings, no close codes. Raises CaptureError (a ValueError)
        for another ending, OSError if the file cannot be written.
        """
        from wslab.recording import capture_files as capture

        capture.save(self, Path(path), secrets)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read the WebSocket conversations in a `.pcapng`, `.pcap` or `.har` file, whoever has written it.

        Connections are numbered in the order in which they appear. A chunk is what one packet brought; of a HAR, which
        has no frames, it is a message in a frame of its own, uncompressed. Raises CaptureError (a ValueError) if there
        is no such conversation in it, OSError if it cannot be read; warns with CaptureWarning where the capture has
        lost packets, and ends that direction there, and where a HAR has no messages.
        """
        from wslab.recording import capture_files as capture

        recording = cls()
        capture.load(recording, Path(path))
        return recording

    def __repr__(self) -> str:
        size = sum(len(chunk.data) for chunk in self.chunks)
        return f"Recording({len(self.connections)} connections, {len(self.chunks)} chunks, {size} bytes)"
