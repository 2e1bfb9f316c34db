"""Memory: let the C library keep the memory of long messages for those that follow (mallopt(3)).

The C library of Linux gives memory that was freed at the end of its heap back to the system if it is long, and each
page of it is then made anew for the next message: with messages of 1 MiB, that takes ten times as long as the rest.
What "long" means it learns from the longest block that was freed (M_TRIM_THRESHOLD).
"""

LONGEST_TO_LEARN_FROM = 31 * 1024 * 1024  # bytes: glibc learns nothing from a block of 32 MiB or more


def keep_memory_for(size: int) -> None:
    """Make the C library keep the memory of messages of `size` bytes; outside Linux this does nothing.

    One block that is long enough and freed at once will do. Nobody writes to it, so the system never makes its pages
    (20 µs).
    """
    bytes(min(4 * size, LONGEST_TO_LEARN_FROM))
