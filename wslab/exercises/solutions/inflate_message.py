"""The four bytes that were left out are put back, and zlib is told how much it may give: one byte more than allowed.

That byte tells a message that is just small enough from one that is too long, and a bomb never unfolds.
"""

import zlib

from wslab.protocol.errors import ProtocolError


def inflate_message(data: bytes, max_size: int) -> bytes:
    """One message, decompressed, at most `max_size` bytes of it."""
    decompressor = zlib.decompressobj(wbits=-15)
    try:
        payload = decompressor.decompress(bytes(data) + b"\x00\x00\xff\xff", max_size + 1)
    except zlib.error:
        raise ProtocolError("the message is not DEFLATE", 1007) from None
    if len(payload) > max_size:
        raise ProtocolError(f"the message has more than {max_size} bytes", 1009)
    return payload
