"""How many bytes code has looked at: work that can be counted without a clock."""

import sys
from collections.abc import Callable
from types import FrameType

READING = {
    "decode",
    "partition",
    "split",
    "splitlines",
    "strip",
}  # methods that look at all of the bytes that they have


def looked_at(action: Callable[[], object]) -> int:
    """The bytes that functions were handed while `action` ran, each time anew, and those that such methods read."""
    counted = 0

    def count(frame: FrameType, event: str, called: object) -> None:
        nonlocal counted
        if event == "call":
            code = frame.f_code
            values = [frame.f_locals[name] for name in code.co_varnames[: code.co_argcount]]
            counted += sum(len(value) for value in values if isinstance(value, bytes | bytearray | memoryview))
        elif event == "c_call" and called.__name__ in READING:
            owner = getattr(called, "__self__", None)
            counted += len(owner) if isinstance(owner, bytes | bytearray) else 0

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return counted


def grows_linearly(work: Callable[[int], Callable[[], object]], size: int) -> bool:
    """Whether `work(size)()` looks at no more than twice the bytes, and a few, when it is given twice as much."""
    first, second, third = (looked_at(work(size * factor)) for factor in (1, 2, 4))
    return second < 2.2 * first and third < 2.2 * second
