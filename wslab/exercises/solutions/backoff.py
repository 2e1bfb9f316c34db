"""The limit doubles with each try up to 30 seconds; the draw spreads the clients over all of it.

Without the draw, all clients of a server that has restarted come back at the same moments.
"""

from random import Random

LONGEST, FIRST = 30.0, 0.5


def backoff(attempt: int, random: Random) -> float:
    """Seconds to wait before a try."""
    return random.uniform(0, min(LONGEST, FIRST * 2**attempt))
