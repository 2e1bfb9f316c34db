"""Capture files: a `Recording` to `.pcapng` or `.har` and back, and what Wireshark or Chrome has recorded."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from wslab.recording.capture import read_capture, write_capture
from wslab.recording.errors import CaptureError, CaptureWarning
from wslab.recording.har import read_har, write_har
from wslab.recording.recording import Recording

__all__ = ["CaptureError", "CaptureWarning", "load", "save"]


def save(recording: Recording, path: Path, secrets: bool) -> None:
    """Write the file that `Recording.save` promises."""
    writer = {".pcapng": write_capture, ".har": write_har}.get(path.suffix.lower())
    with _told_with(path):
        if writer is None:
            raise CaptureError("cannot be written: the name of a recording ends with .pcapng or .har")
        with path.open("wb") as file:
            writer(file, recording, secrets)


def load(recording: Recording, path: Path) -> None:
    """Read the file into an empty recording, as `Recording.load` promises."""
    readers = {**dict.fromkeys((".pcapng", ".pcap", ".cap"), read_capture), ".har": read_har}
    reader = readers.get(path.suffix.lower())
    with _told_with(path):
        if reader is None:
            raise CaptureError("cannot be read: the name of a recording ends with .pcapng, .pcap or .har")
        with path.open("rb") as file:
            reader(file, recording)


@contextlib.contextmanager
def _told_with(path: Path) -> Iterator[None]:
    try:
        yield
    except CaptureError as error:
        raise CaptureError(f"{path.name} {error}") from None
