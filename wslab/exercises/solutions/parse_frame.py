"""Each step asks first whether its bytes have arrived, and returns None if not: nothing is used before all is there.

What is forbidden is refused as soon as it can be seen, before the payload is waited for: a length of 2 to the 63rd will
never arrive. What stands after the frame is the next one, and is left alone.
"""

from wslab.protocol.errors import ProtocolError
from wslab.protocol.frames import Frame, Opcode


def parse_frame(data: bytes) -> tuple[Frame, int] | None:
    """The frame at the start of `data` and how many bytes it has; None while some are missing."""
    if len(data) < 2:
        return None
    fin, opcode, length = data[0] >> 7, data[0] & 0x0F, data[1] & 0x7F
    if opcode not in (0, 1, 2, 8, 9, 10):
        raise ProtocolError(f"opcode {opcode} is reserved")
    if opcode >= 8 and (length > 125 or not fin):
        raise ProtocolError("a control frame is whole and has at most 125 bytes")
    used = 2
    if length > 125:
        used += 2 if length == 126 else 8
        if len(data) < used:
            return None
        smallest = 126 if length == 126 else 65536
        length = int.from_bytes(data[2:used], "big")
        if length < smallest or length >= 1 << 63:
            raise ProtocolError(f"length {length} is not in its shortest form, or its top bit is set")
    key = bytes(4)
    if data[1] & 0x80:
        key = bytes(data[used : used + 4])
        used += 4
    if len(data) < used + length:
        return None
    masked = data[used : used + length]
    payload = bytes(byte ^ key[n % 4] for n, byte in enumerate(masked))
    rsv1, rsv2, rsv3 = (bool(data[0] & bit) for bit in (0x40, 0x20, 0x10))
    return Frame(Opcode(opcode), payload, bool(fin), rsv1, rsv2, rsv3), used + length
