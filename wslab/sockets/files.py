"""files: how many of them, sockets included, this process may still open."""

import math
import socket
import sys

try:
    import resource
except ImportError:  # Windows has no limits of this kind
    resource = None  # type: ignore[assignment]


def most_files() -> float:
    """Return how many files this process may have open at once (`ulimit -n` tells it); infinity for no limit."""
    if resource is None or sys.platform == "emscripten":
        return math.inf
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft


def are_few_left(newest: socket.socket, needed: int) -> bool:
    """Return True if fewer than `needed` files can still be opened, or than a quarter of all, if that is fewer.

    A new file gets the lowest number that is free, so at least as many are open as the number of the `newest`.
    """
    most = most_files()
    return most - newest.fileno() <= min(needed, most / 4)
