"""The pcapng file format: packets to blocks and back; the older pcap is read too (IETF draft-ietf-opsawg-pcapng)."""

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from wslab.capture.errors import CaptureError

SECTION_HEADER, INTERFACE, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 3, 6
BYTE_ORDER = 0x1A2B3C4D
UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFF
TIME_RESOLUTION = 9  # the option if_tsresol
NANOSECONDS = 9  # its value: ten to the minus ninth of a second
SNAP_LENGTH = 0x40000
MOST = 16 * 1024 * 1024  # bytes of a block: more is no capture of anything
PCAP_MAGIC = {0xA1B2C3D4: 1e6, 0xA1B23C4D: 1e9}  # ticks of a second


class Packet(NamedTuple):
    """One packet: its time in seconds, the type of its link layer, its bytes."""

    time: float
    link_type: int
    data: bytes


def write_packets(file: BinaryIO, link_type: int, packets: Iterable[tuple[float, bytes]]) -> None:
    """Write a section with one interface, whose clock counts nanoseconds, and its packets."""
    file.write(_block(SECTION_HEADER, struct.pack("<IHHQ", BYTE_ORDER, 1, 0, UNKNOWN_LENGTH)))
    resolution = struct.pack("<HHB3xI", TIME_RESOLUTION, 1, NANOSECONDS, 0)
    file.write(_block(INTERFACE, struct.pack("<HHI", link_type, 0, SNAP_LENGTH) + resolution))
    for time, data in packets:
        ticks = max(0, round(time * 1e9))  # there is no time before 1970
        head = struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFF_FFFF, len(data), len(data))
        file.write(_block(ENHANCED_PACKET, head + data))


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def read_packets(file: BinaryIO) -> Iterator[Packet]:
    """The packets of a .pcapng or .pcap file. Raises CaptureError for another file and for one that is cut short."""
    magic = file.read(4)
    if magic == SECTION_HEADER.to_bytes(4, "little"):  # the same in both byte orders
        return _read_blocks(file)
    for order in "<>":
        if len(magic) == 4 and (ticks := PCAP_MAGIC.get(struct.unpack(f"{order}I", magic)[0])):
            return _read_pcap(file, order, ticks)
    raise CaptureError("it is neither a pcapng nor a pcap file")


def _read(file: BinaryIO, size: int) -> bytes:
    if size > MOST:
        raise CaptureError(f"it is damaged: a block of {size} bytes")
    data = file.read(size)
    if len(data) < size:
        raise CaptureError("it is cut short in the middle of a packet")
    return data


def _read_pcap(file: BinaryIO, order: str, ticks: float) -> Iterator[Packet]:
    link_type = struct.unpack(f"{order}16xI", _read(file, 20))[0] & 0xFFFF
    while head := file.read(16):
        seconds, fraction, size, _ = struct.unpack(f"{order}IIII", head + _read(file, 16 - len(head)))
        yield Packet(seconds + fraction / ticks, link_type, _read(file, size))


def _read_blocks(file: BinaryIO) -> Iterator[Packet]:
    order, kind = "<", SECTION_HEADER
    interfaces: list[tuple[int, float]] = []
    while True:
        if kind == SECTION_HEADER:  # its byte order stands behind its length
            size, magic = _read(file, 4), _read(file, 4)
            order = "<" if magic == BYTE_ORDER.to_bytes(4, "little") else ">"
            body, interfaces = _read(file, struct.unpack(f"{order}I", size)[0] - 16), []
        else:
            [size] = struct.unpack(f"{order}I", _read(file, 4))
            body = _read(file, max(0, size - 12))
        _read(file, 4)  # the length again
        if kind == INTERFACE:
            interfaces.append((struct.unpack_from(f"{order}H", body)[0], _ticks(body[8:], order)))
        elif kind == ENHANCED_PACKET:
            yield _enhanced_packet(body, order, interfaces)
        head = file.read(4)
        if not head:
            return
        [kind] = struct.unpack(f"{order}I", head + _read(file, 4 - len(head)))


def _enhanced_packet(body: bytes, order: str, interfaces: list[tuple[int, float]]) -> Packet:
    try:
        interface, high, low, size = struct.unpack_from(f"{order}IIII", body)
        link_type, ticks = interfaces[interface]
    except (struct.error, IndexError):
        raise CaptureError("it is damaged: a packet of an interface that it does not describe") from None
    return Packet((high << 32 | low) / ticks, link_type, body[20 : 20 + size])


def _ticks(options: bytes, order: str) -> float:
    """How many ticks of the clock of an interface a second has."""
    while len(options) >= 4:
        code, size = struct.unpack_from(f"{order}HH", options)
        if code == TIME_RESOLUTION and size == 1 and len(options) > 4:
            value = options[4]
            return float(2 ** (value & 0x7F) if value & 0x80 else 10**value)
        options = options[4 + size + -size % 4 :]
    return 1e6
