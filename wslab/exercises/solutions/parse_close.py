"""Nothing, or a code of two bytes and perhaps a reason: one byte alone is no code.

1005, 1006 and 1015 tell a program what happened and never travel; 1004 and what is not assigned are not for use, and
from 3000 to 4999 libraries and programs choose for themselves.
"""

from wslab.protocol.errors import ProtocolError

ASSIGNED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


def parse_close(payload: bytes) -> tuple[int, str]:
    """The code and the reason in the payload of a close frame."""
    if not payload:
        return 1005, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or (code not in ASSIGNED and not 3000 <= code <= 4999):
        raise ProtocolError(f"{bytes(payload[:2]).hex()} is no close code", 1002)
    try:
        return code, bytes(payload[2:]).decode()
    except UnicodeDecodeError:
        raise ProtocolError("the reason is not UTF-8", 1007) from None
