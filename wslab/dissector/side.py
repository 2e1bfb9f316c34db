"""side: what one side of a connection has sent, its heads first, then its frames, of which some may be missing."""

from dataclasses import dataclass, field

from wslab.dissector.early_frames import EarlyFrames
from wslab.dissector.frames import Dissected, FrameDissector
from wslab.dissector.opaque import Missing
from wslab.dissector.wording import how_many
from wslab.protocol.body import BodyReader


@dataclass
class Side:
    """What one side has sent: `unread` bytes of it, before the frames can be read."""

    unread: bytearray = field(default_factory=bytearray)
    position: int = 0  # how many bytes came before them
    body: BodyReader | None = None  # what comes before the next head
    early: EarlyFrames | None = None  # what a client has sent before the answer, if that is much
    frames: FrameDissector | None = None
    skipped: int | None = 0  # bytes before the next frame; None if nobody knows where it begins

    def expect(self, body: BodyReader) -> None:
        """Read this body first, if there is one."""
        self.body = None if body.is_whole else body

    def drop(self, size: int) -> None:
        """Have done with so many bytes."""
        self.position += size
        del self.unread[:size]

    def read(self, frames: FrameDissector, data: bytes) -> list[Dissected]:
        """The frames that `data` completes."""
        size = len(data) if self.skipped is None else min(self.skipped, len(data))
        if self.skipped:
            self.skipped -= size
        frames.position += size
        return frames.read(data[size:])

    def lose(self, frames: FrameDissector, size: int, skipped: int | None) -> list[Dissected]:
        """What there is to be told where `size` bytes are missing.

        They are in the frame that is arriving, or else the next frame is taken to begin after `skipped` more.
        """
        if frames.is_lost or frames.skip(size):
            return []
        seen = frames.end()
        frames.begin_again()
        self.skipped = skipped
        why = f"{how_many(size)} missing: nothing after them begins with a frame"
        if skipped is not None:
            later = f" {how_many(skipped)} later" if skipped else ""
            why = f"{how_many(size)} missing: read on{later} where a segment begins with a frame"
        return [*seen, Dissected(frames.sender, frames.position, frames.position, Missing(why))]
