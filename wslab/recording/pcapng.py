"""Capture files: packets to pcapng; pcapng and the older pcap to packets (draft-ietf-opsawg-pcapng, -pcap)."""

import io
import math
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from wslab.recording.errors import CaptureError
from wslab.recording.packets import LINKTYPE_RAW

SECTION_HEADER, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET = 0x0A0D0D0A, 1, 2, 3, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
APPLICATION_OPTION, TIME_RESOLUTION_OPTION, TIME_OFFSET_OPTION = 4, 9, 14
APPLICATION = b"wslab"
DAMAGED = "is damaged: its blocks do not fit together"

# The first bytes of a pcap file: the byte order of the machine that wrote it, and how many ticks are a second.
PCAP_MAGIC = {
    struct.pack(order + "I", magic): (order, ticks)
    for order in "<>"
    for magic, ticks in [(0xA1B2C3D4, 1_000_000), (0xA1B23C4D, 1_000_000_000)]
}


class Packet(NamedTuple):
    """What was captured: the time in seconds, the link type, and the bytes from the link header on."""

    time: float
    link_type: int
    data: bytes


# Writing


def write_pcapng(file: BinaryIO, packets: Iterable[tuple[float, bytes]]) -> None:
    """Write IP packets, each with its time in seconds. Raises CaptureError for a time that the format cannot hold."""
    section = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)  # version 1.0, of unknown length
    file.write(_block(SECTION_HEADER, section, _option(APPLICATION_OPTION, APPLICATION)))
    interface = struct.pack("<HHI", LINKTYPE_RAW, 0, 0)  # packets of any length, times in 10^-9 seconds
    file.write(_block(INTERFACE, interface, _option(TIME_RESOLUTION_OPTION, b"\x09")))
    for time, data in packets:
        ticks, size = _ticks(time), len(data)
        file.write(_block(PACKET, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, size, size) + _pad(data)))


def _ticks(time: float) -> int:
    if not 0 <= time < 2**64 / 1e9:
        raise CaptureError(f"cannot hold a time of {time} seconds")
    # A float cannot hold today's time in nanoseconds; its whole seconds and their fraction are exact each.
    fraction, seconds = math.modf(time)
    return int(seconds) * 1_000_000_000 + round(fraction * 1e9)


def _block(kind: int, body: bytes, options: bytes = b"") -> bytes:
    size = 12 + len(body) + len(options)
    return struct.pack("<II", kind, size) + body + options + struct.pack("<I", size)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _pad(value) + struct.pack("<HH", 0, 0)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


# Reading


class _Source:
    """The bytes of a file. Raises CaptureError where they end too early."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.remaining = file.seek(0, io.SEEK_END)  # bytes
        file.seek(0)

    def take(self, size: int) -> bytes:
        if size > self.remaining:  # a damaged size may be in the gigabytes
            raise CaptureError("is cut short: it ends in the middle of a packet")
        self.remaining -= size
        return self._file.read(size)


class CaptureReader:
    """The packets in a capture file, one after the other. Iterating raises CaptureError where the file is damaged.

    `application` is the name of the program that wrote it, once the part of the file that says so has been read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.application = b""
        self._source = _Source(file)

    def __iter__(self) -> Iterator[Packet]:
        magic = self._source.take(min(4, self._source.remaining))
        if magic in PCAP_MAGIC:
            return self._read_pcap(*PCAP_MAGIC[magic])
        if magic == SECTION_HEADER.to_bytes(4, "big"):
            return self._read_pcapng(magic)
        raise CaptureError("is not a capture file: it begins neither as pcapng nor as pcap")

    def _read_pcap(self, order: str, ticks: int) -> Iterator[Packet]:
        *_, link_type = struct.unpack(order + "HHiIII", self._source.take(20))
        record = struct.Struct(order + "IIII")
        while self._source.remaining:
            seconds, fraction, size, _ = record.unpack(self._source.take(record.size))
            yield Packet((seconds * ticks + fraction) / ticks, link_type & 0xFFFF, self._source.take(size))

    def _read_pcapng(self, start: bytes) -> Iterator[Packet]:
        interfaces: list[_Interface] = []
        time = 0.0
        for order, kind, body in self._read_blocks(start):
            try:
                if kind == SECTION_HEADER:
                    interfaces = []
                    self.application = self.application or _options(order, body[16:]).get(APPLICATION_OPTION, b"")
                elif kind == INTERFACE:
                    interfaces.append(_read_interface(order, body))
                elif kind in (PACKET, OLD_PACKET):
                    packet = _read_packet(order, body, interfaces, old=kind == OLD_PACKET)
                    time = packet.time
                    yield packet
                elif kind == SIMPLE_PACKET:  # it has no time of its own
                    size = min(struct.unpack_from(order + "I", body)[0], interfaces[0].snap_length or len(body))
                    yield Packet(time, interfaces[0].link_type, body[4 : 4 + size])
            except (struct.error, IndexError):  # too few bytes in a block, or a packet of no interface
                raise CaptureError(DAMAGED) from None

    def _read_blocks(self, start: bytes) -> Iterator[tuple[str, int, bytes]]:
        """Byte order, kind and body of each block."""
        order = "<"
        while start or self._source.remaining:
            head, magic = start + self._source.take(8 - len(start)), b""
            if head[:4] == SECTION_HEADER.to_bytes(4, "big"):  # the same in both byte orders
                magic = self._source.take(4)
                order = "<" if int.from_bytes(magic, "little") == BYTE_ORDER_MAGIC else ">"
                if struct.unpack(order + "I", magic)[0] != BYTE_ORDER_MAGIC:
                    raise CaptureError(DAMAGED)
            kind, size = struct.unpack(order + "II", head)
            if size < 12 + len(magic) or size % 4:
                raise CaptureError(DAMAGED)
            body = magic + self._source.take(size - 12 - len(magic))
            if struct.unpack(order + "I", self._source.take(4))[0] != size:
                raise CaptureError(DAMAGED)
            yield order, kind, body
            start = b""


class _Interface(NamedTuple):
    link_type: int
    snap_length: int  # bytes of a packet that are captured, 0 for all
    ticks: int  # in a second
    offset: int  # seconds that are added to every time


def _read_interface(order: str, body: bytes) -> _Interface:
    link_type, _, snap_length = struct.unpack_from(order + "HHI", body)
    options = _options(order, body[8:])
    resolution = options.get(TIME_RESOLUTION_OPTION, b"\x06")[0]
    ticks = 2 ** (resolution & 0b0111_1111) if resolution & 0b1000_0000 else 10**resolution
    (offset,) = struct.unpack(order + "q", options.get(TIME_OFFSET_OPTION, bytes(8)))
    return _Interface(link_type, snap_length, ticks, offset)


def _read_packet(order: str, body: bytes, interfaces: list[_Interface], old: bool) -> Packet:
    number, *_, high, low, size, _ = struct.unpack_from(order + ("HHIIII" if old else "IIIII"), body)
    interface, data = interfaces[number], body[20 : 20 + size]
    if len(data) < size:
        raise CaptureError(DAMAGED)
    time = ((high << 32 | low) + interface.offset * interface.ticks) / interface.ticks
    return Packet(time, interface.link_type, data)


def _options(order: str, data: bytes) -> dict[int, bytes]:
    """The options at the end of a block, by their codes; of several with the same code, the last one."""
    options, position = {}, 0
    while position + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, position)
        options[code] = data[position + 4 : position + 4 + size]
        position += 4 + size + -size % 4
    return options
