"""early_frames: what a client sends before it is answered in, its frames out, once it is known that it has sent frames.

A client may send frames together with its request. Few of them are kept as bytes until the answer comes; more are read
as they come, in both ways in which the answer may want it, with permessage-deflate and without.
"""

from wslab.dissector.frames import Dissected, DissectedFrame, FrameDissector
from wslab.dissector.opaque import Opaque
from wslab.protocol.states import Role

COST = 100  # bytes of memory that a frame takes besides its payload, about


class EarlyFrames:
    """Frames of a client from the byte `position` on; of all payloads, about `room` bytes are kept, `kept` of each."""

    def __init__(self, position: int, kept: int, room: int) -> None:
        self._readings = {deflate: _Reading(deflate, position, kept, room) for deflate in (False, True)}

    def read(self, data: bytes) -> None:
        """Take in what comes next."""
        for reading in self._readings.values():
            reading.read(data)

    def settle(self, deflate: bool, knows_bits: bool) -> tuple[FrameDissector, list[Dissected]]:
        """The answer has come: what reads on, and what has come before."""
        reading = self._readings[deflate]
        if not knows_bits:
            reading.dissector.give_up()
            return reading.dissector, [reading.told("frames before the answer, which an extension has changed")]
        if reading.left_out:
            reading.seen.append(reading.told(f"{reading.left_out:,} more frames before the answer, which are not kept"))
        return reading.dissector, reading.seen


class _Reading:
    """The same frames in one way: what there is room for is `seen`, the others are counted."""

    def __init__(self, deflate: bool, position: int, kept: int, room: int) -> None:
        self.dissector = FrameDissector(Role.CLIENT, deflate=deflate, position=position, kept=kept)
        self.seen: list[Dissected] = []
        self.left_out = 0
        self._room = room
        self._end = position

    def read(self, data: bytes) -> None:
        for one in self.dissector.read(data):
            self._room -= COST + (len(one.what.payload) if isinstance(one.what, DissectedFrame) else 0)
            self._end = one.end
            if self._room > 0 or not self.seen:
                self.seen.append(one)
            else:
                self.left_out += 1

    def told(self, why: str) -> Dissected:
        """A sentence that stands for the frames that are not seen."""
        return Dissected(Role.CLIENT, self._end, self._end, Opaque(why))
