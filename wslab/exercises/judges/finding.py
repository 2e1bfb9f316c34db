"""finding: what one judge says of a Codec, as plain data that can cross to another process."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from wslab.exercises.judges.line import Said
from wslab.protocol.states import Direction
from wslab.recording.recording import Recording


@dataclass(frozen=True)
class Finding:
    """One judge: `broken` says where the conversation broke, `missing` why the judge was not asked.

    `said` is what passed in the conversation that broke.
    """

    judge: str
    broken: str = ""
    missing: str = ""
    said: tuple[Said, ...] = ()
    note: str = ""

    @property
    def is_satisfied(self) -> bool:
        """Whether this judge was asked and found nothing wrong."""
        return not self.broken and not self.missing

    def __str__(self) -> str:
        word = "missing" if self.missing else "refused" if self.broken else "satisfied"
        told = f": {self.missing or self.broken}" if self.missing or self.broken else ""
        return f"{word:11}{self.judge}{f' ({self.note})' if self.note else ''}{told}"

    @property
    def recording(self) -> Recording:
        """What passed, as a recording; its times are only an order."""
        times = iter(range(len(self.said)))
        recording = Recording(clock=lambda: float(next(times)))
        for direction, data in self.said:
            recording.add(1, direction, data)
        return recording

    def to_data(self) -> Any:
        """As plain data."""
        return (self.judge, self.broken, self.missing, tuple((way.value, data) for way, data in self.said), self.note)

    @classmethod
    def from_data(cls, data: Any) -> "Finding":
        """What `to_data` gave."""
        judge, broken, missing, said, note = data
        return cls(judge, broken, missing, tuple((Direction(way), bytes(data)) for way, data in said), note)


def joined(said: Iterable[Said]) -> tuple[Said, ...]:
    """What passed, however it was cut: the bytes of each side up to those of the other."""
    return tuple((way, b"".join(data for _, data in run)) for way, run in groupby(said, itemgetter(0)))


def said_in(recording: Recording) -> tuple[Said, ...]:
    """What passed in the first connection of a recording."""
    return joined((chunk.direction, chunk.data) for chunk in recording.chunks if chunk.connection == 1)
