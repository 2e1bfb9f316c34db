"""What a piece of code costs, counted without a clock: calls, bytes that are looked at, memory at its peak."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

FROM_A_PLACE = {"find", "startswith", "endswith", "extend", "append"}  # they need not look at all that is there


class Cost(NamedTuple):
    """How many calls there were, how many bytes were looked at, and how many bytes of memory there were at once."""

    calls: int
    looked_at: int
    memory: int


def cost_of(work: Callable[[], object]) -> Cost:
    """The cost of `work`, which is done twice."""
    calls = looked_at = 0

    def count(_frame: FrameType, event: str, called: object) -> None:
        nonlocal calls, looked_at
        if event in ("call", "c_call"):
            calls += 1
            owner = getattr(called, "__self__", None)
            if isinstance(owner, bytes | bytearray) and getattr(called, "__name__", "") not in FROM_A_PLACE:
                looked_at += len(owner)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    tracemalloc.start()
    try:
        work()
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Cost(calls, looked_at, memory)


def is_linear(costs: list[Cost]) -> bool:
    """Whether the costs for n, 2n and 4n grow no faster than n, as far as such small figures can tell.

    Memory grows in steps: there, twice the input may take nearly three times as much.
    """
    one, two, four = costs
    calls, looked_at = (
        four[kind] - two[kind] <= 2.2 * max(0, two[kind] - one[kind]) + slack for kind, slack in ((0, 300), (1, 5000))
    )
    return calls and looked_at and four.memory <= 2.8 * two.memory + 50_000
