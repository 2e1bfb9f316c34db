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
    fin, rsv1, rsv2, rsv3 = (bool(data[0] & bit) for bit in (0x80, 0x40, 0x20, 0x10))
    opcode = data[0] & 0x0F
    if opcode not in (0, 1, 2, 8, 9, 10):
        raise ProtocolError(f"opcode {opcode} is reserved")
    if opcode >= 8 and (data[1] & 0x7F > 125 or not fin):
        raise ProtocolError("a control frame is whole and has at most 125 bytes")
    length, start = parse_length(data)
    key = bytes(4)  # which changes nothing
    if data[1] & 0x80:
        key = bytes(data[start : start + 4])
        start += 4
    if len(data) < start + length:
        return None
    payload = bytes(byte ^ key[n % 4] for n, byte in enumerate(data[start : start + length]))
    return Frame(Opcode(opcode), payload, fin, rsv1, rsv2, rsv3), start + length


def parse_length(data: bytes) -> tuple[int, int]:
    """The length of the payload and where its field ends; a field that is not whole ends behind the data."""
    length, end = data[1] & 0x7F, 2
    if length > 125:
        end = 4 if length == 126 else 10
        if len(data) >= end:
            length = int.from_bytes(data[2:end], "big")
            if length < (126 if end == 4 else 65536) or length >= 1 << 63:
                raise ProtocolError(f"length {length} is not in its shortest form, or its top bit is set")
    return length, end
