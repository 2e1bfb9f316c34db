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
    mask_bit = 0 if masking_key is None else 0x80
    if length < 126:
        header = bytes([first, mask_bit | length])
    elif length < 65536:
        header = bytes([first, mask_bit | 126]) + length.to_bytes(2, "big")
    else:
        header = bytes([first, mask_bit | 127]) + length.to_bytes(8, "big")
    if masking_key is None:
        return header + payload
    key = bytes(masking_key)
    return header + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))
