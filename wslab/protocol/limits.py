"""Limits: how much a peer may ask of us before we stop, each with its name and its default."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Every limit of an endpoint: sizes in bytes, times in seconds; None for a time means no limit.

    Going over one has a fixed answer: HTTP 431 for the header block, 408 for a slow handshake, 503 for one
    connection too many; close code 1009 for a message (measured after decompression as well), 1001 for idleness.
    """

    max_size: int = 1024 * 1024
    max_header_size: int = 16 * 1024
    max_headers: int = 100
    handshake_timeout: float = 10.0
    close_timeout: float = 5.0
    send_timeout: float | None = 20.0
    idle_timeout: float | None = 3600.0
    max_connections: int = 2000
