"""Files: a log to `.pcapng` or `.har`, as the ending of the name says, and back, as the file itself says."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from wslab.recording.archives import ZIP_MAGIC, HarArchive
from wslab.recording.capture import read_capture, write_capture
from wslab.recording.errors import INCOMPLETE, CaptureError, CaptureWarning
from wslab.recording.har import write_har
from wslab.recording.har_reading import Attached, read_har
from wslab.recording.log import Log
from wslab.recording.replacing import replacing
from wslab.recording.unpacking import unpack
from wslab.redaction.redact import printable

_LOOKED_AT = 64  # bytes from the start of a file
_JSON = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*[{\[]")  # in any encoding of Unicode


def save(log: Log, path: Path, secrets: bool) -> None:
    """Write the file that `Recording.save` promises."""
    writer = {".pcapng": write_capture, ".har": write_har}.get(path.suffix.lower())
    with _naming(path):
        if writer is None:
            raise CaptureError("cannot be written: the name of a recording ends with .pcapng or .har")
        with replacing(path) as file:
            left_out = writer(file, log, secrets)
    for sentence in left_out:
        warnings.warn(f"{printable(path.name)} {INCOMPLETE}{sentence}", CaptureWarning, stacklevel=3)


def load(log: Log, path: Path) -> None:
    """Read the file into an empty log, as `Recording.load` promises. Its first bytes say of which kind it is."""
    with _naming(path), path.open("rb") as packed:
        file, faults = unpack(packed)
        with file:
            start = file.read(_LOOKED_AT)
            file.seek(0)
            if start.startswith(ZIP_MAGIC):
                archive = HarArchive(file)
                faults += read_har(archive.har, log, archive.attached)
            elif path.suffix.lower() == ".har" or _JSON.match(start):
                faults += read_har(file, log, _beside(path))
            else:
                faults += read_capture(file, log)
    if log.left_out:
        faults.append(INCOMPLETE + log.left_out)
    for fault in faults:
        warnings.warn(f"{printable(path.name)} {fault}", CaptureWarning, stacklevel=3)


def _beside(path: Path) -> Attached:
    """Reads the files beside a HAR that it names, into which some programs put the messages, and no others."""

    def read(name: str, most: int) -> bytes | None:
        try:
            with (path.parent / Path(name).name).open("rb") as file:
                return file.read(most)
        except (OSError, ValueError):  # there is none, or its name is not possible
            return None

    return read


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Begin the sentence of an error with the name of the file."""
    try:
        yield
    except CaptureError as error:
        raise CaptureError(f"{printable(path.name)} {error}") from None
