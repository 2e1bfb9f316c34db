"""files: how many of them, sockets included, this process may still open."""

import math
import socket
import sys


def most_files() -> float:
    """Return how many files this process may have open at once (`ulimit -n` tells it); infinity for no limit."""
    if sys.platform in ("win32", "emscripten"):
        return math.inf
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft


def are_few_left(newest: socket.socket, needed: int) -> bool:
    """Return True if less than `needed` files can still be opened, or than a quarter of all if that is less.

    A new file gets the lowest number that is free, so at least as many are open as the number of the `newest`.
    """
    most = most_files()
    return most - newest.fileno() <= min(needed, most / 4)
