"""Unpacking: what gzip has packed, whatever the name of the file says, in bounded space (RFC 1952)."""

import contextlib
import tempfile
import zlib
from typing import Any, BinaryIO, cast

from wslab.recording.errors import CaptureError

GZIP_MAGIC = b"\x1f\x8b"
MAX_UNPACKED = 512 * 1024 * 1024  # bytes, of a file that is packed
_GZIP = 16 + zlib.MAX_WBITS
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
_AT_ONCE = 16 * 1024  # bytes that are read; what is damaged costs as many


def unpack(file: BinaryIO, most: int = MAX_UNPACKED) -> tuple[BinaryIO, list[str]]:
    """The file, or what is packed in it as a file of its own; and what is wrong with it.

    No more than `most` bytes are unpacked. What is wrong is told as the end of a sentence that begins with the name.
    Raises CaptureError if another program has packed the file.
    """
    start = file.read(6)
    file.seek(0)
    for magic, name in _OTHERS.items():
        if start.startswith(magic):
            raise CaptureError(f"is packed by {name}, which has to unpack it first")
    if not start.startswith(GZIP_MAGIC):
        return file, []
    unpacked = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        fault = _unpack(file, unpacked, most)
    except zlib.error:
        fault = "is damaged: what gzip has packed can be unpacked only in part"
    unpacked.seek(0)
    return unpacked, [fault] if fault else []


def _unpack(file: BinaryIO, unpacked: BinaryIO, most: int) -> str:
    """Unpack the parts of which the file consists, and return what is wrong with it."""
    inflater = zlib.decompressobj(_GZIP)
    left = most
    data = b""
    while data := data or file.read(_AT_ONCE):
        if inflater.eof:
            data = data.lstrip(b"\0")  # there may be zeros between the parts, and behind the last one
            if not data:
                continue
            inflater = zlib.decompressobj(_GZIP)
        before = inflater.copy()
        try:
            piece = inflater.decompress(data, left + 1)
        except zlib.error:
            unpacked.write(_up_to_the_damage(before, data)[:left])
            raise
        unpacked.write(piece[:left])
        if len(piece) > left:
            return f"has more than {most} bytes in it, unpacked: gzip -d unpacks the rest"
        left -= len(piece)
        data = inflater.unconsumed_tail or inflater.unused_data
    return "" if inflater.eof else "is cut short: what gzip has packed does not come to its end"


def _up_to_the_damage(inflater: Any, data: bytes) -> bytes:
    """What can be unpacked of `data` before a byte, or a checksum at its end, turns out to be wrong."""
    whole = bytearray()
    with contextlib.suppress(zlib.error):
        for place in range(len(data)):
            whole += inflater.decompress(data[place : place + 1])
    return bytes(whole)
