"""Negative window bits ask zlib for raw DEFLATE, without the two bytes of a zlib header.

A sync flush ends on a byte border with 00 00 ff ff; each message ends so, and so the four bytes need not travel.
"""

import zlib


def deflate_message(payload: bytes) -> bytes:
    """One message, compressed by itself."""
    compressor = zlib.compressobj(wbits=-15)
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\x00\x00\xff\xff")
