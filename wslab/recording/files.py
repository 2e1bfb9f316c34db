"""Files: a log to `.pcapng` or `.har` and back, as the ending of the name says."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from wslab.recording.capture import read_capture, write_capture
from wslab.recording.errors import CaptureError
from wslab.recording.har import read_har, write_har
from wslab.recording.log import Log
from wslab.recording.replacing import replacing


def save(log: Log, path: Path, secrets: bool) -> None:
    """Write the file that `Recording.save` promises."""
    writer = {".pcapng": write_capture, ".har": write_har}.get(path.suffix.lower())
    with _naming(path):
        if writer is None:
            raise CaptureError("cannot be written: the name of a recording ends with .pcapng or .har")
        with replacing(path) as file:
            writer(file, log, secrets)


def load(log: Log, path: Path) -> None:
    """Read the file into an empty log, as `Recording.load` promises."""
    readers = {**dict.fromkeys((".pcapng", ".pcap", ".cap"), read_capture), ".har": read_har}
    reader = readers.get(path.suffix.lower())
    with _naming(path):
        if reader is None:
            raise CaptureError("cannot be read: the name of a recording ends with .pcapng, .pcap or .har")
        with path.open("rb") as file:
            reader(file, log)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Begin the sentence of an error with the name of the file."""
    try:
        yield
    except CaptureError as error:
        raise CaptureError(f"{path.name} {error}") from None
