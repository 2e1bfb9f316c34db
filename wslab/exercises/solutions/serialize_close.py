"""Two bytes of code leave 123 for the reason, in bytes and not in characters.

Where the cut falls into a character, the bytes that are left of it are no UTF-8 and are dropped.
"""

ASSIGNED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


def serialize_close(code: int, reason: str = "") -> bytes:
    """The payload of a close frame."""
    if code not in ASSIGNED and not 3000 <= code <= 4999:
        raise ValueError(f"{code} must not be sent")
    cut = reason.encode()[:123]
    return code.to_bytes(2, "big") + cut.decode(errors="ignore").encode()
