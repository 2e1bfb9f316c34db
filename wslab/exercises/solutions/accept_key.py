"""The key is taken as the text that it is, not as the 16 bytes in it; the GUID is put behind it.

SHA-1 makes 20 bytes of that, and base64 makes them fit for a header line.
"""

from base64 import b64encode
from hashlib import sha1

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    digest = sha1((key + GUID).encode()).digest()
    return b64encode(digest).decode()
