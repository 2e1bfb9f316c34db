"""Archives: a HAR in a ZIP file beside what it refers to, as Playwright writes it."""

import io
import struct
import zipfile
import zlib
from typing import BinaryIO

from wslab.recording.errors import CaptureError
from wslab.recording.unpacking import MAX_UNPACKED

ZIP_MAGIC = b"PK\x03\x04"
# What a damaged or an encrypted file raises
_UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError, OSError, ValueError)


class HarArchive:
    """The HAR in an archive, and the files beside it. Raises CaptureError if there is none that can be read."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = zipfile.ZipFile(file)
            name = next(name for name in self._archive.namelist() if name.lower().endswith(".har"))
            self.har = io.BytesIO(self._read(name, MAX_UNPACKED))
        except (*_UNREADABLE, StopIteration):
            raise CaptureError("is an archive without a HAR that can be read") from None

    def attached(self, name: str, most: int) -> bytes | None:
        """What the HAR has put into the file with this name, `most` bytes of it; None if that cannot be read."""
        try:
            return self._read(name, most)
        except (*_UNREADABLE, KeyError):
            return None

    def _read(self, name: str, most: int) -> bytes:
        if self._archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile
        with self._archive.open(name) as member:
            return member.read(most)
