"""Limits: how much a peer may ask of us before we stop, each with its name and its default."""

from dataclasses import dataclass, fields

LARGEST = 2**62  # so that whatever is added to a limit still is a size for the C library
MAY_BE_NONE = ("send_timeout", "idle_timeout")


@dataclass(frozen=True)
class Limits:
    """Every limit of an endpoint: sizes in bytes, times in seconds; None for a time means no limit.

    Going over one has a fixed answer: HTTP 431 for the header block, 408 for a slow handshake, 503 for one
    connection too many, of all or of one address; close code 1009 for a message (measured after decompression as
    well), 1001 for idleness.
    Raises ValueError for what is no limit: sizes and counts are whole numbers, no number is negative.
    """

    max_size: int = 1024 * 1024
    max_header_size: int = 16 * 1024
    max_headers: int = 100
    handshake_timeout: float = 10.0
    close_timeout: float = 5.0
    send_timeout: float | None = 20.0
    idle_timeout: float | None = 3600.0
    max_connections: int = 2000
    max_per_address: int = 2000

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if name.startswith("max_"):
                check_count(name, value)
            elif not (value is None and name in MAY_BE_NONE):
                check_seconds(name, value, " or None" if name in MAY_BE_NONE else "")


def check_count(name: str, value: object, least: int = 0) -> None:
    """Raise ValueError unless it is a whole number from `least` on."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise ValueError(f"{name} must be a whole number from {least} to 2**62, not {value!r:.80}")


def check_seconds(name: str, value: object, also: str = "") -> None:
    """Raise ValueError unless it is a number from 0 on; `also` names what else is allowed."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ValueError(f"{name} must be a number of seconds from 0 on{also}, not {value!r:.80}")
