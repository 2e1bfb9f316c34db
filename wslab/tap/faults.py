"""Faults: what a `Tap` can do to the bytes of one direction, each a small value that turns bytes into actions.

`chop(1) + delay(0.01)` does both, the first one first. Every count of bytes begins with the first byte that the fault
meets: that of a new connection, or the next one of a connection that is open when the fault is set.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait `seconds` before the next action; without an end, if they are infinite."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """End TCP: with a reset at both ends, or with an orderly end (FIN) for the receiver."""

    reset: bool


Action = bytes | Pause | End  # forward these bytes, or do that


class Fault:
    """What is done to one direction of every connection; this one does nothing."""

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """What becomes of `data`, when `position` bytes have come before it.

        The empty `data` is the sender's end of TCP: an empty action passes it on.
        """
        yield data

    def __add__(self, other: "Fault") -> "Both":
        """This fault, and then `other` on what comes out of it."""
        return Both(self, other)


@dataclass(frozen=True, slots=True)
class Both(Fault):
    """Two faults, one after the other."""

    first: Fault
    second: Fault

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """The actions of the second fault for each piece that the first one lets through."""
        for action in self.first.act(data, position):
            if isinstance(action, bytes):
                yield from self.second.act(action, position)
                position += len(action)
            else:
                yield action

    def __repr__(self) -> str:
        return f"{self.first} + {self.second}"


# The names below are lower-case because they are written in a cell like verbs: tap.to_server = chop(1)


@dataclass(frozen=True, slots=True)
class chop(Fault):
    """Forward pieces of at most `size` bytes, each in a segment of its own.

    A receiver that is slower than the tap still reads several of them at once; `chop(1) + delay(0.01)` leaves it time.

    >>> list(chop(2).act(b"Hello", 0))
    [b'He', b'll', b'o']
    """

    size: int = 1

    def __post_init__(self) -> None:
        """Refuse pieces of nothing."""
        if self.size < 1:
            raise ValueError(f"a piece has at least 1 byte, not {self.size}")

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """One action for each piece."""
        for start in range(0, max(1, len(data)), self.size):
            yield data[start : start + self.size]


@dataclass(frozen=True, slots=True)
class delay(Fault):
    """Wait `seconds` before each piece, and before the end of TCP. What follows has to wait, too.

    >>> list(delay(0.5).act(b"Hello", 0))
    [Pause(seconds=0.5), b'Hello']
    """

    seconds: float

    def __post_init__(self) -> None:
        """Refuse times that cannot be waited for."""
        if not 0 <= self.seconds < math.inf:
            raise ValueError(f"a delay is a number of seconds from 0 on, not {self.seconds}")

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """A pause, then the piece."""
        yield Pause(self.seconds)
        yield data


@dataclass(frozen=True, slots=True)
class silence(Fault):
    """Forward `after` bytes and then nothing more, not even the end of TCP, which stays open: as if a cable were cut.

    What comes is held up, so that in the end the sender waits. Another fault, or None, lets it through late.

    >>> list(silence(after=2).act(b"Hello", 0))
    [b'He', Pause(seconds=inf)]
    """

    after: int = 0

    def __post_init__(self) -> None:
        """Refuse negative counts."""
        _check_count(self.after)

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """The bytes that may still pass, then a pause without an end."""
        yield from _first(data, self.after - position, Pause(math.inf))


@dataclass(frozen=True, slots=True)
class cut(Fault):
    """Forward `after` bytes and then end TCP: with a reset at both ends, as a firewall does, or in good order.

    With `cut(reset=False)`, it looks to the receiver as if the sender had ended; what the sender still sends is lost.
    With `after=0`, connections that are open are cut at once.

    >>> list(cut(after=2).act(b"Hello", 0))
    [b'He', End(reset=True)]
    """

    after: int = 0
    reset: bool = True

    def __post_init__(self) -> None:
        """Refuse negative counts."""
        _check_count(self.after)

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """The bytes that may still pass, then the end."""
        yield from _first(data, self.after - position, End(self.reset))


@dataclass(frozen=True, slots=True)
class flip(Fault):
    """Flip `bits` of the byte that has `at` bytes before it: `flip(at=0, bits=0b1000_0000)` flips FIN of a frame.

    >>> list(flip(at=1, bits=0b0000_0100).act(b"Hello", 0))
    [b'Hallo']
    """

    at: int = 0
    bits: int = 0b0000_0001

    def __post_init__(self) -> None:
        """Refuse a negative count, and bits that no byte has."""
        _check_count(self.at)
        if not 0 < self.bits < 256:
            raise ValueError(f"the bits to flip are a number from 1 to 255, not {self.bits}")

    def act(self, data: bytes, position: int) -> Iterator[Action]:
        """The same number of bytes, one of them changed."""
        index = self.at - position
        if 0 <= index < len(data):
            data = data[:index] + bytes((data[index] ^ self.bits,)) + data[index + 1 :]
        yield data


def _first(data: bytes, most: int, then: Action) -> Iterator[Action]:
    """At most so many bytes of `data`, and `then` this action as soon as so many have passed."""
    if most > len(data):
        yield data
        return
    if most > 0:
        yield data[:most]
    yield then


def _check_count(count: int) -> None:
    if count < 0:
        raise ValueError(f"a count of bytes is 0 or more, not {count}")
