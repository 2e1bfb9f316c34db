"""The first byte is FIN, three RSV bits and the opcode; the second MASK and the length, if it is below 126.

126 says that two bytes of length follow, 127 that eight do, and the shortest form is the only legal one. Whether there
is a key decides about the MASK bit, not how long the payload is: an empty frame of a client is masked too.
"""

from wslab.protocol.frames import Frame


def serialize_frame(frame: Frame, masking_key: bytes | None = None) -> bytes:
    """The bytes of a frame, masked if there is a key."""
    payload = bytes(frame.payload)
    length = len(payload)
    first = frame.fin << 7 | frame.rsv1 << 6 | frame.rsv2 << 5 | frame.rsv3 << 4 | frame.opcode
    if length < 126:
        second, more = length, b""
    elif length < 65536:
        second, more = 126, length.to_bytes(2, "big")
    else:
        second, more = 127, length.to_bytes(8, "big")
    if masking_key is None:
        return bytes([first, second]) + more + payload
    key = bytes(masking_key)
    masked = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))
    return bytes([first, 0x80 | second]) + more + key + masked
