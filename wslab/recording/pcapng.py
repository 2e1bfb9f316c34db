"""Capture files: packets to pcapng; pcapng and the older pcap to packets (draft-ietf-opsawg-pcapng, -pcap)."""

import io
import math
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from wslab.recording.errors import CaptureError
from wslab.recording.packets import LINKTYPE_RAW

SECTION_HEADER, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET, SECRETS = 0x0A0D0D0A, 1, 2, 3, 6, 10
BYTE_ORDER_MAGIC = 0x1A2B3C4D
COMMENT_OPTION, APPLICATION_OPTION, TIME_RESOLUTION_OPTION, TIME_OFFSET_OPTION = 1, 4, 9, 14
END_OF_OPTIONS = bytes(4)
APPLICATION = b"wslab"
KNOWN_BLOCKS = (SECTION_HEADER, INTERFACE, OLD_PACKET, SIMPLE_PACKET, PACKET, SECRETS)
MAX_PACKET = 16 * 1024 * 1024  # bytes: what claims to be longer is damaged
MAX_BLOCK = MAX_PACKET + 64 * 1024  # bytes, with what is around a packet
MAX_KEYS = 16 * 1024 * 1024  # bytes of all of them together
TLS_KEYS = 0x544C534B
LOOKED_AT_ONCE = 1024 * 1024  # bytes
CUT_SHORT = "is cut short: it ends in the middle of a packet"

# The first bytes of a pcap file: the byte order of the machine that wrote it, how many ticks are a second, and by how
# many bytes the header of a packet is longer than usual (of one of Linux's in the nineties, which some still write).
PCAP_MAGIC = {
    struct.pack(order + "I", magic): (order, ticks, extra)
    for order in "<>"
    for magic, ticks, extra in [(0xA1B2C3D4, 10**6, 0), (0xA1B23C4D, 10**9, 0), (0xA1B2CD34, 10**6, 8)]
}


class Packet(NamedTuple):
    """What was captured: the time in seconds, the link type, and the bytes from the link header on."""

    time: float
    link_type: int
    data: bytes


# Writing


def write_pcapng(file: BinaryIO, packets: Iterable[tuple[float, bytes]], comment: str = "") -> None:
    """Write IP packets, each with its time in seconds. Raises CaptureError for a time that the format cannot hold."""
    section = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)  # version 1.0, of unknown length
    said = {COMMENT_OPTION: comment.encode(), APPLICATION_OPTION: APPLICATION}
    options = b"".join(_option(code, value) for code, value in said.items() if value)
    file.write(_block(SECTION_HEADER, section, options + END_OF_OPTIONS))
    interface = struct.pack("<HHI", LINKTYPE_RAW, 0, 0)  # packets of any length, times in 10^-9 seconds
    file.write(_block(INTERFACE, interface, _option(TIME_RESOLUTION_OPTION, b"\x09") + END_OF_OPTIONS))
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
    return struct.pack("<HH", code, len(value)) + _pad(value)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


# Reading


class _Source:
    """The bytes of a file, read from `position` on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, io.SEEK_END)
        self.position = 0

    def look(self, position: int, size: int) -> bytes:
        """So many bytes from any position on; fewer where the file ends."""
        self._file.seek(position)
        return self._file.read(min(size, max(0, self.size - position)))  # a damaged size may be in the gigabytes

    @property
    def is_at_end(self) -> bool:
        """Whether all has been taken."""
        return self.position >= self.size

    def take(self, size: int) -> bytes:
        """The next bytes. Raises EOFError if there are not as many."""
        if size > self.size - self.position:
            raise EOFError
        data = self.look(self.position, size)
        self.position += size
        return data


class _Block(NamedTuple):
    """A block of pcapng, with the byte order of its numbers."""

    order: str
    kind: int
    body: bytes


class CaptureReader:
    """The packets in a capture file, one after the other, as far as they can be read.

    Raises CaptureError if it is no capture file. `application` is the name of the program that wrote it, and `comment`
    what it said of the file, once the part of it that says so has been read, and `faults` tells what could not be read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.application = b""
        self.comment = ""
        self.keys = bytearray()  # of TLS, in lines as SSLKEYLOGFILE has them
        self._source = _Source(file)
        self._damaged = 0  # blocks
        self._is_cut_short = False
        self._partly = 0  # packets

    @property
    def faults(self) -> list[str]:
        """What is wrong with the file, each as the end of a sentence that begins with its name."""
        faults = [CUT_SHORT] if self._is_cut_short else []
        where = "one place" if self._damaged == 1 else f"{self._damaged} places"
        if self._damaged:
            faults.append(f"is damaged in {where}: what cannot be read is left out")
        if self._partly:
            packets = f"packet{'s' * (self._partly != 1)}"
            faults.append(f"has only the beginning of {self._partly} {packets}: the capture had a limit (snap length)")
        return faults

    def __iter__(self) -> Iterator[Packet]:
        magic = self._source.look(0, 4)
        if magic in PCAP_MAGIC:
            return self._read_pcap(*PCAP_MAGIC[magic])
        if magic == SECTION_HEADER.to_bytes(4, "big"):
            return self._read_pcapng()
        raise CaptureError("is neither a capture file, in pcapng or pcap, nor HAR")

    def _read_pcap(self, order: str, ticks: int, extra: int) -> Iterator[Packet]:
        record = struct.Struct(f"{order}IIII{extra}x")
        try:
            (link_type,) = struct.unpack(order + "20xI", self._source.take(24))
            while not self._source.is_at_end:
                seconds, fraction, size, original = record.unpack(self._source.take(record.size))
                if size > MAX_PACKET:  # and nothing tells where the next one begins
                    self._damaged += 1
                    return
                self._partly += size < original
                yield Packet((seconds * ticks + fraction) / ticks, link_type & 0xFFFF, self._source.take(size))
        except EOFError:
            self._is_cut_short = True

    def _read_pcapng(self) -> Iterator[Packet]:
        interfaces: list[_Interface | None] = []
        time = 0.0
        for order, kind, body in self._read_blocks():
            try:
                if kind == SECTION_HEADER:
                    interfaces, options = [], _options(order, body[16:])
                    self.application = self.application or options.get(APPLICATION_OPTION, b"")
                    self.comment = self.comment or options.get(COMMENT_OPTION, b"").decode(errors="replace")
                elif kind == SECRETS:
                    self.keys += _read_keys(order, body)[: MAX_KEYS - len(self.keys)]
                elif kind == INTERFACE:
                    interfaces.append(_read_interface(order, body))
                elif kind in (PACKET, OLD_PACKET):
                    packet, is_whole = _read_packet(order, body, interfaces, old=kind == OLD_PACKET)
                    time = packet.time
                    self._partly += not is_whole
                    yield packet
                elif kind == SIMPLE_PACKET:  # it has no time of its own
                    packet, is_whole = _read_simple_packet(order, body, _known(interfaces, 0), time)
                    self._partly += not is_whole
                    yield packet
            except (struct.error, IndexError):  # too few bytes in a block, or a packet of no interface
                self._damaged += 1
                if kind == INTERFACE:  # so that those after it keep their numbers
                    interfaces.append(None)

    def _read_blocks(self) -> Iterator[_Block]:
        """The blocks that can be read. Behind one whose size is damaged, the next one is searched."""
        order = "<"
        while not self._source.is_at_end:
            start = self._source.position
            block = self._read_block(start, order)
            if block is not None:
                order = block.order
                yield block
                continue
            (size,) = struct.unpack(order + "I", self._source.look(start + 4, 4).ljust(4, b"\xff"))
            self._source.position = self._find_block(start + 4, order)
            if self._source.is_at_end and size > self._source.size - start:
                self._is_cut_short = True
            else:
                self._damaged += 1

    def _read_block(self, start: int, order: str) -> _Block | None:
        """The block at `start`, behind which the next one begins then. None if its two sizes do not agree."""
        head = self._source.look(start, 12)
        if head[:4] == SECTION_HEADER.to_bytes(4, "big"):  # the same in both byte orders
            order = "<" if int.from_bytes(head[8:], "little") == BYTE_ORDER_MAGIC else ">"
            if int.from_bytes(head[8:], "little" if order == "<" else "big") != BYTE_ORDER_MAGIC:
                return None
        if len(head) < 12:
            return None
        kind, size = struct.unpack_from(order + "II", head)
        if size < 12 or size % 4 or size > self._source.size - start:
            return None
        if self._source.look(start + size - 4, 4) != struct.pack(order + "I", size):
            return None
        body = self._source.look(start + 8, size - 12) if size <= MAX_BLOCK and kind in KNOWN_BLOCKS else b""
        self._source.position = start + size
        return _Block(order, kind, body)

    def _find_block(self, start: int, order: str) -> int:
        """Where the next block of a kind that is known begins, from `start` on; or the end of the file."""
        kinds = {struct.pack(order + "I", kind) for kind in KNOWN_BLOCKS}
        while piece := self._source.look(start, LOOKED_AT_ONCE):
            for place in range(0, len(piece), 4):
                if piece[place : place + 4] in kinds and self._read_block(start + place, order) is not None:
                    return start + place
            start += len(piece)
        return self._source.size


class _Interface(NamedTuple):
    link_type: int
    snap_length: int  # bytes of a packet that are captured, 0 for all
    ticks: int  # in a second
    offset: int  # seconds that are added to every time


def _read_interface(order: str, body: bytes) -> _Interface:
    link_type, _, snap_length = struct.unpack_from(order + "HHI", body)
    options = _options(order, body[8:])
    resolution = (options.get(TIME_RESOLUTION_OPTION) or b"\x06")[0]
    ticks = 2 ** (resolution & 0b0111_1111) if resolution & 0b1000_0000 else 10**resolution
    (offset,) = struct.unpack_from(order + "q", options.get(TIME_OFFSET_OPTION, b"").ljust(8, b"\0"))
    return _Interface(link_type, snap_length, ticks, offset)


def _known(interfaces: list[_Interface | None], number: int) -> _Interface:
    """The interface with this number. Raises IndexError if there is none that can be read."""
    interface = interfaces[number]
    if interface is None:
        raise IndexError
    return interface


def _read_keys(order: str, body: bytes) -> bytes:
    """The keys of TLS in a block of secrets; none if it has others."""
    kind, size = struct.unpack_from(order + "II", body)
    return body[8 : 8 + size] + b"\n" if kind == TLS_KEYS else b""


def _read_packet(order: str, body: bytes, interfaces: list[_Interface | None], old: bool) -> tuple[Packet, bool]:
    """The packet, and whether it is whole."""
    number, *_, high, low, size, original = struct.unpack_from(order + ("HHIIII" if old else "IIIII"), body)
    interface, data = _known(interfaces, number), body[20 : 20 + size]
    if len(data) < size:
        raise IndexError
    time = ((high << 32 | low) + interface.offset * interface.ticks) / interface.ticks
    return Packet(time, interface.link_type, data), size >= original


def _read_simple_packet(order: str, body: bytes, interface: _Interface, time: float) -> tuple[Packet, bool]:
    """The packet, and whether it is whole."""
    (original,) = struct.unpack_from(order + "I", body)
    size = min(original, interface.snap_length or len(body))
    return Packet(time, interface.link_type, body[4 : 4 + size]), size >= original


def _options(order: str, data: bytes) -> dict[int, bytes]:
    """The options at the end of a block, by their codes; of several with the same code, the last one."""
    options, position = {}, 0
    while position + 4 <= len(data):
        code, size = struct.unpack_from(order + "HH", data, position)
        options[code] = data[position + 4 : position + 4 + size]
        position += 4 + size + -size % 4
    return options
